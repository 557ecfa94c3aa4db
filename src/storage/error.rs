//! What can go wrong in a blob store.

use std::io;
use std::path::{Path, PathBuf};

use crate::oci::{Digest, RangeError, UploadId};

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, a quota of the system or the store's own limit is used up. What was durable before still is.
    #[error("the blob store is out of space")]
    OutOfSpace(#[source] Option<io::Error>),
    /// The bytes are not those the digest names; the upload is gone. Boxed to keep every `Result` small.
    #[error("content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest the writer was told.
        expected: Box<Digest>,
        /// The digest of the bytes it got.
        actual: Box<Digest>,
    },
    /// No blob of this digest is stored.
    #[error("blob {0} is not stored")]
    NotFound(Digest),
    /// No upload of this id is stored.
    #[error("upload {0} is not known")]
    UploadNotFound(UploadId),
    /// Another writer has the upload open, or one was begun under this id before.
    #[error("upload {0} is in use")]
    UploadBusy(UploadId),
    /// The upload holds fewer bytes than the offset to continue from.
    #[error("upload has {actual} bytes, fewer than the {expected} to continue from")]
    OffsetMismatch {
        /// The offset asked for.
        expected: u64,
        /// The bytes that are stored.
        actual: u64,
    },
    /// The slice does not lie inside the blob.
    #[error("slice cannot be read")]
    Range(#[from] RangeError),
    /// An earlier write failed; resume the upload from its last checkpoint with a new writer.
    #[error("an earlier write of this upload failed")]
    WriterFailed,
    /// A record of the journal is empty or too large.
    #[error("a record of {0} bytes does not go into the journal")]
    RecordSize(usize),
    /// The operating system refused.
    #[error("cannot access {}", path.display())]
    Io {
        /// What the system said.
        source: io::Error,
        /// The file or folder concerned.
        path: PathBuf,
    },
}

impl Error {
    /// Sorts an error of the system: a full disk is a condition of its own, everything else keeps its path.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::OutOfSpace(Some(source)),
            _ => Self::Io { source, path: path.to_owned() },
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_full_device_is_out_of_space_and_a_missing_file_is_not() {
        let full = Path::new("/dev/full");
        let refused = std::fs::OpenOptions::new().write(true).open(full).unwrap().write_all(b"x").unwrap_err();
        assert!(matches!(Error::io(full, refused), Error::OutOfSpace(Some(_))));

        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert!(matches!(Error::io(full, missing), Error::Io { path, .. } if path == full));
    }
}
