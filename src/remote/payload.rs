//! What a request carries: bytes or a stretch of a file, made into a body again for every attempt.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use reqwest::Body;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};
use tokio::sync::watch;

use super::Error;

/// Bytes handed to the connection at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Where the bytes of a blob to push are.
#[derive(Clone, Debug)]
pub enum BlobSource {
    /// In memory.
    Bytes(Bytes),
    /// In a file, from its beginning to its end.
    File(PathBuf),
}

impl BlobSource {
    /// Makes sure that the content has the size it is said to have.
    pub(super) async fn expect_size(&self, expected: u64) -> Result<(), Error> {
        let found = match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(path) => {
                let failed = |source| Error::File { path: path.clone(), source };
                // Opened, not only looked at, so that a file without read permission ends here.
                File::open(path).await.map_err(failed)?.metadata().await.map_err(failed)?.len()
            }
        };
        if found == expected { Ok(()) } else { Err(Error::SourceChanged { expected, found }) }
    }

    /// A stretch of the content, which lies inside it.
    pub(super) fn part(&self, offset: u64, length: u64) -> Payload {
        match self {
            Self::Bytes(bytes) => {
                let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
                Payload::Bytes(bytes.slice(place(offset)..place(offset.saturating_add(length))))
            }
            Self::File(path) => Payload::File { path: path.clone(), offset, length },
        }
    }
}

/// The content of one request.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    Bytes(Bytes),
    File { path: PathBuf, offset: u64, length: u64 },
}

impl Payload {
    /// Bytes in the payload.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// A body that reports how many bytes have been handed to the connection.
    pub(super) fn body(&self, moved: watch::Sender<u64>) -> Body {
        let reader = match self {
            Self::Bytes(bytes) => Reader::Bytes(bytes.clone()),
            Self::File { path, offset, length } => {
                Reader::Closed { path: path.clone(), offset: *offset, length: *length }
            }
        };
        Body::wrap_stream(stream::try_unfold((reader, moved), |(reader, moved)| async move {
            let Some((piece, reader)) = reader.next().await? else { return Ok::<_, std::io::Error>(None) };
            moved.send_modify(|total| *total += piece.len() as u64);
            Ok(Some((piece, (reader, moved))))
        }))
    }
}

enum Reader {
    Bytes(Bytes),
    Closed { path: PathBuf, offset: u64, length: u64 },
    Open { file: File, left: u64 },
}

impl Reader {
    async fn next(self) -> std::io::Result<Option<(Bytes, Self)>> {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => Ok(None),
            Self::Bytes(mut bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
                Ok(Some((piece, Self::Bytes(bytes))))
            }
            Self::Closed { path, offset, length } => read_piece(open(&path, offset).await?, length).await,
            Self::Open { file, left } => read_piece(file, left).await,
        }
    }
}

async fn open(path: &Path, offset: u64) -> std::io::Result<File> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(offset)).await?;
    Ok(file)
}

async fn read_piece(mut file: File, left: u64) -> std::io::Result<Option<(Bytes, Reader)>> {
    if left == 0 {
        return Ok(None);
    }
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
    let mut piece = BytesMut::with_capacity(wanted);
    (&mut file).take(wanted as u64).read_buf(&mut piece).await?;
    if piece.is_empty() {
        // The announced length can no longer be kept, so the request must break off.
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "file became shorter while it was sent"));
    }
    let left = left - piece.len() as u64;
    Ok(Some((piece.freeze(), Reader::Open { file, left })))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    async fn collect(payload: &Payload) -> std::io::Result<(Vec<u8>, u64)> {
        let (sender, receiver) = watch::channel(0);
        let mut reader = match payload {
            Payload::Bytes(bytes) => Reader::Bytes(bytes.clone()),
            Payload::File { path, offset, length } => {
                Reader::Closed { path: path.clone(), offset: *offset, length: *length }
            }
        };
        let mut all = Vec::new();
        while let Some((piece, rest)) = reader.next().await? {
            sender.send_modify(|total| *total += piece.len() as u64);
            all.extend_from_slice(&piece);
            reader = rest;
        }
        let moved = *receiver.borrow();
        Ok((all, moved))
    }

    #[tokio::test]
    async fn memory_and_files_give_the_same_parts() {
        let content: Vec<u8> = (0..PIECE_BYTES * 2 + 5).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &content).unwrap();
        let size = content.len() as u64;
        for source in [BlobSource::Bytes(content.clone().into()), BlobSource::File(file.path().to_owned())] {
            source.expect_size(size).await.unwrap();
            assert!(matches!(source.expect_size(size + 1).await, Err(Error::SourceChanged { .. })));
            for (offset, length) in [(0, size), (7, size - 7), (size, 0), (1, 1)] {
                let part = source.part(offset, length);
                let (read, moved) = collect(&part).await.unwrap();
                let (from, to) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
                assert!(read == content[from..to] && moved == length, "{offset}+{length}");
                assert_eq!(part.length(), length);
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_shrinks_breaks_off() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"short").unwrap();
        let part = BlobSource::File(file.path().to_owned()).part(0, 6);
        assert_eq!(collect(&part).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
        let gone = BlobSource::File("/nowhere/at/all".into());
        assert!(matches!(gone.expect_size(0).await, Err(Error::File { .. })));
    }
}
