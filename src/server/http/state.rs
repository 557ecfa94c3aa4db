//! What every request handler reaches: the registry, and how long it waits for a caller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;

use crate::auth::Identity;
use crate::registry::Registry;
use crate::server::backups::Backups;

/// Shared by all workers.
#[derive(Clone, Debug)]
pub(in crate::server) struct State {
    pub(in crate::server) registry: Arc<Registry>,
    pub(in crate::server) backups: Arc<Backups>,
    pub(super) body_idle: Duration,
    pub(super) is_tls: bool,
}

impl State {
    pub(in crate::server) fn new(registry: Arc<Registry>, data: &Path, body_idle: Duration, is_tls: bool) -> Self {
        let backups = Arc::new(Backups::new(Arc::clone(&registry), data));
        Self { registry, backups, body_idle, is_tls }
    }
}

/// Who asks. Until the registry knows people, nobody it could name.
pub(super) fn identity(_request: &HttpRequest) -> Identity {
    Identity::Anonymous
}
