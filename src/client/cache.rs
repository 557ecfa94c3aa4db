//! Blobs fetched before, by digest; what came in part is continued.

use std::fs;
use std::path::{Path, PathBuf};

use super::blob_folder::BlobFolder;
use super::download::Download;
use super::partial::Partial;
use super::progress::name_of;
use super::{Error, Outcome, Progress};
use crate::oci::{Descriptor, RepositoryName};
use crate::remote::Remote;

/// A folder of verified blobs that can be thrown away at any time. Processes share it.
#[derive(Clone, Debug)]
pub struct Cache {
    blobs: BlobFolder,
}

/// A blob that is in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) path: PathBuf,
    /// Bytes that came over the network for it.
    pub(super) transferred_bytes: u64,
}

impl Cache {
    /// Opens a cache, and makes its folder where there is none.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Ok(Self { blobs: BlobFolder::open(root)? })
    }

    /// Gives the path of a blob, fetched from a repository unless it is here. What is given was verified when it was
    /// written; never more than the descriptor's size is read.
    pub async fn fetch(
        &self,
        remote: &Remote,
        name: &RepositoryName,
        blob: &Descriptor,
        progress: &dyn Progress,
    ) -> Result<PathBuf, Error> {
        Ok(self.fetch_counted(Download { remote, name, blob, progress }).await?.path)
    }

    pub(super) async fn fetch_counted(&self, download: Download<'_>) -> Result<Fetched, Error> {
        let Download { blob, progress, .. } = download;
        let path = self.blobs.path(&blob.digest);
        progress.begin(blob, name_of(blob));
        let transferred = if is_hit(&path, blob) { None } else { self.complete(&download, &path).await? };
        let outcome = if transferred.is_some() { Outcome::Transferred } else { Outcome::Cached };
        progress.end(&blob.digest, outcome);
        Ok(Fetched { path, transferred_bytes: transferred.unwrap_or(0) })
    }

    /// Fetches a blob under its lock; `None` if another process was faster.
    async fn complete(&self, download: &Download<'_>, path: &Path) -> Result<Option<u64>, Error> {
        let mut partial = Partial::lock(partial_of(path), download.blob, download.progress).await?;
        if is_hit(path, download.blob) {
            partial.remove()?;
            return Ok(None);
        }
        let received = download.run(&mut partial).await;
        match received {
            Ok(received) => {
                partial.finish(path)?;
                Ok(Some(received))
            }
            Err(error) => {
                // An empty one is no beginning of anything.
                if partial.size() == 0 {
                    partial.remove()?;
                }
                Err(error)
            }
        }
    }

    /// Where a blob is, if it is here.
    pub(super) fn path(&self, blob: &Descriptor) -> PathBuf {
        self.blobs.path(&blob.digest)
    }

    /// Reads a blob that is here and whole into memory.
    pub(super) fn read(&self, blob: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        match self.blobs.read(blob) {
            Err(Error::Corrupt { .. }) => Ok(None),
            other => other,
        }
    }

    /// Removes a blob that is not what it should be; says whether there was one.
    pub(super) fn discard_damaged(&self, blob: &Descriptor) -> Result<bool, Error> {
        let is_damaged = matches!(self.blobs.verify(blob), Err(Error::Corrupt { .. }));
        if is_damaged {
            self.blobs.remove(&blob.digest)?;
        }
        Ok(is_damaged)
    }
}

/// By size alone: it was hashed when it was written, and is again when it is unpacked.
fn is_hit(path: &Path, blob: &Descriptor) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == blob.size)
}

fn partial_of(path: &Path) -> PathBuf {
    path.with_added_extension("partial")
}
