//! Manifests of every kind come back as they went in: OCI and Docker, nested, empty, large, with unknown fields.

use agent_registry::oci::{Digest, MAX_MANIFEST_BYTES, known};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::app::{TestApp, agent};
use crate::documents::{LAYER, descriptor, image, index};

/// Pushes by digest and tag; both give the same bytes and type again.
async fn round_trip(app: &TestApp, tag: &str, media_type: &str, bytes: &[u8]) {
    let digest = Digest::sha256(bytes);
    let pushed = app.put_manifest("a/b", &format!("{digest}?tag={tag}"), media_type, bytes).await;
    assert_eq!(pushed.status, 201, "{tag}: {}", String::from_utf8_lossy(&pushed.body));
    for target in [tag.to_owned(), digest.to_string()] {
        let path = format!("/v2/a/b/manifests/{target}");
        // No wish of the client changes what was pushed.
        for accept in ["", "*/*", "application/json", known::OCI_MANIFEST, known::DOCKER_MANIFEST, "text/html;q=0.5"] {
            let got = app.send(Method::GET, &path, &[("accept", accept)], b"").await;
            assert_eq!((got.status.as_u16(), got.header("content-type")), (200, media_type), "{tag} {accept}");
            assert_eq!(got.body, bytes, "{tag}");
            assert_eq!(got.header("docker-content-digest"), digest.to_string());
        }
        let head = app.send(Method::HEAD, &path, &[], b"").await;
        assert_eq!((head.status.as_u16(), head.header("content-type")), (200, media_type));
        assert_eq!(head.header("content-length"), bytes.len().to_string());
    }
}

#[tokio::test]
async fn docker_images_and_lists_stay_docker() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let layer = app.push_blob("a/b", b"a layer").await;
    let document = json!({
        "schemaVersion": 2, "mediaType": known::DOCKER_MANIFEST,
        "config": descriptor(known::DOCKER_CONFIG, &config, 2),
        "layers": [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", &layer, 7)],
    });
    let manifest = serde_json::to_vec_pretty(&document).unwrap();
    round_trip(&app, "image", known::DOCKER_MANIFEST, &manifest).await;
    let mut child = descriptor(known::DOCKER_MANIFEST, &Digest::sha256(&manifest), manifest.len());
    child["platform"] = json!({"architecture": "arm64", "os": "linux", "variant": "v8", "features": ["sse4"]});
    let list = json!({"schemaVersion": 2, "mediaType": known::DOCKER_LIST, "manifests": [child]});
    round_trip(&app, "list", known::DOCKER_LIST, &serde_json::to_vec_pretty(&list).unwrap()).await;
    // One type is not taken for another.
    let refused = app.put_manifest("a/b", "wrong", known::OCI_MANIFEST, &manifest).await;
    assert_eq!(refused.error(), (400, "MANIFEST_INVALID".into()));
    let old = json!({"schemaVersion": 1, "name": "a/b", "tag": "old", "fsLayers": []}).to_string();
    let v1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    assert_eq!(app.put_manifest("a/b", "old", v1, old.as_bytes()).await.error(), (400, "MANIFEST_INVALID".into()));
}

#[tokio::test]
async fn odd_but_valid_manifests_are_taken_as_they_are() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let nobody = Digest::sha256(b"nobody has this");
    let mut elsewhere = descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", &nobody, 9);
    elsewhere["urls"] = json!(["https://example.com/layer"]);
    let mut inline = descriptor(known::OCI_EMPTY, &config, 2);
    inline["data"] = json!("e30=");
    let subject = descriptor(known::OCI_MANIFEST, &nobody, 9);
    for (tag, more) in [
        ("unknown-fields", json!({"x": {"y": [1, 2.5, null]}, "layers": []})),
        ("data", json!({"layers": [inline]})),
        ("elsewhere", json!({"layers": [elsewhere]})),
        ("no-layers", json!({"layers": null})),
        ("subject", json!({"subject": subject})),
        ("unknown-type", json!({"artifactType": "application/vnd.nobody.knows+x"})),
        ("unicode", json!({"annotations": {"ключ": "värde 🦀 \u{1}"}})),
    ] {
        round_trip(&app, tag, known::OCI_MANIFEST, &image(&config, &more)).await;
    }
    let spaced = [b"\n  ".as_slice(), &image(&config, &json!({})), b"\r\n\t"].concat();
    round_trip(&app, "spaces", known::OCI_MANIFEST, &spaced).await;
    let empty = index(&[], &json!({}));
    round_trip(&app, "empty-index", known::OCI_INDEX, &empty).await;
    let nested = index(&[descriptor(known::OCI_INDEX, &Digest::sha256(&empty), empty.len())], &json!({}));
    round_trip(&app, "nested-index", known::OCI_INDEX, &nested).await;
    let sparse = index(&[descriptor(known::OCI_MANIFEST, &nobody, 9)], &json!({"subject": subject}));
    round_trip(&app, "sparse-index", known::OCI_INDEX, &sparse).await;
}

