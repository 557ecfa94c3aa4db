//! A store in memory, for tests and for registries that live as long as their process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::claims::{Claim, Claims};
use super::quota::Quota;
use super::store::end_within;
use super::{BlobInfo, BlobReader, BlobStore, BlobWriter, Checkpoint, Error, MAX_CHUNK_BYTES, MAX_LIST_PAGE};
use crate::oci::{Algorithm, Digest, Hasher, Slice, UploadId};

/// Keeps every blob in memory; "durable" means until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    shelves: Arc<Mutex<Shelves>>,
    claims: Claims,
    quota: Arc<Quota>,
}

#[derive(Debug, Default)]
struct Shelves {
    blobs: BTreeMap<Digest, Bytes>,
    uploads: BTreeMap<UploadId, Vec<u8>>,
}

impl MemoryStore {
    /// Makes an empty store that holds at most `limit` bytes of blobs and uploads.
    pub fn new(limit: Option<u64>) -> Self {
        Self { shelves: Arc::default(), claims: Claims::default(), quota: Arc::new(Quota::new(limit, 0)) }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blob(&self, digest: &Digest) -> Result<Bytes, Error> {
        self.shelves().blobs.get(digest).cloned().ok_or(Error::NotFound(*digest))
    }

    fn begin_now(&self, id: UploadId, algorithm: Algorithm) -> Result<Box<dyn BlobWriter>, Error> {
        let claim = self.claims.claim(id)?;
        let mut shelves = self.shelves();
        if shelves.uploads.contains_key(&id) {
            return Err(Error::UploadBusy(id));
        }
        shelves.uploads.insert(id, Vec::new());
        Ok(Box::new(MemoryWriter {
            store: self.clone(),
            claim,
            hasher: Hasher::new(algorithm),
            offset: 0,
            has_failed: false,
        }))
    }

    fn resume_now(&self, id: UploadId, from: &Checkpoint) -> Result<Box<dyn BlobWriter>, Error> {
        let claim = self.claims.claim(id)?;
        let mut shelves = self.shelves();
        let upload = shelves.uploads.get_mut(&id).ok_or(Error::UploadNotFound(id))?;
        let actual = upload.len() as u64;
        let length = usize::try_from(from.offset).ok().filter(|length| *length <= upload.len());
        upload.truncate(length.ok_or(Error::OffsetMismatch { expected: from.offset, actual })?);
        self.quota.give_back(actual - from.offset);
        let hasher = Hasher::resume(&from.state).unwrap_or_else(|_| {
            let mut hasher = Hasher::new(from.state.algorithm);
            hasher.update(upload);
            hasher
        });
        Ok(Box::new(MemoryWriter { store: self.clone(), claim, hasher, offset: from.offset, has_failed: false }))
    }

    fn take_upload(&self, id: UploadId) -> Result<Vec<u8>, Error> {
        self.shelves().uploads.remove(&id).ok_or(Error::UploadNotFound(id))
    }

    fn discard_now(&self, id: UploadId) -> Result<(), Error> {
        let _claim = self.claims.claim(id)?;
        self.quota.give_back(self.take_upload(id)?.len() as u64);
        Ok(())
    }

    fn delete_now(&self, digest: &Digest) -> Result<(), Error> {
        let bytes = self.shelves().blobs.remove(digest).ok_or(Error::NotFound(*digest))?;
        self.quota.give_back(bytes.len() as u64);
        Ok(())
    }
}

impl BlobStore for MemoryStore {
    fn begin(&self, id: UploadId, algorithm: Algorithm) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>> {
        ready(self.begin_now(id, algorithm)).boxed()
    }

    fn resume(&self, id: UploadId, from: Checkpoint) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>> {
        ready(self.resume_now(id, &from)).boxed()
    }

    fn discard(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.discard_now(id)).boxed()
    }

