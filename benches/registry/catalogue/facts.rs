//! What is known of the world when it is asked: its sizes, and words and names by how often they come.

use std::collections::{HashMap, HashSet};

use agent_registry::auth::Visibility;
use serde::{Deserialize, Serialize};

use super::artifact::Source;
use super::people::organisation_of;
use super::plan::{self, MAX_VERSIONS, Plan, TEAMS};
use super::random::Random;

/// Bytes of a README that are searched.
const SEARCHED_BYTES: usize = 1024;
/// How many of each there are at most.
const FREQUENT: usize = 30;
const SAMPLES: usize = 800;
/// Nobody looks for these alone.
const STOP_WORDS: [&str; 62] = [
    "the", "and", "for", "with", "that", "this", "from", "are", "not", "all", "can", "has", "have", "its", "was",
    "will", "you", "your", "use", "when", "into", "any", "but", "each", "what", "how", "which", "then", "than", "them",
    "they", "these", "those", "their", "there", "only", "one", "two", "also", "must", "should", "would", "may", "more",
    "most", "other", "such", "via", "per", "about", "after", "before", "been", "being", "both", "does", "over",
    "under", "out", "where", "while", "who",
];

/// See the module.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) packages: usize,
    pub(crate) versions: usize,
    /// Packages the user sees.
    pub(crate) visible: usize,
    /// Bytes of all manifests, and of all blobs.
    pub(crate) manifest_bytes: u64,
    pub(crate) blob_bytes: u64,
    /// Words in the most packages, and in which part of them.
    pub(crate) frequent: Vec<(String, f64)>,
    /// Words in 5 to 50 of 1,000 packages.
    pub(crate) medium: Vec<String>,
    /// Words of names.
    pub(crate) names: Vec<String>,
    /// Two words that stand beside each other.
    pub(crate) phrases: Vec<String>,
    /// Capability, label and model of a package.
    pub(crate) filters: Vec<[String; 3]>,
    /// Repositories with [`MAX_VERSIONS`] versions, and a range of them.
    pub(crate) ranges: Vec<(String, String)>,
}

/// Counts while the world is made.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    facts: Facts,
    /// In how many packages a word is.
    words: HashMap<String, usize>,
}

impl Counting {
    pub(crate) fn package(&mut self, source: &Source) {
        let readme = &source.documents[1].bytes;
        let readme = String::from_utf8_lossy(&readme[..readme.len().min(SEARCHED_BYTES)]);
        let metadata = &source.metadata;
        let mut texts = vec![metadata.name.as_str(), metadata.description.as_deref().unwrap_or_default(), &readme];
        texts.extend(metadata.capabilities.iter().chain(&metadata.tags).map(String::as_str));
        let words: HashSet<String> = texts.into_iter().flat_map(words).collect();
        for word in words {
            *self.words.entry(word).or_default() += 1;
        }
        self.facts.packages += 1;
    }

    pub(crate) fn version(&mut self, manifest: usize, blobs: usize) {
        self.facts.versions += 1;
        self.facts.manifest_bytes += manifest as u64;
        self.facts.blob_bytes += blobs as u64;
    }

    pub(crate) fn facts(mut self, plan: &Plan) -> Facts {
        self.facts.visible = visible(plan);
        self.by_frequency();
        self.samples(plan);
        self.facts.ranges = ranges(plan);
        self.facts
    }

    fn by_frequency(&mut self) {
        let packages = self.facts.packages;
        let mut words: Vec<(String, usize)> = self.words.drain().collect();
        // By the word where they are equally frequent: the same in every run.
        words.sort_by(|(left, left_count), (right, right_count)| (right_count, left).cmp(&(left_count, right)));
        let is_asked = |word: &str| word.len() > 2 && !STOP_WORDS.contains(&word);
        let part = |count: usize| part(count, packages);
        let frequent = words.iter().filter(|(word, _)| is_asked(word)).take(FREQUENT);
        self.facts.frequent = frequent.map(|(word, count)| (word.clone(), part(*count))).collect();
        let medium = words.iter().filter(|(_, count)| (0.005..0.05).contains(&part(*count)));
        let medium: Vec<&String> = medium.map(|(word, _)| word).filter(|word| is_asked(word)).collect();
        let mut random = Random::of(200, 0);
        self.facts.medium = (0..SAMPLES.min(medium.len() * 2)).map(|_| (*random.pick(&medium)).clone()).collect();
    }

    /// What is asked for is public, so that the user finds it.
    fn samples(&mut self, plan: &Plan) {
        let mut random = Random::of(201, 0);
        let (mut names, facts) = (HashSet::new(), &mut self.facts);
        for _ in 0..SAMPLES * 40 {
            let number = random.below(plan.packages.len());
            if plan.packages[number].visibility != Visibility::Public {
                continue;
            }
            let metadata = plan.metadata(number);
            let new = metadata.name.split('-').filter(|part| part.len() >= 5 && !part.starts_with(char::is_numeric));
            names.extend(new.map(str::to_owned));
            let text = words(metadata.description.as_deref().unwrap_or_default());
            if facts.phrases.len() < SAMPLES
                && let Some([left, right]) = text.as_chunks().0.get(random.below(6))
                && [left, right].iter().all(|word| word.len() > 2 && !STOP_WORDS.contains(&word.as_str()))
            {
                facts.phrases.push(format!("{left} {right}"));
            }
            if facts.filters.len() < SAMPLES
                && let (Some(capability), Some(label)) = (metadata.capabilities.first(), metadata.tags.first())
            {
                let model = metadata.model_reference().unwrap_or_default();
                facts.filters.push([capability.clone(), label.clone(), model]);
            }
        }
        facts.names = names.into_iter().collect();
        facts.names.sort();
    }
}

/// The words of a text, as people type them.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn visible(plan: &Plan) -> usize {
    let count = plan.organisations.len();
    let member_of: HashSet<usize> = (0..TEAMS).map(|team| organisation_of(team, count)).collect();
    let is_visible = |package: &&plan::Planned| match package.visibility {
        Visibility::Public => true,
        Visibility::Org => member_of.contains(&package.organisation),
        Visibility::Private => package.team.is_some(),
    };
    plan.packages.iter().filter(is_visible).count()
}

/// Ranges that some version is in.
fn ranges(plan: &Plan) -> Vec<(String, String)> {
    let mut random = Random::of(202, 0);
    let large = plan.packages.iter().filter(|package| package.versions.len() == MAX_VERSIONS);
    let large: Vec<&plan::Planned> = large.filter(|package| package.visibility == Visibility::Public).collect();
    let mut found = HashSet::new();
    for _ in 0..SAMPLES * 4 {
        if found.len() < SAMPLES
            && let Some(package) = large.get(random.below(large.len().max(1)))
        {
            let [major, minor, _, pre] = *random.pick(&package.versions);
            if pre == 0 {
                found.insert((plan.repository(package), format!("^{major}.{minor}")));
            }
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort();
    found
}

fn part(count: usize, of: usize) -> f64 {
    crate::load::count(count) / crate::load::count(of)
}
