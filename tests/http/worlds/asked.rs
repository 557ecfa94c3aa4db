//! Random queries, and which packages they mean, worked out again from the words of the documentation.

use std::fmt;

use proptest::prelude::*;
use semver::VersionReq;

use super::people::glob;
use super::shelf::{Document, Shelf, package_name};

/// Words of names, descriptions, first documents, capabilities and labels, and two that are nowhere.
const WORDS: [&str; 18] = [
    "quokka",
    "lamp",
    "zephyr",
    "walrus",
    "drum",
    "mill",
    "obelisk",
    "saffron",
    "kumquat",
    "juniper",
    "bivouac",
    "harpsichord",
    "ferrule",
    "gossamer",
    "brelfo",
    "mopwit",
    "nowhere",
    "unheard",
];
const GLOBS: [&str; 6] = ["quok*", "*ist*", "z*", "*illl*", "*umqua*", "walrus-*"];
const PHRASES: [&str; 3] = ["bivouac and harpsichord", "with a bivouac", "harpsichord bivouac"];
const FIELDS: [(&str, &str); 24] = [
    ("name", "zephyr"),
    ("name", "*-drum"),
    ("name", "acme/*"),
    ("name", "quokka*"),
    ("namespace", "acme"),
    ("namespace", "u*"),
    ("namespace", "ghost"),
    ("capability", "brelfo"),
    ("capability", "quin*"),
    ("tag", "mopwit"),
    ("tag", "zanlure"),
    ("tag", "tir*"),
    ("author", "ottoline"),
    ("author", "vance"),
    ("model", "gpt-4"),
    ("model", "ollama/llama3.2"),
    ("model", "claude*"),
    ("runtime", "python"),
    ("runtime", "nodejs"),
    ("license", "mit"),
    ("license", "Apache-2.0"),
    ("kind", "agent"),
    ("kind", "image"),
    ("kind", "chart"),
];
const RANGES: [&str; 8] = ["^1", "1.1.0", "~1.1", ">=2.0.0", "<1", "^2.0.0-beta.1", "1.x", ">=1, <10"];

/// One condition.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition {
    Word(&'static str),
    Glob(&'static str),
    Phrase(&'static str),
    Field(&'static str, &'static str),
    Version(&'static str),
    Downloads(u64),
    Rating(u8),
    Signed(bool),
    /// Changed in the last days, as everything here.
    Since,
    /// Changed long ago, as nothing here.
    Ancient,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) is_negated: bool,
    pub(crate) condition: Condition,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negated {
            f.write_str("-")?;
        }
        match self.condition {
            Condition::Word(text) | Condition::Glob(text) => f.write_str(text),
            Condition::Phrase(text) => write!(f, "\"{text}\""),
            Condition::Field(field, value) => write!(f, "{field}:{value}"),
            Condition::Version(range) => write!(f, "version:\"{range}\""),
            Condition::Downloads(least) => write!(f, "downloads:>={least}"),
            Condition::Rating(least) => write!(f, "rating:>={least}"),
            Condition::Signed(is) => write!(f, "signed:{}", if is { "yes" } else { "no" }),
            Condition::Since => f.write_str("since:3d"),
            Condition::Ancient => f.write_str("updated:<2020-01-01"),
        }
    }
}

/// A query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(pub(crate) Vec<Term>);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<_> = self.0.iter().map(Term::to_string).collect();
        f.write_str(&terms.join(" "))
    }
}

/// Whether something must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// The documentation does not say.
    Either,
}

impl Verdict {
    const fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }

    const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Either => Self::Either,
        }
    }
}

impl Asked {
    /// Whether all of it holds.
    pub(crate) fn matches(&self, repository: &str, shelf: &Shelf, document: &Document) -> Verdict {
        let each = self.0.iter().map(|term| {
            let verdict = holds(term.condition, repository, shelf, document);
            if term.is_negated { verdict.not() } else { verdict }
        });
        each.fold(Verdict::Yes, |all, one| match (all, one) {
            (Verdict::No, _) | (_, Verdict::No) => Verdict::No,
            (Verdict::Either, _) | (_, Verdict::Either) => Verdict::Either,
            _ => Verdict::Yes,
        })
    }

    /// Whether search may give what has only most of it, where nothing has all.
    pub(crate) fn may_relax(&self) -> bool {
        let is_word = |term: &Term| !term.is_negated && matches!(term.condition, Condition::Word(_));
        self.0.len() > 1 && self.0.iter().all(is_word)
    }

    /// Whether at least one of the words is there.
    pub(crate) fn touches(&self, repository: &str, shelf: &Shelf, document: &Document) -> bool {
        self.0.iter().any(|term| holds(term.condition, repository, shelf, document) != Verdict::No)
    }

