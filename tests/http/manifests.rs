//! Manifests: their bytes, tags, lists, referrers, and what is refused.

use agent_registry::oci::{Algorithm, Digest, known};
use agent_registry::server::{Config, Manifests, MissingLayers};
use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;
use crate::documents::image;

#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = [image(&config, &json!({"unknown": {"x": [1, 2]}})).as_slice(), b" \n"].concat();
    let digest = Digest::sha256(&bytes);
    let pushed = app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &bytes).await;
    assert_eq!((pushed.status.as_u16(), pushed.header("docker-content-digest")), (201, digest.to_string().as_str()));
    for target in ["v1", &digest.to_string()] {
        let path = format!("/v2/a/b/manifests/{target}");
        let got = app.get(&path).await;
        assert_eq!((got.body.as_slice(), got.header("content-type")), (bytes.as_slice(), known::OCI_MANIFEST));
        let head = app.send(Method::HEAD, &path, &[], b"").await;
        assert_eq!(head.header("content-length"), bytes.len().to_string());
        assert_eq!(head.header("docker-content-digest"), digest.to_string());
        let known = app.send(Method::GET, &path, &[("if-none-match", got.header("etag"))], b"").await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    }
    assert_eq!(app.get(pushed.header("location")).await.body, bytes);
    let app = app.restarted().await;
    assert_eq!(app.get("/v2/a/b/manifests/v1").await.body, bytes);
}

#[tokio::test]
async fn tags_come_in_pages_and_go_alone() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let digest = Digest::sha256(&bytes);
    let path = format!("{digest}?tag=1.0.0&tag=1.0&tag=latest");
    let pushed = app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await;
    let set: Vec<_> = pushed.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
    assert_eq!((pushed.status.as_u16(), set), (201, vec!["1.0.0", "1.0", "latest"]));

    let first = app.get("/v2/a/b/tags/list?n=2").await;
    assert_eq!(first.json(), json!({"name": "a/b", "tags": ["1.0", "1.0.0"]}));
    assert_eq!(first.header("link"), "</v2/a/b/tags/list?n=2&last=1.0.0>; rel=\"next\"");
    let rest = app.get("/v2/a/b/tags/list?n=2&last=1.0.0").await;
    assert_eq!((rest.json()["tags"].clone(), rest.header("link")), (json!(["latest"]), ""));
    // The tag to go on from need not exist.
    assert_eq!(app.get("/v2/a/b/tags/list?last=1.0.5").await.json()["tags"], json!(["latest"]));
    let none = app.get("/v2/a/b/tags/list?n=0").await;
    assert_eq!((none.json()["tags"].clone(), none.header("link")), (json!([]), ""));
    assert_eq!(app.get("/v2/a/b/tags/list?n=99999999999999999999").await.json()["tags"].as_array().unwrap().len(), 3);
    for n in ["-1", "x", "1.5", ""] {
        assert_eq!(app.get(&format!("/v2/a/b/tags/list?n={n}")).await.status, 400, "{n}");
    }
    assert_eq!(app.get("/v2/a/none/tags/list").await.error(), (404, "NAME_UNKNOWN".into()));
    assert_eq!(app.get("/v2/_catalog").await.json(), json!({"repositories": ["a/b"]}));

    assert_eq!(app.send(Method::DELETE, "/v2/a/b/manifests/latest", &[], b"").await.status, 202);
    assert_eq!(app.get("/v2/a/b/manifests/latest").await.error(), (404, "MANIFEST_UNKNOWN".into()));
    assert_eq!(app.get("/v2/a/b/manifests/1.0").await.status, 200);
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/b/manifests/{digest}"), &[], b"").await.status, 202);
    assert_eq!(app.get("/v2/a/b/manifests/1.0").await.status, 404);
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!([]));
}

#[tokio::test]
async fn too_many_tags_in_one_request_are_refused_whole() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let bytes = image(&config, &json!({}));
    let tags: Vec<_> = (0..100).map(|number| format!("tag=t{number}")).collect();
    let path = format!("{}?{}", Digest::sha256(&bytes), tags.join("&"));
    assert_eq!(app.put_manifest("a/b", &path, known::OCI_MANIFEST, &bytes).await.status, 414);
    assert_eq!(app.get(&format!("/v2/a/b/manifests/{}", Digest::sha256(&bytes))).await.status, 404);
}

