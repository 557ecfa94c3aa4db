//! A blob that has come in part: a file only one process writes to, continued by whoever comes next.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::blocking::blocking;
use super::{Error, Progress};
use crate::oci::{Descriptor, Digest, Hasher};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The beginning of a blob, locked as long as the value lives.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    hasher: Hasher,
    size: u64,
}

impl Partial {
    /// Opens or makes the file, once no other process writes to it, and hashes what it holds. What is longer than the
    /// blob can be nothing of it and is dropped.
    pub(super) async fn lock(path: PathBuf, blob: &Descriptor, progress: &dyn Progress) -> Result<Self, Error> {
        let file = loop {
            let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
            let file = file.map_err(Error::io("write", &path))?;
            let locked = match file.try_lock() {
                Ok(()) => Ok(file),
                Err(TryLockError::WouldBlock) => {
                    progress.note(&format!("waiting for another download of {}", blob.digest));
                    blocking(move || file.lock().map(|()| file)).await
                }
                Err(TryLockError::Error(error)) => Err(error),
            };
            let file = locked.map_err(Error::io("lock", &path))?;
            // Whoever had the lock may have finished and renamed the file: then this is no partial any more.
            if is_at(&file, &path).map_err(Error::io("read", &path))? {
                break file;
            }
        };
        let (algorithm, limit) = (blob.digest.algorithm(), blob.size);
        let hashed = blocking(move || {
            let mut partial = Self { file, path, hasher: Hasher::new(algorithm), size: 0 };
            partial.hash_again(limit).map(|()| partial)
        });
        hashed.await
    }

    fn hash_again(&mut self, limit: u64) -> Result<(), Error> {
        let failed = Error::io("read", &self.path);
        if self.file.metadata().map_err(Error::io("read", &self.path))?.len() > limit {
            return self.start_over();
        }
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut read = || -> io::Result<()> {
            loop {
                let count = self.file.read(&mut buffer)?;
                if count == 0 {
                    return Ok(());
                }
                self.hasher.update(&buffer[..count]);
                self.size += count as u64;
            }
        };
        read().map_err(failed)
    }

    /// Bytes there are.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Digest of those.
    pub(super) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Drops all that has come.
    pub(super) fn start_over(&mut self) -> Result<(), Error> {
        let failed = || Error::io("write", &self.path);
        self.file.set_len(0).map_err(failed())?;
        self.file.seek(SeekFrom::Start(0)).map_err(failed())?;
        self.hasher = Hasher::new(self.hasher.algorithm());
        self.size = 0;
        Ok(())
    }

    /// Gives the file its final name.
    pub(super) fn finish(self, path: &Path) -> Result<(), Error> {
        self.file.sync_data().map_err(Error::io("write", &self.path))?;
        fs::rename(&self.path, path).map_err(Error::io("write", path))
    }

    /// Removes the file.
    pub(super) fn remove(self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(Error::io("remove", &self.path))
    }
}

/// Whether an open file is the one a path names now.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an open file is the one a path names now; elsewhere an open file cannot be renamed.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}
