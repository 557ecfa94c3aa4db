//! Read-only connections, kept for the next reader.

use std::sync::{Mutex, PoisonError};

use crate::index::{Error, Reader, Session, Sqlite};

/// Connections kept open; more are opened while more readers are at work, and closed after.
const MAX_KEPT: usize = 32;

/// Hands out connections that nobody uses. The lock is held to take or give back one, never while reading.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<Vec<Reader>>);

impl Readers {
    /// Runs a closure whose statements see one commit each.
    pub(super) fn read<T, E: From<Error>>(
        &self,
        index: &Sqlite,
        closure: impl FnOnce(&mut dyn Session) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with(index, |reader| closure(reader))
    }

    /// Runs a closure whose statements all see the same commit.
    pub(super) fn snapshot<T, E: From<Error>>(
        &self,
        index: &Sqlite,
        closure: impl FnOnce(&mut dyn Session) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with(index, |reader| reader.snapshot(closure))
    }

    fn with<T, E: From<Error>>(
        &self,
        index: &Sqlite,
        closure: impl FnOnce(&mut Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => index.reader()?,
        };
        let answer = closure(&mut reader);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.push(reader);
        }
        answer
    }
}
