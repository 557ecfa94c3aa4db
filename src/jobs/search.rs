//! Keeps search level with the index.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::registry::{Error, Registry};

/// How long after one portion the next is fed at the earliest, so that what happens meanwhile is taken in together:
/// taking in one change costs nearly as much as taking in many.
pub const SEARCH_PACE: Duration = Duration::from_millis(200);

/// How long search is left alone after trouble.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Feeds search after every commit until `stop` is ready.
///
/// Trouble is logged and tried again: the index has the events, so nothing is missed.
pub async fn keep_search(registry: Arc<Registry>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    tokio::select! {
        () = &mut stop => {}
        () = feed(&registry) => {}
    }
    // What was begun goes on, and has the index open.
    registry.settle_search().await;
}

async fn feed(registry: &Registry) {
    let mut commits = registry.commits();
    loop {
        let next = Instant::now() + SEARCH_PACE;
        // What is committed while it is fed wakes it again.
        commits.mark_unchanged();
        match registry.feed_search().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(Error::Stopped(error)) if error.is_cancelled() => return,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot feed search");
                tokio::time::sleep(AFTER_TROUBLE).await;
                continue;
            }
        }
        if commits.changed().await.is_err() {
            return;
        }
        tokio::time::sleep_until(next).await;
    }
}
