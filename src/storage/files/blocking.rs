//! Running file system calls away from the threads that serve requests.

use std::io;
use std::path::Path;

use tokio::task::{JoinError, spawn_blocking};

use crate::storage::Error;

/// Runs a piece of blocking work that concerns `path` to its end, even when the caller stops waiting.
pub(super) async fn blocking<T, F>(path: &Path, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    spawn_blocking(work).await.map_err(|error| unfinished(path, error))?
}

/// Work that panicked, or that a closing runtime never started.
pub(super) fn unfinished(path: &Path, error: JoinError) -> Error {
    Error::Io { source: io::Error::other(error), path: path.to_owned() }
}
