//! Blobs that come whole: in one request, in a session with one, or from another repository.

use agent_registry::oci::Digest;
use reqwest::Method;

use crate::app::TestApp;

#[tokio::test]
async fn nothing_is_a_blob_by_every_way() {
    let app = TestApp::spawn().await;
    let digest = Digest::sha256(b"");
    let path = format!("/v2/a/b/blobs/{digest}");
    for way in 0..4 {
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let location = opened.header("location").to_owned();
        let close = format!("{location}?digest={digest}");
        let whole = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        let stored = match way {
            0 => app.send(Method::POST, &whole, &[("content-length", "0")], b"").await,
            1 => app.send(Method::PUT, &close, &[("content-length", "0")], b"").await,
            2 => app.send(Method::PUT, &close, &[("content-type", "application/octet-stream")], b"").await,
            _ => {
                assert_eq!(app.send(Method::PATCH, &location, &[], b"").await.status, 202);
                app.send(Method::PUT, &close, &[], b"").await
            }
        };
        assert_eq!(stored.status, 201, "{way}");
        let got = app.get(&path).await;
        assert_eq!((got.status.as_u16(), got.body.len(), got.header("content-length")), (200, 0, "0"));
        assert_eq!(app.send(Method::HEAD, &path, &[], b"").await.header("content-length"), "0");
        // No byte of nothing can be had.
        assert_eq!(app.send(Method::GET, &path, &[("range", "bytes=0-")], b"").await.status, 416);
        assert_eq!(app.send(Method::DELETE, &path, &[], b"").await.status, 202);
    }
}

#[tokio::test]
async fn a_whole_blob_is_stored_where_its_location_says() {
    let app = TestApp::spawn().await;
    for content in [b"small".to_vec(), vec![5; 300_000]] {
        let digest = Digest::sha256(&content);
        let stored = app.send(Method::POST, &format!("/v2/a/b/blobs/uploads/?digest={digest}"), &[], &content).await;
        assert_eq!((stored.status.as_u16(), stored.body.len()), (201, 0));
        assert_eq!(app.get(stored.header("location")).await.body, content);
        // A second time is as good as the first, by any way.
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let put = format!("{}?digest={digest}", opened.header("location"));
        let again = app.send(Method::PUT, &put, &[], &content).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (201, stored.header("location")));
    }
}

#[tokio::test]
async fn an_impossible_digest_is_refused_and_never_an_error_of_the_server() {
    let app = TestApp::spawn().await;
    let upper = format!("sha256:{}", "A".repeat(64));
    for digest in ["sha256:baddigeststring", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e", "x", "", &upper] {
        for query in [format!("digest={digest}"), format!("mount={digest}&from=a/c"), format!("mount={digest}")] {
            let refused = app.send(Method::POST, &format!("/v2/a/b/blobs/uploads/?{query}"), &[], b"x").await;
            assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{query}");
        }
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let put = format!("{}?digest={digest}", opened.header("location"));
        assert_eq!(app.send(Method::PUT, &put, &[], b"x").await.error(), (400, "DIGEST_INVALID".into()), "{digest}");
        if !digest.is_empty() {
            let got = app.get(&format!("/v2/a/b/blobs/{digest}")).await;
            assert_eq!(got.error(), (400, "DIGEST_INVALID".into()), "{digest}");
        }
    }
}

#[tokio::test]
async fn a_mount_reads_nothing_and_never_fails() {
    let app = TestApp::spawn().await;
    let content = vec![8; 300_000];
    let digest = app.push_blob("a/source", &content).await;
    let mount = format!("/v2/a/into/blobs/uploads/?mount={digest}&from=a/source");
    // The body of a mount is nobody's content.
    for _ in 0..2 {
        let mounted = app.send(Method::POST, &mount, &[], b"").await;
        assert_eq!(
            (mounted.status.as_u16(), mounted.header("docker-content-digest")),
            (201, digest.to_string().as_str())
        );
        assert_eq!(mounted.header("location"), format!("/v2/a/into/blobs/{digest}"));
    }
    // What was mounted does not depend on where it came from.
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/source/blobs/{digest}"), &[], b"").await.status, 202);
    assert_eq!(app.get(&format!("/v2/a/into/blobs/{digest}")).await.body, content);
    for from in ["a/source", "a/nobody", "a/into2"] {
        let path = format!("/v2/a/third/blobs/uploads/?mount={digest}&from={from}");
        let session = app.send(Method::POST, &path, &[], b"").await;
        assert_eq!(session.status, 202, "{from}");
        assert_eq!(app.get(session.header("location")).await.status, 204);
        assert_eq!(app.get(&format!("/v2/a/third/blobs/{digest}")).await.status, 404);
    }
    let wrong = format!("/v2/a/third/blobs/uploads/?mount={digest}&from=A");
    assert_eq!(app.send(Method::POST, &wrong, &[], b"").await.error(), (400, "NAME_INVALID".into()));
}

#[tokio::test]
async fn ranges_are_cut_to_the_blob_or_refused() {
    let app = TestApp::spawn().await;
    let content: Vec<u8> = (0..3_000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
    let path = format!("/v2/a/b/blobs/{}", app.push_blob("a/b", &content).await);
    for (range, first, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=500-1499", 500, 1500),
        ("bytes=500-", 500, 3000),
        ("bytes=-500", 2500, 3000),
        ("bytes=2000-5000", 2000, 3000),
        ("bytes=-5000", 0, 3000),
        ("bytes=2999-99999999999999999", 2999, 3000),
    ] {
        let part = app.send(Method::GET, &path, &[("range", range)], b"").await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &content[first..end]), "{range}");
        assert_eq!(part.header("content-range"), format!("bytes {first}-{}/3000", end - 1));
        assert_eq!(part.header("content-length"), (end - first).to_string());
    }
    for range in ["bytes=500-0", "bytes=3000-", "bytes=3000-4000", "bytes=-0", "bytes=99999999999999999999-"] {
        let refused = app.send(Method::GET, &path, &[("range", range)], b"").await;
        assert_eq!((refused.error().0, refused.header("content-range")), (416, "bytes */3000"), "{range}");
    }
    // What is no range of bytes is as if it were not there, and a HEAD has no ranges.
    for range in ["bytes", "bytes=", "bytes=a-b", "bytes=--1", "lines=1-2", "bytes=0-1,5-6"] {
        let whole = app.send(Method::GET, &path, &[("range", range)], b"").await;
        assert_eq!((whole.status.as_u16(), whole.body.len()), (200, 3000), "{range}");
    }
    let head = app.send(Method::HEAD, &path, &[("range", "bytes=0-9")], b"").await;
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "3000"));
}
