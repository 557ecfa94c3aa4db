//! Streams that hash and count what passes, and stop where a limit does.

use std::io::{self, Read, Write};

use crate::oci::{Algorithm, Digest, Hasher};

/// A writer that hashes and counts what passes.
pub(super) struct Hashed<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W> Hashed<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(Algorithm::Sha256), size: 0 }
    }

    /// What was written to, the number of bytes and their digest.
    pub(super) fn finish(self) -> (W, u64, Digest) {
        (self.inner, self.size, self.hasher.finish())
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that hashes and counts what passes, and fails once more than its limit did.
pub(super) struct HashedRead<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
    limit: u64,
}

impl<R> HashedRead<R> {
    /// `limit` is in bytes.
    pub(super) fn new(inner: R, algorithm: Algorithm, limit: u64) -> Self {
        Self { inner, hasher: Hasher::new(algorithm), size: 0, limit }
    }

    /// What is read from, behind what has passed.
    pub(super) fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The number of bytes that passed, and their digest.
    pub(super) fn so_far(&self) -> (u64, Digest) {
        (self.size, self.hasher.clone().finish())
    }
}

impl<R: Read> Read for HashedRead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.size += count as u64;
        if self.size > self.limit {
            let message = format!("more than the {} bytes allowed here", self.limit);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}
