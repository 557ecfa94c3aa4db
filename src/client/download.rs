//! Receiving one blob: continued where it stopped, never more of it than promised, and hashed as a whole.

use super::partial::Partial;
use super::{Error, Progress};
use crate::oci::{Descriptor, Digest, RepositoryName};
use crate::remote::{self, BlobBody, Remote};

/// Interruptions in a row, each after less than [`WORTHWHILE_BYTES`], after which a download is given up.
const MAX_INTERRUPTIONS: usize = 5;

/// Bytes after which an interruption counts as the first one again.
const WORTHWHILE_BYTES: u64 = 1024 * 1024;

/// A blob of one repository.
#[derive(Clone, Copy)]
pub(super) struct Download<'a> {
    pub(super) remote: &'a Remote,
    pub(super) name: &'a RepositoryName,
    pub(super) blob: &'a Descriptor,
    pub(super) progress: &'a dyn Progress,
}

/// How a body ended.
enum Ending {
    /// All bytes are there.
    Complete,
    /// It broke off; what has come stays.
    BrokeOff(Option<remote::Error>),
}

impl Download<'_> {
    /// Receives what is missing; gives the number of bytes that came over the network. Wrong content is thrown away
    /// and fetched anew once.
    pub(super) async fn run(&self, partial: &mut Partial) -> Result<u64, Error> {
        let (mut received, mut interruptions, mut is_second_try) = (0, 0, false);
        loop {
            let before = received;
            match self.receive(partial, &mut received).await? {
                Ending::Complete if partial.digest() == self.blob.digest => return Ok(received),
                Ending::Complete => {
                    partial.start_over()?;
                    if is_second_try {
                        return Err(self.corrupt());
                    }
                    is_second_try = true;
                    self.progress.note(&format!("{} came damaged and is fetched again", self.blob.digest));
                }
                Ending::BrokeOff(cause) => {
                    interruptions = if received - before >= WORTHWHILE_BYTES { 0 } else { interruptions + 1 };
                    if interruptions == MAX_INTERRUPTIONS {
                        return Err(self.truncated(partial.size(), cause));
                    }
                }
            }
        }
    }

    async fn receive(&self, partial: &mut Partial, received: &mut u64) -> Result<Ending, Error> {
        if partial.size() == self.blob.size {
            return Ok(Ending::Complete);
        }
        let mut body = self.remote.open_blob(self.name, &self.blob.digest, partial.size()).await?;
        if body.offset != partial.size() {
            partial.start_over()?;
        }
        if body.offset != partial.size() || body.total.is_some_and(|total| total != self.blob.size) {
            return Err(self.corrupt());
        }
        loop {
            let chunk = match body.next_chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if partial.size() == self.blob.size => return Ok(Ending::Complete),
                Ok(None) => return Ok(Ending::BrokeOff(None)),
                Err(error) => return Ok(Ending::BrokeOff(Some(error))),
            };
            if chunk.len() as u64 > self.blob.size - partial.size() {
                partial.start_over()?;
                return Err(self.corrupt());
            }
            partial.append(&chunk)?;
            *received += chunk.len() as u64;
            self.progress.advance(&self.blob.digest, partial.size());
        }
    }

    fn corrupt(&self) -> Error {
        corrupt(self.remote, &self.blob.digest)
    }

    fn truncated(&self, received: u64, source: Option<remote::Error>) -> Error {
        let (digest, place) = (Box::new(self.blob.digest), self.remote.endpoint().to_string());
        Error::Truncated { digest, place, received, expected: self.blob.size, source }
    }
}

fn corrupt(remote: &Remote, digest: &Digest) -> Error {
    Error::Corrupt { digest: Box::new(*digest), place: remote.endpoint().to_string() }
}

/// Reads a small blob into memory. `limit` is in bytes.
pub(super) async fn read_blob(
    remote: &Remote,
    name: &RepositoryName,
    blob: &Descriptor,
    limit: usize,
) -> Result<Vec<u8>, Error> {
    refuse_large(blob, limit)?;
    let body = remote.open_blob(name, &blob.digest, 0).await?;
    let bytes = collect(body, blob).await?;
    let is_whole = bytes.len() as u64 == blob.size && Digest::of(blob.digest.algorithm(), &bytes) == blob.digest;
    if is_whole { Ok(bytes) } else { Err(corrupt(remote, &blob.digest)) }
}

/// Refuses a blob that is over a limit in bytes by its descriptor.
pub(super) fn refuse_large(blob: &Descriptor, limit: usize) -> Result<(), Error> {
    if blob.size > limit as u64 {
        return Err(Error::TooLarge { digest: Box::new(blob.digest), size: blob.size, limit });
    }
    Ok(())
}

/// All of a body, and no more than a little over the blob's size.
async fn collect(mut body: BlobBody, blob: &Descriptor) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![];
    while bytes.len() as u64 <= blob.size
        && let Some(chunk) = body.next_chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
