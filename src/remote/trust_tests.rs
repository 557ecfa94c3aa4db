//! Redirects, locations and pages that lead elsewhere: followed without credentials, or not at all.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::{Arc, OnceLock};

use super::fixture::{BOB, Peer, Reply, bob};
use super::{BlobSource, Error, ErrorKind};
use crate::oci::{Digest, RepositoryName, Tag, Target};

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

/// Asks for a password, then answers.
fn with_password(reply: impl Fn() -> Reply + Send + Sync + 'static) -> impl Fn(&super::fixture::Seen) -> Reply {
    move |request| match request.authorization() {
        Some(BOB) => reply(),
        _ => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    }
}

#[tokio::test]
async fn a_redirect_elsewhere_is_followed_without_the_credential() {
    let cdn = Peer::serve(|_| Reply::new(200).body(b"blob")).await;
    let target = format!("{}/signed?sig=a%2Fb", cdn.url());
    let peer = Peer::serve(with_password(move || Reply::new(307).header("Location", &target))).await;
    let mut body = peer.remote_as(bob()).open_blob(&name(), &Digest::sha256(b"blob"), 0).await.unwrap();
    assert_eq!(body.next_chunk().await.unwrap().unwrap(), "blob");
    let seen = cdn.seen();
    assert_eq!(seen[0].line(), "GET /signed?sig=a%2Fb");
    assert_eq!(seen[0].authorization(), None);
    assert_eq!(seen[0].header("referer"), None, "the address of the registry's blob is nobody's business");
}

#[tokio::test]
async fn a_way_back_home_does_not_bring_the_credential_back() {
    let home_url = Arc::new(OnceLock::<String>::new());
    let back = Arc::clone(&home_url);
    let detour =
        Peer::serve(move |_| Reply::new(302).header("Location", &format!("{}/back", back.get().unwrap()))).await;
    let away = detour.url();
    let home = Peer::serve(move |request| match (request.path(), request.authorization()) {
        ("/back", None) => Reply::new(200).body(b"blob"),
        (_, Some(BOB)) => Reply::new(302).header("Location", &away),
        _ => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    })
    .await;
    home_url.set(home.url()).unwrap();
    home.remote_as(bob()).open_blob(&name(), &Digest::sha256(b"blob"), 0).await.unwrap();
    assert_eq!(home.lines().last().unwrap(), "GET /back");
    assert_eq!(detour.seen()[0].authorization(), None);
}

#[tokio::test]
async fn redirects_end() {
    let peer = Peer::serve(|_| Reply::new(302).header("Location", "/v2/")).await;
    let error = peer.remote().ping().await.unwrap_err();
    assert!(matches!(error, Error::Endless { limit: 5, .. }), "{error:?}");
    assert_eq!(peer.seen().len(), 6);
}

#[tokio::test]
async fn a_redirect_that_changes_the_method_is_not_followed_by_a_write() {
    for status in [301, 302, 303] {
        let peer = Peer::serve(move |_| Reply::new(status).header("Location", "/elsewhere")).await;
        let error = peer.remote().delete_manifest(&name(), &Target::Tag("x".parse().unwrap())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(peer.seen().len(), 1);
    }
}

#[tokio::test]
async fn redirects_to_nonsense_are_refused() {
    for target in ["ftp://h/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://[", "javascript:1"] {
        let peer = Peer::serve(move |_| Reply::new(302).header("Location", target)).await;
        let error = peer.remote().ping().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{target}: {error}");
        assert_eq!(peer.seen().len(), 1, "{target}");
    }
    let peer = Peer::serve(|_| Reply::new(302)).await;
    assert_eq!(peer.remote().ping().await.unwrap_err().kind(), ErrorKind::Refused, "without a target");
}

#[tokio::test]
async fn an_upload_elsewhere_goes_without_the_credential() {
    let store = Peer::serve(|_| Reply::new(201)).await;
    let target = format!("{}/put?session=1", store.url());
    let peer = Peer::serve(with_password(move || Reply::new(202).header("Location", &target))).await;
    let (blob, digest) = (BlobSource::Bytes("blob".into()), Digest::sha256(b"blob"));
    peer.remote_as(bob()).push_blob(&name(), &digest, 4, &blob, &|_| ()).await.unwrap();
    let seen = store.seen();
    assert_eq!(seen[0].line(), format!("PUT /put?session=1&digest={digest}"));
    assert_eq!(seen[0].body, b"blob");
    assert_eq!(seen[0].authorization(), None);
}

#[tokio::test]
async fn a_store_elsewhere_cannot_ask_for_the_credential() {
    let thief = Peer::serve(|_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\"")).await;
    let target = format!("{}/put", thief.url());
    let peer = Peer::serve(with_password(move || Reply::new(202).header("Location", &target))).await;
    let (blob, digest) = (BlobSource::Bytes("blob".into()), Digest::sha256(b"blob"));
    let pushed = peer.remote_as(bob()).push_blob(&name(), &digest, 4, &blob, &|_| ()).await;
    assert_eq!(pushed.unwrap_err().kind(), ErrorKind::Denied);
    assert!(!thief.seen().is_empty());
    assert!(thief.seen().iter().all(|request| request.authorization().is_none()));
}

#[tokio::test]
async fn pages_are_followed_at_home() {
    let peer = Peer::serve(|request| match request.target.as_str() {
        "/v2/a/b/tags/list?n=1000" => {
            Reply::json(r#"{"tags":["1","2"]}"#).header("Link", "</v2/a/b/tags/list?last=2&n=2>; rel=\"next\"")
        }
        "/v2/a/b/tags/list?last=2&n=2" => Reply::json(r#"{"tags":["3","no tag!","\u001b[2J"]}"#),
        _ => Reply::new(500),
    })
    .await;
    let tags = peer.remote().tags(&name()).await.unwrap().unwrap();
    assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[tokio::test]
async fn pages_elsewhere_are_not_followed() {
    let thief = Peer::serve(|_| Reply::json(r#"{"tags":["x"]}"#)).await;
    let link = format!("<{}/v2/a/b/tags/list>; rel=\"next\"", thief.url());
    let peer = Peer::serve(with_password(move || Reply::json(r#"{"tags":[]}"#).header("Link", &link))).await;
    let error = peer.remote_as(bob()).tags(&name()).await.unwrap_err();
    assert!(matches!(error, Error::Foreign { what: "next page", .. }), "{error:?}");
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn pages_end_whether_they_go_round_or_on() {
    let round = Peer::serve(|request| {
        let link = if request.target.ends_with("=1") { "</x?y=2>" } else { "</x?y=1>" };
        Reply::json(r#"{"repositories":["a"]}"#).header("Link", &format!("{link}; rel=next"))
    })
    .await;
    let error = round.remote().repositories().await.unwrap_err();
    assert!(matches!(error, Error::Endless { .. }), "{error:?}");
    assert_eq!(round.seen().len(), 3);

    let on = Peer::serve(|request| {
        let number: u32 = request.target.rsplit('=').next().unwrap().parse().unwrap();
        Reply::json(r#"{"repositories":[]}"#).header("Link", &format!("</x?n={}>; rel=next", number + 1))
    })
    .await;
    let error = on.remote().repositories().await.unwrap_err();
    assert!(matches!(error, Error::Endless { limit: 1000, .. }), "{error:?}");
    assert_eq!(on.seen().len(), 1000);
}
