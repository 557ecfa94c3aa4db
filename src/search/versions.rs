//! Which versions packages have: each distinct one is kept once, in the order of precedence.

use std::sync::Arc;

use super::bits::Bits;
use super::chunked::Lists;
use crate::package::{Version, VersionRange};

/// The versions of every slot. Two that differ in build metadata alone are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    /// The sort key of each distinct version, by its number, which never changes.
    keys: Lists<u8>,
    /// As written, without build metadata.
    texts: Lists<u8>,
    /// The distinct versions by sort key.
    order: Arc<Vec<u32>>,
    /// The versions of each slot, the highest first.
    lists: Lists<u32>,
}

impl Versions {
    /// Makes room for one more slot.
    pub(super) fn grow(&mut self) {
        self.lists.push(&[]);
    }

    /// Says which versions a slot has now.
    pub(super) fn set(&mut self, slot: u32, versions: &[Version]) {
        let mut sorted: Vec<_> = versions.iter().map(|version| (version.sort_key(), version)).collect();
        sorted.sort_unstable_by(|one, other| other.0.cmp(&one.0));
        sorted.dedup_by(|one, other| one.0 == other.0);
        let numbers: Vec<u32> = sorted.into_iter().map(|(key, version)| self.number(&key, version)).collect();
        self.set_numbers(slot, &numbers);
    }

    /// Says which versions a slot has now, the highest first.
    pub(super) fn set_numbers(&mut self, slot: u32, numbers: &[u32]) {
        if self.lists.get(slot as usize) != numbers {
            self.lists.set(slot as usize, numbers);
        }
    }

    /// Takes in many distinct versions at once, while there are none; their numbers are their places.
    pub(super) fn fill(&mut self, versions: &[Version]) {
        let mut order = Vec::with_capacity(versions.len());
        for (number, version) in (0u32..).zip(versions) {
            self.append(&version.sort_key(), version);
            order.push(number);
        }
        order.sort_unstable_by(|one, other| self.key(*one).cmp(self.key(*other)));
        self.order = Arc::new(order);
    }

    /// How the numbers of versions follow one another in precedence, by number.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.order.len()];
        for (rank, number) in (0u32..).zip(self.order.iter()) {
            ranks[*number as usize] = rank;
        }
        ranks
    }

    fn number(&mut self, key: &[u8], version: &Version) -> u32 {
        match self.order.binary_search_by(|number| self.key(*number).cmp(key)) {
            Ok(at) => self.order[at],
            Err(at) => {
                let number = self.append(key, version);
                Arc::make_mut(&mut self.order).insert(at, number);
                number
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 versions")]
    fn append(&mut self, key: &[u8], version: &Version) -> u32 {
        let number = self.keys.len() as u32;
        self.keys.push(key);
        self.texts.push(plain(version).as_bytes());
        number
    }

    fn key(&self, number: u32) -> &[u8] {
        self.keys.get(number as usize)
    }

    /// The distinct versions in a range, by their numbers.
    pub(super) fn within(&self, range: &VersionRange) -> Bits {
        let mut found = Bits::with_room(self.order.len());
        for span in range.spans(false) {
            let begin = self.order.partition_point(|number| self.key(*number) < span.from.as_ref());
            let rest = self.order[begin..].iter();
            let inside = rest
                .take_while(|number| span.before.as_ref().is_none_or(|before| self.key(**number) < before.as_ref()));
            inside.filter(|number| span.contains(self.key(**number))).for_each(|number| found.insert(*number));
        }
        found
    }

    /// The highest version of a slot among distinct ones.
    pub(super) fn best(&self, slot: u32, among: &Bits) -> Option<u32> {
        self.lists.get(slot as usize).iter().copied().find(|number| among.contains(*number))
    }

    /// A version by its number.
    pub(super) fn version(&self, number: u32) -> Option<Version> {
        std::str::from_utf8(self.texts.get(number as usize)).ok()?.parse().ok()
    }
}

/// A version without its build metadata.
pub(super) fn plain(version: &Version) -> String {
    let mut text = version.to_string();
    text.truncate(text.find('+').unwrap_or(text.len()));
    text
}
