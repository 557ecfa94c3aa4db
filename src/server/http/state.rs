//! What every request handler reaches: the registry, and how long it waits for a caller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::entrance::Entrances;
use super::followers::Followers;
use crate::registry::Registry;
use crate::server::{Auth, Events};
use crate::server::attempts::Attempts;
use crate::server::backups::Backups;
use crate::server::oidc::Elsewhere;

/// Shared by all workers.
#[derive(Clone, Debug)]
pub(in crate::server) struct State {
    pub(in crate::server) registry: Arc<Registry>,
    pub(in crate::server) backups: Arc<Backups>,
    pub(super) body_idle: Duration,
    pub(super) is_tls: bool,
    pub(super) entrances: Entrances,
    pub(super) attempts: Arc<Attempts>,
    pub(super) elsewhere: Arc<Elsewhere>,
    pub(in crate::server) followers: Arc<Followers>,
    // Last, so that it goes after the registry: its other end learns when nobody holds that any more.
    _open: mpsc::Sender<()>,
}

impl State {
    /// The state, and what ends when its last copy is gone.
    pub(in crate::server) fn new(
        registry: Arc<Registry>,
        data: &Path,
        body_idle: Duration,
        is_tls: bool,
        auth: &Auth,
        elsewhere: Elsewhere,
        events: &Events,
    ) -> (Self, mpsc::Receiver<()>) {
        let backups = Arc::new(Backups::new(Arc::clone(&registry), data));
        let (open, closed) = mpsc::channel(1);
        let entrances = Entrances::new(Arc::new(auth.clone()), is_tls);
        let (attempts, elsewhere, followers) = (Arc::default(), Arc::new(elsewhere), Followers::new(events));
        (Self { registry, backups, body_idle, is_tls, entrances, attempts, elsewhere, followers, _open: open }, closed)
    }
}
