//! What one may not read does not exist: by digest, by name, in every form of request, for everyone without a right.

use reqwest::Method;
use serde_json::json;

use crate::access_actors::{Actor, Image};
use crate::app::{Answer, TestApp};

/// Everything of an answer but what is different in every answer.
fn comparable(answer: &Answer) -> (u16, Vec<String>, String) {
    let id = answer.header("x-request-id").to_owned();
    let headers = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    let plain = |text: String| text.replace("absent", "secret").replace(&id, "ID");
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    (answer.status.as_u16(), headers.into_iter().map(plain).collect(), plain(body))
}

/// Requests about `ada/NAME`; of an image that is there.
fn requests(image: &Image) -> Vec<(Method, String)> {
    let (layer, manifest) = (image.layer, image.manifest);
    let upload = "0191e7d2-7b1c-4a9e-8f00-000000000000";
    let v2 = [
        (Method::GET, "tags/list".to_owned()),
        (Method::GET, "tags/list?n=1&last=a".to_owned()),
        (Method::GET, format!("referrers/{manifest}")),
        (Method::GET, "manifests/v1".to_owned()),
        (Method::HEAD, "manifests/v1".to_owned()),
        (Method::GET, format!("manifests/{manifest}")),
        (Method::HEAD, format!("manifests/{manifest}")),
        (Method::GET, format!("blobs/{layer}")),
        (Method::HEAD, format!("blobs/{layer}")),
        (Method::PUT, "manifests/v1".to_owned()),
        (Method::PUT, format!("manifests/{manifest}?tag=v2")),
        (Method::DELETE, "manifests/v1".to_owned()),
        (Method::DELETE, format!("manifests/{manifest}")),
        (Method::DELETE, format!("blobs/{layer}")),
        (Method::POST, "blobs/uploads/".to_owned()),
        (Method::POST, format!("blobs/uploads/?digest={layer}")),
        (Method::POST, format!("blobs/uploads/?mount={layer}")),
        (Method::POST, format!("blobs/uploads/?mount={layer}&from=bob/own")),
        (Method::GET, format!("blobs/uploads/{upload}")),
        (Method::PATCH, format!("blobs/uploads/{upload}")),
        (Method::PUT, format!("blobs/uploads/{upload}?digest={layer}")),
        (Method::DELETE, format!("blobs/uploads/{upload}")),
    ];
    let v2 = v2.into_iter().map(|(method, rest)| (method, format!("/v2/ada/NAME/{rest}")));
    let api = [
        (Method::GET, "packages/ada/NAME"),
        (Method::GET, "packages/ada/NAME/versions"),
        (Method::GET, "packages/ada/NAME/versions/1.0.0"),
        (Method::GET, "packages/ada/NAME/resolve?range=*"),
        (Method::GET, "repositories/ada/NAME"),
        (Method::PUT, "repositories/ada/NAME"),
        (Method::GET, "permissions?repository=ada/NAME"),
        (Method::PUT, "permissions"),
        (Method::DELETE, "permissions?repository=ada/NAME&user=bob"),
        (Method::GET, "permissions/explain?user=bob&action=pull&repository=ada/NAME"),
        (Method::GET, "tag-rules?repository=ada/NAME"),
        (Method::PUT, "tag-rules?repository=ada/NAME"),
        (Method::DELETE, "tag-rules?repository=ada/NAME"),
        (Method::GET, "publishers?repository=ada/NAME"),
        (Method::POST, "publishers?repository=ada/NAME"),
    ];
    v2.chain(api.map(|(method, path)| (method, format!("/api/v1/{path}")))).collect()
}

/// Asks with a body that would do, were the repository there and theirs.
async fn ask(actor: &Actor<'_>, method: &Method, path: &str, name: &str) -> Answer {
    let body = match path.strip_prefix("/api/v1/").unwrap_or_default().split(['/', '?']).next() {
        Some("repositories") => json!({"visibility": "public"}),
        Some("permissions") => {
            json!({"repository": format!("ada/{name}"), "grantee": {"user": "bob"}, "level": "read"})
        }
        Some("tag-rules") => json!({"rules": []}),
        Some("publishers") => json!({"issuer": "https://ci.example.com", "claims": {"a": "b"}}),
        _ => json!({}),
    };
    let headers = [("content-type", "application/json"), ("range", "bytes=0-3")];
    let body = if method == Method::GET || method == Method::HEAD { String::new() } else { body.to_string() };
    actor.send(method.clone(), &path.replace("NAME", name), &headers, body.as_bytes()).await
}

