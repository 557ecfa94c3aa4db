//! Challenges, tokens and credentials: who is shown what, and who is not.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{BOB, Peer, Reply, bob};
use super::{Credential, Error, ErrorKind};
use crate::oci::{RepositoryName, Target};

fn name() -> RepositoryName {
    "a/b".parse().unwrap()
}

fn latest() -> Target {
    Target::Tag("latest".parse().unwrap())
}

fn pat() -> Credential {
    Credential::Token("pat".to_owned())
}

const TAGS: &str = r#"{"name":"a/b","tags":["1.0.0"]}"#;
const PULL: &str = "repository:a/b:pull";

/// A registry with its own realm, which gives the token `good`.
async fn with_realm() -> Peer {
    Peer::serve(|request| match (request.path(), request.authorization()) {
        ("/token", _) => Reply::json(r#"{"token":"good","expires_in":300}"#),
        (_, Some("Bearer good")) => Reply::json(TAGS),
        _ => Reply::challenge("/token?own=1", PULL),
    })
    .await
}

#[tokio::test]
async fn a_challenge_is_answered_once_and_the_token_is_kept() {
    let peer = with_realm().await;
    let remote = peer.remote_as(bob());
    for _ in 0..3 {
        assert_eq!(remote.tags(&name()).await.unwrap().unwrap().len(), 1);
    }
    let seen = peer.seen();
    let tags = "GET /v2/a/b/tags/list?n=1000";
    let token = "GET /token?own=1&service=s&scope=repository:a/b:pull";
    assert_eq!(peer.lines(), [tags, token, tags, tags, tags]);
    assert_eq!(seen[0].authorization(), None, "nothing is shown unasked");
    assert_eq!(seen[1].authorization(), Some(BOB), "the password goes to the realm");
    assert!(seen[2..].iter().all(|request| request.authorization() == Some("Bearer good")), "and nowhere else");
}

#[tokio::test]
async fn another_scope_gets_another_token_without_being_refused_first() {
    let peer = with_realm().await;
    let remote = peer.remote_as(bob());
    remote.tags(&name()).await.unwrap();
    assert!(remote.delete_manifest(&name(), &latest()).await.unwrap());
    let lines = peer.lines();
    assert_eq!(lines[3], "GET /token?own=1&service=s&scope=repository:a/b:pull%2Cdelete");
    assert_eq!(lines[4], "DELETE /v2/a/b/manifests/latest");
    assert_eq!(lines.len(), 5);
}

#[tokio::test]
async fn requests_at_once_share_one_token() {
    let peer = with_realm().await;
    let remote = peer.remote();
    remote.tags(&name()).await.unwrap();
    let others: Vec<_> = (0..8)
        .map(|_| {
            let remote = remote.clone();
            tokio::spawn(async move { remote.has_blob(&name(), &crate::oci::Digest::sha256(b"x")).await })
        })
        .collect();
    for other in others {
        assert!(other.await.unwrap().unwrap());
    }
    assert_eq!(peer.lines().iter().filter(|line| line.contains("/token")).count(), 1);
    assert!(peer.seen().iter().all(|request| request.authorization() != Some(BOB)), "anonymous stays anonymous");
}

#[tokio::test]
async fn an_old_token_is_replaced_and_a_useless_one_is_not_asked_for_for_ever() {
    let issued = AtomicUsize::new(0);
    let peer = Peer::serve(move |request| match (request.path(), request.authorization()) {
        ("/token", _) => {
            let number = issued.fetch_add(1, Ordering::Relaxed);
            Reply::json(&format!(r#"{{"access_token":"t{number}"}}"#))
        }
        // The first token dies after the first use of it.
        ("/v2/", Some("Bearer t0" | "Bearer t1")) => Reply::json("{}"),
        (_, Some("Bearer t2")) => Reply::json(TAGS),
        _ => Reply::challenge("/token", PULL),
    })
    .await;
    let remote = peer.remote();
    remote.ping().await.unwrap();
    assert!(remote.tags(&name()).await.is_ok(), "t1 was refused, t2 taken");
    let error = remote.repositories().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(peer.seen().len() < 12, "{:?}", peer.lines());
}

#[tokio::test]
async fn an_access_token_goes_first_and_is_a_password_where_one_is_asked_for() {
    let plain = Peer::serve(|request| match request.authorization() {
        Some("Bearer pat") => Reply::json(TAGS),
        _ => Reply::new(401),
    })
    .await;
    plain.remote_as(pat()).tags(&name()).await.unwrap();
    assert_eq!(plain.seen().len(), 1, "no question was needed");

    let realm = with_realm().await;
    realm.remote_as(pat()).tags(&name()).await.unwrap();
    let shown: Vec<_> = realm.seen().iter().map(|request| request.authorization().unwrap().to_owned()).collect();
    assert_eq!(shown, ["Bearer pat", "Basic dG9rZW46cGF0", "Bearer good"]);

    let basic = Peer::serve(|request| match request.authorization() {
        Some("Basic dG9rZW46cGF0") => Reply::json(TAGS),
        _ => Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\""),
    })
    .await;
    let remote = basic.remote_as(pat());
    remote.tags(&name()).await.unwrap();
    remote.tags(&name()).await.unwrap();
    assert_eq!(basic.seen().len(), 3, "learned once");
}

#[tokio::test]
async fn an_identity_token_is_taken_to_the_realm_in_a_form() {
    let peer = Peer::serve(|request| match (request.method.as_str(), request.path(), request.authorization()) {
        ("GET", "/token", _) => Reply::new(401),
        ("POST", "/token", None) => {
            let body = String::from_utf8(request.body.clone()).unwrap();
            assert!(body.contains("grant_type=refresh_token") && body.ends_with("refresh_token=pat"), "{body}");
            Reply::json(r#"{"access_token":"good"}"#)
        }
        (_, _, Some("Bearer good")) => Reply::json(TAGS),
        _ => Reply::challenge("/token", PULL),
    })
    .await;
    assert!(peer.remote_as(pat()).tags(&name()).await.is_ok());
}

#[tokio::test]
async fn a_password_is_sent_only_when_asked_for_and_a_wrong_one_once() {
    let peer = Peer::serve(|_| Reply::new(401).header("WWW-Authenticate", "Basic realm=\"x\"")).await;
    let error = peer.remote_as(bob()).tags(&name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.hint().unwrap().contains("does not accept"), "{:?}", error.hint());
    let shown: Vec<_> = peer.seen().iter().map(|request| request.authorization().map(str::to_owned)).collect();
    assert_eq!(shown, [None, Some(BOB.to_owned())]);

    let error = peer.remote().tags(&name()).await.unwrap_err();
    assert!(error.hint().unwrap().contains("sign in"), "{:?}", error.hint());
    assert_eq!(peer.seen().len(), 3, "without a credential there is nothing to try");
}

#[tokio::test]
async fn a_realm_elsewhere_gets_nothing() {
    let thief = Peer::serve(|_| Reply::json(r#"{"token":"x"}"#)).await;
    let realms = [
        format!("{}/token", thief.url()),
        thief.url().replace("127.0.0.1", "localhost"),
        format!("http://bob:x@{}/token", thief.url().replace("http://", "")),
        "ftp://h/token".to_owned(),
        "http://".to_owned(),
        String::new(),
    ];
    for realm in realms {
        let text = realm.clone();
        let peer = Peer::serve(move |_| Reply::challenge(&text, PULL)).await;
        for credential in [Some(bob()), Some(pat()), None] {
            let error = peer.remote_as(credential).tags(&name()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{realm}: {error}");
        }
        assert_eq!(peer.seen().len(), 3, "{realm}: asking again would not help");
    }
    assert!(thief.seen().is_empty(), "{:?}", thief.lines());
}

#[tokio::test]
async fn a_realm_that_redirects_or_fails_is_an_error_and_never_an_absence() {
    let thief = Peer::serve(|_| Reply::json(r#"{"token":"x"}"#)).await;
    let elsewhere = thief.url();
    let replies: [(u16, ErrorKind); 5] = [
        (307, ErrorKind::Denied),
        (302, ErrorKind::Denied),
        (404, ErrorKind::Denied),
        (401, ErrorKind::Denied),
        (503, ErrorKind::Unavailable),
    ];
    for (status, kind) in replies {
        let target = elsewhere.clone();
        let peer = Peer::serve(move |request| match request.path() {
            "/token" => Reply::new(status).header("Location", &target),
            _ => Reply::challenge("/token", PULL),
        })
        .await;
        let error = peer.remote_as(bob()).manifest(&name(), &latest()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
    }
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn a_token_that_is_none_is_not_repeated_in_the_error() {
    let bodies = ["{", "{}", r#"{"token":""}"#, r#"{"token":"se\r\ncret"}"#, r#"{"token":["secret"]}"#, "secret"];
    for body in bodies {
        let peer = Peer::serve(move |request| match request.path() {
            "/token" => Reply::json(body),
            _ => Reply::challenge("/token", PULL),
        })
        .await;
        let error = peer.remote().tags(&name()).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{body}: {error:?}");
        assert!(!format!("{error:?}").contains("cret"), "{error:?}");
    }
    let huge = Peer::serve(|request| match request.path() {
        "/token" => Reply::new(200).then_flood(),
        _ => Reply::challenge("/token", PULL),
    })
    .await;
    let error = huge.remote().tags(&name()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 65_536, .. }), "{error:?}");
}
