//! Uploads: sessions, chunks, mounts, cancellation, mistakes, a restart in the middle.

use agent_registry::oci::{Algorithm, Digest};
use reqwest::Method;

use crate::app::{Answer, TestApp};

async fn open(app: &TestApp) -> String {
    let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
    assert_eq!((opened.status.as_u16(), opened.header("range")), (202, "0-0"));
    opened.header("location").to_owned()
}

async fn chunk(app: &TestApp, location: &str, range: &str, content: &[u8]) -> Answer {
    app.send(Method::PATCH, location, &[("content-range", range)], content).await
}

async fn finish(app: &TestApp, location: &str, digest: &Digest) -> Answer {
    app.send(Method::PUT, &format!("{location}?digest={digest}"), &[], b"").await
}

#[tokio::test]
async fn chunks_join_and_the_session_ends() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    let sent = chunk(&app, &location, "0-2", b"abc").await;
    assert_eq!((sent.status.as_u16(), sent.header("range")), (202, "0-2"));
    let status = app.get(&location).await;
    assert_eq!((status.status.as_u16(), status.header("range")), (204, "0-2"));
    // One without a range is a stream that goes on at the end.
    let sent = app.send(Method::PATCH, &location, &[], b"def").await;
    assert_eq!((sent.status.as_u16(), sent.header("range")), (202, "0-5"));
    let digest = Digest::sha256(b"abcdef");
    let stored = finish(&app, &location, &digest).await;
    assert_eq!((stored.status.as_u16(), stored.header("docker-content-digest")), (201, digest.to_string().as_str()));
    assert_eq!(app.get(stored.header("location")).await.body, b"abcdef");
    assert_eq!(app.get(&location).await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn out_of_order_chunks_are_refused_and_the_session_survives() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    assert_eq!(chunk(&app, &location, "5-7", b"xyz").await.error(), (416, "BLOB_UPLOAD_INVALID".into()));
    assert_eq!(chunk(&app, &location, "0-2", b"abc").await.status, 202);
    let refused = chunk(&app, &location, "0-2", b"abc").await;
    assert_eq!((refused.error().0, refused.header("range")), (416, "0-2"));
    for range in ["bytes 3-5/6", "3", "5-3", "-1-2", "a-b"] {
        assert_eq!(chunk(&app, &location, range, b"def").await.status, 400, "{range}");
    }
    // A body of another length than its range leaves nothing behind.
    for body in [b"d".as_slice(), b"defg"] {
        assert_eq!(chunk(&app, &location, "3-5", body).await.error(), (400, "SIZE_INVALID".into()));
    }
    let digest = Digest::sha256(b"abcdef");
    let late = format!("{location}?digest={digest}");
    let refused = app.send(Method::PUT, &late, &[("content-range", "9-11")], b"def").await;
    assert_eq!(refused.status, 416);
    let stored = app.send(Method::PUT, &late, &[("content-range", "3-5")], b"def").await;
    assert_eq!(stored.status, 201);
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing() {
    let app = TestApp::spawn().await;
    let wrong = Digest::sha256(b"other");
    for content in [b"abc".to_vec(), vec![1; 300_000]] {
        let whole = format!("/v2/a/b/blobs/uploads/?digest={wrong}");
        assert_eq!(app.send(Method::POST, &whole, &[], &content).await.error(), (400, "DIGEST_INVALID".into()));
        let location = open(&app).await;
        assert_eq!(app.send(Method::PATCH, &location, &[], &content).await.status, 202);
        assert_eq!(finish(&app, &location, &wrong).await.error(), (400, "DIGEST_INVALID".into()));
        assert_eq!(app.get(&location).await.status, 404);
        for digest in [wrong, Digest::sha256(&content)] {
            assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.status, 404);
        }
    }
    let location = open(&app).await;
    for query in ["", "?digest=sha256:bad", "?digest=%00"] {
        let refused = app.send(Method::PUT, &format!("{location}{query}"), &[], b"").await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{query}");
    }
}

#[tokio::test]
async fn a_session_of_sha256_may_end_in_sha512() {
    let app = TestApp::spawn().await;
    for content in [b"abc".to_vec(), vec![3; 300_000]] {
        let location = open(&app).await;
        app.send(Method::PATCH, &location, &[], &content).await;
        let digest = Digest::of(Algorithm::Sha512, &content);
        assert_eq!(finish(&app, &location, &digest).await.status, 201);
        assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body, content);
    }
}

#[tokio::test]
async fn a_session_goes_on_after_a_restart() {
    let app = TestApp::spawn().await;
    let location = open(&app).await;
    let half = vec![b'x'; 700_000];
    assert_eq!(app.send(Method::PATCH, &location, &[], &half).await.header("range"), "0-699999");
    let app = app.restarted().await;
    let status = app.get(&location).await;
    assert_eq!((status.status.as_u16(), status.header("range")), (204, "0-699999"));
    assert_eq!(chunk(&app, &location, "700000-700002", b"end").await.status, 202);
    let whole = [half.as_slice(), b"end"].concat();
    let digest = Digest::sha256(&whole);
    assert_eq!(finish(&app, &location, &digest).await.status, 201);
    let app = app.restarted().await;
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body, whole);
}

#[tokio::test]
async fn a_cancelled_session_is_gone() {
    let app = TestApp::spawn().await;
    for content in [b"".as_slice(), b"abc"] {
        let location = open(&app).await;
        if !content.is_empty() {
            assert_eq!(app.send(Method::PATCH, &location, &[], content).await.status, 202);
        }
        assert_eq!(app.send(Method::DELETE, &location, &[], b"").await.status, 204);
        assert_eq!(app.send(Method::DELETE, &location, &[], b"").await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
        assert_eq!(finish(&app, &location, &Digest::sha256(content)).await.status, 404);
    }
    let location = open(&app).await;
    let elsewhere = location.replace("/v2/a/b/", "/v2/a/other/");
    assert_eq!(app.send(Method::PATCH, &elsewhere, &[], b"abc").await.status, 404);
}

#[tokio::test]
async fn mounting_moves_no_byte_and_falls_back_to_a_session() {
    let app = TestApp::spawn().await;
    let digest = app.push_blob("a/source", b"shared").await;
    for from in ["&from=a/source", ""] {
        let name = if from.is_empty() { "a/any" } else { "a/named" };
        let path = format!("/v2/{name}/blobs/uploads/?mount={digest}{from}");
        let mounted = app.send(Method::POST, &path, &[], b"").await;
        assert_eq!(mounted.status, 201, "{from}");
        assert_eq!(app.get(mounted.header("location")).await.body, b"shared");
    }
    let unknown = Digest::sha256(b"unknown");
    let path = format!("/v2/a/named/blobs/uploads/?mount={unknown}&from=a/source");
    let session = app.send(Method::POST, &path, &[], b"").await;
    assert_eq!(session.status, 202);
    let put = format!("{}?digest={unknown}", session.header("location"));
    assert_eq!(app.send(Method::PUT, &put, &[], b"unknown").await.status, 201);
}
