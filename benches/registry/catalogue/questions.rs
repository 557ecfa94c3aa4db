//! The questions, by kind: what each may take at most, and hundreds of requests no two of which are the same.

use super::facts::Facts;
use super::random::Random;

/// Requests of a kind.
pub(crate) const MANY: usize = 500;
const PAGE: usize = 20;

/// A kind of question.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Milliseconds that half of the answers, and 99 in 100, may take.
    pub(crate) aims: [f64; 2],
    /// Paths with their queries.
    pub(crate) paths: Vec<String>,
    /// The part of them that finds something, at least.
    pub(crate) finds: f64,
}

const WORDS: [f64; 2] = [2.0, 8.0];
const GLOBS: [f64; 2] = [3.0, 8.0];
const FACETS: [f64; 2] = [5.0, 15.0];
const RESOLVE: [f64; 2] = [0.5, 1.0];

/// All kinds over a world.
pub(crate) fn all(facts: &Facts) -> Vec<Kind> {
    let mut random = Random::of(300, 0);
    let mut kinds = words(facts, &mut random);
    kinds.extend(filters(facts, &mut random));
    kinds.extend(names(facts, &mut random));
    // The words are few; another length of page makes another request.
    let frequent = |parameters: &str| {
        let words = facts.frequent.iter().map(|(word, _)| word);
        let pages = PAGE..PAGE + MANY / facts.frequent.len().max(1) + 1;
        words
            .flat_map(|word| pages.clone().map(move |page| search(word, &format!("&limit={page}{parameters}"))))
            .collect()
    };
    kinds.extend([
        kind("very frequent word, ranked", WORDS, frequent("")),
        kind("very frequent word, by downloads", WORDS, frequent("&sort=downloads")),
        kind("very frequent word, by date", WORDS, frequent("&sort=updated")),
        kind("very frequent word, with facets", FACETS, frequent("&facets=true")),
        kind(
            "all packages, with facets",
            FACETS,
            (1..=100).map(|page| search("", &format!("&limit={page}&facets=true"))).collect(),
        ),
    ]);
    let resolve = |(repository, range): &(String, String)| {
        format!("/api/v1/packages/{repository}/resolve?version={}", encoded(range))
    };
    kinds.push(Kind {
        finds: 1.0,
        ..kind("resolve ^1.2 of 1,000 versions", RESOLVE, facts.ranges.iter().map(resolve).collect())
    });
    kinds
}

fn words(facts: &Facts, random: &mut Random) -> Vec<Kind> {
    let mut pairs = |between: &str| {
        let pair = |_| format!("{} {between}{}", random.pick(&facts.frequent).0, random.pick(&facts.medium));
        requests((0..MANY * 2).map(pair))
    };
    vec![
        kind("two words", WORDS, pairs("")),
        kind("a word without another", WORDS, pairs("-")),
        Kind {
            finds: 0.9,
            ..kind("phrase", WORDS, requests(facts.phrases.iter().map(|phrase| format!("\"{phrase}\""))))
        },
    ]
}

fn filters(facts: &Facts, random: &mut Random) -> Vec<Kind> {
    let three = |[capability, label, model]: &[String; 3]| format!("capability:{capability} tag:{label} model:{model}");
    let mut compare = |_| {
        let (downloads, month, day) = (random.below(2_000), 1 + random.below(9), 1 + random.below(28));
        let rating = ["3", "3.5", "4"][random.below(3)];
        format!("downloads:>{downloads} updated:>2026-{month:02}-{day:02} rating:>={rating}")
    };
    vec![
        kind("capability, label and model", WORDS, requests(facts.filters.iter().map(three))),
        kind("comparisons", WORDS, requests((0..MANY * 2).map(&mut compare))),
    ]
}

fn names(facts: &Facts, random: &mut Random) -> Vec<Kind> {
    let beginning = |name: &String, length: usize| name.chars().take(length).collect::<String>();
    let inside = |name: &String| name.chars().skip(1).take(3).collect::<String>();
    let mut typo = |name: &String| mistyped(name, random);
    vec![
        kind(
            "beginning of a word",
            WORDS,
            requests(facts.names.iter().map(|name| beginning(name, 3 + name.len() % 3))),
        ),
        Kind { finds: 0.5, ..kind("typing mistake", WORDS, requests(facts.names.iter().map(&mut typo))) },
        kind("glob sent*", GLOBS, requests(facts.names.iter().map(|name| beginning(name, 4) + "*"))),
        kind("glob *bot*", GLOBS, requests(facts.names.iter().map(|name| format!("*{}*", inside(name))))),
    ]
}

fn kind(name: &'static str, aims: [f64; 2], mut paths: Vec<String>) -> Kind {
    // Neighbours have little in common, and none are left out because of what they begin with.
    let mut random = Random::of(301, name.len());
    for place in (1..paths.len()).rev() {
        paths.swap(place, random.below(place + 1));
    }
    paths.truncate(MANY);
    Kind { name, aims, paths, finds: 0.8 }
}

/// Distinct requests for these queries.
fn requests(queries: impl Iterator<Item = String>) -> Vec<String> {
    let (mut seen, limit) = (std::collections::HashSet::new(), format!("&limit={PAGE}"));
    queries.filter(|query| seen.insert(query.clone())).map(|query| search(&query, &limit)).collect()
}

/// The path of a search.
pub(crate) fn search(query: &str, parameters: &str) -> String {
    format!("/api/v1/packages?q={}{parameters}", encoded(query))
}

/// With one letter wrong, missing, too many, or two of them swapped.
fn mistyped(name: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    // The first letter is seldom wrong.
    let place = 1 + random.below(letters.len() - 2);
    match random.below(4) {
        0 => letters[place] = 'x',
        1 => drop(letters.remove(place)),
        2 => letters.insert(place, 'e'),
        _ => letters.swap(place, place + 1),
    }
    letters.into_iter().collect()
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
