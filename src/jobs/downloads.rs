//! Writes the downloads that were counted, and lets go of the days that are too old.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::registry::Registry;

/// How often downloads are written: what a killed registry loses of them.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often days are looked for that are too old.
const FORGETTING: SignedDuration = SignedDuration::from_hours(24);

/// Writes downloads until `stop` is ready, and then the last of them: a registry that is stopped has counted all.
pub async fn keep_downloads(registry: Arc<Registry>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut forgotten: Option<Timestamp> = None;
    loop {
        let is_last = tokio::select! {
            () = &mut stop => true,
            _ = interval.tick() => false,
        };
        if let Err(error) = registry.write_downloads().await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot write downloads");
        }
        if is_last {
            return;
        }
        let now = Timestamp::now();
        if forgotten.is_none_or(|last| now.duration_since(last) >= FORGETTING) {
            forgotten = Some(now);
            if let Err(error) = registry.forget_old_downloads(now).await {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot let go of old downloads");
            }
        }
    }
}
