//! The interface of every blob store.

use std::fmt;
use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Error, FileStore};
use crate::oci::{Algorithm, Digest, HashState, Slice, UploadId};

/// Bytes a reader hands out at most in one chunk.
pub const MAX_CHUNK_BYTES: usize = 256 * 1024;

/// Blobs one page of a listing holds at most.
pub const MAX_LIST_PAGE: usize = 10_000;

/// A stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// The digest its bytes had when they were stored.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The point up to which an upload is durable, and from which it can be continued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Bytes that survive a crash.
    pub offset: u64,
    /// The hash of exactly these bytes, unfinished.
    pub state: HashState,
}

/// Bytes by digest.
pub trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// Starts an upload; its bytes are hashed with the algorithm while they arrive.
    fn begin(&self, id: UploadId, algorithm: Algorithm) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>>;

    /// Continues an upload at a checkpoint; bytes after it are dropped. A hash state of another build is replaced by
    /// hashing the stored bytes again.
    fn resume(&self, id: UploadId, from: Checkpoint) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>>;

    /// Removes an upload nobody has open.
    fn discard(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>>;

    /// Every upload that has bytes here, open or not; whoever sweeps compares them with the known sessions.
    fn uploads(&self) -> BoxFuture<'_, Result<Vec<UploadId>, Error>>;

    /// Looks a blob up.
    fn stat(&self, digest: &Digest) -> BoxFuture<'_, Result<BlobInfo, Error>>;

    /// Opens a blob for reading. A reader opened before a deletion reads on undisturbed.
    fn open(&self, digest: &Digest) -> BoxFuture<'_, Result<Box<dyn BlobReader>, Error>>;

    /// Puts a blob into a file store too, without copying its bytes where both are on one file system. Its name there
    /// is durable once [`FileStore::sync_names`] has answered.
    fn copy_into<'a>(&'a self, digest: &Digest, target: &'a FileStore) -> BoxFuture<'a, Result<BlobInfo, Error>> {
        let (digest, reader) = (*digest, self.open(digest));
        async move { write_out(reader.await?, &digest, target).await }.boxed()
    }

    /// Deletes a blob.
    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<(), Error>>;

    /// Lists up to `limit` blobs (never more than [`MAX_LIST_PAGE`]) in the order of digests, after the given one.
    fn list(&self, after: Option<Digest>, limit: usize) -> BoxFuture<'_, Result<Vec<BlobInfo>, Error>>;
}

/// Takes the bytes of one upload.
///
/// Dropping a writer keeps the upload: it can be resumed from its last checkpoint, or discarded. Until a batch it was
/// just writing has ended, for a moment, the upload is still [`Error::UploadBusy`].
pub trait BlobWriter: fmt::Debug + Send {
    /// Bytes taken so far, durable or not.
    fn offset(&self) -> u64;

    /// Adds bytes. A future dropped before it is ready has not taken the chunk.
    fn write(&mut self, chunk: Bytes) -> BoxFuture<'_, Result<(), Error>>;

    /// Makes everything written durable.
    fn checkpoint(&mut self) -> BoxFuture<'_, Result<Checkpoint, Error>>;

    /// Ends the upload as a durable blob. Bytes of another digest are refused and removed.
    fn commit(self: Box<Self>, digest: &Digest) -> BoxFuture<'static, Result<BlobInfo, Error>>;

    /// Ends the upload without a trace, also after a failed write.
    fn cancel(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>>;
}

/// Reads one blob in chunks of at most [`MAX_CHUNK_BYTES`].
pub trait BlobReader: fmt::Debug + Send {
    /// Size of the whole blob.
    fn size(&self) -> u64;

    /// Continues with this slice instead; at first it is the whole blob.
    fn select(&mut self, slice: Slice) -> Result<(), Error>;

    /// The open file whose bytes are the whole blob, for those who can send it without reading it; its cursor belongs
    /// to the reader. `None` where the bytes are no file.
    fn file(&self) -> Option<Arc<File>> {
        None
    }

    /// The next bytes, `None` at the end of the slice.
    fn next_chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, Error>>;
}

/// The end of a slice that lies inside content of `size` bytes.
pub(super) fn end_within(slice: Slice, size: u64) -> Result<u64, Error> {
    let end = slice.offset.checked_add(slice.length).filter(|end| *end <= size);
    end.ok_or_else(|| crate::oci::RangeError::Unsatisfiable.into())
}

/// Writes what a reader gives into a file store.
pub(super) async fn write_out(
    mut reader: Box<dyn BlobReader>,
    digest: &Digest,
    target: &FileStore,
) -> Result<BlobInfo, Error> {
    let mut writer = target.begin(UploadId::random(), digest.algorithm()).await?;
    while let Some(chunk) = reader.next_chunk().await? {
        writer.write(chunk).await?;
    }
    writer.commit(digest).await
}
