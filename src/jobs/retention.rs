//! Keeps the feed of events as long as the configuration says.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::registry::{Registry, Retention};

/// How often it is looked whether there are events to remove.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long pushes have the writer to themselves after each of many removals.
const PAUSE: Duration = Duration::from_millis(50);

/// Removes old events as they become so. `seen` says up to which event others who follow the feed have seen it; later
/// ones stay.
pub async fn keep_retention(registry: Arc<Registry>, mut retention: Retention, seen: impl Fn() -> u64) {
    if retention.is_for_ever() {
        return;
    }
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        loop {
            match registry.remove_old_events(&mut retention, seen(), Timestamp::now()).await {
                Ok(0) => break,
                Ok(removed) => tracing::debug!(removed, "removed old events"),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "cannot remove old events");
                    break;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
