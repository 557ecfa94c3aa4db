//! Tests of fetching blobs from registries that stop, lie, or send too much.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{Answer, Home, Recorder, Registry, Request};
use super::{Cache, Error, Outcome, Silent};
use crate::oci::{Descriptor, Digest, MediaType, RepositoryName, known};

const CONTENT: &[u8] = b"twenty bytes of blob";

fn blob() -> Descriptor {
    Descriptor::new(MediaType::known(known::OCTET_STREAM), Digest::sha256(CONTENT), CONTENT.len() as u64)
}

fn name() -> RepositoryName {
    "team/demo".parse().unwrap()
}

async fn fetch(cache: &Cache, registry: &Registry) -> Result<PathBuf, Error> {
    cache.fetch(&registry.remote(), &name(), &blob(), &Silent).await
}

/// Where the requests for the blob wanted it to begin.
fn offsets(registry: &Registry) -> Vec<Option<usize>> {
    registry.requests().iter().map(|request| request.from).collect()
}

fn partial(home: &Home) -> PathBuf {
    home.cache.path(&blob()).with_added_extension("partial")
}

#[tokio::test]
async fn the_second_time_no_byte_moves() {
    let (home, registry) = (Home::new(), Registry::serve(|request| Answer::part(CONTENT, request)));
    let recorder = Recorder::default();
    for _ in 0..2 {
        let path = home.cache.fetch(&registry.remote(), &name(), &blob(), &recorder).await.unwrap();
        assert_eq!(fs::read(path).unwrap(), CONTENT);
    }
    assert_eq!(registry.requests().len(), 1);
    assert_eq!(registry.requests()[0].path, format!("/v2/team/demo/blobs/{}", blob().digest));
    let ends: Vec<_> = recorder.ends.lock().unwrap().iter().map(|(_, how)| *how).collect();
    assert_eq!(ends, [Outcome::Transferred, Outcome::Cached]);
    assert!(!partial(&home).exists());
}

#[tokio::test]
async fn what_stopped_is_continued_and_hashed_as_a_whole() {
    // Seven bytes a request, whatever was promised.
    let stopping = |request: &Request| {
        let whole = Answer::part(CONTENT, request);
        let length = whole.body.len();
        Answer { claimed: Some(length), body: whole.body[..length.min(7)].to_vec(), ..whole }
    };
    let (home, registry) = (Home::new(), Registry::serve(stopping));
    assert_eq!(fs::read(fetch(&home.cache, &registry).await.unwrap()).unwrap(), CONTENT);
    assert_eq!(offsets(&registry), [None, Some(7), Some(14)]);
    let (home, registry) = (Home::new(), Registry::serve(|request| Answer::part(CONTENT, request)));
    fs::write(partial(&home), &CONTENT[..5]).unwrap();
    assert_eq!(fs::read(fetch(&home.cache, &registry).await.unwrap()).unwrap(), CONTENT);
    assert_eq!(offsets(&registry), [Some(5)], "from an earlier run");
    let (home, registry) = (Home::new(), Registry::serve(|_| Answer::with(CONTENT)));
    fs::write(partial(&home), &CONTENT[..5]).unwrap();
    assert_eq!(fs::read(fetch(&home.cache, &registry).await.unwrap()).unwrap(), CONTENT);
    assert_eq!(offsets(&registry), [Some(5)], "the whole came although a part was asked for");
}

#[tokio::test]
async fn a_registry_that_never_sends_the_rest_is_given_up() {
    let nothing_more = |request: &Request| Answer {
        claimed: Some(CONTENT.len() - request.from.unwrap_or(0)),
        body: if request.from.is_none() { CONTENT[..6].to_vec() } else { vec![] },
        ..Answer::part(CONTENT, request)
    };
    let (home, registry) = (Home::new(), Registry::serve(nothing_more));
    let error = fetch(&home.cache, &registry).await.unwrap_err();
    assert!(matches!(error, Error::Truncated { received: 6, expected: 20, .. }), "{error}");
    assert_eq!(fs::read(partial(&home)).unwrap(), &CONTENT[..6], "what has come is kept");
    assert_eq!(registry.requests().len(), 5);
    assert!(!home.cache.path(&blob()).exists());
}

#[tokio::test]
async fn wrong_content_is_fetched_again_once_and_never_kept() {
    let wrong = b"twenty bytes of blub";
    let (home, registry) = (Home::new(), Registry::serve(move |_| Answer::with(wrong)));
    let error = fetch(&home.cache, &registry).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(registry.requests().len(), 2);
    assert!(!home.cache.path(&blob()).exists() && !partial(&home).exists());
    let asked = AtomicUsize::new(0);
    let better =
        move |_: &Request| Answer::with(if asked.fetch_add(1, Ordering::SeqCst) == 0 { wrong } else { CONTENT });
    let (home, registry) = (Home::new(), Registry::serve(better));
    assert_eq!(fs::read(fetch(&home.cache, &registry).await.unwrap()).unwrap(), CONTENT);
    let (home, registry) = (Home::new(), Registry::serve(|request| Answer::part(CONTENT, request)));
    fs::write(partial(&home), b"twisted").unwrap();
    assert_eq!(fs::read(fetch(&home.cache, &registry).await.unwrap()).unwrap(), CONTENT);
    assert_eq!(offsets(&registry), [Some(7), None], "a damaged beginning");
}

#[tokio::test]
async fn never_more_is_taken_than_the_descriptor_says() {
    let long = [CONTENT, b"!"].concat();
    let measured = long.clone();
    let (home, registry) = (Home::new(), Registry::serve(move |_| Answer::with(measured.clone())));
    assert!(matches!(fetch(&home.cache, &registry).await, Err(Error::Corrupt { .. })), "announced");
    assert!(!partial(&home).exists());
    let unmeasured = move |_: &Request| Answer { is_unmeasured: true, ..Answer::with(long.repeat(100_000)) };
    let (home, registry) = (Home::new(), Registry::serve(unmeasured));
    assert!(matches!(fetch(&home.cache, &registry).await, Err(Error::Corrupt { .. })), "not announced");
    assert!(!partial(&home).exists() && !home.cache.path(&blob()).exists());
    assert_eq!(registry.requests().len(), 1);
}

#[tokio::test]
async fn two_at_once_fetch_once() {
    let (home, registry) = (Home::new(), Registry::serve(|request| Answer::part(CONTENT, request)));
    let (one, two) = (home.cache.clone(), home.cache.clone());
    let (one, two) = tokio::join!(fetch(&one, &registry), fetch(&two, &registry));
    assert_eq!(
        (fs::read(one.unwrap()).unwrap(), fs::read(two.unwrap()).unwrap()),
        (CONTENT.to_vec(), CONTENT.to_vec())
    );
    assert_eq!(registry.requests().len(), 1);
    assert!(!partial(&home).exists());
}

#[tokio::test]
async fn what_the_registry_lacks_leaves_nothing() {
    let (home, registry) = (Home::new(), Registry::serve(|_| Answer::of(404)));
    assert!(matches!(fetch(&home.cache, &registry).await, Err(Error::Remote(_))));
    assert!(!home.cache.path(&blob()).exists() && !partial(&home).exists());
}
