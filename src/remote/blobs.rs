//! Blobs: whether a repository has one, taking one over from another repository, and reading from any offset.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::time::Instant;

use super::address::shown;
use super::error::found;
use super::exchange::{Ask, Repeat, refuse_page};
use super::manifests::{announced, compare};
use super::scope::Scope;
use super::upload::location;
use super::wire::Wire;
use super::{Error, ErrorKind, Remote};
use crate::oci::{ByteRange, Digest, RepositoryName, Route, UploadStart};

/// A blob on its way. The bytes are not verified: who reads them hashes them.
#[derive(Debug)]
pub struct BlobBody {
    /// Offset of the first byte; 0 when the registry gives the whole blob although a part was asked for.
    pub offset: u64,
    /// Size of the whole blob in bytes, as far as the registry says.
    pub total: Option<u64>,
    response: Response,
    wire: Wire,
    received: u64,
    pace: Pace,
}

/// Fewest bytes of a blob in a stretch of [`super::patience::Patience::idle`]: a server that trickles to keep a client
/// waiting ends here, a poor line of some hundred bytes a second does not.
const SLOWEST_BYTES: u64 = 32 * 1024;

/// How much has come since when.
#[derive(Debug)]
struct Pace {
    begun: Instant,
    bytes: u64,
}

impl Pace {
    fn begin() -> Self {
        Self { begun: Instant::now(), bytes: 0 }
    }

    /// Counts bytes; whether the last whole stretch had enough of them.
    fn keeps_up(&mut self, bytes: u64, stretch: Duration) -> bool {
        self.bytes += bytes;
        if self.begun.elapsed() < stretch {
            return true;
        }
        let was_enough = self.bytes >= SLOWEST_BYTES;
        *self = Self::begin();
        was_enough
    }
}

impl BlobBody {
    /// The next bytes; `None` at the end. Fewer or more bytes than announced are an error.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.wire.chunk(&mut self.response).await?;
        let length = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        self.received += length;
        let patience = self.wire.patience().idle;
        if chunk.is_some() && !self.pace.keeps_up(length, patience) {
            return Err(Error::Trickle { address: shown(self.response.url()), patience });
        }
        let reached = self.offset.saturating_add(self.received);
        match (self.total, &chunk) {
            (Some(total), Some(_)) if reached > total => Err(Error::TooLarge { what: "blob", limit: total }),
            (Some(total), None) if reached < total => Err(Error::Truncated { expected: total, found: reached }),
            _ => Ok(chunk),
        }
    }
}

impl Remote {
    /// Whether a repository has a blob.
    pub async fn has_blob(&self, name: &RepositoryName, digest: &Digest) -> Result<bool, Error> {
        let ask = self.ask(&Route::BlobHead(name.clone(), *digest), Scope::pull(name))?;
        match found(self.exchange.send(&ask).await)? {
            None => Ok(false),
            Some(response) => {
                refuse_page(&response)?;
                compare(announced(response.headers()), *digest, "blob")?;
                Ok(true)
            }
        }
    }

    /// Takes a blob over from another repository of the registry. False when the registry would not; then it has to be
    /// pushed.
    pub async fn mount_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        from: &RepositoryName,
    ) -> Result<bool, Error> {
        let start = UploadStart::Mount(*digest, Some(from.clone()));
        let ask = self.ask(&Route::UploadStart(name.clone(), start), Scope::mount(name, from))?;
        let response = match self.exchange.send(&ask).await {
            Ok(response) => response,
            // Perhaps the source is not ours to read; pushing tells whether the target is ours to write.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Refused) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        if response.status() == StatusCode::CREATED {
            compare(announced(response.headers()), *digest, "blob")?;
            return Ok(true);
        }
        if let Ok(url) = location(&self.exchange.endpoint, &response) {
            // The registry opened an upload instead. Giving it up is a courtesy, so failing to does not matter.
            let cancel = Ask::new(Method::DELETE, url, Scope::push(name)).repeat(Repeat::Never);
            let _ = self.exchange.send(&cancel).await;
        }
        Ok(false)
    }

    /// Opens a blob for reading from `offset` bytes on.
    pub async fn open_blob(&self, name: &RepositoryName, digest: &Digest, offset: u64) -> Result<BlobBody, Error> {
        let ask = self.ask(&Route::BlobGet(name.clone(), *digest), Scope::pull(name))?;
        let ask = if offset == 0 { ask } else { ask.header(RANGE, range_from(offset)?) };
        let response = match self.exchange.send(&ask).await {
            Err(error) if error.status() == Some(416) && offset > 0 => {
                // Nothing lies beyond the offset, so what the caller has is not this blob's beginning.
                let ask = self.ask(&Route::BlobGet(name.clone(), *digest), Scope::pull(name))?;
                self.exchange.send(&ask).await?
            }
            answer => answer?,
        };
        compare(announced(response.headers()), *digest, "blob")?;
        let (begin, total) = if response.status() == StatusCode::PARTIAL_CONTENT {
            content_range(response.headers())
                .filter(|(begin, _)| *begin == offset)
                .ok_or(Error::Malformed { what: "Content-Range of a blob" })?
        } else {
            (0, response.content_length())
        };
        let wire = self.exchange.wire.clone();
        Ok(BlobBody { offset: begin, total, response, wire, received: 0, pace: Pace::begin() })
    }
}

fn range_from(offset: u64) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(&ByteRange::From(offset).to_string()).map_err(|_| Error::Malformed { what: "range" })
}

/// First byte and size of the whole in `bytes 5-9/10`; the size may be unknown.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((first.trim().parse().ok()?, total))
}
