//! Search as a few loops over documents: what the search must agree with.
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ratings are between 1 and 5")]

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Stems, words};
use super::{Change, Document};
use crate::api::{Condition, FacetCount, Facets, MAX_FACET_VALUES, Pattern, Query, Sort, Standing};
use crate::auth::{Sight, Visibility};

/// Who looks, as the index would say.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) sight: Sight,
    pub(super) namespaces: Vec<String>,
    pub(super) organisations: Vec<String>,
    pub(super) repositories: Vec<i64>,
}

impl Who {
    fn sees(&self, document: &Document) -> bool {
        let name = &document.summary.repository;
        let is_in = |names: &[String]| name.namespace().is_some_and(|it| names.iter().any(|name| name == it));
        let is_permitted = self.sight.is_administrator()
            || document.visibility == Visibility::Public
            || is_in(&self.namespaces)
            || (document.visibility == Visibility::Org && is_in(&self.organisations))
            || self.repositories.contains(&document.repository_id);
        is_permitted && self.sight.sees(name)
    }
}

/// Every document with what is known of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) documents: BTreeMap<i64, (Document, Standing)>,
}

impl Model {
    pub(super) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Remove(id) => drop(self.documents.remove(id)),
                Change::Put(document) => {
                    let mut new = (**document).clone();
                    let known = self.documents.get(&document.repository_id);
                    let standing = known.map(|known| known.1).unwrap_or_default();
                    if let Some((old, _)) = known.filter(|(old, _)| old.as_of > new.as_of) {
                        (new.visibility, new.as_of) = (old.visibility, old.as_of);
                    }
                    self.documents.insert(new.repository_id, (new, standing));
                }
            }
        }
    }

    pub(super) fn set_visibility(&mut self, id: i64, visibility: Visibility, as_of: u64) {
        if let Some((document, _)) = self.documents.get_mut(&id).filter(|(document, _)| document.as_of <= as_of) {
            (document.visibility, document.as_of) = (visibility, as_of);
        }
    }

    /// All that match, in order; for relevance, which only the search knows, by name.
    pub(super) fn search(&self, query: &Query, sort: Sort, who: &Who) -> Vec<&(Document, Standing)> {
        let seen: Vec<_> = self.documents.values().filter(|(document, _)| who.sees(document)).collect();
        let texts: Vec<_> = seen.iter().map(|(document, _)| Texts::of(document)).collect();
        let readings: Vec<_> = query.terms.iter().map(|term| readings(&term.condition, term.negated, &texts)).collect();
        let matches = |texts: &Texts, document: &Document, standing: &Standing| {
            let standing = Standing { signed: document.signed, ..*standing };
            let versions = query.terms.iter().filter(|term| !term.negated).map(|term| &term.condition);
            let is_in = |range: &Condition, version: &crate::package::Version| match range {
                Condition::Version(range) => range.matches(version, false),
                _ => true,
            };
            let has_version = query.terms.iter().all(|it| it.negated || !matches!(it.condition, Condition::Version(_)))
                || document.versions.iter().any(|version| versions.clone().all(|range| is_in(range, version)));
            let holds = query.terms.iter().zip(&readings).all(|(term, stems)| match &term.condition {
                Condition::Word(pattern) if pattern.is_glob() => texts.globbed(pattern) != term.negated,
                Condition::Word(_) => stems.iter().any(|stem| texts.all.contains(stem)) != term.negated,
                Condition::Phrase(text) => texts.phrase(text) != term.negated,
                Condition::Version(range) if term.negated => {
                    !document.versions.iter().any(|it| range.matches(it, false))
                }
                Condition::Version(_) => true,
                other => other.matches(&document.summary, &standing) != term.negated,
            });
            has_version && holds
        };
        let with = seen.into_iter().zip(&texts);
        let mut found: Vec<_> =
            with.filter(|((it, standing), texts)| matches(texts, it, standing)).map(|(it, _)| it).collect();
        found.sort_by(|(one, a), (other, b)| {
            let rating =
                |it: &Standing| it.rating.average.map_or((0, 0), |x| ((x * 1_000.0).round() as u64, it.rating.count));
            let by = match sort {
                Sort::Updated => other.summary.updated_at.cmp(&one.summary.updated_at),
                Sort::Downloads => b.downloads.cmp(&a.downloads),
                Sort::Rating => rating(b).cmp(&rating(a)),
                Sort::Relevance | Sort::Name => std::cmp::Ordering::Equal,
            };
            by.then_with(|| one.summary.repository.as_str().cmp(other.summary.repository.as_str()))
        });
        found
    }
}

/// What a document says, by words.
struct Texts {
    /// Stems of everything.
    all: BTreeSet<String>,
    /// Stems of each text with their places.
    each: Vec<Vec<String>>,
    /// The words of the name, and those of capabilities and tags.
    named: BTreeSet<String>,
    labelled: BTreeSet<String>,
    name: String,
    labels: Vec<String>,
}

