//! Upload sessions nothing was sent to yet, and which sessions a request is writing to. Both live in memory: a session
//! without bytes is not worth a durable row.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::Error;
use super::service::{UPLOAD_LIFETIME, after};
use crate::oci::{Algorithm, RepositoryName, UploadId};

/// Most sessions without bytes at a time, over all callers; each takes about 300 bytes.
pub const MAX_EMPTY_UPLOADS: usize = 20_000;

/// Most sessions of one identity without bytes, and with some, where nobody says otherwise: others find room too.
pub const MAX_UPLOADS_PER_IDENTITY: usize = MAX_EMPTY_UPLOADS / 2;

/// The sessions of one registry.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    empty: HashMap<UploadId, EmptySession>,
    /// How many of these each owner has.
    owners: HashMap<String, usize>,
    busy: HashSet<UploadId>,
}

/// A session nothing was sent to.
#[derive(Clone, Debug)]
pub(super) struct EmptySession {
    pub(super) repository: RepositoryName,
    pub(super) owner: String,
    pub(super) algorithm: Algorithm,
    pub(super) opened_at: Timestamp,
}

/// The sole right to write to a session, until dropped.
#[derive(Debug)]
pub(super) struct Turn {
    sessions: Arc<Sessions>,
    id: UploadId,
}

impl Sessions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session.
    pub(super) fn open(&self, id: UploadId, session: EmptySession, most: usize) -> Result<(), Error> {
        let mut state = self.state();
        if state.is_full(&session.owner, most) {
            state.expire(session.opened_at);
        }
        if state.is_full(&session.owner, most) {
            return Err(Error::TooManyUploads);
        }
        *state.owners.entry(session.owner.clone()).or_default() += 1;
        state.empty.insert(id, session);
        Ok(())
    }

    /// The session of this id, if it is the owner's and this repository's.
    pub(super) fn find(
        &self,
        id: &UploadId,
        repository: &RepositoryName,
        owner: &str,
        now: Timestamp,
    ) -> Option<EmptySession> {
        let session = self.state().empty.get(id).cloned()?;
        let is_theirs = session.repository == *repository && session.owner == owner;
        (is_theirs && after(session.opened_at, UPLOAD_LIFETIME) > now).then_some(session)
    }

    /// Ends a session that has bytes now, or none any more. Whether it was there.
    pub(super) fn close(&self, id: &UploadId) -> bool {
        let mut state = self.state();
        let closed = state.empty.remove(id);
        if let Some(session) = &closed {
            state.forget(&session.owner);
        }
        closed.is_some()
    }

    /// Ends every session of an owner.
    pub(super) fn close_of(&self, owner: &str) {
        let mut state = self.state();
        state.empty.retain(|_, session| session.owner != owner);
        state.owners.remove(owner);
    }

    /// Ends every session that has waited too long.
    pub(super) fn expire(&self, now: Timestamp) {
        self.state().expire(now);
    }

    /// Takes the turn to write, unless another request has it.
    pub(super) fn take_turn(self: &Arc<Self>, id: UploadId) -> Result<Turn, Error> {
        let is_free = self.state().busy.insert(id);
        if is_free { Ok(Turn { sessions: Arc::clone(self), id }) } else { Err(Error::UploadBusy(id)) }
    }

    /// Whether a request is writing to the session, or it is open without bytes.
    pub(super) fn is_alive(&self, id: &UploadId) -> bool {
        let state = self.state();
        state.busy.contains(id) || state.empty.contains_key(id)
    }
}

impl State {
    fn is_full(&self, owner: &str, most: usize) -> bool {
        self.empty.len() >= MAX_EMPTY_UPLOADS || self.owners.get(owner).is_some_and(|open| *open >= most)
    }

    fn expire(&mut self, now: Timestamp) {
        let expired = self.empty.extract_if(|_, session| after(session.opened_at, UPLOAD_LIFETIME) <= now);
        let owners: Vec<String> = expired.map(|(_, session)| session.owner).collect();
        for owner in owners {
            self.forget(&owner);
        }
    }

    fn forget(&mut self, owner: &str) {
        if let Some(open) = self.owners.get_mut(owner) {
            *open -= 1;
            if *open == 0 {
                self.owners.remove(owner);
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.sessions.state().busy.remove(&self.id);
    }
}
