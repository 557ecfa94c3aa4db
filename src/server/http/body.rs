//! A request's body, piece by piece, from callers that may stall or break off.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::time::Instant;

/// Bytes a second that a body must bring on average, after as long a pause as it may make.
const MIN_BYTES_PER_SECOND: u64 = 1_024;

/// Why a body did not come whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// No byte for too long, or too few.
    #[error(
        "the request body paused for more than {0:?}, or came more slowly than {MIN_BYTES_PER_SECOND} bytes a second"
    )]
    Stalled(Duration),
    /// It broke off, or its encoding is broken.
    #[error("the request body is incomplete: {0}")]
    Broken(#[from] PayloadError),
    /// More than the endpoint takes.
    #[error("the request body is larger than {0} bytes")]
    TooLarge(usize),
}

/// The body of one request.
pub(super) struct Body {
    payload: Payload,
    idle: Duration,
    begun: Instant,
    received: u64,
}

impl Body {
    /// `idle` is how long one pause may be.
    pub(super) fn new(payload: Payload, idle: Duration) -> Self {
        Self { payload, idle, begun: Instant::now(), received: 0 }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        // A trickle is no pause, but must not hold a session for days.
        let due = self.begun + self.idle + Duration::from_secs(self.received / MIN_BYTES_PER_SECOND);
        let due = due.min(Instant::now() + self.idle);
        match tokio::time::timeout_at(due, self.payload.next()).await {
            Ok(chunk) => {
                let chunk = chunk.transpose()?;
                self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                Ok(chunk)
            }
            Err(_) => Err(BodyError::Stalled(self.idle)),
        }
    }

    /// All of it, up to a limit in bytes.
    pub(super) async fn whole(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            if whole.len() + chunk.len() > limit {
                return Err(BodyError::TooLarge(limit));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }
}
