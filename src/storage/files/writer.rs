//! The asynchronous half of an upload: collects one batch while a blocking thread writes the one before.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, mem};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::{JoinHandle, spawn_blocking};

use super::blocking::{blocking, unfinished};
use super::session::Session;
use super::store::Shared;
use crate::oci::Digest;
use crate::storage::claims::Claim;
use crate::storage::{BlobInfo, BlobWriter, Checkpoint, Error};

/// Bytes collected before they are handed to a blocking thread; a writer holds at most about twice as many.
const BATCH_BYTES: usize = 1024 * 1024;

/// Writes an upload's file.
pub(super) struct FileWriter {
    shared: Arc<Shared>,
    claim: Arc<Claim>,
    path: PathBuf,
    state: State,
    batch: Vec<Bytes>,
    batched: usize,
    offset: u64,
}

enum State {
    Idle(Box<Session>),
    Busy(JoinHandle<Result<Box<Session>, Error>>),
    Failed,
}

impl FileWriter {
    pub(super) fn new(shared: Arc<Shared>, claim: Arc<Claim>, session: Session, offset: u64) -> Self {
        let path = shared.layout.upload(claim.id());
        Self { shared, claim, path, state: State::Idle(Box::new(session)), batch: Vec::new(), batched: 0, offset }
    }

    /// Waits for the batch under way. Nothing is lost when the waiting is broken off: the task stays in place.
    async fn settle(&mut self) -> Result<Box<Session>, Error> {
        if let State::Busy(task) = &mut self.state {
            let done = task.await;
            self.state = State::Failed;
            return done.map_err(|error| unfinished(&self.path, error))?;
        }
        match mem::replace(&mut self.state, State::Failed) {
            State::Idle(session) => Ok(session),
            State::Busy(_) | State::Failed => Err(Error::WriterFailed),
        }
    }

    /// Hands the batch, and the work that follows it, to a blocking thread.
    async fn start(&mut self, then: fn(&mut Session) -> Result<(), Error>) -> Result<(), Error> {
        let mut session = self.settle().await?;
        let batch = mem::take(&mut self.batch);
        self.batched = 0;
        self.state = State::Busy(spawn_blocking(move || {
            session.append(&batch)?;
            then(&mut session)?;
            Ok(session)
        }));
        Ok(())
    }

    async fn take(&mut self, chunk: Bytes) -> Result<(), Error> {
        if matches!(self.state, State::Failed) {
            return Err(Error::WriterFailed);
        }
        // Before the chunk is taken, so that a caller who stops waiting knows it was not.
        if self.batched >= BATCH_BYTES {
            self.start(|_| Ok(())).await?;
        }
        self.batched += chunk.len();
        self.offset += chunk.len() as u64;
        self.batch.push(chunk);
        Ok(())
    }

    async fn sync(&mut self) -> Result<Checkpoint, Error> {
        self.start(Session::sync).await?;
        let session = self.settle().await?;
        let checkpoint = session.checkpoint();
        self.state = State::Idle(session);
        Ok(checkpoint)
    }

    async fn publish(mut self, digest: Digest) -> Result<BlobInfo, Error> {
        let mut session = self.settle().await?;
        let batch = mem::take(&mut self.batch);
        let work = move || {
            session.append(&batch)?;
            session.publish(digest)
        };
        blocking(&self.path, work).await
    }

    async fn remove(mut self) -> Result<(), Error> {
        // Whether the batch under way succeeds does not matter, only that it no longer writes.
        drop(self.settle().await);
        let Self { shared, claim, path, .. } = self;
        blocking(&path, move || shared.remove_upload(claim.id())).await
    }
}

impl BlobWriter for FileWriter {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn write(&mut self, chunk: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        self.take(chunk).boxed()
    }

    fn checkpoint(&mut self) -> BoxFuture<'_, Result<Checkpoint, Error>> {
        self.sync().boxed()
    }

    fn commit(self: Box<Self>, digest: &Digest) -> BoxFuture<'static, Result<BlobInfo, Error>> {
        (*self).publish(*digest).boxed()
    }

    fn cancel(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>> {
        (*self).remove().boxed()
    }
}

impl fmt::Debug for FileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}
