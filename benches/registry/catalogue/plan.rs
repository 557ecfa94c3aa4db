//! The world before it is written: which packages there are, whose, with which versions, and in which order they came.

use std::collections::HashSet;

use agent_registry::auth::{AccountName, Visibility};
use agent_registry::package::{Metadata, RUNTIMES};
use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};

use super::random::{Random, whole};
use super::vocabulary::Vocabulary;

/// Most versions of a package; at least [`LARGE`] packages have them, to be resolved.
pub(crate) const MAX_VERSIONS: usize = 1_000;
const LARGE: usize = 10;
/// The user's teams, and the private repositories granted to them of a hundred thousand.
pub(crate) const TEAMS: usize = 50;
const GRANTED: f64 = 0.1;
/// When the first package may have come, in minutes before the last version.
const MINUTES: usize = 3 * 365 * 24 * 60;
/// When the last version came: 2026-10-01.
const END: i64 = 1_790_812_800;
const LICENSES: [&str; 6] = ["MIT", "Apache-2.0", "BSD-3-Clause", "MPL-2.0", "ISC", "LicenseRef-Proprietary"];
const ENDINGS: [&str; 6] = ["agent", "bot", "assistant", "reviewer", "writer", "tool"];
/// What a sequence of random numbers is for.
const NAMES: u64 = 2;
const VERSIONS: u64 = 3;
const PACKAGE: u64 = 4;
const README: u64 = 5;

/// A repository with one package.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The place of its namespace.
    pub(crate) organisation: usize,
    pub(crate) name: String,
    pub(crate) visibility: Visibility,
    /// The user's team that may read it.
    pub(crate) team: Option<usize>,
    pub(crate) versions: Vec<Number>,
    started: usize,
}

/// Major, minor, patch, and the number of a pre-release; 0 for none.
pub(crate) type Number = [u16; 4];

/// Everything that is going to be written.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) organisations: Vec<AccountName>,
    pub(crate) packages: Vec<Planned>,
}

/// A version about to be written: the minute, the package's place, its own place among the package's versions.
pub(crate) type Turn = (usize, usize, usize);

impl Plan {
    /// So many packages with so many versions together.
    pub(crate) fn new(packages: usize, versions: usize) -> Result<Self> {
        let vocabulary = Vocabulary::read()?;
        let organisations = organisations(&vocabulary, (packages / 50).max(20));
        let counts = counts(packages, versions);
        let (mut random, mut names) = (Random::of(NAMES, 0), HashSet::new());
        let mut planned = Vec::with_capacity(packages);
        for (number, count) in counts.into_iter().enumerate() {
            let organisation = random.rank(organisations.len());
            let name = name(&vocabulary, &mut random);
            // The namespace and the name are the repository's, of which there is one.
            let is_new = names.insert((organisation, name.clone()));
            let name = if is_new { name } else { format!("{name}-{number}") };
            let (visibility, team) = visibility(&mut random);
            let (versions, started) = (numbers(count, number), random.below(MINUTES));
            planned.push(Planned { organisation, name, visibility, team, versions, started });
        }
        Ok(Self { vocabulary, organisations, packages: planned })
    }

    pub(crate) fn repository(&self, package: &Planned) -> String {
        format!("{}/{}", self.organisations[package.organisation], package.name)
    }

