//! A request's body, piece by piece, from callers that may stall or break off.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

/// Why a body did not come whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// No byte for too long.
    #[error("the request body paused for more than {0:?}")]
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
}

impl Body {
    /// `idle` is how long one pause may be.
    pub(super) fn new(payload: Payload, idle: Duration) -> Self {
        Self { payload, idle }
    }

    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        match tokio::time::timeout(self.idle, self.payload.next()).await {
            Ok(chunk) => Ok(chunk.transpose()?),
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
