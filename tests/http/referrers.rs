//! Referrers as the specification words them, and as clients read them.

use agent_registry::oci::{Digest, known};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::documents::{THING, descriptor, image, index, push_image};

async fn push(app: &TestApp, media_type: &str, bytes: &[u8], subject: &Digest) -> Digest {
    let digest = Digest::sha256(bytes);
    let pushed = app.put_manifest("a/b", &digest.to_string(), media_type, bytes).await;
    assert_eq!((pushed.status.as_u16(), pushed.header("oci-subject")), (201, subject.to_string().as_str()));
    digest
}

/// The entries of each page.
async fn pages(app: &TestApp, path: &str) -> Vec<Vec<Value>> {
    let (mut found, mut next) = (vec![], path.to_owned());
    while !next.is_empty() {
        let page = app.get(&next).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, known::OCI_INDEX), "{next}");
        assert_eq!(page.header("oci-filters-applied").is_empty(), !path.contains("artifactType"), "{next}");
        assert_eq!((&page.json()["schemaVersion"], &page.json()["mediaType"]), (&json!(2), &json!(known::OCI_INDEX)));
        found.push(page.json()["manifests"].as_array().unwrap().clone());
        next = page.next();
        assert!(found.len() < 50, "the pages end");
    }
    found
}

#[tokio::test]
async fn a_descriptor_says_what_the_referrer_is() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let subject = push_image(&app, "a/b", "v1", "the subject").await;
    let about = json!({"subject": descriptor(known::OCI_MANIFEST, &subject, 7)});
    let notes = json!({"org.example.ü": "ä \"quoted\" \n", "": "", "org.opencontainers.image.created": "2022"});
    let typed = image(&config, &json!({"subject": about["subject"], "annotations": notes}));
    let untyped = image(&config, &json!({"subject": about["subject"], "artifactType": null}));
    let empty_type = image(&config, &json!({"subject": about["subject"], "artifactType": ""}));
    let list = index(&[], &json!({"subject": about["subject"], "artifactType": "application/vnd.example.list"}));
    let untyped_list = index(&[], &json!({"subject": about["subject"], "annotations": {"kind": "list"}}));
    let expected = [
        (&typed, known::OCI_MANIFEST, Some(THING), Some(notes)),
        (&untyped, known::OCI_MANIFEST, Some("application/json"), None),
        (&list, known::OCI_INDEX, Some("application/vnd.example.list"), None),
        (&untyped_list, known::OCI_INDEX, None, Some(json!({"kind": "list"}))),
    ];
    for (bytes, media_type, ..) in &expected {
        push(&app, media_type, bytes, &subject).await;
    }
    let found = pages(&app, &format!("/v2/a/b/referrers/{subject}")).await.concat();
    assert_eq!(found.len(), expected.len());
    for (bytes, media_type, artifact_type, annotations) in expected {
        let entry = found.iter().find(|entry| entry["digest"] == json!(Digest::sha256(bytes))).unwrap();
        assert_eq!((&entry["mediaType"], &entry["size"]), (&json!(media_type), &json!(bytes.len())));
        assert_eq!(entry.get("artifactType"), artifact_type.map(Value::from).as_ref());
        assert_eq!(entry.get("annotations").cloned(), annotations);
    }
    // An empty type is as good as none.
    push(&app, known::OCI_MANIFEST, &empty_type, &subject).await;
    let found = pages(&app, &format!("/v2/a/b/referrers/{subject}?artifactType=application/json")).await.concat();
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn pages_lead_through_all_of_it_once_filtered_or_not() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let subject = Digest::sha256(b"a subject");
    let mut digests = vec![];
    for number in 0..7 {
        let kind = format!("application/vnd.example.kind+{}", number % 2);
        let about = descriptor(known::OCI_MANIFEST, &subject, 7);
        let bytes =
            image(&config, &json!({"subject": about, "artifactType": kind, "annotations": {"n": "x".repeat(number)}}));
        digests.push(push(&app, known::OCI_MANIFEST, &bytes, &subject).await);
    }
    let listed = |found: Vec<Vec<Value>>| {
        let mut digests: Vec<_> = found.concat().iter().map(|e| e["digest"].as_str().unwrap().to_owned()).collect();
        digests.sort();
        digests
    };
    let path = format!("/v2/a/b/referrers/{subject}");
    for (filter, parity) in [("", None), ("artifactType=application/vnd.example.kind%2B1", Some(1))] {
        let mut expected: Vec<_> = digests
            .iter()
            .enumerate()
            .filter(|(number, _)| parity.is_none_or(|parity| number % 2 == parity))
            .map(|(_, digest)| digest.to_string())
            .collect();
        expected.sort();
        for n in 1..=8 {
            let found = pages(&app, &format!("{path}?{filter}&n={n}")).await;
            assert!(found.iter().rev().skip(1).all(|page| page.len() == n), "{filter} {n}");
            assert_eq!(listed(found), expected, "{filter} {n}");
        }
    }
    let several = "artifactType=application/vnd.example.kind%2B1&artifactType=application/vnd.example.kind%2B0&n=3";
    assert_eq!(listed(pages(&app, &format!("{path}?{several}")).await).len(), 7);
    let other = pages(&app, &format!("{path}?artifactType=application/vnd.example.other")).await;
    assert_eq!(other, [vec![Value::Null; 0]]);
    for wrong in ["?last=x", "?n=x", "?artifactType=no-type", "?last=sha256:00"] {
        assert_eq!(app.get(&format!("{path}{wrong}")).await.error().0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_page_is_no_larger_than_a_manifest_and_nothing_is_left_out() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let subject = Digest::sha256(b"a subject");
    let about = descriptor(known::OCI_MANIFEST, &subject, 7);
    let filled = |length: usize, note: &str| {
        let text = |length| "x".repeat(length);
        let make = |fill| {
            let notes = json!({"fill": text(fill), "note": note});
            image(&config, &json!({"subject": about, "annotations": notes}))
        };
        make(length - make(0).len())
    };
    let limit = 4 * 1024 * 1024;
    // One is as large as a manifest may be; of the others not even two go into one answer.
    let mut expected = vec![];
    for (length, note) in [(limit, "full"), (3_000_000, "a"), (3_000_000, "b"), (1_000, "small")] {
        let bytes = filled(length, note);
        assert_eq!(bytes.len(), length);
        expected.push(push(&app, known::OCI_MANIFEST, &bytes, &subject).await.to_string());
    }
    let found = pages(&app, &format!("/v2/a/b/referrers/{subject}")).await;
    let mut listed: Vec<_> = found.concat().iter().map(|e| e["digest"].as_str().unwrap().to_owned()).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    for page in &found {
        let size = serde_json::to_vec(page).unwrap().len();
        assert!(size < limit + 1_000 && !page.is_empty(), "{size}");
    }
}

#[tokio::test]
async fn a_list_is_there_whatever_is_not() {
    let app = TestApp::spawn().await;
    let empty = json!({"schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": []});
    let subject = Digest::sha256(b"a subject");
    app.push_blob("a/b", b"x").await;
    for path in [format!("/v2/no/where/referrers/{subject}"), format!("/v2/a/b/referrers/{subject}")] {
        let answer = app.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, known::OCI_INDEX));
        assert_eq!((answer.json(), answer.header("link")), (empty.clone(), ""));
    }
    for digest in ["sha256:bad", "latest", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:"] {
        let refused = app.get(&format!("/v2/a/b/referrers/{digest}")).await;
        assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()), "{digest}");
    }
}

