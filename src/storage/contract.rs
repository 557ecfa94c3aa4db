//! What every blob store promises, run against each of them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;

use super::{BlobReader, BlobStore, BlobWriter, Checkpoint, Error, MAX_CHUNK_BYTES};
use crate::oci::{Algorithm, Digest, HashState, Slice, UploadId};

/// A place that holds one store, which can be opened again as after a restart.
pub(super) trait Fixture {
    /// Makes an empty place.
    fn new(limit: Option<u64>) -> Self;
    /// Opens the store; the one opened before has been dropped.
    fn open(&self) -> Arc<dyn BlobStore>;
    /// Files (or entries) of any kind the place holds, looked at behind the store's back.
    fn files_left(&self) -> usize;
}

/// Makes a test of each promise for one kind of store.
macro_rules! contract {
    ($fixture:ty) => {
        $crate::storage::contract::contract!($fixture:
            a_wrong_digest_is_refused_and_leaves_nothing, two_writers_of_one_digest_both_succeed,
            an_upload_resumes_after_reopening, a_hash_state_of_another_build_is_replaced,
            a_checkpoint_beyond_the_bytes_is_refused, ranges_read_exactly_their_bytes, cancel_leaves_nothing,
            discard_spares_an_open_upload, lists_in_pages, a_digest_of_another_algorithm_commits,
            a_full_store_says_so_and_loses_nothing, a_deleted_blob_is_gone, a_failed_writer_can_only_be_cancelled,
            futures_dropped_early_neither_lose_nor_repeat, an_empty_blob_is_a_blob);
    };
    ($fixture:ty: $($name:ident),*) => {
        $(#[tokio::test]
        async fn $name() {
            $crate::storage::contract::$name::<$fixture>().await;
        })*
    };
}
pub(super) use contract;

async fn begin(store: &dyn BlobStore) -> (UploadId, Box<dyn BlobWriter>) {
    let id = UploadId::random();
    (id, store.begin(id, Algorithm::Sha256).await.unwrap())
}

async fn put(store: &dyn BlobStore, content: &[u8]) -> Digest {
    let (_, mut writer) = begin(store).await;
    writer.write(Bytes::copy_from_slice(content)).await.unwrap();
    let digest = Digest::sha256(content);
    assert_eq!(writer.commit(&digest).await.unwrap().size, content.len() as u64);
    digest
}

async fn drain(mut reader: Box<dyn BlobReader>) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(chunk) = reader.next_chunk().await.unwrap() {
        assert!(!chunk.is_empty() && chunk.len() <= MAX_CHUNK_BYTES);
        content.extend_from_slice(&chunk);
    }
    content
}

async fn get(store: &dyn BlobStore, digest: &Digest) -> Vec<u8> {
    drain(store.open(digest).await.unwrap()).await
}

/// Bytes that differ at every offset a wrong seek could land on.
fn pattern(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
}

pub(super) async fn a_wrong_digest_is_refused_and_leaves_nothing<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    for expected in [Digest::sha256(b"other"), Digest::of(Algorithm::Sha512, b"other")] {
        let (_, mut writer) = begin(&*store).await;
        writer.write(Bytes::from_static(b"content")).await.unwrap();
        let refused = writer.commit(&expected).await.unwrap_err();
        let right = Digest::of(expected.algorithm(), b"content");
        assert!(matches!(refused, Error::DigestMismatch { expected: e, actual } if *e == expected && *actual == right));
        assert!(matches!(store.stat(&expected).await, Err(Error::NotFound(_))));
    }
    assert!(store.list(None, 10).await.unwrap().is_empty());
    assert!(store.uploads().await.unwrap().is_empty());
    assert_eq!(place.files_left(), 0);
}

