//! The repositories' names, in order: for globs, for what is otherwise equal, and to find a page's place again.

use std::sync::Arc;

use super::bits::Bits;
use super::chunked::Lists;
use crate::api::Pattern;
use crate::oci::RepositoryName;

/// The name of every slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    texts: Lists<u8>,
    /// The slots that are taken, by name.
    order: Arc<Vec<u32>>,
    /// The place of each slot in the order.
    ranks: Arc<Vec<u32>>,
}

impl Names {
    /// Makes room for one more slot.
    pub(super) fn grow(&mut self) {
        self.texts.push(&[]);
    }

    /// Gives a slot another name; [`Self::sort`] must follow.
    pub(super) fn set(&mut self, slot: u32, name: &str) {
        self.texts.set(slot as usize, name.as_bytes());
    }

    /// The name; empty where the slot is free.
    pub(super) fn get(&self, slot: u32) -> &str {
        std::str::from_utf8(self.texts.get(slot as usize)).unwrap_or_default()
    }

    pub(super) fn repository(&self, slot: u32) -> Option<RepositoryName> {
        self.get(slot).parse().ok()
    }

    /// Brings the order up to date after names came and went, of which `new` are those that came.
    pub(super) fn sort(&mut self, new: &[u32], taken: &Bits) {
        let mut new = new.to_vec();
        new.sort_unstable_by(|one, other| self.get(*one).cmp(self.get(*other)));
        new.dedup();
        let is_new: Bits = new.iter().copied().collect();
        let mut old =
            self.order.iter().copied().filter(|slot| taken.contains(*slot) && !is_new.contains(*slot)).peekable();
        let mut order = Vec::with_capacity(self.order.len() + new.len());
        for slot in new.iter().copied().filter(|slot| taken.contains(*slot)) {
            while let Some(before) = old.next_if(|other| self.get(*other) < self.get(slot)) {
                order.push(before);
            }
            order.push(slot);
        }
        order.extend(old);
        let mut ranks = vec![0; self.texts.len()];
        for (rank, slot) in (0u32..).zip(&order) {
            ranks[*slot as usize] = rank;
        }
        (self.order, self.ranks) = (Arc::new(order), Arc::new(ranks));
    }

    /// The place of a slot among all names.
    pub(super) fn rank(&self, slot: u32) -> u32 {
        self.ranks[slot as usize]
    }

    /// The place of the first name behind one, which need not be there any more.
    #[expect(clippy::cast_possible_truncation, reason = "slots are u32")]
    pub(super) fn place_after(&self, name: &str) -> u32 {
        self.order.partition_point(|slot| self.get(*slot) <= name) as u32
    }

    /// The slots of `among` whose name, or the part of it that names the package, is what a pattern means.
    pub(super) fn matching(&self, pattern: &Pattern, among: &Bits) -> Bits {
        let mut found = among.clone();
        found.retain(|slot| {
            let name = self.get(slot);
            pattern.matches_lower(package(name)) || pattern.matches_lower(name)
        });
        found
    }
}

/// The part of a repository's name that names the package.
pub(super) fn package(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
