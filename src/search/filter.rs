//! Everything of a query but its words: which documents the columns alone let through.

use super::Error;
use super::bits::Bits;
use super::columns::Columns;
use super::globs;
use super::snapshot::Snapshot;
use super::values::Facet;
use crate::api::{Condition, Field, Pattern, Query, SignedIs};
use crate::package::VersionRange;

/// What is left, and what it is about.
pub(super) struct Filtered {
    /// What passes all but words, phrases and versions.
    pub(super) documents: Bits,
    /// The distinct versions of which a package must have one.
    pub(super) versions: Option<Bits>,
    /// For each glob among the words, the documents that have it in their name.
    pub(super) named: Vec<Bits>,
}

/// Lets through what of the visible documents passes.
pub(super) fn filter(query: &Query, snapshot: &Snapshot, visible: &Bits) -> Result<Filtered, Error> {
    let columns = &snapshot.columns;
    let mut filtered = Filtered { documents: visible.clone(), versions: None, named: vec![] };
    for term in &query.terms {
        match &term.condition {
            Condition::Word(pattern) if pattern.is_glob() => {
                let found = globs::find(pattern, snapshot, visible)?;
                filtered.keep(&found.any, term.negated);
                if !term.negated {
                    filtered.named.push(found.named);
                }
            }
            Condition::Word(pattern) if term.negated => {
                filtered.keep(&snapshot.having(pattern.text().unwrap_or_default())?, true);
            }
            Condition::Phrase(text) if term.negated => filtered.keep(&snapshot.having(text)?, true),
            Condition::Field(field, pattern) => {
                filtered.keep(&of_field(*field, pattern, columns, visible), term.negated);
            }
            Condition::Version(range) => filtered.keep_versions(range, columns, term.negated),
            Condition::Signed(answer) => filtered.keep(&columns.signed, term.negated == (*answer == SignedIs::Yes)),
            // Words are looked for later; what looks at each document by itself comes last.
            Condition::Word(_)
            | Condition::Phrase(_)
            | Condition::Updated(_)
            | Condition::Downloads(_)
            | Condition::Rating(_) => {}
        }
    }
    for term in &query.terms {
        filtered.compare(&term.condition, columns, term.negated);
    }
    Ok(filtered)
}

fn of_field(field: Field, pattern: &Pattern, columns: &Columns, visible: &Bits) -> Bits {
    match Facet::of(field) {
        Some(facet) => columns.values.matching(facet, pattern, columns.room()),
        None => columns.names.matching(pattern, visible),
    }
}

impl Filtered {
    fn keep(&mut self, found: &Bits, is_negated: bool) {
        if is_negated { self.documents.and_not(found) } else { self.documents.and(found) }
    }

    /// A package is in a range if any of its versions is. Of several ranges, the first says which version is shown.
    fn keep_versions(&mut self, range: &VersionRange, columns: &Columns, is_negated: bool) {
        let among = columns.versions.within(range);
        match &mut self.versions {
            first @ None if !is_negated => *first = Some(among),
            Some(first) if !is_negated => first.and(&among),
            _ => self.documents.retain(|slot| columns.versions.best(slot, &among).is_none()),
        }
    }

    fn compare(&mut self, condition: &Condition, columns: &Columns, is_negated: bool) {
        match condition {
            Condition::Updated(period) => {
                let bound = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_nanosecond);
                let (from, before) = (bound(period.from), bound(period.before));
                self.documents.retain(|slot| {
                    let time = i128::from(*columns.updated.get(slot as usize));
                    (from.is_none_or(|from| time >= from) && before.is_none_or(|before| time < before)) != is_negated
                });
            }
            Condition::Downloads(wanted) => {
                self.documents.retain(|slot| wanted.holds(&columns.live.downloads(slot)) != is_negated);
            }
            Condition::Rating(wanted) => self.documents.retain(|slot| {
                let average = columns.live.rating(slot).average;
                average.is_some_and(|average| wanted.holds(&average)) != is_negated
            }),
            _ => {}
        }
    }
}
