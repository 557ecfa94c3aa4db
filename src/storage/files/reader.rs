//! Reads a blob's file, on the thread that asks: blobs that are pulled lie in the page cache, and a hop to another
//! thread costs more than a read.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::oci::Slice;
use crate::storage::store::end_within;
use crate::storage::{BlobReader, Error, MAX_CHUNK_BYTES};

/// Reads slices of one open file.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<File>,
    path: PathBuf,
    size: u64,
    /// Where the file's cursor stands.
    position: u64,
    end: u64,
    /// The chunk handed out last; its memory is used again once nobody else has it.
    last: Bytes,
}

impl FileReader {
    /// The file's cursor must stand at its beginning.
    pub(super) fn new(file: File, path: PathBuf, size: u64) -> Self {
        Self { file: Arc::new(file), path, size, position: 0, end: size, last: Bytes::new() }
    }

    fn seek(&mut self, position: u64) -> io::Result<()> {
        if self.position != position {
            (&*self.file).seek(SeekFrom::Start(position))?;
            self.position = position;
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let length = (self.end - self.position).min(MAX_CHUNK_BYTES as u64);
        let length = usize::try_from(length).unwrap_or(MAX_CHUNK_BYTES);
        if length == 0 {
            return Ok(None);
        }
        let last = std::mem::take(&mut self.last);
        let mut buffer = if last.is_unique() { Vec::from(last) } else { Vec::new() };
        buffer.resize(length, 0);
        // A file shorter than it was is an error here: a body must not end early without anybody noticing.
        (&*self.file).read_exact(&mut buffer)?;
        self.position += length as u64;
        self.last = Bytes::from(buffer);
        Ok(Some(self.last.clone()))
    }
}

impl BlobReader for FileReader {
    fn size(&self) -> u64 {
        self.size
    }

    fn select(&mut self, slice: Slice) -> Result<(), Error> {
        let end = end_within(slice, self.size)?;
        self.seek(slice.offset).map_err(|error| Error::io(&self.path, error))?;
        self.end = end;
        Ok(())
    }

    fn file(&self) -> Option<Arc<File>> {
        Some(Arc::clone(&self.file))
    }

    fn next_chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        async { self.read().map_err(|error| Error::io(&self.path, error)) }.boxed()
    }
}
