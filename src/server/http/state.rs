//! What every request handler reaches: the registry, and how long it waits for a caller.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use tokio::sync::mpsc;

use super::observe::RequestId;
use crate::auth::{Caller, Origin};
use crate::registry::Registry;
use crate::server::backups::Backups;

/// Shared by all workers.
#[derive(Clone, Debug)]
pub(in crate::server) struct State {
    pub(in crate::server) registry: Arc<Registry>,
    pub(in crate::server) backups: Arc<Backups>,
    pub(super) body_idle: Duration,
    pub(super) is_tls: bool,
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
    ) -> (Self, mpsc::Receiver<()>) {
        let backups = Arc::new(Backups::new(Arc::clone(&registry), data));
        let (open, closed) = mpsc::channel(1);
        (Self { registry, backups, body_idle, is_tls, _open: open }, closed)
    }
}

/// Who asks, and from where. Until the registry knows people, nobody it could name.
pub(super) fn caller(request: &HttpRequest) -> Caller {
    let address = request.peer_addr().map(|peer| peer.ip().to_canonical());
    Caller::anonymous(Origin { address, request: RequestId::number(request) })
}
