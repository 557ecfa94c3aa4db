//! Pushes a large blob in pieces, and goes on where the registry says the last failure left off.

use backon::{BackoffBuilder as _, ExponentialBackoff};
use reqwest::header::{CONTENT_RANGE, HeaderValue, LOCATION, RANGE};
use reqwest::{Method, Response, Url};
use tokio::time::sleep;

use super::Error;
use super::exchange::Repeat;
use super::scope::Scope;
use super::upload::{Upload, is_lost, location};
use crate::oci::ChunkRange;

/// An open upload and how far it is.
pub(super) struct Session<'a> {
    upload: &'a Upload<'a>,
    url: Url,
    /// Bytes the registry has.
    offset: u64,
    piece: u64,
}

/// How a try at an upload ended.
enum Outcome {
    Done,
    /// The registry does not take pieces.
    NoPieces,
    /// The registry has forgotten the upload.
    Lost(Error),
}

impl<'a> Session<'a> {
    /// Pushes the blob. False when the registry does not take pieces; then it has to go as a whole.
    pub(super) async fn push(upload: &'a Upload<'a>) -> Result<bool, Error> {
        let mut again = Again::new(upload);
        loop {
            let opened = upload.remote.exchange.persist(Error::is_transient, || upload.open()).await?;
            let piece = upload.remote.pieces.piece.max(opened.min_piece).max(1);
            let mut session = Session { upload, url: opened.url, offset: 0, piece };
            match session.run().await? {
                Outcome::Done => return Ok(true),
                Outcome::NoPieces => return Ok(false),
                Outcome::Lost(error) => again.wait(error).await?,
            }
        }
    }

    /// Sends piece after piece. What is sent and acknowledged in full gives the next failures a fresh count.
    async fn run(&mut self) -> Result<Outcome, Error> {
        let mut again = Again::new(self.upload);
        loop {
            let wanted = self.offset.saturating_add(self.piece).min(self.upload.size);
            let step = if self.offset < self.upload.size { self.send(wanted).await } else { self.close().await };
            match step {
                Ok(true) => return Ok(Outcome::Done),
                Ok(false) if self.offset == wanted => again = Again::new(self.upload),
                Ok(false) => again.wait(Error::Truncated { expected: wanted, found: self.offset }).await?,
                Err(error) if is_lost(&error) => return Ok(Outcome::Lost(error)),
                Err(error) if self.offset == 0 && is_no_to_pieces(&error) => return Ok(Outcome::NoPieces),
                Err(error) if error.is_transient() || error.status() == Some(416) => {
                    again.wait(error).await?;
                    if let Err(error) = self.find_offset().await {
                        return if error.status() == Some(404) { Ok(Outcome::Lost(error)) } else { Err(error) };
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends the bytes up to `end`.
    async fn send(&mut self, end: u64) -> Result<bool, Error> {
        let range = ChunkRange { first: self.offset, last: end.saturating_sub(1) };
        let range = HeaderValue::from_str(&range.to_string()).map_err(|_| Error::Malformed { what: "range" })?;
        let offset = self.offset;
        let progress = |moved| (self.upload.progress)(offset.saturating_add(moved));
        let ask = self
            .upload
            .request(Method::PATCH, self.url.clone())
            .header(CONTENT_RANGE, range)
            .payload(self.upload.source.part(offset, end - offset))
            .progress(&progress);
        let response = self.upload.remote.exchange.send(&ask).await?;
        // Without a range in the answer the registry has taken what it was sent.
        self.take_over(&response, end)?;
        Ok(false)
    }

    /// Names the digest. If an earlier answer was lost, the blob may be there already.
    async fn close(&mut self) -> Result<bool, Error> {
        match self.upload.finish(self.url.clone(), self.offset).await {
            Ok(()) => Ok(true),
            Err(error) if (error.is_transient() || is_lost(&error)) && self.upload.is_there().await? => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Asks the registry how far the upload is.
    async fn find_offset(&mut self) -> Result<(), Error> {
        let ask = super::exchange::Ask::new(Method::GET, self.url.clone(), Scope::push(self.upload.name));
        let response = self.upload.remote.exchange.send(&ask.repeat(Repeat::Always)).await?;
        self.take_over(&response, 0)
    }

    /// Takes the new location and offset out of an answer.
    fn take_over(&mut self, response: &Response, otherwise: u64) -> Result<(), Error> {
        if response.headers().contains_key(LOCATION) {
            self.url = location(&self.upload.remote.exchange.endpoint, response)?;
        }
        let offset = received(response).unwrap_or(otherwise);
        if offset > self.upload.size {
            return Err(Error::Malformed { what: "range of an upload" });
        }
        self.offset = offset;
        (self.upload.progress)(offset);
        Ok(())
    }
}

/// Bytes the registry has, of an answer's `Range: 0-<last>`. `0-0` also means nothing (distribution-spec); a piece of
/// one byte is never sent, except as the last.
fn received(response: &Response) -> Option<u64> {
    let text = response.headers().get(RANGE)?.to_str().ok()?.trim();
    let range: ChunkRange = text.strip_prefix("bytes=").unwrap_or(text).parse().ok()?;
    if range.first == 0 && range.last > 0 { Some(range.length()) } else { Some(0) }
}

/// Statuses with which registries turn down pieces as such: Google's and GitHub's among them.
fn is_no_to_pieces(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 405 | 413 | 415 | 416 | 501))
}

/// The patience with one upload: delays that grow until they run out.
struct Again<'a> {
    upload: &'a Upload<'a>,
    delays: ExponentialBackoff,
}

impl<'a> Again<'a> {
    fn new(upload: &'a Upload<'a>) -> Self {
        Self { upload, delays: upload.remote.exchange.wire.patience().backoff().build() }
    }

    /// Waits for the next attempt, or gives the error back when there is none.
    async fn wait(&mut self, error: Error) -> Result<(), Error> {
        let patience = self.upload.remote.exchange.wire.patience();
        let planned = self.delays.next();
        let Some(delay) = planned.and_then(|planned| patience.delay(planned, error.retry_after())) else {
            return Err(error);
        };
        sleep(delay).await;
        Ok(())
    }
}
