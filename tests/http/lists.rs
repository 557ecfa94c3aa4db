//! Lists page by page: tags and repositories, in order, with links that lead through all of it once.

use agent_registry::oci::{Digest, known};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::documents::image;

/// Follows the links from `path`; the entries of each page under `key`.
async fn pages(app: &TestApp, path: &str, key: &str) -> Vec<Vec<String>> {
    let (mut found, mut next) = (vec![], path.to_owned());
    while !next.is_empty() {
        let page = app.get(&next).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "application/json"), "{next}");
        let entries = page.json()[key].as_array().unwrap().clone();
        found.push(entries.iter().map(|entry| entry.as_str().unwrap().to_owned()).collect());
        next = page.next();
        assert!(found.len() < 50, "the pages end");
    }
    found
}

async fn tagged(tags: &[&str]) -> TestApp {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let query: Vec<_> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    let path = format!("{}?{}", Digest::sha256(&bytes), query.join("&"));
    assert_eq!(app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await.status, 201);
    app
}

#[tokio::test]
async fn tags_are_in_bytewise_order_and_every_page_is_full_but_the_last() {
    let tags = ["latest", "a", "B", "b", "A", "_x", "1.10", "1.9", "1.0-rc", "1.0.0", "1.0_0"];
    let app = tagged(&tags).await;
    let mut sorted = tags;
    sorted.sort_unstable();
    assert_eq!(app.get("/v2/a/b/tags/list").await.json(), json!({"name": "a/b", "tags": sorted}));
    for n in 1..=tags.len() + 1 {
        let found = pages(&app, &format!("/v2/a/b/tags/list?n={n}"), "tags").await;
        assert_eq!(found.concat(), sorted, "{n}");
        assert!(found.iter().rev().skip(1).all(|page| page.len() == n), "{n}: {found:?}");
        assert!(!found.last().unwrap().is_empty(), "no page leads to nothing: {n}");
    }
    let found = pages(&app, "/v2/a/b/tags/list?n=3&last=1.9", "tags").await;
    assert_eq!(found.concat(), sorted[5..]);
}

#[tokio::test]
async fn a_page_begins_after_any_text() {
    let app = tagged(&["a", "c", "e"]).await;
    for (last, expected) in [
        ("", json!(["a", "c", "e"])),
        ("0", json!(["a", "c", "e"])),
        ("a", json!(["c", "e"])),
        ("b", json!(["c", "e"])),
        ("e", json!([])),
        ("zzz", json!([])),
        ("%2Fno%20tag%3F", json!(["a", "c", "e"])),
        ("1", json!(["a", "c", "e"])),
    ] {
        for path in [format!("/v2/a/b/tags/list?last={last}"), format!("/v2/a/b/tags/list?n=9&last={last}")] {
            let page = app.get(&path).await;
            assert_eq!((page.json()["tags"].clone(), page.header("link")), (expected.clone(), ""), "{path}");
        }
    }
    // The tag that the page before ended with may have gone meanwhile.
    let first = app.get("/v2/a/b/tags/list?n=2").await;
    assert_eq!(first.json()["tags"], json!(["a", "c"]));
    assert_eq!(app.send(Method::DELETE, "/v2/a/b/manifests/c", &[], b"").await.status, 202);
    assert_eq!(app.get(&first.next()).await.json()["tags"], json!(["e"]));
}

#[tokio::test]
async fn too_long_pages_are_cut_and_none_is_none() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    for batch in 0..17 {
        let tags: Vec<_> = (0..60).map(|number| format!("tag=t{:04}", batch * 60 + number)).collect();
        let path = format!("{}?{}", Digest::sha256(&bytes), tags.join("&"));
        assert_eq!(app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await.status, 201);
    }
    for query in ["", "?n=1000", "?n=1001", "?n=5000", "?n=99999999999999999999"] {
        let found = pages(&app, &format!("/v2/a/b/tags/list{query}"), "tags").await;
        let lengths: Vec<_> = found.iter().map(Vec::len).collect();
        assert_eq!(lengths, [1000, 20], "{query}");
    }
    for path in ["/v2/a/b/tags/list?n=0", "/v2/a/b/tags/list?n=0&last=t0001", "/v2/_catalog?n=0"] {
        let none = app.get(path).await;
        let key = if path.contains("catalog") { "repositories" } else { "tags" };
        assert_eq!((none.status.as_u16(), none.json()[key].clone(), none.header("link")), (200, json!([]), ""));
    }
    for n in ["-1", "x", "1.5", "", "+1", "0x1"] {
        for path in ["/v2/a/b/tags/list", "/v2/_catalog"] {
            assert_eq!(app.get(&format!("{path}?n={n}")).await.error(), (400, "UNSUPPORTED".into()), "{n}");
        }
    }
}

#[tokio::test]
async fn repositories_come_in_pages() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/v2/_catalog").await.json(), json!({"repositories": []}));
    let mut names = vec!["b", "a/b", "a-b", "a.b", "a/b/c", "a_b", "z", "a0"];
    for name in &names {
        app.push_blob(name, b"x").await;
    }
    names.sort_unstable();
    for n in 1..=names.len() + 1 {
        let found = pages(&app, &format!("/v2/_catalog?n={n}"), "repositories").await;
        assert_eq!(found.concat(), names, "{n}");
        assert!(found.iter().rev().skip(1).all(|page| page.len() == n), "{n}: {found:?}");
    }
    let rest = app.get("/v2/_catalog?last=a%2Fa").await.json()["repositories"].clone();
    let expected: Vec<_> = names.iter().filter(|name| **name > "a/a").map(|name| Value::from(*name)).collect();
    assert_eq!(rest, Value::Array(expected));
}

#[tokio::test]
async fn a_repository_without_tags_has_an_empty_list_and_an_unknown_one_none() {
    let app = TestApp::spawn().await;
    app.push_blob("a/b", b"x").await;
    assert_eq!(app.get("/v2/a/b/tags/list").await.json(), json!({"name": "a/b", "tags": []}));
    for path in ["tags/list", "manifests/latest", &format!("blobs/{}", Digest::sha256(b"x"))] {
        assert_eq!(app.get(&format!("/v2/a/nobody/{path}")).await.error().0, 404, "{path}");
    }
    // A push that is refused brings no repository into being.
    let bytes = image(&Digest::sha256(b"missing"), &json!({}));
    assert_eq!(app.put_manifest("a/new", "v1", known::OCI_MANIFEST, &bytes).await.status, 404);
    assert_eq!(app.get("/v2/_catalog").await.json(), json!({"repositories": ["a/b"]}));
}
