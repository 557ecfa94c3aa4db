//! What every request handler reaches: the registry, and how long it waits for a caller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::entrance::Entrances;
use super::followers::Followers;
use crate::registry::Registry;
use crate::server::attempts::Attempts;
use crate::server::backups::Backups;
use crate::server::oidc::Elsewhere;
use crate::server::{Config, ExternalUrl};

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
    pub(in crate::server) followers: Arc<Followers>,
    // Last, so that it goes after the registry: its other end learns when nobody holds that any more.
    _open: mpsc::Sender<()>,
}

impl State {
    /// The state of a server with this configuration, and what ends when its last copy is gone.
    pub(in crate::server) fn new(
        registry: Arc<Registry>,
        data: &Path,
        config: &Config,
        elsewhere: Elsewhere,
    ) -> (Self, mpsc::Receiver<()>) {
        let (open, closed) = mpsc::channel(1);
        let is_tls = config.tls.is_some();
        let state = Self {
            backups: Arc::new(Backups::new(Arc::clone(&registry), data)),
            registry,
            body_idle: Duration::from_secs(config.limits.body_idle_seconds),
            is_tls,
            entrances: Entrances::new(Arc::new(config.auth.clone()), is_tls),
            attempts: Arc::default(),
            elsewhere: Arc::new(elsewhere),
            cors_origins: config.cors_origins.as_slice().into(),
            followers: Followers::new(&config.events),
            _open: open,
        };
        (state, closed)
    }
}
