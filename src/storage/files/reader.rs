//! Reads a blob's file, one chunk ahead at most.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::{JoinHandle, spawn_blocking};

use super::blocking::unfinished;
use crate::oci::Slice;
use crate::storage::store::end_within;
use crate::storage::{BlobReader, Error, MAX_CHUNK_BYTES};

/// Reads slices of one open file.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<File>,
    path: PathBuf,
    size: u64,
    position: u64,
    end: u64,
    /// The read under way and the offset it began at. There is never a second one: they share the file's cursor.
    pending: Option<(u64, JoinHandle<Result<Bytes, Error>>)>,
}

impl FileReader {
    pub(super) fn new(file: File, path: PathBuf, size: u64) -> Self {
        Self { file: Arc::new(file), path, size, position: 0, end: size, pending: None }
    }

    fn start(&mut self) {
        let length = (self.end - self.position).min(MAX_CHUNK_BYTES as u64);
        if length > 0 {
            let (file, path, offset) = (Arc::clone(&self.file), self.path.clone(), self.position);
            let work = move || read(&file, offset, length).map_err(|error| Error::io(&path, error));
            self.pending = Some((offset, spawn_blocking(work)));
        }
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.pending.is_none() {
                self.start();
            }
            let Some((offset, task)) = &mut self.pending else { return Ok(None) };
            let offset = *offset;
            let done = task.await;
            self.pending = None;
            // A read begun before the last `select` is of no use.
            if offset == self.position && self.position < self.end {
                let mut chunk = done.map_err(|error| unfinished(&self.path, error))??;
                chunk.truncate(usize::try_from(self.end - self.position).unwrap_or(usize::MAX));
                self.position += chunk.len() as u64;
                self.start();
                return Ok(Some(chunk));
            }
        }
    }
}

fn read(mut file: &File, offset: u64, length: u64) -> std::io::Result<Bytes> {
    file.seek(SeekFrom::Start(offset))?;
    let mut chunk = Vec::new();
    let read = file.take(length).read_to_end(&mut chunk)?;
    // A file shorter than it was must not end a body early without anybody noticing.
    if (read as u64) < length { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(chunk.into()) }
}

impl BlobReader for FileReader {
    fn size(&self) -> u64 {
        self.size
    }

    fn select(&mut self, slice: Slice) -> Result<(), Error> {
        self.end = end_within(slice, self.size)?;
        self.position = slice.offset;
        Ok(())
    }

    fn next_chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        self.advance().boxed()
    }
}
