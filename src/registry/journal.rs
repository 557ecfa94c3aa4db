//! The recovery journal: everything but people, written behind the event feed, so that a lost index can be rebuilt.

use super::record::write;
use super::{Error, Registry};
use crate::index::{events, feed};
use crate::storage::Journal;

/// Bytes of content read from the index at a time.
const MAX_BATCH_BYTES: u64 = 1024 * 1024;

impl Registry {
    /// Copies some of what happened after the journal's last record into it, durably. How many events; 0: it is level.
    ///
    /// Blocks on the disk. After an error the journal must be opened again.
    pub fn extend_journal(&self, journal: &mut Journal) -> Result<usize, Error> {
        let after = i64::try_from(journal.last()).unwrap_or(i64::MAX);
        let entries = self.read(|session| Ok(feed::entries(session, after, MAX_BATCH_BYTES)?))?;
        let numbered = |entry: &feed::Entry| Ok((entry.number.unsigned_abs(), write(entry)?));
        let records = entries.iter().map(numbered).collect::<Result<Vec<_>, Error>>()?;
        journal.append(&records)?;
        Ok(records.len())
    }

    /// Makes sure that the index is not older than its journal: writing on would lose what only the journal knows.
    pub fn check_journal(&self, journal: &Journal) -> Result<(), Error> {
        let index = self.read(|session| Ok(events::last(session)?))?.unsigned_abs();
        let journal = journal.last();
        if journal > index { Err(Error::IndexBehind { index, journal }) } else { Ok(()) }
    }
}
