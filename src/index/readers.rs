//! Read-only connections, each kept for the next reader with its view of the newest commit still open.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sqlite::Reader;
use super::{Error, Session};

/// Connections kept open; more are opened while more readers are at work, and closed after.
const MAX_KEPT: usize = 32;

/// Hands out connections that nobody uses. The lock is held to take or give back one, never while reading.
///
/// To begin and to end a view takes system calls, under a lock that all connections share: more than a small read
/// itself. So a view stays open while it shows the newest commit. The writer closes those that nobody uses before it
/// commits: one that stayed open would keep the log from being emptied.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Reader>,
    /// Commits that have begun and that have ended. Odd while one is on its way: a view opened then may show it or not.
    changes: u64,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// Runs a closure whose statements all see the same commit: the newest that anybody was told of, or a newer one.
    pub(super) fn read<T, E: From<Error>>(
        &self,
        closure: impl FnOnce(&mut dyn Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let (kept, changes) = {
            let mut state = self.state();
            (state.idle.pop(), state.changes)
        };
        let mut reader = match kept {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        reader.open_view()?;
        let answer = closure(&mut reader);
        self.give_back(reader, changes)?;
        answer
    }

    /// `changes` is what it was when the reader was taken.
    fn give_back(&self, mut reader: Reader, changes: u64) -> Result<(), Error> {
        if changes % 2 == 1 {
            reader.close_view()?;
        }
        let mut state = self.state();
        if state.changes != changes {
            reader.close_view()?;
        }
        if state.idle.len() < MAX_KEPT {
            state.idle.push(reader);
        }
        Ok(())
    }

    /// A commit is about to begin.
    pub(super) fn committing(&self) {
        let mut state = self.state();
        state.changes += 1;
        // One whose view cannot be closed is of no use any more.
        state.idle.retain_mut(|reader| reader.close_view().is_ok());
    }

    /// The commit has ended, well or not; nobody was told yet.
    pub(super) fn committed(&self) {
        self.state().changes += 1;
    }

    /// Closes the connections that nobody uses.
    pub(super) fn close(&self) {
        self.state().idle.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use bytes::Bytes;
    use tokio::runtime::Builder;

    use super::super::Sqlite;
    use super::*;

    const PUT: &str = "INSERT INTO blob (digest, size, created_at, bytes) VALUES (?1, 0, 0, ?2)";
    const COUNT: &str = "SELECT count(*) FROM blob";

    /// Writes from a thread of its own, so that one that reads can wait for it.
    fn put(index: &Sqlite, number: i64, size: usize) {
        let (digest, bytes) = (Bytes::from(number.to_be_bytes().to_vec()), Bytes::from(vec![7; size]));
        let write = index.write(move |session| session.execute(PUT, &[digest.clone().into(), bytes.clone().into()]));
        let runtime = Builder::new_current_thread().build().unwrap();
        std::thread::scope(|scope| scope.spawn(move || runtime.block_on(write)).join().unwrap()).unwrap();
    }

    fn count(session: &mut dyn Session) -> Result<i64, Error> {
        session.query(COUNT, &[])?[0].integer(0)
    }

    #[test]
    fn a_read_sees_what_was_answered_before_it_and_nothing_that_comes_after() {
        let directory = tempfile::tempdir().unwrap();
        let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
        for number in 0..20 {
            let during = index.read(|session| {
                let before = count(session)?;
                put(&index, number, 1);
                Ok::<_, Error>((before, count(session)?))
            });
            assert_eq!(during.unwrap(), (number, number));
            // The view of the read before was given back after the commit; that of this one is taken again.
            assert_eq!((index.read(count).unwrap(), index.read(count).unwrap()), (number + 1, number + 1));
        }
    }

    #[test]
    fn a_view_that_nobody_uses_does_not_keep_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
        for number in 0..200 {
            assert_eq!(index.read(count).unwrap(), number);
            put(&index, number, 60_000);
        }
        let log = directory.path().join("index.sqlite-wal").metadata().unwrap().len();
        assert!((1..6_000_000).contains(&log), "{log} bytes after 12,000,000");
    }

    #[test]
    fn the_last_one_clears_the_log_away() {
        let directory = tempfile::tempdir().unwrap();
        let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
        put(&index, 0, 1);
        index.read(count).unwrap();
        drop(index);
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);
    }
}
