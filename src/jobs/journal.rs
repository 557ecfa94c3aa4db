//! Keeps the recovery journal level with the index.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::registry::{Error, Registry};
use crate::storage::{self, Journal};

/// How long after its commit an event may wait before it is copied; copying comes on top.
pub const JOURNAL_DELAY: Duration = Duration::from_millis(500);

/// Copies events into the journal until `stop` is ready, and then the last of them; `open` opens it.
///
/// Trouble is logged, and the journal opened again the next time: the index has the events, so nothing is missed.
pub async fn keep_journal(
    registry: Arc<Registry>,
    open: impl Fn() -> Result<Journal, storage::Error> + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    let mut journal = None;
    let mut interval = tokio::time::interval(JOURNAL_DELAY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            () = &mut stop => true,
            _ = interval.tick() => false,
        };
        let (registry, open, opened) = (Arc::clone(&registry), open.clone(), journal.take());
        let copied = tokio::task::spawn_blocking(move || level(&registry, opened.map_or_else(open, Ok)?)).await;
        match copied.map_err(Error::from).and_then(|copied| copied) {
            Ok(level) => journal = Some(level),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot write the recovery journal");
            }
        }
        if is_last {
            return;
        }
    }
}

fn level(registry: &Registry, mut journal: Journal) -> Result<Journal, Error> {
    while registry.extend_journal(&mut journal)? > 0 {}
    Ok(journal)
}
