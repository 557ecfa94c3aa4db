//! What was denied, on its way into the audit: kept for a moment, so that many cost one commit.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::leave::By;
use super::{Error, Registry};
use crate::auth::Caller;
use crate::index::audit::{self, Entry, Outcome};

/// Denials that wait at a time; of what comes above only the number is kept, so that a flood takes no memory.
const MAX_WAITING: usize = 10_000;
/// Most entries of one commit.
const MAX_BATCH: usize = 500;

/// Denials that are not in the audit yet.
#[derive(Debug, Default)]
pub(super) struct Denials(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    lost: u64,
}

impl Denials {
    pub(super) fn push(&self, caller: &Caller, action: &str, object: &str, reason: &str) {
        let mut waiting = self.waiting();
        if waiting.entries.len() >= MAX_WAITING {
            waiting.lost += 1;
            return;
        }
        let (object, reason) = (object.to_owned(), reason.to_owned());
        waiting.entries.push_back(By::caller(caller).entry(action, object, reason, Outcome::Denied, Timestamp::now()));
    }

    fn take(&self) -> Vec<Entry> {
        let mut waiting = self.waiting();
        let count = waiting.entries.len().min(MAX_BATCH);
        let mut taken: Vec<Entry> = waiting.entries.drain(..count).collect();
        if waiting.lost > 0 {
            let object = format!("{} more", std::mem::take(&mut waiting.lost));
            taken.push(Entry {
                at: Timestamp::now(),
                actor: "(system)".to_owned(),
                credential: "none".to_owned(),
                action: "denials.lost".to_owned(),
                object,
                rule: "too many at once to be kept one by one".to_owned(),
                outcome: Outcome::Denied,
                address: None,
                request: None,
            });
        }
        taken
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Writes the denials that wait into the audit, durably. How many.
    ///
    /// To be called again and again by who runs the registry; those of a batch that the index refuses are lost.
    pub async fn write_denials(&self) -> Result<usize, Error> {
        let mut written = 0;
        loop {
            let batch = self.denials.take();
            if batch.is_empty() {
                return Ok(written);
            }
            written += batch.len();
            let write = self.index.write(move |session| {
                batch.iter().try_for_each(|entry| audit::append(session, entry)).map_err(Error::from)
            });
            write.await?;
        }
    }
}
