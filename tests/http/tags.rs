//! Tags set with a manifest: many at once, too many, and what the answer says of them.

use agent_registry::oci::{Digest, known};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::{Answer, TestApp};
use crate::documents::image;

fn set(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect()
}

fn query(count: usize) -> String {
    (0..count).map(|number| format!("tag=t{number:04}")).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn every_accepted_tag_is_named() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let digest = Digest::sha256(&bytes);
    for count in [1, 10, 64] {
        let pushed = app.put_manifest("a/b", &format!("{digest}?{}", query(count)), known::OCI_MANIFEST, &bytes).await;
        assert_eq!((pushed.status.as_u16(), set(&pushed).len()), (201, count));
        for number in [0, count - 1] {
            assert_eq!(app.get(&format!("/v2/a/b/manifests/t{number:04}")).await.body, bytes);
        }
    }
    let twice = app.put_manifest("a/b", &format!("{digest}?tag=x&tag=x"), known::OCI_MANIFEST, &bytes).await;
    assert_eq!((twice.status.as_u16(), set(&twice)), (201, vec!["x"]));
    let none = app.put_manifest("a/b", &digest.to_string(), known::OCI_MANIFEST, &bytes).await;
    assert_eq!(set(&none), [""; 0]);
    // Beside a tag they are as good as beside a digest.
    let beside = app.put_manifest("a/b", "one?tag=two", known::OCI_MANIFEST, &bytes).await;
    assert_eq!(set(&beside), ["one", "two"]);
    assert_eq!(app.get("/v2/a/b/manifests/two").await.body, bytes);
    let alone = app.put_manifest("a/b", "one", known::OCI_MANIFEST, &bytes).await;
    assert_eq!(set(&alone), [""; 0]);
}

#[tokio::test]
async fn one_bad_tag_refuses_all() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let digest = Digest::sha256(&bytes);
    for tags in ["tag=good&tag=.bad", "tag=good&tag=", "tag=good&tag=%00", "tag=good&tag=a/b"] {
        let refused = app.put_manifest("a/b", &format!("{digest}?{tags}"), known::OCI_MANIFEST, &bytes).await;
        assert_eq!(refused.error(), (400, "MANIFEST_INVALID".into()), "{tags}");
        assert_eq!(set(&refused), [""; 0]);
    }
    for target in ["good", &digest.to_string()] {
        assert_eq!(app.get(&format!("/v2/a/b/manifests/{target}")).await.status, 404);
    }
}

#[tokio::test]
async fn too_many_tags_end_in_414_and_endless_ones_in_431() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let digest = Digest::sha256(&bytes);
    for count in [65, 1_000, 5_000] {
        let path = format!("{digest}?{}", query(count));
        let refused = app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await;
        assert_eq!(refused.error(), (414, "SIZE_INVALID".into()), "{count}");
        assert!(refused.message().contains("at most 64 tags"), "{}", refused.message());
    }
    // Beyond what any head may be, the connection itself answers.
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!("PUT /v2/a/b/manifests/{digest}?{} HTTP/1.1\r\nHost: x\r\n\r\n", query(20_000));
    let (mut reading, mut writing) = stream.split();
    // The server need not read to the end of it: whether all could be written says nothing.
    let (_, answer) = tokio::join!(writing.write_all(head.as_bytes()), async {
        let mut answer = vec![0; 12];
        reading.read_exact(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 431");
    assert_eq!(app.get(&format!("/v2/a/b/manifests/{digest}")).await.status, 404);
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!([]));
}

#[tokio::test]
async fn a_tag_moves_and_the_manifest_it_left_stays() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let [one, two] = ["1", "2"].map(|note| image(&config, &json!({"annotations": {"note": note}})));
    for bytes in [&one, &two, &one] {
        let pushed = app.put_manifest("a/b", "latest", known::OCI_MANIFEST, bytes).await;
        assert_eq!(pushed.header("location"), format!("/v2/a/b/manifests/{}", Digest::sha256(bytes)));
        assert_eq!(&app.get("/v2/a/b/manifests/latest").await.body, bytes);
    }
    for bytes in [&one, &two] {
        assert_eq!(&app.get(&format!("/v2/a/b/manifests/{}", Digest::sha256(bytes))).await.body, bytes);
    }
    assert_eq!(app.send(Method::DELETE, "/v2/a/b/manifests/latest", &[], b"").await.status, 202);
    assert_eq!(app.get(&format!("/v2/a/b/manifests/{}", Digest::sha256(&one))).await.body, one);
}
