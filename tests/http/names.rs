//! Names of repositories and tags: what the grammar allows is taken, everything else is refused.

use agent_registry::oci::known;
use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;
use crate::documents::image;

#[tokio::test]
async fn names_of_the_grammar_are_taken_and_others_refused() {
    let app = TestApp::spawn().await;
    for name in ["a", "a1", "0", "a.b", "a_b", "a__b", "a-b", "a---b", "a/b/c/d/e", "v2", "blobs/uploads", "tags/list"]
    {
        let digest = app.push_blob(name, b"x").await;
        assert_eq!(app.get(&format!("/v2/{name}/blobs/{digest}")).await.body, b"x", "{name}");
    }
    for name in ["A", "a..b", "a___b", "a._b", "-a", "a-", ".a", "a.", "_a", "a_", "a/", "a//b", "a b", "a+b", "ä"] {
        let refused = app.send(Method::POST, &format!("/v2/{name}/blobs/uploads/"), &[], b"").await;
        assert_eq!(refused.error(), (400, "NAME_INVALID".into()), "{name}");
    }
    let (longest, longer) = ("a".repeat(255), "a".repeat(256));
    app.push_blob(&longest, b"x").await;
    let refused = app.send(Method::POST, &format!("/v2/{longer}/blobs/uploads/"), &[], b"").await;
    assert_eq!(refused.error(), (400, "NAME_INVALID".into()));
}

#[tokio::test]
async fn tags_of_the_grammar_are_taken_and_others_refused() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let longest = "t".repeat(128);
    for tag in ["a", "A", "0", "_", "_.-", "1.0.0", "1.0.0-rc.1_build", "sha256-abc.sig", longest.as_str()] {
        assert_eq!(app.put_manifest("a/b", tag, known::OCI_MANIFEST, &bytes).await.status, 201, "{tag}");
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{tag}")).await.body, bytes, "{tag}");
    }
    let longer = "t".repeat(129);
    for tag in [".a", "-a", "a+b", "a%20b", "a~", "ä", longer.as_str()] {
        let refused = app.put_manifest("a/b", tag, known::OCI_MANIFEST, &bytes).await;
        assert_eq!(refused.error(), (400, "MANIFEST_INVALID".into()), "{tag}");
        // Nothing can be there, so nothing is.
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{tag}")).await.error().0, 404, "{tag}");
    }
    for digest in ["sha256:", "sha256:abc", ":", "md5:00", "a:b:c"] {
        let refused = app.put_manifest("a/b", digest, known::OCI_MANIFEST, &bytes).await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{digest}");
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{digest}")).await.error().0, 400, "{digest}");
    }
}

#[tokio::test]
async fn the_host_parameter_of_proxies_is_ignored() {
    let app = TestApp::spawn().await;
    let digest = app.push_blob("a/b", b"x").await;
    let answer = app.get(&format!("/v2/a/b/blobs/{digest}?ns=docker.io")).await;
    assert_eq!((answer.status.as_u16(), answer.header("oci-namespace")), (200, ""));
}