    fn uploads(&self) -> BoxFuture<'_, Result<Vec<UploadId>, Error>> {
        ready(Ok(self.shelves().uploads.keys().copied().collect())).boxed()
    }

    fn stat(&self, digest: &Digest) -> BoxFuture<'_, Result<BlobInfo, Error>> {
        let digest = *digest;
        ready(self.blob(&digest).map(|bytes| BlobInfo { digest, size: bytes.len() as u64 })).boxed()
    }

    fn open(&self, digest: &Digest) -> BoxFuture<'_, Result<Box<dyn BlobReader>, Error>> {
        let reader = self.blob(digest).map(|bytes| MemoryReader { rest: bytes.clone(), bytes });
        ready(reader.map(|reader| Box::new(reader) as Box<dyn BlobReader>)).boxed()
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<(), Error>> {
        ready(self.delete_now(digest)).boxed()
    }

    fn list(&self, after: Option<Digest>, limit: usize) -> BoxFuture<'_, Result<Vec<BlobInfo>, Error>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let shelves = self.shelves();
        let blobs = shelves.blobs.range((start, Bound::Unbounded)).take(limit.min(MAX_LIST_PAGE));
        let page = blobs.map(|(digest, bytes)| BlobInfo { digest: *digest, size: bytes.len() as u64 }).collect();
        ready(Ok(page)).boxed()
    }
}

#[derive(Debug)]
struct MemoryWriter {
    store: MemoryStore,
    claim: Claim,
    hasher: Hasher,
    offset: u64,
    has_failed: bool,
}

impl MemoryWriter {
    fn check(&self) -> Result<(), Error> {
        if self.has_failed { Err(Error::WriterFailed) } else { Ok(()) }
    }

    fn append(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.check()?;
        self.store.quota.take(chunk.len() as u64).inspect_err(|_| self.has_failed = true)?;
        let mut shelves = self.store.shelves();
        let upload = shelves.uploads.get_mut(&self.claim.id()).ok_or(Error::WriterFailed)?;
        upload.extend_from_slice(chunk);
        self.hasher.update(chunk);
        self.offset += chunk.len() as u64;
        Ok(())
    }

    fn publish(self, expected: Digest) -> Result<BlobInfo, Error> {
        self.check()?;
        let bytes = self.store.take_upload(self.claim.id())?;
        let size = bytes.len() as u64;
        let actual = if expected.algorithm() == self.hasher.algorithm() {
            self.hasher.finish()
        } else {
            Digest::of(expected.algorithm(), &bytes)
        };
        if actual != expected {
            self.store.quota.give_back(size);
            return Err(Error::DigestMismatch { expected: expected.into(), actual: actual.into() });
        }
        if self.store.shelves().blobs.insert(expected, bytes.into()).is_some() {
            self.store.quota.give_back(size);
        }
        Ok(BlobInfo { digest: expected, size })
    }
}

impl BlobWriter for MemoryWriter {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn write(&mut self, chunk: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        async move { self.append(&chunk) }.boxed()
    }

    fn checkpoint(&mut self) -> BoxFuture<'_, Result<Checkpoint, Error>> {
        ready(self.check().map(|()| Checkpoint { offset: self.offset, state: self.hasher.state() })).boxed()
    }

    fn commit(self: Box<Self>, digest: &Digest) -> BoxFuture<'static, Result<BlobInfo, Error>> {
        let digest = *digest;
        async move { self.publish(digest) }.boxed()
    }

    fn cancel(self: Box<Self>) -> BoxFuture<'static, Result<(), Error>> {
        async move {
            let bytes = self.store.take_upload(self.claim.id())?;
            self.store.quota.give_back(bytes.len() as u64);
            Ok(())
        }
        .boxed()
    }
}

#[derive(Debug)]
struct MemoryReader {
    bytes: Bytes,
    rest: Bytes,
}

impl BlobReader for MemoryReader {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn select(&mut self, slice: Slice) -> Result<(), Error> {
        let end = end_within(slice, self.size())?;
        let index = |offset: u64| usize::try_from(offset).map_err(|_| crate::oci::RangeError::Unsatisfiable);
        self.rest = self.bytes.slice(index(slice.offset)?..index(end)?);
        Ok(())
    }

    fn next_chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let chunk = self.rest.split_to(self.rest.len().min(MAX_CHUNK_BYTES));
        ready(Ok((!chunk.is_empty()).then_some(chunk))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::contract::{Fixture, contract};

    /// "Opening again" hands out the same shelves: memory has no restart.
    struct InMemory(MemoryStore);

    impl Fixture for InMemory {
        fn new(limit: Option<u64>) -> Self {
            Self(MemoryStore::new(limit))
        }

        fn open(&self) -> Arc<dyn BlobStore> {
            Arc::new(self.0.clone())
        }

        fn files_left(&self) -> usize {
            let shelves = self.0.shelves();
            shelves.blobs.len() + shelves.uploads.len()
        }
    }

    contract!(InMemory);
}
