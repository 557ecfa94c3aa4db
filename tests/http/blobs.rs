//! Blobs: whole, in part, conditional, unknown, deleted.

use agent_registry::oci::{Algorithm, Digest};
use reqwest::Method;

use crate::app::TestApp;

#[tokio::test]
async fn a_blob_comes_whole_and_in_part_whatever_its_size() {
    let app = TestApp::spawn().await;
    for size in [1_usize, 5_000, 3 * 1024 * 1024] {
        let content: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let digest = app.push_blob("a/b", &content).await;
        let path = format!("/v2/a/b/blobs/{digest}");
        let whole = app.get(&path).await;
        assert_eq!((whole.status.as_u16(), whole.body.len()), (200, size));
        assert_eq!(whole.body, content);
        assert_eq!(whole.header("docker-content-digest"), digest.to_string());
        assert_eq!(whole.header("accept-ranges"), "bytes");
        assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");

        let head = app.send(Method::HEAD, &path, &[], b"").await;
        assert_eq!((head.status.as_u16(), head.header("content-length")), (200, size.to_string().as_str()));
        assert!(head.body.is_empty());
        for name in ["docker-content-digest", "etag", "content-type", "accept-ranges"] {
            assert_eq!(head.header(name), whole.header(name), "{name}");
        }
        if size < 5_000 {
            continue;
        }
        for (range, first, end) in
            [("bytes=500-1499", 500, 1500), ("bytes=500-", 500, size), ("bytes=-500", size - 500, size)]
        {
            let part = app.send(Method::GET, &path, &[("range", range)], b"").await;
            assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &content[first..end]), "{range}");
            assert_eq!(part.header("content-range"), format!("bytes {first}-{}/{size}", end - 1));
        }
        for range in ["bytes=500-0", &format!("bytes={size}-")] {
            let refused = app.send(Method::GET, &path, &[("range", range)], b"").await;
            assert_eq!((refused.error().0, refused.header("content-range")), (416, format!("bytes */{size}").as_str()));
        }
        let other = [("range", "bytes=0-9"), ("if-range", "\"sha256:00\"")];
        assert_eq!(app.send(Method::GET, &path, &other, b"").await.body.len(), size);
        let etag = whole.header("etag");
        let known = app.send(Method::GET, &path, &[("if-none-match", etag)], b"").await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    }
}

#[tokio::test]
async fn a_blob_is_known_only_where_it_was_pushed() {
    let app = TestApp::spawn().await;
    let digest = app.push_blob("a/b", b"mine").await;
    assert_eq!(app.get(&format!("/v2/a/other/blobs/{digest}")).await.error(), (404, "BLOB_UNKNOWN".into()));
    let unknown = Digest::sha256(b"nobody's");
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{unknown}")).await.error(), (404, "BLOB_UNKNOWN".into()));
    for digest in
        ["sha256:baddigeststring", "md5:d41d8cd98f00b204e9800998ecf8427e", &format!("sha256:{}", "A".repeat(64))]
    {
        let refused = app.get(&format!("/v2/a/b/blobs/{digest}")).await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{digest}");
    }

    let gone = app.send(Method::DELETE, &format!("/v2/a/b/blobs/{digest}"), &[], b"").await;
    assert_eq!(gone.status, 202);
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.status, 404);
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/b/blobs/{digest}"), &[], b"").await.status, 404);
    assert_eq!(app.push_blob("a/b", b"mine").await, digest);
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body, b"mine");
}

#[tokio::test]
async fn sha512_answers_with_sha512() {
    let app = TestApp::spawn().await;
    for content in [b"small".to_vec(), vec![9; 200_000]] {
        let digest = Digest::of(Algorithm::Sha512, &content);
        let path = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        let stored = app.send(Method::POST, &path, &[], &content).await;
        assert_eq!(
            (stored.status.as_u16(), stored.header("docker-content-digest")),
            (201, digest.to_string().as_str())
        );
        assert_eq!(app.get(stored.header("location")).await.body, content);
    }
}
