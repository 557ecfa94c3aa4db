//! What every request handler reaches: the registry, and how long it waits for a caller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::entrance::Entrances;
use crate::registry::Registry;
use crate::server::attempts::Attempts;
use crate::server::backups::Backups;
use crate::server::oidc::Elsewhere;
use crate::server::{Auth, ExternalUrl};

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
    /// Whose scripts may read the REST API in a browser.
    pub(super) cors_origins: Arc<[ExternalUrl]>,
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
    ) -> (Self, mpsc::Receiver<()>) {
        let backups = Arc::new(Backups::new(Arc::clone(&registry), data));
        let (open, closed) = mpsc::channel(1);
        let entrances = Entrances::new(Arc::new(auth.clone()), is_tls);
        let (attempts, elsewhere, cors_origins) = (Arc::default(), Arc::new(elsewhere), Arc::default());
        (
            Self { registry, backups, body_idle, is_tls, entrances, attempts, elsewhere, cors_origins, _open: open },
            closed,
        )
    }

    /// Lets scripts of these origins read the REST API; without it, those of none.
    pub(in crate::server) fn sharing_with(self, origins: &[ExternalUrl]) -> Self {
        Self { cors_origins: origins.into(), ..self }
    }
}
