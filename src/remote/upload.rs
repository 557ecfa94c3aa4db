//! Pushes a blob: a session and one request with all the bytes, begun again as a whole when it fails.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, Url};

use super::exchange::{Ask, Repeat, refuse_page};
use super::manifests::{announced, compare};
use super::scope::Scope;
use super::session::Session;
use super::{BlobSource, Endpoint, Error, Remote, address};
use crate::oci::{Algorithm, Digest, ErrorCode, RepositoryName, Route, UploadStart};

/// A blob larger than this, in bytes, is pushed in pieces, so that a broken connection costs one piece.
pub const RESUMABLE_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes in a piece.
const PIECE_BYTES: u64 = 32 * 1024 * 1024;
/// The smallest piece the registry takes.
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// When and how blobs are cut into pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    /// Blobs up to this many bytes go in one piece.
    pub(super) whole: u64,
    /// Bytes in a piece.
    pub(super) piece: u64,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { whole: RESUMABLE_BYTES, piece: PIECE_BYTES }
    }
}

/// A blob to push.
#[derive(Clone, Copy)]
pub(super) struct Upload<'a> {
    pub(super) remote: &'a Remote,
    pub(super) name: &'a RepositoryName,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) source: &'a BlobSource,
    pub(super) progress: &'a (dyn Fn(u64) + Send + Sync),
}

/// An upload the registry has opened.
pub(super) struct Opened {
    pub(super) url: Url,
    /// Bytes every piece but the last must have.
    pub(super) min_piece: u64,
}

impl Remote {
    /// Pushes a blob of exactly `size` bytes. `progress` is told how many of them have gone out; it goes back when an
    /// attempt fails. Above [`RESUMABLE_BYTES`] the blob goes in pieces, where the registry takes them.
    pub async fn push_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        size: u64,
        source: &BlobSource,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), Error> {
        source.expect_size(size).await?;
        let upload = Upload { remote: self, name, digest: *digest, size, source, progress };
        let is_done = size > self.pieces.whole && Session::push(&upload).await?;
        if !is_done {
            upload.push_whole().await?;
        }
        progress(size);
        Ok(())
    }
}

impl Upload<'_> {
    /// One session, one PUT. An upload that failed is gone with its session, so each attempt begins a new one.
    async fn push_whole(&self) -> Result<(), Error> {
        let has_failed = AtomicBool::new(false);
        let attempt = || async {
            // The last attempt may have succeeded and only its answer been lost.
            if has_failed.swap(true, Ordering::Relaxed) && self.is_there().await? {
                return Ok(());
            }
            let opened = self.open().await?;
            self.finish(opened.url, 0).await
        };
        let may_repeat = |error: &Error| error.is_transient() || is_lost(error);
        self.remote.exchange.persist(may_repeat, attempt).await
    }

    pub(super) async fn is_there(&self) -> Result<bool, Error> {
        self.remote.has_blob(self.name, &self.digest).await
    }

    /// Opens an upload. The callers repeat it with what follows.
    pub(super) async fn open(&self) -> Result<Opened, Error> {
        let algorithm = Some(self.digest.algorithm()).filter(|algorithm| *algorithm != Algorithm::Sha256);
        let route = Route::UploadStart(self.name.clone(), UploadStart::Session(algorithm));
        let nothing = BlobSource::Bytes(bytes::Bytes::new()).part(0, 0);
        let ask = self.remote.ask(&route, Scope::push(self.name))?.payload(nothing).repeat(Repeat::Never);
        let response = self.remote.exchange.send(&ask).await?;
        refuse_page(&response)?;
        let min_piece = number(response.headers(), &CHUNK_MIN_LENGTH).unwrap_or_default();
        Ok(Opened { url: location(&self.remote.exchange.endpoint, &response)?, min_piece })
    }

    /// Sends the bytes from `offset` on, if any, and closes the upload under the digest.
    pub(super) async fn finish(&self, mut url: Url, offset: u64) -> Result<(), Error> {
        let own = url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&"));
        url.set_query(Some(&format!("{}digest={}", own.unwrap_or_default(), self.digest)));
        let progress = |moved| (self.progress)(offset.saturating_add(moved));
        let ask = self
            .request(Method::PUT, url)
            .payload(self.source.part(offset, self.size.saturating_sub(offset)))
            .progress(&progress);
        let response = self.remote.exchange.send(&ask).await?;
        compare(announced(response.headers()), self.digest, "blob that the registry stored")
    }

    /// A request of this upload. The callers know what to do when it fails.
    pub(super) fn request<'a>(&self, method: Method, url: Url) -> Ask<'a> {
        let kind = HeaderValue::from_static("application/octet-stream");
        Ask::new(method, url, Scope::push(self.name)).header(CONTENT_TYPE, kind).repeat(Repeat::Never)
    }
}

/// Whether the registry has forgotten the upload.
pub(super) fn is_lost(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.is(ErrorCode::BlobUploadUnknown))
}

/// Where an upload goes on.
pub(super) fn location(endpoint: &Endpoint, response: &Response) -> Result<Url, Error> {
    let what = "location of an upload";
    let text = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    address::follow(endpoint, response.url(), what, text.ok_or(Error::Malformed { what })?)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
