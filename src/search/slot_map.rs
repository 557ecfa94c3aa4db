//! Which slot a repository's row has.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows in one page: rows are numbered as repositories are made, so that pages are mostly full.
const PAGE: i64 = 256;
/// No slot has this number.
const NONE: u32 = u32::MAX;

/// Slots by rows, in pages that copies share.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotMap {
    pages: BTreeMap<i64, Arc<Vec<u32>>>,
    length: usize,
}

impl SlotMap {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn get(&self, id: i64) -> Option<u32> {
        let slot = self.pages.get(&id.div_euclid(PAGE))?[place(id)];
        (slot != NONE).then_some(slot)
    }

    pub(super) fn insert(&mut self, id: i64, slot: u32) {
        let page = self.pages.entry(id.div_euclid(PAGE)).or_insert_with(|| Arc::new(vec![NONE; place(PAGE - 1) + 1]));
        let before = std::mem::replace(&mut Arc::make_mut(page)[place(id)], slot);
        self.length += usize::from(before == NONE);
    }

    pub(super) fn remove(&mut self, id: i64) -> Option<u32> {
        let number = id.div_euclid(PAGE);
        let page = Arc::make_mut(self.pages.get_mut(&number)?);
        let slot = std::mem::replace(&mut page[place(id)], NONE);
        if page.iter().all(|slot| *slot == NONE) {
            self.pages.remove(&number);
        }
        self.length -= usize::from(slot != NONE);
        (slot != NONE).then_some(slot)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "no less than 0, and below the length of a page")]
fn place(id: i64) -> usize {
    id.rem_euclid(PAGE) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_any_numbers() {
        let mut map = SlotMap::default();
        for (slot, id) in (0..).zip([0, 1, -1, 255, 256, i64::MAX, i64::MIN]) {
            map.insert(id, slot);
        }
        assert_eq!([0, 1, -1, 255, 256, i64::MAX, i64::MIN].map(|id| map.get(id)), [0, 1, 2, 3, 4, 5, 6].map(Some));
        assert_eq!((map.get(2), map.get(-2), map.len()), (None, None, 7));
        assert_eq!((map.remove(-1), map.remove(-1), map.remove(7_000)), (Some(2), None, None));
        assert_eq!((map.get(-1), map.len()), (None, 6));
    }
}