    /// The ranges that a version has to be in, to be the one that is shown.
    pub(crate) fn ranges(&self) -> Vec<VersionReq> {
        let range = |term: &Term| match term.condition {
            Condition::Version(range) if !term.is_negated => Some(VersionReq::parse(range).unwrap()),
            _ => None,
        };
        self.0.iter().filter_map(range).collect()
    }
}

fn holds(condition: Condition, repository: &str, shelf: &Shelf, document: &Document) -> Verdict {
    let (average, _) = shelf.rating();
    match condition {
        Condition::Word(word) => Verdict::of(words(repository, document).iter().any(|found| found == word)),
        Condition::Phrase(phrase) => {
            Verdict::of(document.content.as_ref().is_some_and(|content| content.description.contains(phrase)))
        }
        Condition::Glob(pattern) => glob_word(pattern, repository, document),
        Condition::Field(field, value) => Verdict::of(field_is(field, value, repository, document)),
        Condition::Version(range) => version_is(range, shelf, document),
        Condition::Downloads(least) => Verdict::of(shelf.downloads >= least),
        Condition::Rating(least) => Verdict::of(average.is_some_and(|average| average >= f64::from(least))),
        Condition::Signed(is) => Verdict::of(shelf.is_signed(&document.digest) == is),
        Condition::Since => Verdict::Yes,
        Condition::Ancient => Verdict::No,
    }
}

/// Everything in which words are looked for, cut into them.
fn words(repository: &str, document: &Document) -> Vec<String> {
    let mut text = package_name(repository).to_owned();
    if let Some(content) = &document.content {
        text = [&[text.as_str(), content.description, content.readme][..], &content.capabilities, &content.tags]
            .concat()
            .join(" ");
    }
    text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
}

/// A glob must match a word or all of a name, description, capability or label; whether it is tried on the first
/// document, and what a word is there, is not said.
fn glob_word(pattern: &str, repository: &str, document: &Document) -> Verdict {
    let name = package_name(repository);
    let mut texts = vec![name];
    if let Some(content) = &document.content {
        texts.extend(content.capabilities.iter().chain(&content.tags));
        texts.extend(content.description.split_whitespace());
        texts.push(content.description);
    }
    if texts.iter().any(|text| glob(pattern, text)) {
        return Verdict::Yes;
    }
    let in_parts = words(repository, document).iter().any(|word| glob(pattern, word));
    if in_parts { Verdict::Either } else { Verdict::No }
}

fn field_is(field: &str, value: &str, repository: &str, document: &Document) -> bool {
    let value = value.to_lowercase();
    let is = |text: &str| glob(&value, &text.to_lowercase());
    match field {
        "name" => return is(package_name(repository)) || is(repository),
        "namespace" => return repository.split_once('/').is_some_and(|(namespace, _)| is(namespace)),
        "kind" => return is(document.kind),
        _ => {}
    }
    let Some(content) = &document.content else { return false };
    match field {
        "capability" => content.capabilities.iter().any(|text| is(text)),
        "tag" => content.tags.iter().any(|text| is(text)),
        "author" => content.author.to_lowercase().contains(&value),
        "model" => is(&content.model()) || is(content.model.1),
        "runtime" => is(content.runtime),
        "license" => is(content.license) || content.license.split(' ').any(is),
        other => panic!("no such field: {other}"),
    }
}

/// Whether some version that was not yanked is in a range.
fn version_is(range: &str, shelf: &Shelf, document: &Document) -> Verdict {
    let range = VersionReq::parse(range).unwrap();
    if document.own_version.is_some() {
        return Verdict::Either;
    }
    let in_range = |row: &super::shelf::Row| {
        !row.said.yanked && row.version.as_ref().is_some_and(|version| range.matches(version))
    };
    Verdict::of(shelf.rows().iter().any(in_range))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        6 => prop::sample::select(&WORDS[..]).prop_map(Condition::Word),
        2 => prop::sample::select(&GLOBS[..]).prop_map(Condition::Glob),
        1 => prop::sample::select(&PHRASES[..]).prop_map(Condition::Phrase),
        6 => prop::sample::select(&FIELDS[..]).prop_map(|(field, value)| Condition::Field(field, value)),
        2 => prop::sample::select(&RANGES[..]).prop_map(Condition::Version),
        1 => (0..3_u64).prop_map(Condition::Downloads),
        1 => (1..=5_u8).prop_map(Condition::Rating),
        1 => any::<bool>().prop_map(Condition::Signed),
        1 => Just(Condition::Since),
        1 => Just(Condition::Ancient),
    ]
}

/// Any query of up to three terms; often everything.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let term =
        (prop::bool::weighted(0.2), condition()).prop_map(|(is_negated, condition)| Term { is_negated, condition });
    prop_oneof![
        1 => Just(Asked::default()),
        4 => prop::collection::vec(term, 1..=3).prop_map(Asked),
    ]
}
