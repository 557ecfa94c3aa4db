//! Errors of the distribution API: always the envelope, always a code of the fixed list, never a fault of the server.

use agent_registry::oci::{Digest, ErrorCode, known};
use reqwest::Method;

use crate::app::TestApp;

#[tokio::test]
async fn every_refusal_has_the_form_and_a_code_of_the_list() {
    let app = TestApp::spawn().await;
    app.push_blob("a/b", b"{}").await;
    let missing = Digest::sha256(b"missing");
    let bad = "sha256:bad";
    let upload = "/v2/a/b/blobs/uploads";
    let requests = [
        (Method::GET, "/v2/a/b/manifests/none".to_owned()),
        (Method::GET, "/v2/A/manifests/none".to_owned()),
        (Method::GET, format!("/v2/a/b/manifests/{bad}")),
        (Method::PUT, "/v2/a/b/manifests/v1".to_owned()),
        (Method::PUT, "/v2/a/b/manifests/.bad".to_owned()),
        (Method::DELETE, "/v2/a/b/manifests/none".to_owned()),
        (Method::DELETE, "/v2/a/none/manifests/none".to_owned()),
        (Method::POST, "/v2/a/b/manifests/none".to_owned()),
        (Method::GET, format!("/v2/a/b/blobs/{missing}")),
        (Method::GET, format!("/v2/a/b/blobs/{bad}")),
        (Method::DELETE, format!("/v2/a/b/blobs/{missing}")),
        (Method::DELETE, format!("/v2/a/none/blobs/{missing}")),
        (Method::PUT, format!("/v2/a/b/blobs/{missing}")),
        (Method::GET, "/v2/a/none/tags/list".to_owned()),
        (Method::GET, "/v2/a/b/tags/list?n=x".to_owned()),
        (Method::GET, "/v2/a/b/tags/list?last=%zz".to_owned()),
        (Method::DELETE, "/v2/a/b/tags/list".to_owned()),
        (Method::GET, format!("/v2/a/b/referrers/{bad}")),
        (Method::POST, format!("/v2/a/b/referrers/{missing}")),
        (Method::POST, format!("{upload}/?digest={bad}")),
        (Method::POST, format!("{upload}/?digest={missing}")),
        (Method::POST, format!("{upload}/?digest-algorithm=md5")),
        (Method::GET, format!("{upload}/")),
        (Method::GET, format!("{upload}/00000000-0000-4000-8000-000000000000")),
        (Method::PATCH, format!("{upload}/x")),
        (Method::PUT, format!("{upload}/x")),
        (Method::DELETE, format!("{upload}/x")),
        (Method::DELETE, "/v2/_catalog".to_owned()),
        (Method::GET, "/v2/nothing/here".to_owned()),
        (Method::TRACE, "/v2/a/b/tags/list".to_owned()),
    ];
    for (method, path) in requests {
        let answer = app.send(method.clone(), &path, &[], b"nonsense").await;
        assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "application/json", "{method} {path}");
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        let errors = body["errors"].as_array().unwrap();
        assert!(!errors.is_empty());
        for error in errors {
            let code = error["code"].as_str().unwrap();
            assert!(code.parse::<ErrorCode>().is_ok(), "{method} {path}: {code}");
            assert!(!error["message"].as_str().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn the_api_says_that_it_is_there() {
    let app = TestApp::spawn().await;
    for path in ["/v2/", "/v2"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"{}".as_slice()));
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
    }
}

#[tokio::test]
async fn a_refused_manifest_names_every_blob_that_lacks() {
    let app = TestApp::spawn().await;
    let lacking = [b"1", b"2"].map(|bytes| Digest::sha256(bytes));
    let layer = |digest: &Digest| crate::documents::descriptor(crate::documents::LAYER, digest, 1);
    let config = app.push_blob("a/b", b"{}").await;
    let layers = serde_json::json!({"layers": [layer(&lacking[0]), layer(&config), layer(&lacking[1])]});
    let bytes = crate::documents::image(&config, &layers);
    let refused = app.put_manifest("a/b", "v1", known::OCI_MANIFEST, &bytes).await;
    assert_eq!(refused.error(), (404, "MANIFEST_BLOB_UNKNOWN".into()));
    assert!(lacking.iter().all(|digest| refused.message().contains(&digest.to_string())), "{}", refused.message());
    assert!(!refused.message().contains(&config.to_string()));
}
