//! One upload being written: small content stays in memory and goes into the index, the rest streams to the store.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use super::Error;
use super::leave::{Leave, creator, note};
use super::service::{LEASE, Registry, UPLOAD_LIFETIME, after};
use super::sessions::{Sessions, Turn};
use crate::auth::{Permit, Push};
use crate::index::blobs::{MAX_INLINE_BYTES, StoredBlob};
use crate::index::tags::Change;
use crate::index::{Sqlite, blobs, repositories, uploads};
use crate::oci::{Algorithm, Digest, RepositoryName, UploadId};
use crate::storage::{self, BlobStore, BlobWriter, Checkpoint};

/// How often, and how far apart, a store is asked again whose writer of a broken request is just ending.
const BUSY_RETRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(25);

/// Where an upload begins.
#[derive(Debug)]
pub(super) enum Start {
    /// With nothing.
    Empty(Algorithm),
    /// After these bytes.
    Durable(Checkpoint),
}

impl Start {
    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Empty(_) => 0,
            Self::Durable(checkpoint) => checkpoint.offset,
        }
    }
}

/// The turn to write to an upload.
///
/// Dropping it keeps what was durable before. [`Upload::pause`] makes the rest durable too; call it when a chunk breaks
/// off.
#[derive(Debug)]
pub struct Upload {
    store: Arc<dyn BlobStore>,
    index: Arc<Sqlite>,
    sessions: Arc<Sessions>,
    leave: Leave<Push>,
    repository: RepositoryName,
    owner: String,
    id: UploadId,
    sink: Sink,
    is_durable: bool,
    most: usize,
    _turn: Turn,
}

#[derive(Debug)]
enum Sink {
    Memory(BytesMut, Algorithm),
    Store(Box<dyn BlobWriter>),
}

impl Upload {
    pub(super) async fn open(
        registry: &Registry,
        permit: &Permit<Push>,
        turn: Turn,
        id: UploadId,
        start: Start,
    ) -> Result<Self, Error> {
        let is_durable = matches!(start, Start::Durable(_));
        let sink = match start {
            Start::Empty(algorithm) => Sink::Memory(BytesMut::new(), algorithm),
            Start::Durable(checkpoint) => Sink::Store(resume(&*registry.store, id, checkpoint).await?),
        };
        Ok(Self {
            store: Arc::clone(&registry.store),
            index: Arc::clone(&registry.index),
            sessions: Arc::clone(&registry.sessions),
            leave: Leave::of(permit, Push),
            repository: permit.repository().clone(),
            owner: permit.actor(),
            id,
            sink,
            is_durable,
            most: registry.uploads_per_identity,
            _turn: turn,
        })
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        match &self.sink {
            Sink::Memory(bytes, _) => bytes.len() as u64,
            Sink::Store(writer) => writer.offset(),
        }
    }