#[tokio::test]
async fn large_manifests_are_taken_up_to_four_mebibytes() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let annotations: Map<String, Value> =
        (0..390).map(|number| (format!("org.example.{number}"), json!("a".repeat(10_000)))).collect();
    let bytes = image(&config, &json!({"annotations": annotations}));
    assert!(bytes.len() > 3_900_000);
    round_trip(&app, "large", known::OCI_MANIFEST, &bytes).await;
    let base = image(&config, &json!({}));
    let padded = |size: usize| [base.as_slice(), &vec![b' '; size - base.len()]].concat();
    round_trip(&app, "largest", known::OCI_MANIFEST, &padded(MAX_MANIFEST_BYTES)).await;
    let refused = app.put_manifest("a/b", "larger", known::OCI_MANIFEST, &padded(MAX_MANIFEST_BYTES + 1)).await;
    assert_eq!(refused.error(), (413, "SIZE_INVALID".into()));
    assert_eq!(app.get("/v2/a/b/manifests/larger").await.status, 404);
}

#[tokio::test]
async fn parameters_of_the_type_are_cut_off() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    for (tag, sent) in [
        ("one", "application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
        ("two", "application/vnd.oci.image.manifest.v1+json;charset=\"utf-8\";x=y"),
        ("three", "Application/Vnd.OCI.Image.Manifest.v1+JSON"),
    ] {
        assert_eq!(app.put_manifest("a/b", tag, sent, &bytes).await.status, 201, "{sent}");
        let got = app.get(&format!("/v2/a/b/manifests/{tag}")).await;
        assert_eq!(got.header("content-type"), known::OCI_MANIFEST, "{sent}");
    }
    // Without a field of its own a manifest is what its request said it is.
    for (tag, field) in [("silent", Value::Null), ("empty", json!(""))] {
        let silent = image(&config, &json!({ "mediaType": field }));
        round_trip(&app, tag, known::OCI_MANIFEST, &silent).await;
    }
}

#[test]
fn an_agent_says_what_it_is_and_names_its_blobs() {
    let artifact = agent("writer", "1.0.0", "");
    let document: Value = serde_json::from_slice(artifact.manifest().bytes()).unwrap();
    assert_eq!(document["mediaType"], known::OCI_MANIFEST);
    let named = std::iter::once(&document["config"]).chain(document["layers"].as_array().unwrap());
    let named: Vec<_> = named.map(|blob| blob["digest"].clone()).collect();
    let blobs: Vec<_> = artifact.blobs().iter().map(|blob| json!(blob.descriptor.digest)).collect();
    assert!(blobs.len() > 1 && blobs.iter().all(|digest| named.contains(digest)), "{named:?} {blobs:?}");
    assert!(named.iter().all(|digest| blobs.contains(digest)), "nothing is named that is not there");
}

#[tokio::test]
async fn who_takes_missing_layers_is_told_of_them() {
    use agent_registry::server::{Config, Manifests, MissingLayers};
    let accepting = Config {
        manifests: Manifests { missing_layers: MissingLayers::Accept },
        insecure_no_auth: true,
        ..Config::default()
    };
    let app = TestApp::with(accepting).await;
    let config = app.push_blob("a/b", b"{}").await;
    let layers: Vec<_> =
        (0..100).map(|n| descriptor(LAYER, &Digest::sha256(format!("layer {n}").as_bytes()), 7)).collect();
    let pushed = app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &image(&config, &json!({"layers": layers}))).await;
    let warnings: Vec<_> = pushed.headers.get_all("warning").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!((pushed.status.as_u16(), warnings.len()), (201, 1));
    // Code 299, agent `-`, one quoted text, and no date after it.
    let text = warnings[0].strip_prefix("299 - \"").unwrap().strip_suffix('"').unwrap();
    assert!(text.len() < 4096 && !text.contains('"') && text.contains("100"), "{text}");
    let whole = app.put_manifest("a/b", "v2", known::OCI_MANIFEST, &image(&config, &json!({}))).await;
    assert_eq!((whole.status.as_u16(), whole.header("warning")), (201, ""));
}