#[tokio::test]
async fn referrers_are_listed_filtered_and_never_missing() {
    let app = TestApp::spawn().await;
    let subject = Digest::sha256(b"a subject that need not exist");
    let empty = app.get(&format!("/v2/nobody/here/referrers/{subject}")).await;
    assert_eq!((empty.status.as_u16(), empty.header("content-type")), (200, known::OCI_INDEX));
    assert_eq!(empty.json(), json!({"schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": []}));

    let config = app.push_blob("a/b", b"{}").await;
    for kind in ["application/vnd.example.one", "application/vnd.example.two"] {
        let about = json!({"mediaType": known::OCI_MANIFEST, "size": 7, "digest": subject});
        let bytes = image(&config, &json!({"artifactType": kind, "subject": about, "annotations": {"kind": kind}}));
        let digest = Digest::sha256(&bytes).to_string();
        let pushed = app.put_manifest("a/b", &digest, known::OCI_MANIFEST, &bytes).await;
        assert_eq!((pushed.status.as_u16(), pushed.header("oci-subject")), (201, subject.to_string().as_str()));
    }
    let path = format!("/v2/a/b/referrers/{subject}");
    assert_eq!(app.get(&path).await.json()["manifests"].as_array().unwrap().len(), 2);
    let one = app.get(&format!("{path}?artifactType=application/vnd.example.one")).await;
    assert_eq!(one.header("oci-filters-applied"), "artifactType");
    let listed = one.json();
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(listed["manifests"][0]["annotations"]["kind"], "application/vnd.example.one");
    let first = app.get(&format!("{path}?n=1")).await;
    let link = first.header("link").strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    let second = app.get(&link).await;
    assert_ne!(first.json()["manifests"][0]["digest"], second.json()["manifests"][0]["digest"]);
    assert_eq!(second.header("link"), "");
    assert_eq!(app.get("/v2/a/b/referrers/sha256:bad").await.error(), (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn what_a_manifest_needs_must_be_there_but_not_more() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let (missing, layer) = (Digest::sha256(b"missing"), "application/octet-stream");
    let lacking = image(&config, &json!({"layers": [{"mediaType": layer, "size": 7, "digest": missing}]}));
    let refused = app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &lacking).await;
    assert_eq!(refused.error(), (404, "MANIFEST_BLOB_UNKNOWN".into()));
    assert!(refused.message().contains(&missing.to_string()), "{}", refused.message());
    assert_eq!(app.get("/v2/a/b/manifests/v1").await.status, 404);

    let elsewhere = json!({"mediaType": layer, "size": 7, "digest": missing, "urls": ["https://example.com/x"]});
    let foreign = image(&config, &json!({"layers": [elsewhere]}));
    assert_eq!(app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &foreign).await.status, 201);
    let child = json!({"mediaType": known::OCI_MANIFEST, "size": 7, "digest": missing});
    let index = json!({"schemaVersion": 2, "mediaType": known::OCI_INDEX, "manifests": [child]}).to_string();
    assert_eq!(app.put_manifest("a/b", "v2", known::OCI_INDEX, index.as_bytes()).await.status, 201);
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_with_its_reason() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let good = image(&config, &json!({}));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (known::OCI_MANIFEST, b"no json".to_vec(), "not valid"),
        (known::OCI_MANIFEST, deep.into_bytes(), "128 levels"),
        (known::OCI_MANIFEST, image(&config, &json!({"manifests": []})), "both `manifests`"),
        (known::OCI_INDEX, good.clone(), "Content-Type"),
        (known::OCI_MANIFEST, image(&config, &json!({"schemaVersion": 1})), "schemaVersion 1"),
        ("text/html", good.clone(), "Content-Type"),
        (known::OCI_MANIFEST, Vec::new(), "not valid"),
    ];
    for (media_type, bytes, expected) in cases {
        let refused = app.put_manifest("a/b", "v1", media_type, &bytes).await;
        assert_eq!(refused.error(), (400, "MANIFEST_INVALID".into()), "{expected}");
        assert!(refused.message().contains(expected), "{expected}: {}", refused.message());
    }
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    assert_eq!(app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &large).await.error(), (413, "SIZE_INVALID".into()));
    let other = Digest::sha256(b"other").to_string();
    let refused = app.put_manifest("a/b", &other, known::OCI_MANIFEST, &good).await;
    assert_eq!(refused.error(), (400, "DIGEST_INVALID".into()));
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!([]));

    let full = [good.as_slice(), &vec![b' '; 4 * 1024 * 1024 - good.len()]].concat();
    let pushed = app.put_manifest("a/b", "full", known::OCI_MANIFEST, &full).await;
    assert_eq!(pushed.status, 201);
    let sha512 = Digest::of(Algorithm::Sha512, &good);
    let pushed = app.put_manifest("a/b", &format!("{sha512}?tag=x"), known::OCI_MANIFEST, &good).await;
    assert_eq!(pushed.header("docker-content-digest"), sha512.to_string());
    assert_eq!(app.get("/v2/a/b/manifests/x").await.header("docker-content-digest"), sha512.to_string());
}

