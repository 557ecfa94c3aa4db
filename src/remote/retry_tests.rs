//! Registries in trouble: asked again within bounds, and only what may be asked again.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::fixture::{Peer, Reply, patience};
use super::patience::Patience;
use super::{Endpoint, Error, ErrorKind, Options, Remote};
use crate::oci::{Digest, RepositoryName, Tag, Target};

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

fn latest() -> Target {
    Target::Tag(Tag::latest())
}

/// Fails so many times, then answers with a list of tags.
async fn failing(times: usize, failure: impl Fn() -> Reply + Send + Sync + 'static) -> Peer {
    let count = AtomicUsize::new(0);
    Peer::serve(move |_| {
        if count.fetch_add(1, Ordering::Relaxed) < times { failure() } else { Reply::json(r#"{"tags":["1"]}"#) }
    })
    .await
}

#[tokio::test]
async fn trouble_that_passes_is_not_noticed() {
    for status in [408, 429, 500, 502, 503, 504] {
        let peer = failing(3, move || Reply::new(status).header("Retry-After", "0")).await;
        assert_eq!(peer.remote().tags(&name()).await.unwrap().unwrap().len(), 1, "{status}");
        assert_eq!(peer.seen().len(), 4);
    }
    let peer = failing(3, Reply::hang_up).await;
    assert!(peer.remote().tags(&name()).await.is_ok());
    let peer = failing(2, || Reply::json(r#"{"tags":"#).announcing(100)).await;
    assert!(peer.remote().tags(&name()).await.is_ok(), "a list that breaks off is asked for again");
    assert_eq!(peer.seen().len(), 3);
}

#[tokio::test]
async fn trouble_that_stays_ends_in_an_error() {
    let peer = Peer::serve(|_| {
        let body = br#"{"errors":[{"code":"UNKNOWN","message":"request 7 failed"}]}"#;
        Reply::new(500).header("Content-Type", "application/json").body(body)
    })
    .await;
    let error = peer.remote().tags(&name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().ends_with("answered 500 to GET /v2/a/b/tags/list: UNKNOWN: request 7 failed"), "{error}");
    assert_eq!(peer.seen().len(), 4, "attempts are bounded");
    let once = Patience { attempts: 1, ..patience() };
    assert!(peer.remote_with(None, once).tags(&name()).await.is_err());
    assert_eq!(peer.seen().len(), 5);
}

#[tokio::test]
async fn who_asks_for_an_hour_is_not_asked_in_a_minute() {
    let peer = failing(1, || Reply::new(429).header("Retry-After", "3600")).await;
    let error = peer.remote().tags(&name()).await.unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("the registry is busy with you; try again in 3600 s"));
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn a_clear_no_is_not_asked_again() {
    for status in [400, 403, 405, 409, 413, 451, 501] {
        let peer = Peer::serve(move |_| Reply::new(status)).await;
        assert!(peer.remote().tags(&name()).await.is_err());
        assert_eq!(peer.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_deletion_is_sent_again_only_if_it_has_not_been_heard() {
    for (status, times) in [(503, 4), (429, 4), (500, 1), (502, 1), (504, 1)] {
        let peer = Peer::serve(move |_| Reply::new(status)).await;
        assert!(peer.remote().delete_manifest(&name(), &latest()).await.is_err());
        assert_eq!(peer.seen().len(), times, "{status}");
    }
    let silent = Peer::serve(|_| Reply::hang_up()).await;
    assert!(silent.remote().delete_manifest(&name(), &latest()).await.is_err());
    assert_eq!(silent.seen().len(), 1, "it may have been deleted");
}

#[tokio::test]
async fn silence_ends() {
    // More attempts than silence is worth.
    let short = || Patience { idle: Duration::from_millis(200), attempts: 4, ..patience() };
    let head = Peer::serve(|_| Reply::raw(b"").then_stall()).await;
    let error = head.remote_with(None, short()).tags(&name()).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");
    assert_eq!(head.seen().len(), 2);

    let middle = Peer::serve(|_| Reply::json("{\"tags\"").announcing(100).then_stall()).await;
    let error = middle.remote_with(None, short()).tags(&name()).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. }), "{error:?}");

    let blob = Peer::serve(|_| Reply::new(200).body(b"012").announcing(10).then_stall()).await;
    let remote = blob.remote_with(None, short());
    let mut body = remote.open_blob(&name(), &Digest::sha256(b"x"), 0).await.unwrap();
    assert_eq!(body.next_chunk().await.unwrap().unwrap(), "012");
    assert!(matches!(body.next_chunk().await, Err(Error::Stalled { .. })));
}

#[tokio::test]
async fn a_trickle_is_no_excuse() {
    let peer = Peer::serve(|_| Reply::json("").then_flood()).await;
    let hurried = Patience { whole: Duration::ZERO, attempts: 1, ..patience() };
    let error = peer.remote_with(None, hurried).manifest(&name(), &latest()).await.unwrap_err();
    assert!(matches!(error, Error::Stalled { .. } | Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_blob_that_trickles_is_given_up() {
    let digest = Digest::sha256(b"x");
    let peer = Peer::serve(|_| Reply::new(200).announcing(1_000_000).then_drip()).await;
    let hurried = Patience { idle: Duration::from_millis(300), ..patience() };
    let mut body = peer.remote_with(None, hurried).open_blob(&name(), &digest, 0).await.unwrap();
    let (mut received, mut ended) = (0, None);
    while ended.is_none() {
        match body.next_chunk().await {
            Ok(chunk) => received += chunk.expect("it goes on").len(),
            Err(error) => ended = Some(error),
        }
    }
    assert!(matches!(ended, Some(Error::Trickle { .. })), "{ended:?}");
    assert!(received > 1, "bytes came all the time");
}

#[tokio::test]
async fn the_words_of_an_error_are_not_waited_for() {
    let peer = Peer::serve(|_| Reply::new(403).announcing(1_000_000).then_drip()).await;
    let hurried = Patience { words: Duration::from_millis(100), ..patience() };
    let error = peer.remote_with(None, hurried).tags(&name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "the status is enough: {error}");
}

#[tokio::test]
async fn nobody_at_home_is_said_so() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let endpoint = Endpoint::parse(&address, false).unwrap();
    let remote = Remote::with(endpoint, Options::default(), patience(), super::upload::Pieces::default()).unwrap();
    let error = remote.ping().await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint().unwrap().contains("agent registry serve"));
    assert_eq!(error.to_string(), format!("no connection to http://{address}"));
}

#[test]
fn certificates_must_be_certificates() {
    let endpoint = Endpoint::parse("https://h", false).unwrap();
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let options = Options { ca_certificate: Some(broken), ..Options::default() };
    assert_eq!(Remote::connect(endpoint.clone(), options).unwrap_err().kind(), ErrorKind::Io);
    let options = Options { ca_certificate: Some(b"no PEM at all".to_vec()), ..Options::default() };
    assert!(matches!(Remote::connect(endpoint.clone(), options), Err(Error::NoAuthority)));
    assert!(Remote::connect(endpoint, Options::default()).is_ok());
}

#[test]
fn futures_can_be_spawned() {
    fn can_move<T: Send>(_: &T) {}
    let endpoint = Endpoint::parse("https://h", false).unwrap();
    let remote = Remote::connect(endpoint, Options::default()).unwrap();
    let (name, digest, blob) = (name(), Digest::sha256(b""), super::BlobSource::Bytes("".into()));
    can_move(&remote.push_blob(&name, &digest, 0, &blob, &|_| ()));
    can_move(&remote.manifest(&name, &latest()));
    can_move(&remote.tags(&name));
    can_move(&remote.get_json::<u8>("/", 1));
    can_move(&remote.open_blob(&name, &digest, 0));
}