pub(super) async fn two_writers_of_one_digest_both_succeed<F: Fixture>() {
    let content = pattern(3 * MAX_CHUNK_BYTES + 5);
    // Room for both copies while they are written, and once again after one of them is given back.
    let place = F::new(Some(2 * content.len() as u64));
    let store = place.open();
    let digest = Digest::sha256(&content);
    let ((_, mut one), (_, mut two)) = (begin(&*store).await, begin(&*store).await);
    for chunk in content.chunks(100_000) {
        one.write(Bytes::copy_from_slice(chunk)).await.unwrap();
        two.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    let (one, two) = tokio::join!(one.commit(&digest), two.commit(&digest));
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(get(&*store, &digest).await, content);
    assert_eq!(place.files_left(), 1);
    put(&*store, &content).await;
}

pub(super) async fn an_upload_resumes_after_reopening<F: Fixture>() {
    let place = F::new(None);
    let content = pattern(MAX_CHUNK_BYTES + 77);
    let (head, tail) = content.split_at(100_001);
    let store = place.open();
    let (id, mut writer) = begin(&*store).await;
    writer.write(Bytes::copy_from_slice(head)).await.unwrap();
    let checkpoint = writer.checkpoint().await.unwrap();
    assert_eq!(checkpoint.offset, head.len() as u64);
    // Bytes after the checkpoint were never acknowledged: resuming must drop them.
    writer.write(vec![b'x'; 2 * content.len()].into()).await.unwrap();
    writer.checkpoint().await.unwrap();
    assert!(matches!(store.resume(id, checkpoint.clone()).await, Err(Error::UploadBusy(_))));
    drop((writer, store));

    let store = place.open();
    assert_eq!(store.uploads().await.unwrap(), [id]);
    let mut writer = store.resume(id, checkpoint).await.unwrap();
    assert_eq!(writer.offset(), head.len() as u64);
    writer.write(Bytes::copy_from_slice(tail)).await.unwrap();
    let digest = Digest::sha256(&content);
    writer.commit(&digest).await.unwrap();
    assert_eq!(get(&*store, &digest).await, content);
    assert!(store.uploads().await.unwrap().is_empty());
}

pub(super) async fn a_hash_state_of_another_build_is_replaced<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let (id, mut writer) = begin(&*store).await;
    writer.write(Bytes::from_static(b"first ")).await.unwrap();
    let offset = writer.checkpoint().await.unwrap().offset;
    drop(writer);
    let state = HashState { algorithm: Algorithm::Sha512, bytes: vec![0] };
    let mut writer = store.resume(id, Checkpoint { offset, state }).await.unwrap();
    writer.write(Bytes::from_static(b"second")).await.unwrap();
    writer.commit(&Digest::of(Algorithm::Sha512, b"first second")).await.unwrap();
}

pub(super) async fn a_checkpoint_beyond_the_bytes_is_refused<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let (id, mut writer) = begin(&*store).await;
    writer.write(Bytes::from_static(b"four")).await.unwrap();
    let mut checkpoint = writer.checkpoint().await.unwrap();
    drop(writer);
    checkpoint.offset = 5;
    let refused = store.resume(id, checkpoint.clone()).await.unwrap_err();
    assert!(matches!(refused, Error::OffsetMismatch { expected: 5, actual: 4 }));
    let unknown = store.resume(UploadId::random(), checkpoint).await.unwrap_err();
    assert!(matches!(unknown, Error::UploadNotFound(_)));
}

pub(super) async fn ranges_read_exactly_their_bytes<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let content = pattern(2 * MAX_CHUNK_BYTES + 10);
    let digest = put(&*store, &content).await;
    let size = content.len();
    let chunk = MAX_CHUNK_BYTES;
    for (first, end) in
        [(0, 1), (3, 3), (size - 1, size), (chunk - 1, chunk + 1), (7, size - 7), (0, size), (size, size)]
    {
        let mut reader = store.open(&digest).await.unwrap();
        assert_eq!(reader.size(), size as u64);
        // A reader may have begun elsewhere.
        reader.next_chunk().await.unwrap();
        reader.select(Slice { offset: first as u64, length: (end - first) as u64 }).unwrap();
        assert!(drain(reader).await == content[first..end], "{first}..{end}");
    }
    let mut reader = store.open(&digest).await.unwrap();
    for (offset, length) in [(size as u64, 1), (0, size as u64 + 1), (u64::MAX, 2)] {
        assert!(matches!(reader.select(Slice { offset, length }), Err(Error::Range(_))));
    }
}

pub(super) async fn cancel_leaves_nothing<F: Fixture>() {
    let place = F::new(Some(10));
    let store = place.open();
    for _ in 0..3 {
        let (id, mut writer) = begin(&*store).await;
        writer.write(Bytes::from_static(b"eight by")).await.unwrap();
        let checkpoint = writer.checkpoint().await.unwrap();
        writer.cancel().await.unwrap();
        assert!(matches!(store.resume(id, checkpoint).await, Err(Error::UploadNotFound(_))));
    }
    assert_eq!(place.files_left(), 0);
}

pub(super) async fn discard_spares_an_open_upload<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let (id, mut writer) = begin(&*store).await;
    writer.checkpoint().await.unwrap();
    assert!(matches!(store.discard(id).await, Err(Error::UploadBusy(_))));
    assert!(matches!(store.begin(id, Algorithm::Sha256).await, Err(Error::UploadBusy(_))));
    drop(writer);
    assert!(matches!(store.begin(id, Algorithm::Sha256).await, Err(Error::UploadBusy(_))));
    store.discard(id).await.unwrap();
    assert!(matches!(store.discard(id).await, Err(Error::UploadNotFound(_))));
    assert_eq!(place.files_left(), 0);
}

pub(super) async fn lists_in_pages<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let mut expected = Vec::new();
    // Enough for two digests with the same first byte, which share a folder.
    for index in 0..40_u8 {
        expected.push(put(&*store, &[index]).await);
    }
    let (_, mut writer) = begin(&*store).await;
    writer.write(Bytes::from_static(b"long")).await.unwrap();
    let long = Digest::of(Algorithm::Sha512, b"long");
    writer.commit(&long).await.unwrap();
    expected.push(long);
    expected.sort();

    for limit in [1, 6, 100] {
        let mut listed = Vec::new();
        loop {
            let page = store.list(listed.last().copied(), limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            assert!(page.iter().all(|blob| blob.size == if blob.digest == long { 4 } else { 1 }));
            listed.extend(page.iter().map(|blob| blob.digest));
        }
        assert_eq!(listed, expected);
    }
}

