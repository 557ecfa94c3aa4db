//! Tests of downloads that stopped, and of two at once.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;

use super::Silent;
use super::fixture::Recorder;
use super::partial::Partial;
use crate::oci::{Descriptor, Digest, MediaType, known};

fn blob(content: &[u8]) -> Descriptor {
    Descriptor::new(MediaType::known(known::OCTET_STREAM), Digest::sha256(content), content.len() as u64)
}

#[tokio::test]
async fn what_has_come_is_hashed_again_and_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (path, end) = (folder.path().join("x.partial"), folder.path().join("x"));
    let blob = blob(b"hello world");
    fs::write(&path, "hello ").unwrap();
    let mut partial = Partial::lock(path.clone(), &blob, &Silent).await.unwrap();
    assert_eq!((partial.size(), partial.digest()), (6, Digest::sha256(b"hello ")));
    partial.append(b"world").unwrap();
    assert_eq!((partial.size(), partial.digest()), (11, blob.digest));
    partial.finish(&end).unwrap();
    assert_eq!((fs::read(&end).unwrap(), path.exists()), (b"hello world".to_vec(), false));
}

#[tokio::test]
async fn what_is_too_long_or_started_over_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.partial");
    fs::write(&path, "longer than the blob").unwrap();
    let mut partial = Partial::lock(path.clone(), &blob(b"short"), &Silent).await.unwrap();
    assert_eq!((partial.size(), fs::metadata(&path).unwrap().len()), (0, 0));
    partial.append(b"shirt").unwrap();
    partial.start_over().unwrap();
    partial.append(b"sho").unwrap();
    assert_eq!((partial.digest(), fs::read(&path).unwrap()), (Digest::sha256(b"sho"), b"sho".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_waits_and_then_gets_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (path, end) = (folder.path().join("x.partial"), folder.path().join("x"));
    let blob = blob(b"hello");
    let mut first = Partial::lock(path.clone(), &blob, &Silent).await.unwrap();
    let recorder = std::sync::Arc::new(Recorder::default());
    let second = tokio::spawn({
        let (path, blob, recorder) = (path.clone(), blob.clone(), recorder.clone());
        async move { Partial::lock(path, &blob, recorder.as_ref()).await.unwrap().size() }
    });
    while recorder.notes.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    first.append(b"hello").unwrap();
    first.finish(&end).unwrap();
    assert_eq!(second.await.unwrap(), 0, "not the finished one");
    assert_eq!(fs::read(&end).unwrap(), b"hello");
}
