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

/// The sessions of one registry.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    empty: HashMap<UploadId, EmptySession>,
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
    pub(super) fn open(&self, id: UploadId, session: EmptySession) -> Result<(), Error> {
        let mut state = self.state();
        if state.empty.len() >= MAX_EMPTY_UPLOADS {
            let now = session.opened_at;
            state.empty.retain(|_, other| after(other.opened_at, UPLOAD_LIFETIME) > now);
        }
        if state.empty.len() >= MAX_EMPTY_UPLOADS {
            return Err(Error::TooManyUploads);
        }
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
        self.state().empty.remove(id).is_some()
    }

    /// Ends every session that has waited too long.
    pub(super) fn expire(&self, now: Timestamp) {
        self.state().empty.retain(|_, session| after(session.opened_at, UPLOAD_LIFETIME) > now);
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

impl Drop for Turn {
    fn drop(&mut self) {
        self.sessions.state().busy.remove(&self.id);
    }
}