#[tokio::test]
async fn a_list_is_of_its_repository_and_goes_with_its_entries() {
    let app = TestApp::spawn().await;
    let subject = push_image(&app, "a/b", "v1", "the subject").await;
    push_image(&app, "a/c", "v1", "the subject").await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({"subject": descriptor(known::OCI_MANIFEST, &subject, 7)}));
    let digest = push(&app, known::OCI_MANIFEST, &bytes, &subject).await;
    assert_eq!(pages(&app, &format!("/v2/a/b/referrers/{subject}")).await.concat().len(), 1);
    assert!(pages(&app, &format!("/v2/a/c/referrers/{subject}")).await.concat().is_empty());
    // Its subject may go; the list stays until its entries go.
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/b/manifests/{subject}"), &[], b"").await.status, 202);
    assert_eq!(pages(&app, &format!("/v2/a/b/referrers/{subject}")).await.concat().len(), 1);
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/b/manifests/{digest}"), &[], b"").await.status, 202);
    assert!(pages(&app, &format!("/v2/a/b/referrers/{subject}")).await.concat().is_empty());
}

#[tokio::test]
async fn what_a_client_lists_in_a_tag_is_in_the_list_once() {
    let app = TestApp::spawn().await;
    let subject = push_image(&app, "a/b", "v1", "the subject").await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({"subject": descriptor(known::OCI_MANIFEST, &subject, 7)}));
    let digest = push(&app, known::OCI_MANIFEST, &bytes, &subject).await;
    let tag = subject.to_string().replace(':', "-");
    let list = index(&[descriptor(known::OCI_MANIFEST, &digest, bytes.len())], &json!({}));
    assert_eq!(app.put_manifest("a/b", &tag, known::OCI_INDEX, &list).await.status, 201);
    let found = pages(&app, &format!("/v2/a/b/referrers/{subject}")).await.concat();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["digest"], json!(digest));
}