#[tokio::test]
async fn conditions_hold_for_every_tag_or_nothing_moves() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("a/b", b"{}").await;
    let [one, two] = ["1", "2"].map(|note| image(&config, &json!({"annotations": {"note": note}})));
    let [first, second] = [&one, &two].map(|bytes| Digest::sha256(bytes));
    let put = async |target: &str, condition: (&str, &str), bytes: &[u8]| {
        let path = format!("/v2/a/b/manifests/{target}");
        app.send(Method::PUT, &path, &[("content-type", known::OCI_MANIFEST), condition], bytes).await
    };
    let quoted = |digest: &Digest| format!("\"{digest}\"");
    let at =
        async |tag: &str| app.get(&format!("/v2/a/b/manifests/{tag}")).await.header("docker-content-digest").to_owned();

    assert_eq!(put("v1", ("if-match", &quoted(&first)), &one).await.error(), (412, "DENIED".into()));
    assert_eq!(put("v1", ("if-none-match", "*"), &one).await.status, 201);
    let refused = put("v1", ("if-none-match", "*"), &two).await;
    assert_eq!(refused.error().0, 412);
    assert!(refused.message().contains(&first.to_string()), "{}", refused.message());
    assert_eq!(at("v1").await, first.to_string());
    assert_eq!(put("v1", ("if-match", &quoted(&first)), &two).await.status, 201);
    // The tag moved since it was read.
    assert_eq!(put("v1", ("if-match", &quoted(&first)), &one).await.status, 412);
    assert_eq!(at("v1").await, second.to_string());

    // One of several tags does not hold: none moves, and the manifest is not stored either.
    let three = image(&config, &json!({"annotations": {"note": "3"}}));
    let third = Digest::sha256(&three);
    let several = format!("{third}?tag=new&tag=v1");
    assert_eq!(put(&several, ("if-none-match", "*"), &three).await.status, 412);
    assert_eq!(app.get("/v2/a/b/manifests/new").await.status, 404);
    assert_eq!(app.get(&format!("/v2/a/b/manifests/{third}")).await.status, 404);
    assert_eq!(put(&third.to_string(), ("if-none-match", "*"), &three).await.status, 201);
    assert_eq!(put(&third.to_string(), ("if-none-match", "*"), &three).await.status, 412);
}

#[tokio::test]
async fn missing_layers_are_accepted_where_the_configuration_says_so() {
    let accepting = Config {
        manifests: Manifests { missing_layers: MissingLayers::Accept },
        insecure_no_auth: true,
        ..Config::default()
    };
    let app = TestApp::with(accepting).await;
    let bytes = image(&Digest::sha256(b"nowhere"), &json!({}));
    assert_eq!(app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &bytes).await.status, 201);
    assert_eq!(app.get("/v2/a/b/manifests/v1").await.body, bytes);
    // An agent package cannot be checked without its configuration.
    let agent = crate::app::agent("b", "1.0.0", "");
    assert_eq!(app.push_manifest("a/b", "v2", agent.manifest()).await.error(), (404, "MANIFEST_BLOB_UNKNOWN".into()));
}