pub(super) async fn a_digest_of_another_algorithm_commits<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let content = pattern(MAX_CHUNK_BYTES * 2 + 1);
    let (_, mut writer) = begin(&*store).await;
    writer.write(content.clone().into()).await.unwrap();
    let digest = Digest::of(Algorithm::Sha512, &content);
    writer.commit(&digest).await.unwrap();
    assert_eq!(get(&*store, &digest).await, content);
    assert!(matches!(store.stat(&Digest::sha256(&content)).await, Err(Error::NotFound(_))));
}

pub(super) async fn a_full_store_says_so_and_loses_nothing<F: Fixture>() {
    let place = F::new(Some(20));
    let store = place.open();
    let kept = put(&*store, b"ten bytes.").await;
    let (id, mut writer) = begin(&*store).await;
    writer.write(Bytes::from_static(b"five,")).await.unwrap();
    let checkpoint = writer.checkpoint().await.unwrap();
    // A store may take the chunk into a batch and find out at the checkpoint.
    let refused = match writer.write(Bytes::from_static(b"six, 6")).await {
        Ok(()) => writer.checkpoint().await.unwrap_err(),
        Err(refused) => refused,
    };
    assert!(matches!(refused, Error::OutOfSpace(_)));
    drop((writer, store));

    let store = place.open();
    assert_eq!(get(&*store, &kept).await, b"ten bytes.");
    store.delete(&kept).await.unwrap();
    let mut writer = store.resume(id, checkpoint).await.unwrap();
    writer.write(Bytes::from_static(b"six, 6")).await.unwrap();
    let digest = Digest::sha256(b"five,six, 6");
    writer.commit(&digest).await.unwrap();
    assert_eq!(get(&*store, &digest).await, b"five,six, 6");
}

pub(super) async fn a_failed_writer_can_only_be_cancelled<F: Fixture>() {
    let place = F::new(Some(4));
    let store = place.open();
    for ends_in_commit in [true, false] {
        let (id, mut writer) = begin(&*store).await;
        writer.write(Bytes::from_static(b"four")).await.unwrap();
        let full = match writer.write(Bytes::from_static(b"five!")).await {
            Ok(()) => writer.checkpoint().await.unwrap_err(),
            Err(refused) => refused,
        };
        assert!(matches!(full, Error::OutOfSpace(_)));
        // Four bytes alone would fit, but the caller's five before them are missing.
        assert!(matches!(writer.write(Bytes::from_static(b"more")).await, Err(Error::WriterFailed)));
        assert!(matches!(writer.checkpoint().await, Err(Error::WriterFailed)));
        if ends_in_commit {
            let refused = writer.commit(&Digest::sha256(b"four")).await;
            assert!(matches!(refused, Err(Error::WriterFailed)));
            store.discard(id).await.unwrap();
        } else {
            writer.cancel().await.unwrap();
        }
        assert_eq!(place.files_left(), 0);
    }
    put(&*store, b"four").await;
}

pub(super) async fn a_deleted_blob_is_gone<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let content = pattern(2 * MAX_CHUNK_BYTES);
    let digest = put(&*store, &content).await;
    let reader = store.open(&digest).await.unwrap();
    store.delete(&digest).await.unwrap();
    assert!(matches!(store.delete(&digest).await, Err(Error::NotFound(_))));
    assert!(matches!(store.open(&digest).await, Err(Error::NotFound(_))));
    assert_eq!(drain(reader).await, content);
    assert_eq!(place.files_left(), 0);
}

pub(super) async fn futures_dropped_early_neither_lose_nor_repeat<F: Fixture>() {
    let place = F::new(None);
    let store = place.open();
    let content = pattern(8 * MAX_CHUNK_BYTES);
    let (_, mut writer) = begin(&*store).await;
    for chunk in content.chunks(300_000) {
        while writer.write(Bytes::copy_from_slice(chunk)).now_or_never().is_none() {
            tokio::task::yield_now().await;
        }
    }
    let digest = Digest::sha256(&content);
    writer.commit(&digest).await.unwrap();

    let mut reader = store.open(&digest).await.unwrap();
    let mut read = Vec::new();
    while read.len() < content.len() {
        match reader.next_chunk().now_or_never() {
            None => tokio::task::yield_now().await,
            Some(chunk) => read.extend_from_slice(&chunk.unwrap().unwrap()),
        }
    }
    assert!(read == content);
}

pub(super) async fn an_empty_blob_is_a_blob<F: Fixture>() {
    let place = F::new(Some(0));
    let store = place.open();
    let digest = put(&*store, b"").await;
    assert_eq!(store.stat(&digest).await.unwrap().size, 0);
    assert!(get(&*store, &digest).await.is_empty());
}
