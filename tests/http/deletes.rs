//! Deletes are whole and at once: after the answer nothing of it is left, and everything can come again.

use agent_registry::oci::{Digest, known};
use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;
use crate::documents::{image, push_image};

async fn delete(app: &TestApp, path: &str) -> u16 {
    app.send(Method::DELETE, path, &[], b"").await.status.as_u16()
}

async fn is_gone(app: &TestApp, path: &str) {
    for method in [Method::HEAD, Method::GET, Method::DELETE] {
        assert_eq!(app.send(method.clone(), path, &[], b"").await.status, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn a_deleted_blob_is_gone_at_once_and_comes_again() {
    let app = TestApp::spawn().await;
    for content in [b"".to_vec(), b"small".to_vec(), vec![4; 300_000]] {
        let digest = app.push_blob("a/other", &content).await;
        for _ in 0..3 {
            let path = format!("/v2/a/b/blobs/{}", app.push_blob("a/b", &content).await);
            assert_eq!(app.get(&path).await.body, content);
            assert_eq!(delete(&app, &path).await, 202);
            is_gone(&app, &path).await;
        }
        assert_eq!(app.get(&format!("/v2/a/other/blobs/{digest}")).await.body, content, "another's stays");
    }
    for path in [format!("/v2/a/none/blobs/{}", Digest::sha256(b"")), format!("/v2/a/b/blobs/{}", Digest::sha256(b"x"))]
    {
        is_gone(&app, &path).await;
    }
}

#[tokio::test]
async fn a_deleted_tag_leaves_its_manifest_and_other_tags() {
    let app = TestApp::spawn().await;
    let digest = push_image(&app, "a/b", "v1", "one").await;
    push_image(&app, "a/b", "v2", "one").await;
    assert_eq!(delete(&app, "/v2/a/b/manifests/v1").await, 202);
    is_gone(&app, "/v2/a/b/manifests/v1").await;
    for target in ["v2", &digest.to_string()] {
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{target}")).await.status, 200);
    }
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!(["v2"]));
    push_image(&app, "a/b", "v1", "one").await;
    assert_eq!(app.get("/v2/a/b/manifests/v1").await.status, 200);
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_and_nothing_else() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let digest = Digest::sha256(&bytes);
    push_image(&app, "a/b", "other", "another").await;
    push_image(&app, "a/c", "v1", "one").await;
    for _ in 0..2 {
        let put = format!("{digest}?tag=v1&tag=v2&tag=v3");
        assert_eq!(app.put_manifest("a/b", &put, known::OCI_MANIFEST, &bytes).await.status, 201);
        assert_eq!(delete(&app, &format!("/v2/a/b/manifests/{digest}")).await, 202);
        for target in ["v1", "v2", "v3", &digest.to_string()] {
            is_gone(&app, &format!("/v2/a/b/manifests/{target}")).await;
        }
        assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!(["other"]));
    }
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{config}")).await.status, 200);
    assert_eq!(app.get("/v2/a/c/manifests/v1").await.status, 200);
    is_gone(&app, &format!("/v2/a/none/manifests/{digest}")).await;
    is_gone(&app, "/v2/a/none/manifests/latest").await;
    let app = app.restarted().await;
    is_gone(&app, "/v2/a/b/manifests/v1").await;
}
