//! Running hashing and copying away from the threads that drive transfers.

/// Runs blocking work to its end, even when the caller stops waiting.
pub(super) async fn blocking<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Work that began cannot be cancelled, so this is its panic; a runtime that closes ends the caller as well.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