    /// All versions in the order in which they came: those of one package stand among those of others.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        let mut turns = vec![];
        for (number, package) in self.packages.iter().enumerate() {
            let mut random = Random::of(VERSIONS + 100, number);
            let count = package.versions.len();
            let room = MINUTES - package.started;
            turns.extend((0..count).map(|place| {
                let minute = package.started + (room * place + random.below(room)) / count;
                (minute, number, place)
            }));
        }
        turns.sort_unstable();
        turns
    }

    /// What a package says of itself, all but the version.
    pub(crate) fn metadata(&self, number: usize) -> Metadata {
        let (package, words) = (&self.packages[number], &self.vocabulary);
        let mut random = Random::of(PACKAGE, number);
        let (provider, model) = random.frequent(&words.models).clone();
        let bytes = whole(random.skewed(195.0, 0.45)).clamp(40, 900);
        let mut some = |list: &[String], most: usize| {
            let mut some: Vec<String> = (0..random.below(most + 1)).map(|_| random.frequent(list).clone()).collect();
            some.sort();
            some.dedup();
            some
        };
        Metadata {
            name: package.name.clone(),
            capabilities: some(&words.capabilities, 6),
            tags: some(&words.labels, 6),
            description: Some(words.text(&mut random, bytes)),
            author: Some(format!("{} team {}", self.organisations[package.organisation], random.rank(5) + 1)),
            license: Some((*random.frequent(&LICENSES)).to_owned()),
            model: Some(model),
            model_provider: Some(provider),
            runtime: Some((*random.frequent(RUNTIMES)).to_owned()),
            schema_version: Some("agent.dev/v1".to_owned()),
            ..Metadata::default()
        }
    }

    /// At least a KiB.
    pub(crate) fn readme(&self, number: usize) -> String {
        let mut random = Random::of(README, number);
        let bytes = 1_030 + whole(random.skewed(200.0, 1.0)).min(5_000);
        format!("# {}\n\n{}\n", self.packages[number].name, self.vocabulary.text(&mut random, bytes))
    }

    /// How often a package was pulled, how many rated it, and with how many stars together.
    pub(crate) fn standing(number: usize) -> [i64; 3] {
        let mut random = Random::of(PACKAGE + 100, number);
        let downloads = whole(random.skewed(40.0, 2.2)).min(50_000_000);
        let ratings = if random.chance(0.3) { 1 + random.rank(500) } else { 0 };
        let stars = (0..ratings).map(|_| 5 - random.rank(5)).sum();
        [downloads, ratings, stars].map(|number: usize| i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The moment of a minute.
pub(crate) fn moment(minute: usize) -> Result<Timestamp> {
    let before = i64::try_from(MINUTES - minute)?;
    let end = Timestamp::from_second(END)?;
    end.checked_sub(SignedDuration::from_mins(before)).context("a time")
}

/// A version as text.
pub(crate) fn text([major, minor, patch, pre]: Number) -> String {
    if pre == 0 { format!("{major}.{minor}.{patch}") } else { format!("{major}.{minor}.{patch}-rc.{pre}") }
}

fn organisations(vocabulary: &Vocabulary, count: usize) -> Vec<AccountName> {
    let (mut random, mut seen) = (Random::of(NAMES, 1), HashSet::new());
    let mut found = vec![];
    while found.len() < count {
        // The number makes enough of them where there are few words.
        let end = if random.chance(0.7) { String::new() } else { random.below(100).to_string() };
        let text = format!("{}-{}{end}", random.pick(&vocabulary.names), random.pick(&vocabulary.names));
        if let Ok(name) = text.parse::<AccountName>()
            && !name.is_reserved()
            && seen.insert(text)
        {
            found.push(name);
        }
    }
    found
}

/// How many versions each package has: half of them at most two, one in a hundred 124 or more.
fn counts(packages: usize, versions: usize) -> Vec<usize> {
    let mut random = Random::of(VERSIONS, usize::MAX);
    let count = |random: &mut Random| whole(random.skewed(2.0, 1.774) + 0.5).clamp(1, MAX_VERSIONS);
    let mut counts: Vec<usize> =
        if versions > packages * 2 { (0..packages).map(|_| count(&mut random)).collect() } else { vec![1; packages] };
    for _ in 0..LARGE {
        counts[random.below(packages)] = MAX_VERSIONS;
    }
    let mut sum: usize = counts.iter().sum();
    // What is too many or too few is spread over those that have some.
    while sum != versions && versions > packages * 2 {
        let count = &mut counts[random.below(packages)];
        if sum > versions && (3..MAX_VERSIONS).contains(count) {
            (*count, sum) = (*count - 1, sum - 1);
        } else if sum < versions && (3..MAX_VERSIONS - 1).contains(count) {
            (*count, sum) = (*count + 1, sum + 1);
        }
    }
    counts
}

/// The versions of a package in the order of their release; one in ten is a pre-release of the next.
fn numbers(count: usize, package: usize) -> Vec<Number> {
    let mut random = Random::of(VERSIONS, package);
    let mut last: Number = if random.chance(0.5) { [0, 1, 0, 0] } else { [1, 0, 0, 0] };
    let mut numbers = vec![last];
    while numbers.len() < count {
        let [major, minor, patch, pre] = last;
        last = match random.below(100) {
            _ if pre > 0 && random.chance(0.6) => [major, minor, patch, 0],
            _ if pre > 0 => [major, minor, patch, pre + 1],
            0..2 => [major + 1, 0, 0, 0],
            2..30 => [major, minor + 1, 0, 0],
            30..36 => [major, minor + 1, 0, 1],
            _ => [major, minor, patch + 1, 0],
        };
        numbers.push(last);
    }
    numbers
}

fn name(vocabulary: &Vocabulary, random: &mut Random) -> String {
    let words = [2, 2, 2, 1, 3, 3][random.below(6)];
    let mut parts: Vec<&str> = (0..words).map(|_| random.pick(&vocabulary.names).as_str()).collect();
    if words == 1 || random.chance(0.3) {
        parts.push(*random.pick::<&str>(&ENDINGS));
    }
    parts.join("-")
}

/// 54 of 100 are public, 6 for an organisation, 40 private, of which a quarter is granted to a team of the user.
fn visibility(random: &mut Random) -> (Visibility, Option<usize>) {
    match random.unit() {
        part if part < 0.54 => (Visibility::Public, None),
        part if part < 0.60 => (Visibility::Org, None),
        part if part < 0.60 + GRANTED => (Visibility::Private, Some(random.below(TEAMS))),
        _ => (Visibility::Private, None),
    }
}
