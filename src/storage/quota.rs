//! A store's own limit of bytes, so that blobs cannot take the space the database needs.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Error;

/// Counts the bytes of blobs and uploads against an optional limit.
#[derive(Debug)]
pub(super) struct Quota {
    limit: Option<u64>,
    used: AtomicU64,
}

impl Quota {
    /// Starts with bytes that are stored already.
    pub(super) fn new(limit: Option<u64>, used: u64) -> Self {
        Self { limit, used: AtomicU64::new(used) }
    }

    /// Takes room for bytes about to be written.
    pub(super) fn take(&self, bytes: u64) -> Result<(), Error> {
        let limit = self.limit.unwrap_or(u64::MAX);
        self.used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|after| *after <= limit)
            })
            .map(drop)
            .map_err(|_| Error::OutOfSpace(None))
    }

    /// Gives back the room of bytes that are gone.
    pub(super) fn give_back(&self, bytes: u64) {
        self.used.update(Ordering::Relaxed, Ordering::Relaxed, |used| used.saturating_sub(bytes));
    }
}
