//! The blocking half of an upload: its file, its hash and how it becomes a blob.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;

use super::layout::{sync_dir, upload_error};
use super::store::Shared;
use crate::oci::{Digest, Hasher};
use crate::storage::claims::Claim;
use crate::storage::{BlobInfo, Checkpoint, Error};

/// Bytes read at once when a file is hashed again.
const HASH_BUFFER_BYTES: u64 = 256 * 1024;

/// An open upload.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    claim: Arc<Claim>,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    /// Bytes the quota was charged for; equals the file's length unless a write failed.
    charged: u64,
    /// Bytes that survive a crash.
    durable: u64,
    is_name_durable: bool,
}

impl Session {
    /// Makes the file of a new upload.
    pub(super) fn begin(shared: Arc<Shared>, claim: Arc<Claim>, hasher: Hasher) -> Result<Self, Error> {
        let path = shared.layout.upload(claim.id());
        let file = shared.disk.create(&path).map_err(|error| upload_error(claim.id(), &path, error))?;
        Ok(Self { shared, claim, path, file, hasher, charged: 0, durable: 0, is_name_durable: false })
    }

    /// Opens the file of an upload again and cuts it to the checkpoint.
    pub(super) fn resume(shared: Arc<Shared>, claim: Arc<Claim>, from: &Checkpoint) -> Result<Self, Error> {
        let path = shared.layout.upload(claim.id());
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut file = opened.map_err(|error| upload_error(claim.id(), &path, error))?;
        let io = |error| Error::io(&path, error);
        let actual = file.metadata().map_err(io)?.len();
        if actual < from.offset {
            return Err(Error::OffsetMismatch { expected: from.offset, actual });
        }
        shared.disk.cut(&file, &path, from.offset).map_err(io)?;
        shared.quota.give_back(actual - from.offset);
        let hasher = match Hasher::resume(&from.state) {
            Ok(hasher) => hasher,
            Err(_) => hash_file(&mut file, Hasher::new(from.state.algorithm)).map_err(io)?,
        };
        file.seek(SeekFrom::Start(from.offset)).map_err(io)?;
        let (charged, durable) = (from.offset, from.offset);
        Ok(Self { shared, claim, path, file, hasher, charged, durable, is_name_durable: true })
    }

    /// Writes and hashes; after a failure only the durable bytes are kept, to be resumed from.
    pub(super) fn append(&mut self, batch: &[Bytes]) -> Result<(), Error> {
        let written = batch.iter().try_for_each(|chunk| self.append_chunk(chunk));
        if written.is_err() && self.shared.disk.cut(&self.file, &self.path, self.durable).is_ok() {
            self.shared.quota.give_back(self.charged - self.durable);
        }
        written
    }

    fn append_chunk(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.shared.quota.take(chunk.len() as u64)?;
        self.charged += chunk.len() as u64;
        self.hasher.update(chunk);
        self.shared.disk.append(&self.file, &self.path, chunk).map_err(|error| Error::io(&self.path, error))
    }

    /// Makes the bytes and, the first time, the upload's name durable.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        self.sync_content()?;
        if !self.is_name_durable {
            sync_dir(&self.shared.disk, &self.shared.layout.uploads())?;
            self.is_name_durable = true;
        }
        self.durable = self.charged;
        Ok(())
    }

    fn sync_content(&self) -> Result<(), Error> {
        self.shared.disk.sync(&self.file, &self.path).map_err(|error| Error::io(&self.path, error))
    }

    /// What can be resumed, after [`Session::sync`].
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { offset: self.durable, state: self.hasher.state() }
    }

    /// Turns the upload into a blob: compare, sync, rename, sync the folder.
    pub(super) fn publish(mut self, expected: Digest) -> Result<BlobInfo, Error> {
        if expected.algorithm() != self.hasher.algorithm() {
            let other = Hasher::new(expected.algorithm());
            self.hasher = hash_file(&mut self.file, other).map_err(|error| Error::io(&self.path, error))?;
        }
        let actual = self.hasher.clone().finish();
        if actual != expected {
            self.shared.remove_upload(self.claim.id())?;
            return Err(Error::DigestMismatch { expected: expected.into(), actual: actual.into() });
        }
        self.sync_content()?;
        self.shared.place(&self.path, &expected)?;
        Ok(BlobInfo { digest: expected, size: self.charged })
    }
}

impl Shared {
    /// Renames a verified file to its digest. A blob already there is replaced: the new bytes were just checked.
    fn place(&self, verified: &std::path::Path, digest: &Digest) -> Result<(), Error> {
        let blob = self.layout.blob(digest);
        {
            // Two writers of one digest must not both miss the other, or its bytes would count twice for ever.
            let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
            let replaced = self.layout.stat(digest).map_or(0, |blob| blob.size);
            self.disk.rename(verified, &blob).map_err(|error| Error::io(&blob, error))?;
            self.quota.give_back(replaced);
        }
        sync_dir(&self.disk, &self.layout.folder_of(digest))
    }
}

fn hash_file(file: &mut File, mut hasher: Hasher) -> std::io::Result<Hasher> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = Vec::new();
    while (&*file).take(HASH_BUFFER_BYTES).read_to_end(&mut buffer)? > 0 {
        hasher.update(&buffer);
        buffer.clear();
    }
    Ok(hasher)
}
