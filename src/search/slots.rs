//! Which slots have a value: a list where few have it, bits where many do.

use super::bits::Bits;

/// One slot in so many is few: a list of four bytes each is then smaller than bits.
const SPARSE: usize = 32;

/// The slots of one value.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// In order.
    Few(Vec<u32>),
    /// With how many there are.
    Many(Bits, usize),
}

impl Default for Slots {
    fn default() -> Self {
        Self::Few(vec![])
    }
}

impl Slots {
    /// Of `all` slots that there are, those of a list in order.
    pub(super) fn of(list: Vec<u32>, all: usize) -> Self {
        if list.len() > limit(all) {
            let length = list.len();
            return Self::Many(list.into_iter().collect(), length);
        }
        Self::Few(list)
    }

    /// Adds a slot of `all` that there are.
    pub(super) fn insert(&mut self, slot: u32, all: usize) {
        match self {
            Self::Few(list) => {
                // Slots mostly come in order.
                if list.last().is_none_or(|last| *last < slot) {
                    list.push(slot);
                } else if let Err(at) = list.binary_search(&slot) {
                    list.insert(at, slot);
                }
                if list.len() > limit(all) {
                    *self = Self::of(std::mem::take(list), all);
                }
            }
            Self::Many(bits, length) => {
                *length += usize::from(!bits.contains(slot));
                bits.insert(slot);
            }
        }
    }

    /// Takes a slot out of `all` that there are.
    pub(super) fn remove(&mut self, slot: u32, all: usize) {
        match self {
            Self::Few(list) => {
                if let Ok(at) = list.binary_search(&slot) {
                    list.remove(at);
                }
            }
            Self::Many(bits, length) => {
                *length -= usize::from(bits.contains(slot));
                bits.remove(slot);
                if *length < limit(all) / 2 {
                    *self = Self::Few(bits.iter().collect());
                }
            }
        }
    }

    pub(super) fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| bits.insert(*slot)),
            Self::Many(own, _) => bits.or(own),
        }
    }

    /// How many of them are in the set.
    pub(super) fn count_in(&self, bits: &Bits) -> usize {
        match self {
            Self::Few(list) => list.iter().filter(|slot| bits.contains(**slot)).count(),
            Self::Many(own, _) => own.count_common(bits),
        }
    }

    /// Whether any of them is in the set.
    pub(super) fn meets(&self, bits: &Bits) -> bool {
        match self {
            Self::Few(list) => list.iter().any(|slot| bits.contains(*slot)),
            Self::Many(own, _) => own.meets(bits),
        }
    }
}

/// How long a list may be, of `all` slots that there are.
fn limit(all: usize) -> usize {
    64.max(all / SPARSE)
}
