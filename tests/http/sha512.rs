//! SHA-512 everywhere: a client that names content by it hears of nothing else.

use agent_registry::oci::{Algorithm, Digest, known};
use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;
use crate::documents::{LAYER, descriptor, image};

fn sha512(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha512, bytes)
}

async fn open(app: &TestApp, query: &str) -> String {
    let opened = app.send(Method::POST, &format!("/v2/a/b/blobs/uploads/{query}"), &[], b"").await;
    assert_eq!(opened.status, 202, "{query}");
    opened.header("location").to_owned()
}

#[tokio::test]
async fn uploads_begin_and_end_in_any_algorithm() {
    let app = TestApp::spawn().await;
    // Small content and large content take different ways.
    for content in [b"".to_vec(), b"small".to_vec(), vec![9; 200_000]] {
        for query in ["", "?digest-algorithm=sha256", "?digest-algorithm=sha512"] {
            for digest in [Digest::sha256(&content), sha512(&content)] {
                let location = open(&app, query).await;
                let (first, rest) = content.split_at(content.len() / 2);
                assert_eq!(app.send(Method::PATCH, &location, &[], first).await.status, 202);
                let stored = app.send(Method::PUT, &format!("{location}?digest={digest}"), &[], rest).await;
                assert_eq!(stored.status, 201, "{query} {digest}");
                assert_eq!(stored.header("docker-content-digest"), digest.to_string());
                let got = app.get(stored.header("location")).await;
                assert_eq!(got.body, content);
                assert_eq!(got.header("docker-content-digest"), digest.to_string());
                let gone = app.send(Method::DELETE, &format!("/v2/a/b/blobs/{digest}"), &[], b"").await;
                assert_eq!(gone.status, 202);
            }
        }
    }
    for algorithm in ["md5", "sha1", "SHA512", "", "sha512%00"] {
        let path = format!("/v2/a/b/blobs/uploads/?digest-algorithm={algorithm}");
        let refused = app.send(Method::POST, &path, &[], b"").await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{algorithm}");
    }
}

#[tokio::test]
async fn a_wrong_sha512_stores_nothing() {
    let app = TestApp::spawn().await;
    let wrong = sha512(b"other");
    for content in [b"small".to_vec(), vec![9; 200_000]] {
        let whole = format!("/v2/a/b/blobs/uploads/?digest={wrong}");
        assert_eq!(app.send(Method::POST, &whole, &[], &content).await.error(), (400, "DIGEST_INVALID".into()));
        for query in ["", "?digest-algorithm=sha512"] {
            let location = open(&app, query).await;
            app.send(Method::PATCH, &location, &[], &content).await;
            let refused = app.send(Method::PUT, &format!("{location}?digest={wrong}"), &[], b"").await;
            assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()));
        }
        for digest in [wrong, sha512(&content), Digest::sha256(&content)] {
            assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.status, 404);
        }
    }
}

#[tokio::test]
async fn blobs_are_ranged_mounted_and_deleted() {
    let app = TestApp::spawn().await;
    for size in [5_000_usize, 300_000] {
        let content: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let digest = sha512(&content);
        let whole = format!("/v2/a/b/blobs/uploads/?digest={digest}");
        assert_eq!(app.send(Method::POST, &whole, &[], &content).await.status, 201);
        let mount = format!("/v2/a/c/blobs/uploads/?mount={digest}&from=a/b");
        let mounted = app.send(Method::POST, &mount, &[], b"").await;
        assert_eq!((mounted.status.as_u16(), mounted.header("docker-content-digest").len()), (201, 135));
        let path = format!("/v2/a/c/blobs/{digest}");
        let part = app.send(Method::GET, &path, &[("range", "bytes=500-1499")], b"").await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &content[500..1500]));
        assert_eq!(part.header("docker-content-digest"), digest.to_string());
        assert_eq!(app.send(Method::GET, &path, &[("range", "bytes=900000-")], b"").await.status, 416);
        let etag = part.header("etag").to_owned();
        assert_eq!(app.send(Method::GET, &path, &[("if-none-match", &etag)], b"").await.status, 304);
        assert_eq!(app.send(Method::DELETE, &path, &[], b"").await.status, 202);
        assert_eq!(app.send(Method::HEAD, &path, &[], b"").await.status, 404);
        assert_eq!(app.get(&format!("/v2/a/b/blobs/{digest}")).await.body, content);
    }
}

