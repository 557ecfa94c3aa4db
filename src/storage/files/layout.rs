//! Where a file store keeps what: `blobs/<algorithm>/<2 hex>/<hex>` and `uploads/<id>`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::oci::{Algorithm, Digest, UploadId};
use crate::storage::disk::Disk;
use crate::storage::{BlobInfo, Error, create_folder_durably};

/// The folders below a store's root.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Makes every folder, durably, so that no commit has to: a blob's name is safe once its own folder is synced.
    pub(super) fn create(root: &Path, disk: &Disk) -> Result<Self, Error> {
        create_folder_durably(root).map_err(|error| Error::io(root, error))?;
        let layout = Self { root: root.to_owned() };
        create_dir_all(&layout.uploads())?;
        for algorithm in Algorithm::ALL {
            for shard in 0..=u8::MAX {
                create_dir_all(&layout.shard(algorithm, shard))?;
            }
            sync_dir(disk, &layout.blobs(algorithm))?;
        }
        sync_dir(disk, &root.join("blobs"))?;
        sync_dir(disk, root)?;
        Ok(layout)
    }

    /// The folder of unfinished uploads.
    pub(super) fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// The file of an unfinished upload.
    pub(super) fn upload(&self, id: UploadId) -> PathBuf {
        self.uploads().join(id.to_string())
    }

    /// The file of a blob.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.shard(digest.algorithm(), digest.raw()[0]).join(digest.hex())
    }

    /// The folder a blob's name lives in.
    pub(super) fn folder_of(&self, digest: &Digest) -> PathBuf {
        self.shard(digest.algorithm(), digest.raw()[0])
    }

    /// Every folder that blobs' names live in.
    pub(super) fn shards(&self) -> impl Iterator<Item = PathBuf> {
        let all = move |algorithm| (0..=u8::MAX).map(move |shard| self.shard(algorithm, shard));
        Algorithm::ALL.into_iter().flat_map(all)
    }

    fn blobs(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("blobs").join(algorithm.as_str())
    }

    fn shard(&self, algorithm: Algorithm, shard: u8) -> PathBuf {
        self.blobs(algorithm).join(format!("{shard:02x}"))
    }

    /// Ids of all uploads; other files are not ours to judge.
    pub(super) fn upload_ids(&self) -> Result<Vec<UploadId>, Error> {
        let names = names_in(&self.uploads())?;
        Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
    }

    /// Up to `limit` blobs in the order of digests, after the given one.
    pub(super) fn list(&self, after: Option<Digest>, limit: usize) -> Result<Vec<BlobInfo>, Error> {
        let mut page = Vec::new();
        for algorithm in Algorithm::ALL {
            for shard in 0..=u8::MAX {
                let is_passed = after.is_some_and(|after| (algorithm, shard) < (after.algorithm(), after.raw()[0]));
                if !is_passed && page.len() < limit {
                    self.list_shard(algorithm, shard, after, limit, &mut page)?;
                }
            }
        }
        Ok(page)
    }

    fn list_shard(
        &self,
        algorithm: Algorithm,
        shard: u8,
        after: Option<Digest>,
        limit: usize,
        page: &mut Vec<BlobInfo>,
    ) -> Result<(), Error> {
        let names = names_in(&self.shard(algorithm, shard))?;
        let digest = |name: &OsString| format!("{algorithm}:{}", name.to_str()?).parse::<Digest>().ok();
        let mut digests: Vec<_> = names.iter().filter_map(digest).filter(|digest| Some(*digest) > after).collect();
        digests.sort_unstable();
        for digest in digests {
            if page.len() == limit {
                break;
            }
            // Deleted since the folder was read: as if the listing had come later.
            match self.stat(&digest) {
                Err(Error::NotFound(_)) => {}
                found => page.push(found?),
            }
        }
        Ok(())
    }

    /// Looks a blob up.
    pub(super) fn stat(&self, digest: &Digest) -> Result<BlobInfo, Error> {
        let path = self.blob(digest);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(BlobInfo { digest: *digest, size: metadata.len() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound(*digest)),
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Bytes of an upload.
    pub(super) fn upload_size(&self, id: UploadId) -> Result<u64, Error> {
        let path = self.upload(id);
        fs::metadata(&path).map(|metadata| metadata.len()).map_err(|error| upload_error(id, &path, error))
    }
}

/// Sorts an error on an upload's file.
pub(super) fn upload_error(id: UploadId, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::UploadNotFound(id),
        io::ErrorKind::AlreadyExists => Error::UploadBusy(id),
        _ => Error::io(path, error),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(disk: &Disk, path: &Path) -> Result<(), Error> {
    disk.sync_folder(path).map_err(|error| Error::io(path, error))
}

fn create_dir_all(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|error| Error::io(path, error))
}

fn names_in(path: &Path) -> Result<Vec<OsString>, Error> {
    let names = fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    names.map_err(|error| Error::io(path, error))
}