#[tokio::test]
async fn missing_and_hidden_get_the_same_answer_to_everything() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let image = ada.push_image("ada/secret", "v1", b"the content of the secret").await;
    bob.push_image("bob/own", "v1", b"something of bob's").await;
    ada.push_image("ada/elsewhere", "v1", b"elsewhere").await;
    let grant = json!({"repository": "ada/elsewhere", "grantee": {"user": "bob"}, "level": "admin"});
    ada.must(Method::PUT, "/permissions", grant).await;
    let scope = "repository:ada/secret:*&scope=repository:ada/absent:*&scope=registry:catalog:*";
    let elsewhere = json!({"name": "elsewhere", "repositories": ["ada/elsewhere", "bob/**"]});
    let callers = [
        ("nobody", app.nobody()),
        ("nobody's short token", app.nobody().short(scope).await),
        ("a stranger's short token", bob.short(scope).await),
        ("a stranger", bob),
        ("the owner with a token for other repositories", app.token("ada", elsewhere).await.1),
    ];
    for (who, caller) in callers {
        for (method, path) in requests(&image) {
            let hidden = ask(&caller, &method, &path, "secret").await;
            let missing = ask(&caller, &method, &path, "absent").await;
            assert_eq!(comparable(&hidden), comparable(&missing), "{who}: {method} {path}");
            assert!(hidden.status.is_client_error(), "{who}: {method} {path}: {}", hidden.status);
        }
    }
    assert_eq!(ada.reads("/v2/ada/secret/manifests/v1").await, 200, "it was there all the time");
    assert_eq!(ada.reads("/v2/ada/absent/manifests/v1").await, 404, "and the other one is not");
}

#[tokio::test]
async fn a_digest_is_no_right_to_read() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let secret = ada.push_image("ada/secret", "v1", b"the content of the secret").await;
    bob.push_image("bob/own", "v1", b"something of bob's").await;
    let short = bob.short("repository:bob/own:pull,push&scope=repository:ada/secret:pull").await;
    for caller in [&bob, &short] {
        for path in [
            format!("/v2/bob/own/blobs/{}", secret.layer),
            format!("/v2/bob/own/manifests/{}", secret.manifest),
            format!("/v2/ada/secret/blobs/{}", secret.layer),
            format!("/v2/ada/secret/manifests/{}", secret.manifest),
        ] {
            for (method, headers) in [
                (Method::GET, vec![]),
                (Method::HEAD, vec![]),
                (Method::GET, vec![("range", "bytes=0-3")]),
                (Method::GET, vec![("if-none-match", "*")]),
                (Method::HEAD, vec![("if-match", "*")]),
            ] {
                let answer = caller.send(method.clone(), &path, &headers, b"").await;
                assert!([401, 404].contains(&answer.status.as_u16()), "{method} {path} {headers:?}: {}", answer.status);
                assert!(!String::from_utf8_lossy(&answer.body).contains("the content"), "{method} {path}");
                assert_eq!(answer.header("docker-content-digest"), "", "{method} {path}");
            }
        }
    }
    // A manifest that names the blob of somebody else brings nothing along.
    assert_eq!(bob.put_manifest("bob/own", "stolen", &secret.bytes).await, 404);
    let referrer = json!({
        "schemaVersion": 2, "mediaType": crate::access_actors::MANIFEST, "artifactType": "a/b",
        "config": {"mediaType": "a/b", "size": 18, "digest": agent_registry::oci::Digest::sha256(b"something of bob's").to_string()},
        "layers": [], "subject": {"mediaType": crate::access_actors::MANIFEST, "size": secret.bytes.len(), "digest": secret.manifest.to_string()},
    });
    assert_eq!(bob.put_manifest("bob/own", "about", referrer.to_string().as_bytes()).await, 201);
    let about = ada.get(&format!("/v2/ada/secret/referrers/{}", secret.manifest)).await.json();
    assert_eq!(about["manifests"], json!([]), "and says nothing in the repository of somebody else");
}
