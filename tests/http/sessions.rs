//! Upload sessions as the specification words them: identity, state, chunks, closing, cancelling.

use agent_registry::oci::Digest;
use reqwest::Method;

use crate::app::{Answer, TestApp};

async fn open(app: &TestApp) -> String {
    let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[("content-length", "0")], b"").await;
    assert_eq!(opened.status, 202);
    opened.header("location").to_owned()
}

async fn chunk(app: &TestApp, location: &str, range: &str, content: &[u8]) -> Answer {
    app.send(Method::PATCH, location, &[("content-range", range)], content).await
}

#[tokio::test]
async fn every_session_has_a_uuid_of_its_own() {
    let app = TestApp::spawn().await;
    let locations = [open(&app).await, open(&app).await];
    assert_ne!(locations[0], locations[1]);
    for location in locations {
        let id = location.strip_prefix("/v2/a/b/blobs/uploads/").unwrap();
        let groups: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
        assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
    }
}

#[tokio::test]
async fn a_session_tells_its_state_at_any_time() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    let state = async |app: &TestApp| {
        let answer = app.get(&location).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (204, location.as_str()));
        answer.header("range").to_owned()
    };
    // Nothing has no other form than one byte has.
    assert_eq!(state(&app).await, "0-0");
    let sent = chunk(&app, &location, "0-0", b"a").await;
    assert_eq!((sent.header("location"), sent.header("range")), (location.as_str(), "0-0"));
    assert_eq!(chunk(&app, &location, "1-3", b"bcd").await.header("range"), "0-3");
    assert_eq!(state(&app).await, "0-3");
    for (range, body) in [("0-3", b"abcd".as_slice()), ("3-4", b"de"), ("5-6", b"fg"), ("4294967296-4294967297", b"xy")]
    {
        assert_eq!(chunk(&app, &location, range, body).await.error(), (416, "BLOB_UPLOAD_INVALID".into()), "{range}");
        assert_eq!(state(&app).await, "0-3");
    }
    let digest = Digest::sha256(b"abcdef");
    let put = format!("{location}?digest={digest}");
    // The last chunk may come too early as well; the session stands.
    let early = app.send(Method::PUT, &put, &[("content-range", "6-7")], b"gh").await;
    assert_eq!((early.error(), early.header("range")), ((416, "BLOB_UPLOAD_INVALID".into()), "0-3"));
    assert_eq!(state(&app).await, "0-3");
    assert_eq!(app.send(Method::PUT, &put, &[("content-range", "4-5")], b"ef").await.status, 201);
    assert_eq!(app.get(&location).await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert_eq!(app.send(Method::PUT, &put, &[], b"").await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert_eq!(chunk(&app, &location, "6-7", b"gh").await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn an_empty_chunk_changes_nothing_and_old_locations_go_on() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    for (content, range) in [(b"".as_slice(), "0-0"), (b"abc", "0-2"), (b"", "0-2"), (b"def", "0-5"), (b"", "0-5")] {
        let sent = app.send(Method::PATCH, &location, &[], content).await;
        assert_eq!((sent.status.as_u16(), sent.header("range")), (202, range));
    }
    let put = format!("{location}?digest={}", Digest::sha256(b"abcdef"));
    assert_eq!(app.send(Method::PUT, &put, &[], b"").await.status, 201);
}

#[tokio::test]
async fn closing_takes_a_digest_and_nothing_unclear() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    assert_eq!(chunk(&app, &location, "0-2", b"abc").await.status, 202);
    let digest = Digest::sha256(b"abc");
    for query in ["", "?digest=", "?digest=sha256:abc", "?digest=md5:900150983cd24fb0d6963f7d28e17f72", "?digest=abc"] {
        let refused = app.send(Method::PUT, &format!("{location}{query}"), &[], b"").await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{query}");
    }
    // None of these has ended the session.
    assert_eq!(app.get(&location).await.header("range"), "0-2");
    let stored = app.send(Method::PUT, &format!("{location}?digest={digest}"), &[], b"").await;
    assert_eq!(stored.header("location"), format!("/v2/a/b/blobs/{digest}"));
    assert_eq!(app.get(stored.header("location")).await.body, b"abc");
}

#[tokio::test]
async fn a_cancelled_or_unknown_session_is_told_apart_from_nothing() {
    let app = TestApp::spawn().await;
    let (location, other) = (open(&app).await, open(&app).await);
    assert_eq!(app.send(Method::DELETE, &location, &[("content-length", "0")], b"").await.status, 204);
    let unknown = "/v2/a/b/blobs/uploads/00000000-0000-4000-8000-000000000000";
    for gone in [location.as_str(), unknown, "/v2/a/b/blobs/uploads/no-uuid"] {
        for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
            let put = format!("{gone}?digest={}", Digest::sha256(b""));
            let path = if method == Method::PUT { put.as_str() } else { gone };
            let answer = app.send(method.clone(), path, &[], b"").await;
            assert_eq!(answer.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()), "{method} {gone}");
        }
    }
    assert_eq!(app.get(&other).await.status, 204);
}
