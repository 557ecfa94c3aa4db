//! Counting how found documents divide.

use std::cmp::Ordering;

use super::columns::Columns;
use super::values::{Facet, Values};
use crate::api::{FacetCount, Facets, MAX_FACET_VALUES};

/// Counts by values.
pub(super) struct Counts {
    counts: Vec<u32>,
    /// The values that were counted.
    met: Vec<u32>,
}

impl Counts {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { counts: vec![0; columns.values.len()], met: vec![] }
    }

    pub(super) fn add(&mut self, columns: &Columns, slot: u32) {
        for value in columns.having.get(slot as usize) {
            let count = &mut self.counts[*value as usize];
            if *count == 0 {
                self.met.push(*value);
            }
            *count += 1;
        }
    }

    /// The most frequent values of each facet.
    pub(super) fn facets(mut self, values: &Values) -> Facets {
        let mut of = |facet| self.most(facet, values);
        Facets {
            capabilities: of(Facet::Capability),
            tags: of(Facet::Tag),
            models: of(Facet::Model),
            runtimes: of(Facet::Runtime),
            authors: of(Facet::Author),
            kinds: of(Facet::Kind),
        }
    }

    fn most(&mut self, facet: Facet, values: &Values) -> Vec<FacetCount> {
        let mut met: Vec<u32> = self.met.iter().copied().filter(|value| values.facet(*value) == facet).collect();
        let order = |one: &u32, other: &u32| self.order(*one, *other, values);
        if met.len() > MAX_FACET_VALUES {
            met.select_nth_unstable_by(MAX_FACET_VALUES, order);
            met.truncate(MAX_FACET_VALUES);
        }
        met.sort_unstable_by(order);
        let count = |value: u32| FacetCount {
            value: values.text(value).to_string(),
            count: u64::from(self.counts[value as usize]),
        };
        met.into_iter().map(count).collect()
    }

    fn order(&self, one: u32, other: u32, values: &Values) -> Ordering {
        let count = |value: u32| self.counts[value as usize];
        count(other).cmp(&count(one)).then_with(|| values.text(one).cmp(values.text(other)))
    }
}