    /// Adds bytes.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        if let Sink::Memory(bytes, _) = &mut self.sink {
            if bytes.len() + chunk.len() <= MAX_INLINE_BYTES {
                bytes.extend_from_slice(&chunk);
                return Ok(());
            }
            self.spill().await?;
        }
        if let Sink::Store(writer) = &mut self.sink {
            writer.write(chunk).await?;
        }
        Ok(())
    }

    /// Makes everything taken durable and lets the session wait. Answers how far it is.
    pub async fn pause(mut self) -> Result<u64, Error> {
        if self.offset() == 0 {
            return Ok(0);
        }
        self.spill().await?;
        let Sink::Store(writer) = &mut self.sink else { return Ok(0) };
        let checkpoint = writer.checkpoint().await?;
        let (id, repository, owner, offset) = (self.id, self.repository.clone(), self.owner.clone(), checkpoint.offset);
        let (now, is_new, most, leave) = (Timestamp::now(), !self.is_durable, self.most, self.leave.clone());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            if is_new && uploads::has(session, &owner, most)? {
                return Err(Error::TooManyUploads);
            }
            let repository = repositories::create(session, &repository, creator(&permit), now)?;
            let (owner, hash) = (owner.clone(), checkpoint.state.clone());
            let expires_at = after(now, UPLOAD_LIFETIME);
            Ok(uploads::save(session, &uploads::Upload { id, repository, owner, offset, hash, expires_at })?)
        });
        let saved = write.await;
        if matches!(saved, Err(Error::TooManyUploads)) {
            // Bytes that nobody was promised need not take room until the session expires.
            return self.cancel().await.and(saved.map(|()| offset));
        }
        saved?;
        self.sessions.close(&self.id);
        Ok(offset)
    }

    /// Ends the upload as a blob of the repository. Bytes of another digest are refused and removed.
    pub async fn finish(self, digest: &Digest) -> Result<(), Error> {
        let (id, digest, is_durable) = (self.id, *digest, self.is_durable);
        let stored = match self.sink {
            Sink::Memory(bytes, _) => verify(bytes.freeze(), &digest).inspect_err(|_| {
                self.sessions.close(&id);
            })?,
            Sink::Store(writer) => match writer.commit(&digest).await {
                Ok(info) => StoredBlob { size: info.size, inline: None },
                Err(error) => {
                    // Where the bytes were wrong the store has removed them: there is nothing to go on with.
                    if matches!(error, storage::Error::DigestMismatch { .. }) {
                        self.sessions.close(&id);
                        self.index.write(move |session| uploads::remove(session, &id)).await?;
                    }
                    return Err(error.into());
                }
            },
        };
        let (repository, actor, leave, at) = (self.repository, self.owner, self.leave, Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, at)?;
            let row = repositories::create(session, &repository, creator(&permit), at)?;
            if is_durable {
                uploads::remove(session, &id)?;
            }
            let change = Change { id: row, repository: &repository, actor: &actor, at };
            blobs::add(session, &change, &digest, &stored, after(at, LEASE))?;
            note(session, &permit, "blob.push", format!("{repository}@{digest}"), at)
        });
        write.await?;
        self.sessions.close(&id);
        Ok(())
    }

    /// Gives the upload up, with everything it has.
    pub async fn cancel(self) -> Result<(), Error> {
        let id = self.id;
        self.sessions.close(&id);
        if self.is_durable {
            self.index.write(move |session| uploads::remove(session, &id)).await?;
        }
        match self.sink {
            Sink::Memory(..) => Ok(()),
            Sink::Store(writer) => Ok(writer.cancel().await?),
        }
    }

    /// Moves what is in memory to the store.
    async fn spill(&mut self) -> Result<(), Error> {
        let Sink::Memory(bytes, algorithm) = &mut self.sink else { return Ok(()) };
        let mut writer = begin(&*self.store, self.id, *algorithm).await?;
        // Cloned, so that a future dropped here loses nothing; it is at most MAX_INLINE_BYTES.
        writer.write(bytes.clone().freeze()).await?;
        self.sink = Sink::Store(writer);
        Ok(())
    }
}

fn verify(bytes: Bytes, digest: &Digest) -> Result<StoredBlob, Error> {
    let actual = Digest::of(digest.algorithm(), &bytes);
    if actual == *digest {
        Ok(StoredBlob { size: bytes.len() as u64, inline: Some(bytes) })
    } else {
        Err(Error::DigestMismatch { expected: Box::new(*digest), actual: Box::new(actual) })
    }
}

/// Begins in the store; bytes of an earlier request that broke off before they were acknowledged are dropped.
async fn begin(store: &dyn BlobStore, id: UploadId, algorithm: Algorithm) -> Result<Box<dyn BlobWriter>, Error> {
    for _ in 0..BUSY_RETRIES {
        match store.begin(id, algorithm).await {
            Err(storage::Error::UploadBusy(_)) => match store.discard(id).await {
                Err(storage::Error::UploadBusy(_)) => tokio::time::sleep(BUSY_PAUSE).await,
                Err(storage::Error::UploadNotFound(_)) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            },
            other => return Ok(other?),
        }
    }
    Err(Error::UploadBusy(id))
}

/// Continues in the store, once the writer of a request that broke off has ended.
async fn resume(store: &dyn BlobStore, id: UploadId, from: Checkpoint) -> Result<Box<dyn BlobWriter>, Error> {
    for _ in 0..BUSY_RETRIES {
        match store.resume(id, from.clone()).await {
            Err(storage::Error::UploadBusy(_)) => tokio::time::sleep(BUSY_PAUSE).await,
            other => return Ok(other?),
        }
    }
    Err(Error::UploadBusy(id))
}
