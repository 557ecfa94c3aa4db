//! What is known of language beside stems: stop words, words of asking, and words for the same thing. Data, not code.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::text::{Stems, words};

/// The data as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    stop: String,
    filler: String,
    same: Vec<Vec<String>>,
    wider: Vec<Wider>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wider {
    asked: Vec<String>,
    found: Vec<String>,
}

/// Stems with their places in a text, from 0; stop words are left out, and leave their places empty.
pub(super) type Phrase = Vec<(String, u32)>;

/// What a phrase of a query also means.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    /// Other words for the same thing.
    pub(super) same: Vec<Phrase>,
    /// What is of its kind.
    pub(super) narrower: Vec<Phrase>,
}

/// The data, by stems.
#[derive(Debug)]
pub(super) struct Language {
    /// As written in texts, not by stems: `being` is none of the meaning of `be`.
    stop: HashSet<String>,
    filler: HashSet<String>,
    /// By stems alone.
    meanings: HashMap<Vec<String>, Meanings>,
    longest: usize,
}

/// The language of all texts.
pub(super) static LANGUAGE: LazyLock<Language> = LazyLock::new(|| {
    let written = toml::from_str(include_str!("language.toml")).expect("the data is right; a test reads it");
    Language::of(&written)
});

impl Language {
    fn of(written: &Written) -> Self {
        let mut stems = Stems::default();
        let mut stop = HashSet::new();
        words(&written.stop, |word| stop.extend([word.to_owned()]));
        let mut filler = HashSet::new();
        words(&written.filler, |word| filler.extend([stems.stem(word)]));
        let mut language = Self { stop, filler, meanings: HashMap::new(), longest: 0 };
        for group in &written.same {
            let group: Vec<Phrase> = group.iter().map(|text| language.phrase(text, &mut stems)).collect();
            for one in &group {
                let others = group.iter().filter(|other| *other != one).cloned();
                language.meaning(one).same.extend(others);
            }
        }
        for wider in &written.wider {
            let found: Vec<Phrase> = wider.found.iter().map(|text| language.phrase(text, &mut stems)).collect();
            for asked in &wider.asked {
                let asked = language.phrase(asked, &mut stems);
                language.meaning(&asked).narrower.extend(found.iter().filter(|it| **it != asked).cloned());
            }
        }
        language
    }

    fn meaning(&mut self, phrase: &Phrase) -> &mut Meanings {
        self.longest = self.longest.max(phrase.len());
        self.meanings.entry(phrase.iter().map(|(stem, _)| stem.clone()).collect()).or_default()
    }

    /// The stems of a text without stop words; with them where there is nothing else.
    pub(super) fn phrase(&self, text: &str, stems: &mut Stems) -> Phrase {
        let (mut found, mut place) = (vec![], 0);
        words(text, |word| {
            found.push((self.is_stop(word), stems.stem(word), place));
            place += 1;
        });
        let is_stop = found.iter().all(|(is_stop, ..)| *is_stop);
        let found = found.into_iter().filter(|it| is_stop || !it.0);
        let begin = found.clone().next().map_or(0, |first| first.2);
        found.map(|(_, stem, place)| (stem, place - begin)).collect()
    }

    /// Whether a word says nothing by itself.
    pub(super) fn is_stop(&self, word: &str) -> bool {
        self.stop.contains(word)
    }

    /// Whether a stem is of a word with which one asks.
    pub(super) fn is_filler(&self, stem: &str) -> bool {
        self.filler.contains(stem)
    }

    /// The longest phrase with meanings that stems begin with.
    pub(super) fn meanings(&self, stems: &[String]) -> Option<(usize, &Meanings)> {
        (1..=self.longest.min(stems.len())).rev().find_map(|length| {
            let meanings = self.meanings.get(&stems[..length])?;
            Some((length, meanings))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_right() {
        let written: Written = toml::from_str(include_str!("language.toml")).expect("TOML of the known keys");
        let mut stems = Stems::default();
        let mut owners = HashMap::<Phrase, usize>::new();
        for (number, group) in written.same.iter().enumerate() {
            assert!(group.len() > 1, "{group:?} is alone");
            for text in group {
                let phrase = LANGUAGE.phrase(text, &mut stems);
                assert!(!phrase.is_empty(), "{text:?} has no word");
                let owner = *owners.entry(phrase).or_insert(number);
                assert_eq!(owner, number, "{text:?} means two things: {:?} and {group:?}", written.same[owner]);
            }
        }
        for wider in &written.wider {
            assert!(!wider.asked.is_empty() && !wider.found.is_empty(), "{wider:?}");
        }
        assert!(LANGUAGE.is_stop("the") && !LANGUAGE.is_stop("review") && LANGUAGE.is_filler("make"));
    }

    #[test]
    fn the_longest_phrase_counts() {
        let mut stems = Stems::default();
        let mut meanings = |text: &str| {
            let stems: Vec<_> = LANGUAGE.phrase(text, &mut stems).into_iter().map(|(stem, _)| stem).collect();
            LANGUAGE.meanings(&stems).map(|(length, it)| (length, it.same.clone()))
        };
        let (length, same) = meanings("pull requests soon").expect("is known");
        assert!(length == 2 && same.contains(&vec![("pr".to_owned(), 0)]), "{same:?}");
        assert!(meanings("pull soon").is_none() && meanings("").is_none());
    }

    #[test]
    fn stop_words_leave_their_places_in_a_phrase() {
        let mut stems = Stems::default();
        let mut phrase = |text: &str| LANGUAGE.phrase(text, &mut stems);
        let word = |stem: &str, place| (stem.to_owned(), place);
        assert_eq!(phrase("the terms of service"), [word("term", 0), word("servic", 2)]);
        assert_eq!(phrase("to be"), [word("to", 0), word("be", 1)]);
    }
}
