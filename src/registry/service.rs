//! The registry itself: what it stands on, and who may do what.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::Error;
use super::authorise::{Mode, Remembered};
use super::credentials::Credentials;
use super::denials::Denials;
use super::feed_search::Searching;
use super::journal::Copied;
use super::pulls::Pulls;
use super::search_place::Place;
use super::sessions::{MAX_UPLOADS_PER_IDENTITY, Sessions};
use crate::auth::{SHORT_TOKEN_LIFE, Sight};
use crate::index::{Session, Sqlite, repositories};
use crate::storage::BlobStore;

/// How long bytes stay after an upload although no manifest needs them yet.
pub const LEASE: Duration = Duration::from_hours(24);

/// How long an upload session stays open after its last bytes.
pub const UPLOAD_LIFETIME: Duration = Duration::from_hours(24);

/// Longest life of a short token: while a retired key is believed, all tokens that it signed end.
pub const MAX_SHORT_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// A registry: blobs in a store, everything else in the index.
#[derive(Debug)]
pub struct Registry {
    pub(super) store: Arc<dyn BlobStore>,
    pub(super) index: Arc<Sqlite>,
    pub(super) sessions: Arc<Sessions>,
    /// Lets few packages be unpacked for checking at a time, since each takes a thread and a core.
    pub(super) checks: tokio::sync::Semaphore,
    pub(super) accepts_missing_layers: bool,
    pub(super) uploads_per_identity: usize,
    pub(super) mode: Mode,
    pub(super) remembered: Remembered,
    pub(super) denials: Denials,
    pub(super) pulls: Pulls,
    pub(super) credentials: Credentials,
    pub(super) short_token_life: SignedDuration,
    pub(super) copied: Copied,
    pub(super) searching: Arc<Searching>,
}

impl Registry {
    /// Opens a registry over a store and an index.
    pub fn new(store: Arc<dyn BlobStore>, index: Sqlite, mode: Mode) -> Self {
        let index = Arc::new(index);
        Self {
            searching: Arc::new(Searching::new(Arc::clone(&index), Arc::clone(&store), Place::Memory)),
            store,
            index,
            sessions: Arc::default(),
            checks: tokio::sync::Semaphore::new(super::package_check::MAX_CHECKS_AT_ONCE),
            accepts_missing_layers: false,
            uploads_per_identity: MAX_UPLOADS_PER_IDENTITY,
            mode,
            remembered: Remembered::default(),
            denials: Denials::default(),
            pulls: Pulls::default(),
            credentials: Credentials::default(),
            short_token_life: SHORT_TOKEN_LIFE,
            copied: Copied::default(),
        }
    }

    /// Takes manifests whose layers are not here, as a mirror of part of another registry needs. Agent packages are
    /// still refused without theirs.
    #[must_use]
    pub fn accepting_missing_layers(mut self, accepts: bool) -> Self {
        self.accepts_missing_layers = accepts;
        self
    }

    /// Lets an identity have so many upload sessions open without bytes, and as many with some.
    #[must_use]
    pub fn limiting_uploads(mut self, most: usize) -> Self {
        self.uploads_per_identity = most;
        self
    }

    /// Lets short tokens live so long from now on, at most [`MAX_SHORT_TOKEN_LIFE`]; [`SHORT_TOKEN_LIFE`] where nobody
    /// says.
    #[must_use]
    pub fn signing_for(mut self, life: SignedDuration) -> Self {
        self.short_token_life = life.min(MAX_SHORT_TOKEN_LIFE);
        self
    }

    /// Whether index and store answer: what a load balancer asks before it sends requests.
    pub async fn check_readiness(&self) -> Result<(), Error> {
        self.read(|session| {
            repositories::list(session, &Sight::system(), Timestamp::now(), None, 1).map_err(Error::from)
        })?;
        self.store.list(None, 1).await?;
        Ok(())
    }

    /// Whoever waits for this to change is woken by the next commit, whatever it is about.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.index.commits()
    }

    pub(super) fn read<T>(&self, closure: impl FnOnce(&mut dyn Session) -> Result<T, Error>) -> Result<T, Error> {
        self.index.read(closure)
    }
}

/// A moment that far from now; the end of time where the sum does not fit.
pub(super) fn after(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}
