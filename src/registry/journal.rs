//! The recovery journal: everything but people, written behind the event feed, so that a lost index can be rebuilt.

use std::sync::atomic::{AtomicU64, Ordering};

use super::record::{Gap, GapReason, write, write_gap};
use super::{Error, Registry};
use crate::index::{events, feed, retention};
use crate::storage::Journal;

/// Bytes of content read from the index at a time.
const MAX_BATCH_BYTES: u64 = 1024 * 1024;

/// The number up to which the journal has every event that there was to be had.
#[derive(Debug, Default)]
pub(super) struct Copied(AtomicU64);

impl Copied {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, number: u64) {
        self.0.store(number, Ordering::Release);
    }
}

impl Registry {
    /// Copies some of what happened after the journal's last record into it, durably. How many records; 0: it is level.
    ///
    /// Numbers without events are noted with the reason, so that a journal never has a hole that nobody knows of.
    /// Blocks on the disk. After an error the journal must be opened again.
    pub fn extend_journal(&self, journal: &mut Journal) -> Result<usize, Error> {
        let mut last = journal.last();
        let after = i64::try_from(last).unwrap_or(i64::MAX);
        let (floor, entries) = self.read(|session| {
            Ok((retention::floor(session)?.unsigned_abs(), feed::entries(session, after, MAX_BATCH_BYTES)?))
        })?;
        let mut records = Vec::with_capacity(entries.len());
        if last < floor {
            tracing::error!(
                first = last + 1,
                last = floor,
                "the recovery journal lacks events that were removed from the feed: it was lost, or is older than the \
                 index. A lost index can no longer be rebuilt whole; keep backups"
            );
            records.push((floor, write_gap(Gap { first: last + 1, reason: GapReason::Removed })?));
            last = floor;
        }
        for entry in &entries {
            let number = entry.number.unsigned_abs();
            if number > last + 1 {
                records.push((number - 1, write_gap(Gap { first: last + 1, reason: GapReason::Unused })?));
            }
            records.push((number, write(entry)?));
            last = number;
        }
        journal.append(&records)?;
        self.copied.set(journal.last());
        Ok(records.len())
    }

    /// Makes sure that the index is not older than its journal: writing on would lose what only the journal knows.
    pub fn check_journal(&self, journal: &Journal) -> Result<(), Error> {
        let index = self.read(|session| Ok(events::last(session)?))?.unsigned_abs();
        let journal = journal.last();
        if journal > index { Err(Error::IndexBehind { index, journal }) } else { Ok(()) }
    }
}