impl Texts {
    fn of(document: &Document) -> Self {
        let summary = &document.summary;
        let mut stems = Stems::default();
        let labels: Vec<String> = summary.capabilities.iter().chain(&summary.tags).cloned().collect();
        let mut parts = vec![summary.repository.package().to_owned()];
        parts.extend(labels.iter().cloned());
        parts.extend([summary.author.clone(), summary.description.clone(), document.readme.clone()]);
        let each: Vec<Vec<String>> =
            parts.iter().map(|text| cut(text).iter().map(|word| stems.stem(word)).collect()).collect();
        Self {
            all: each.iter().flatten().cloned().collect(),
            each,
            named: cut(summary.repository.package()).into_iter().collect(),
            labelled: labels.iter().flat_map(|label| cut(label)).collect(),
            name: summary.repository.package().to_owned(),
            labels,
        }
    }

    fn phrase(&self, text: &str) -> bool {
        let mut stems = Stems::default();
        let wanted: Vec<String> = cut(text).iter().map(|word| stems.stem(word)).collect();
        self.each.iter().any(|text| text.windows(wanted.len()).any(|window| window == wanted))
    }

    fn globbed(&self, pattern: &Pattern) -> bool {
        let words = self.named.iter().chain(&self.labelled);
        let is_beginning = pattern.is_prefix() && pattern.prefix().len() >= 3;
        words.chain(&self.labels).chain([&self.name]).any(|text| pattern.matches(text))
            || (is_beginning && self.all.iter().any(|stem| stem.starts_with(&pattern.prefix())))
    }
}

fn cut(text: &str) -> Vec<String> {
    let mut found = vec![];
    words(text, |word| found.push(word.to_owned()));
    found
}

/// The stems any of which a word means, by what is seen.
fn readings(condition: &Condition, is_negated: bool, seen: &[Texts]) -> Vec<String> {
    let Condition::Word(pattern) = condition else { return vec![] };
    let (Some(word), mut stems) = (pattern.text(), Stems::default()) else { return vec![] };
    let itself = stems.stem(word);
    let labelled = |texts: &&Texts| texts.named.contains(word) || texts.labelled.contains(word);
    let mut meant = vec![itself.clone()];
    if is_negated || seen.iter().any(|texts| labelled(&texts)) {
        return meant;
    }
    let known = || seen.iter().flat_map(|texts| texts.named.iter().chain(&texts.labelled));
    meant.extend(known().filter(|known| known.starts_with(word)).map(|known| stems.stem(known)));
    let documents = seen.iter().filter(|texts| texts.all.contains(&itself)).count();
    if meant.len() == 1 && documents == 0 && word.len() >= 3 {
        meant.extend(seen.iter().flat_map(|it| &it.all).filter(|stem| stem.starts_with(word)).cloned());
    }
    if meant.iter().all(|stem| *stem == itself) && word.len() >= 4 {
        let names: BTreeSet<&String> =
            seen.iter().flat_map(|texts| &texts.named).filter(|it| is_near(it, word)).collect();
        let most = names.iter().map(|name| seen.iter().filter(|texts| texts.named.contains(*name)).count()).max();
        if most.unwrap_or(0) > documents * 20 {
            meant.extend(names.iter().map(|name| stems.stem(name)));
        }
    }
    meant
}

/// Whether one edit makes one of the other: all edits are tried.
fn is_near(one: &str, other: &str) -> bool {
    let letters: Vec<char> = one.chars().collect();
    let mut made = BTreeSet::new();
    for at in 0..=letters.len() {
        for letter in 'a'..='z' {
            let mut more = letters.clone();
            more.insert(at, letter);
            made.insert(more);
            if at < letters.len() {
                let mut wrong = letters.clone();
                wrong[at] = letter;
                made.insert(wrong);
            }
        }
        let (mut less, mut swapped) = (letters.clone(), letters.clone());
        if at < letters.len() {
            less.remove(at);
            made.insert(less);
        }
        if at + 1 < letters.len() {
            swapped.swap(at, at + 1);
            made.insert(swapped);
        }
    }
    made.contains(&other.chars().collect::<Vec<_>>()) && one != other
}

/// How documents divide.
pub(super) fn facets(found: &[&(Document, Standing)]) -> Facets {
    let count = |values: &dyn Fn(&Document) -> Vec<String>| {
        let mut counts = BTreeMap::<String, u64>::new();
        for (document, _) in found {
            let distinct: BTreeSet<String> = values(document).into_iter().filter(|value| !value.is_empty()).collect();
            for value in distinct {
                *counts.entry(value).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
        counts.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
        counts.truncate(MAX_FACET_VALUES);
        counts
    };
    Facets {
        capabilities: count(&|it| it.summary.capabilities.clone()),
        tags: count(&|it| it.summary.tags.clone()),
        models: count(&|it| vec![it.summary.model.clone()]),
        runtimes: count(&|it| vec![it.summary.runtime.clone()]),
        authors: count(&|it| vec![it.summary.author.clone()]),
        kinds: count(&|it| vec![it.summary.kind.clone()]),
    }
}
