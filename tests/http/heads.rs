//! A HEAD is the GET without its body, wherever there is a GET; and answers about content name its digest.

use agent_registry::oci::{Digest, known};
use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp, agent};
use crate::documents::{image, push_image};

/// Headers that differ from answer to answer.
const OF_THE_MOMENT: [&str; 2] = ["date", "x-request-id"];

fn head_of(answer: &Answer) -> Vec<(String, String)> {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()))
        .collect();
    headers.sort();
    headers
}

async fn compare(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let got = app.send(Method::GET, path, headers, b"").await;
    let head = app.send(Method::HEAD, path, headers, b"").await;
    assert_eq!(head.status, got.status, "{path}");
    assert!(head.body.is_empty(), "{path}");
    assert_eq!(head_of(&head), head_of(&got), "{path}");
    got
}

#[tokio::test]
async fn head_is_get_without_the_body_at_every_endpoint() {
    let app = TestApp::spawn().await;
    let manifest = push_image(&app, "a/b", "v1", "one").await;
    push_image(&app, "a/b", "v2", "two").await;
    push_image(&app, "a/c", "v1", "one").await;
    let pushed = app.push_package("team/writer", "1.0.0", &agent("writer", "1.0.0", "")).await;
    assert_eq!(pushed.status, 201);
    let (empty, small) = (app.push_blob("a/b", b"").await, app.push_blob("a/b", b"small").await);
    let large = app.push_blob("a/b", &vec![7; 200_000]).await;
    let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
    let session = opened.header("location").to_owned();
    app.send(Method::PATCH, &session, &[], b"abc").await;
    let missing = Digest::sha256(b"missing");
    for path in [
        "/v2/",
        "/v2",
        "/v2/_catalog",
        "/v2/_catalog?n=1",
        "/v2/a/b/tags/list",
        "/v2/a/b/tags/list?n=1",
        "/v2/a/none/tags/list",
        "/v2/a/b/manifests/v1",
        "/v2/a/b/manifests/none",
        &format!("/v2/a/b/manifests/{manifest}"),
        &format!("/v2/a/b/manifests/{missing}"),
        &format!("/v2/a/b/blobs/{empty}"),
        &format!("/v2/a/b/blobs/{small}"),
        &format!("/v2/a/b/blobs/{large}"),
        &format!("/v2/a/b/blobs/{missing}"),
        "/v2/a/b/blobs/sha256:bad",
        &format!("/v2/a/b/referrers/{manifest}"),
        &format!("/v2/a/b/referrers/{manifest}?artifactType=a/b"),
        &session,
        "/livez",
        "/readyz",
        "/",
        "/api/v1",
        "/api/v1/openapi.json",
        "/api/v1/packages",
        "/api/v1/packages/team/writer",
        "/api/v1/packages/team/writer/versions",
        "/api/v1/packages/team/writer/versions/1.0.0",
        "/api/v1/packages/team/none",
        "/api/v1/repositories/team/writer",
        "/nowhere",
    ] {
        // An error's text names its request, whose id has always the same length.
        compare(&app, path, &[]).await;
    }
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let app = TestApp::spawn().await;
    let manifest = push_image(&app, "a/b", "v1", "one").await;
    let blobs = [app.push_blob("a/b", b"small").await, app.push_blob("a/b", &vec![7; 200_000]).await];
    let paths = [format!("/v2/a/b/manifests/{manifest}"), "/v2/a/b/manifests/v1".to_owned()];
    for path in paths.into_iter().chain(blobs.iter().map(|digest| format!("/v2/a/b/blobs/{digest}"))) {
        let etag = app.get(&path).await.header("etag").to_owned();
        let other = format!("\"{}\"", Digest::sha256(b"other"));
        for known in [etag.clone(), format!("W/{etag}"), format!("{other}, {etag}"), "*".to_owned()] {
            let answer = compare(&app, &path, &[("if-none-match", &known)]).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{path} {known}");
            assert_eq!((answer.header("etag"), answer.header("docker-content-digest").len()), (etag.as_str(), 71));
        }
        for unknown in [other.as_str(), "\"x\"", "", &etag.replace("sha256", "sha512")] {
            let answer = compare(&app, &path, &[("if-none-match", unknown)]).await;
            assert_eq!(answer.status, 200, "{path} {unknown}");
        }
    }
    // What does not exist is known to nobody.
    let missing = format!("/v2/a/b/blobs/{}", Digest::sha256(b"missing"));
    assert_eq!(compare(&app, &missing, &[("if-none-match", "*")]).await.status, 404);
    // A tag that moved is not what it was.
    let before = app.get("/v2/a/b/manifests/v1").await.header("etag").to_owned();
    push_image(&app, "a/b", "v1", "two").await;
    assert_eq!(compare(&app, "/v2/a/b/manifests/v1", &[("if-none-match", &before)]).await.status, 200);
}

#[tokio::test]
async fn every_answer_about_content_names_its_digest() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let named = async |method: Method, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16, digest: &str| {
        let answer = app.send(method.clone(), path, headers, body).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("docker-content-digest"), digest, "{method} {path}");
        answer
    };
    for content in [b"".to_vec(), b"blob".to_vec(), vec![7; 200_000]] {
        let blob = Digest::sha256(&content).to_string();
        let whole = format!("/v2/a/b/blobs/uploads/?digest={blob}");
        named(Method::POST, &whole, &[], &content, 201, &blob).await;
        let opened = app.send(Method::POST, "/v2/a/b/blobs/uploads/", &[], b"").await;
        let close = format!("{}?digest={blob}", opened.header("location"));
        named(Method::PUT, &close, &[], &content, 201, &blob).await;
        named(Method::POST, &format!("/v2/a/c/blobs/uploads/?mount={blob}&from=a/b"), &[], b"", 201, &blob).await;
        let path = format!("/v2/a/c/blobs/{blob}");
        named(Method::GET, &path, &[], b"", 200, &blob).await;
        named(Method::HEAD, &path, &[], b"", 200, &blob).await;
        if !content.is_empty() {
            named(Method::GET, &path, &[("range", "bytes=1-2")], b"", 206, &blob).await;
        }
    }
    let bytes = image(&config, &json!({}));
    let (manifest, kind) = (Digest::sha256(&bytes).to_string(), [("content-type", known::OCI_MANIFEST)]);
    for target in ["v1", manifest.as_str(), &format!("{manifest}?tag=v2")] {
        named(Method::PUT, &format!("/v2/a/b/manifests/{target}"), &kind, &bytes, 201, &manifest).await;
    }
    for target in ["v1", "v2", manifest.as_str()] {
        named(Method::GET, &format!("/v2/a/b/manifests/{target}"), &[], b"", 200, &manifest).await;
        named(Method::HEAD, &format!("/v2/a/b/manifests/{target}"), &[], b"", 200, &manifest).await;
    }
}