#[tokio::test]
async fn manifests_keep_their_digest_under_every_tag() {
    let app = TestApp::spawn().await;
    let content = b"a layer";
    let layer = sha512(content);
    app.send(Method::POST, &format!("/v2/a/b/blobs/uploads/?digest={layer}"), &[], content).await;
    let config = sha512(b"{}");
    app.send(Method::POST, &format!("/v2/a/b/blobs/uploads/?digest={config}"), &[], b"{}").await;
    let bytes = image(&config, &json!({"layers": [descriptor(LAYER, &layer, content.len())]}));
    let digest = sha512(&bytes);
    let path = format!("{digest}?tag=v1&tag=latest");
    let pushed = app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await;
    assert_eq!(pushed.status, 201);
    let tags: Vec<_> = pushed.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
    assert_eq!(tags, ["v1", "latest"]);
    assert_eq!(pushed.header("location"), format!("/v2/a/b/manifests/{digest}"));
    for target in ["v1", "latest", digest.to_string().as_str()] {
        for method in [Method::GET, Method::HEAD] {
            let got = app.send(method, &format!("/v2/a/b/manifests/{target}"), &[], b"").await;
            assert_eq!(got.header("docker-content-digest"), digest.to_string());
            assert_eq!(got.header("etag"), format!("\"{digest}\""));
        }
    }
    let wrong = app.put_manifest("a/b", &sha512(b"x").to_string(), known::OCI_MANIFEST, &bytes).await;
    assert_eq!(wrong.error(), (400, "DIGEST_INVALID".into()));
    let lacking = image(&sha512(b"nowhere"), &json!({}));
    let refused = app.put_manifest("a/b", "v2", known::OCI_MANIFEST, &lacking).await;
    assert_eq!(refused.error(), (404, "MANIFEST_BLOB_UNKNOWN".into()));

    let app = app.restarted().await;
    assert_eq!(app.get("/v2/a/b/manifests/v1").await.header("docker-content-digest"), digest.to_string());
    let path = format!("/v2/a/b/manifests/{digest}");
    assert_eq!(app.send(Method::DELETE, &path, &[], b"").await.status, 202);
    for target in ["v1", "latest", digest.to_string().as_str()] {
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{target}")).await.status, 404);
    }
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!([]));
}

#[tokio::test]
async fn referrers_are_found_by_and_named_by_sha512() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let (subject, bytes) = (sha512(b"subject"), |note: &str| {
        let about = descriptor(known::OCI_MANIFEST, &sha512(b"subject"), 7);
        image(&config, &json!({"subject": about, "annotations": {"note": note}}))
    });
    let (short, long) = (bytes("short"), bytes("long"));
    for (target, bytes) in [(Digest::sha256(&short), &short), (sha512(&long), &long)] {
        let pushed = app.put_manifest("a/b", &target.to_string(), known::OCI_MANIFEST, bytes).await;
        assert_eq!((pushed.status.as_u16(), pushed.header("oci-subject")), (201, subject.to_string().as_str()));
    }
    let path = format!("/v2/a/b/referrers/{subject}");
    let mut found: Vec<String> = vec![];
    let mut next = format!("{path}?n=1");
    for _ in 0..2 {
        let page = app.get(&next).await;
        assert_eq!(page.json()["manifests"].as_array().unwrap().len(), 1);
        found.push(page.json()["manifests"][0]["digest"].as_str().unwrap().to_owned());
        next = page.next();
    }
    assert_eq!(next, "", "both were listed");
    found.sort();
    assert_eq!(found, [Digest::sha256(&short).to_string(), sha512(&long).to_string()]);
    let path = format!("/v2/a/b/manifests/{}", sha512(&long));
    assert_eq!(app.send(Method::DELETE, &path, &[], b"").await.status, 202);
    let left = app.get(&format!("/v2/a/b/referrers/{subject}")).await.json();
    assert_eq!(left["manifests"].as_array().unwrap().len(), 1);
}
