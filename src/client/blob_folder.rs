//! A folder of blobs as an OCI image layout has it, `blobs/<algorithm>/<hex>`: nothing enters it unverified.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Error;
use crate::oci::{Algorithm, Descriptor, Digest, Hasher};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// The blobs below a folder.
#[derive(Clone, Debug)]
pub(super) struct BlobFolder {
    root: PathBuf,
}

impl BlobFolder {
    /// Opens it, and makes its folders where there are none.
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        for algorithm in Algorithm::ALL {
            let folder = root.join("blobs").join(algorithm.as_str());
            fs::create_dir_all(&folder).map_err(Error::io("make the folder", &folder))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob is, if it is there.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    /// Reads all of a blob, and fails if it is missing or is not what its descriptor says.
    pub(super) fn verify(&self, blob: &Descriptor) -> Result<(), Error> {
        let path = self.path(&blob.digest);
        match hash_file(&path, blob) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Corrupt { digest: Box::new(blob.digest), place: path.display().to_string() }),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                Err(Error::Missing { digest: Box::new(blob.digest), path })
            }
            Err(source) => Err(Error::Io { action: "read", path, source }),
        }
    }

    /// Whether a blob is there and whole.
    pub(super) fn has(&self, blob: &Descriptor) -> Result<bool, Error> {
        match self.verify(blob) {
            Ok(()) => Ok(true),
            Err(Error::Missing { .. } | Error::Corrupt { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a blob into memory; `None` if it is not there, an error if it is not what its descriptor says.
    pub(super) fn read(&self, blob: &Descriptor) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(&blob.digest);
        let file = match File::open(&path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(Error::io("read", &path))?,
        };
        let mut bytes = vec![];
        file.take(blob.size.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
        if bytes.len() as u64 == blob.size && Digest::of(blob.digest.algorithm(), &bytes) == blob.digest {
            return Ok(Some(bytes));
        }
        Err(Error::Corrupt { digest: Box::new(blob.digest), place: path.display().to_string() })
    }

    /// Writes a blob unless it is there and whole. `place` is what the bytes are from, for messages.
    pub(super) fn copy_in(&self, blob: &Descriptor, source: impl Read, place: &Path) -> Result<(), Error> {
        if self.has(blob)? {
            return Ok(());
        }
        // In the root: other tools take every file among the blobs for one.
        let mut file = NamedTempFile::new_in(&self.root).map_err(Error::io("write in", &self.root))?;
        let same = copy_hashed(source, &mut file, blob).map_err(Error::io("copy", place))?;
        if !same {
            return Err(Error::Corrupt { digest: Box::new(blob.digest), place: place.display().to_string() });
        }
        let path = self.path(&blob.digest);
        file.as_file().sync_data().map_err(Error::io("write", &path))?;
        file.persist(&path).map_err(|error| Error::io("write", &path)(error.error))?;
        Ok(())
    }

    /// Makes a file that nobody writes to any more another name of a blob, or copies it where that cannot be.
    pub(super) fn link_in(&self, blob: &Descriptor, source: &Path) -> Result<(), Error> {
        if self.has(blob)? {
            return Ok(());
        }
        if !hash_file(source, blob).map_err(Error::io("read", source))? {
            return Err(Error::Corrupt { digest: Box::new(blob.digest), place: source.display().to_string() });
        }
        let path = self.path(&blob.digest);
        // What is there was just found damaged.
        self.remove(&blob.digest)?;
        if fs::hard_link(source, &path).is_ok() {
            return Ok(());
        }
        let file = File::open(source).map_err(Error::io("read", source))?;
        self.copy_in(blob, file, source)
    }

    /// Removes a blob if it is there, and gives its size in bytes.
    pub(super) fn remove(&self, digest: &Digest) -> Result<u64, Error> {
        let path = self.path(digest);
        let size = fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
        match fs::remove_file(&path) {
            Ok(()) => Ok(size),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(Error::Io { action: "remove", path, source }),
        }
    }
}

/// Whether a file has the size and digest of a blob. No more than the blob's size, and a byte, is read.
pub(super) fn hash_file(path: &Path, blob: &Descriptor) -> io::Result<bool> {
    let file = File::open(path)?;
    // A look at the size saves hashing what cannot be right.
    if file.metadata()?.len() != blob.size {
        return Ok(false);
    }
    copy_hashed(file, &mut io::sink(), blob)
}

/// Copies, and says whether what passed was the blob; stops one byte after its size.
fn copy_hashed(source: impl Read, out: &mut impl Write, blob: &Descriptor) -> io::Result<bool> {
    let mut source = source.take(blob.size.saturating_add(1));
    let mut hasher = Hasher::new(blob.digest.algorithm());
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            return Ok(size == blob.size && hasher.finish() == blob.digest);
        }
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count])?;
        size += count as u64;
    }
}
