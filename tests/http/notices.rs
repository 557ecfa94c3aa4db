//! Versions that were yanked or deprecated: still there for who names them, with a warning, and what is refused.

use agent_registry::package::Artifact;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, agent};
use crate::documents::push_image;

const NAME: &str = "team/writer";

async fn push(app: &TestApp, version: &str) -> Artifact {
    let artifact = agent("writer", version, "");
    assert_eq!(app.push_package(NAME, &version.replace('+', "_"), &artifact).await.status, 201);
    artifact
}

/// Asks for a change of what is said.
async fn say(app: &TestApp, method: Method, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
    let path = format!("/api/v1/packages/{path}");
    app.send(method, &path, &[("content-type", "application/json")], &body).await
}

async fn said(app: &TestApp, method: Method, path: &str, body: &Value) -> Value {
    let answer = say(app, method, path, body).await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

/// The warnings of a pull by GET, which must be those of HEAD and of an answer without body.
async fn warnings(app: &TestApp, target: &str) -> Vec<String> {
    let path = format!("/v2/{NAME}/manifests/{target}");
    let read = |answer: &Answer| -> Vec<String> {
        answer.headers.get_all("warning").iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into()).collect()
    };
    let got = app.get(&path).await;
    assert_eq!(got.status, 200, "{target}");
    let head = app.send(Method::HEAD, &path, &[], b"").await;
    let known = app.send(Method::GET, &path, &[("if-none-match", got.header("etag"))], b"").await;
    assert_eq!((head.status.as_u16(), known.status.as_u16()), (200, 304));
    assert_eq!((read(&head), read(&known)), (read(&got), read(&got)), "{target}");
    let may_be_kept = got.header("cache-control").contains("immutable");
    assert_eq!(may_be_kept, target.contains(':') && read(&got).is_empty(), "{target}");
    read(&got)
}

#[tokio::test]
async fn a_yanked_version_is_still_there_with_a_warning() {
    let app = TestApp::spawn().await;
    let one = push(&app, "1.0.0").await;
    let two = push(&app, "2.0.0").await;
    assert_eq!(app.push_manifest(NAME, "latest", two.manifest()).await.status, 201);
    let (one_digest, two_digest) = (one.manifest().digest().to_string(), two.manifest().digest().to_string());
    let path = format!("{NAME}/versions/2.0.0/yank");
    let state = said(&app, Method::PUT, &path, &json!({"message": "loses \"long\" texts"})).await;
    assert_eq!(state["yanked"]["message"], "loses \"long\" texts");
    assert_eq!(state["deprecated"], Value::Null);
    let warning = r#"299 - "version 2.0.0 of team/writer was yanked: loses \"long\" texts""#;
    for target in ["2.0.0", "latest", &two_digest] {
        assert_eq!(warnings(&app, target).await, [warning], "{target}");
        let got = app.get(&format!("/v2/{NAME}/manifests/{target}")).await;
        assert_eq!(got.body, two.manifest().bytes()[..], "{target}");
    }
    for target in ["1.0.0", &one_digest] {
        assert_eq!(warnings(&app, target).await, [""; 0], "{target}");
    }
    assert_eq!(app.get("/api/v1/packages/team/writer").await.json()["version"], "1.0.0", "it stands for nothing");

    let app = app.restarted().await;
    assert_eq!(warnings(&app, "2.0.0").await, [warning]);
    assert_eq!(said(&app, Method::PUT, &path, &json!({})).await["yanked"]["message"], "");
    assert_eq!(warnings(&app, "2.0.0").await, [r#"299 - "version 2.0.0 of team/writer was yanked""#]);
    for _ in 0..2 {
        assert_eq!(said(&app, Method::DELETE, &path, &Value::Null).await, json!({}));
        assert_eq!(warnings(&app, &two_digest).await, [""; 0]);
    }
    assert_eq!(app.get("/api/v1/packages/team/writer").await.json()["version"], "2.0.0");
}

#[tokio::test]
async fn deprecations_name_what_to_use_instead_of_a_version_or_of_all() {
    let app = TestApp::spawn().await;
    let one = push(&app, "1.0.0").await;
    push(&app, "2.0.0+b.1").await;
    push_image(&app, NAME, "sbom", "of the same repository").await;
    let all = json!({"message": "no longer kept", "superseded_by": "team/author"});
    said(&app, Method::PUT, &format!("{NAME}/deprecation"), &all).await;
    let state =
        said(&app, Method::PUT, &format!("{NAME}/versions/1.0.0/deprecation"), &json!({"message": "slow"})).await;
    assert_eq!(state["deprecated"]["message"], "slow", "its own goes before");
    let of_all = r#"299 - "team/writer is deprecated: no longer kept; use team/author instead""#;
    let of_one = r#"299 - "version 1.0.0 of team/writer is deprecated: slow""#;
    assert_eq!(warnings(&app, "2.0.0_b.1").await, [of_all]);
    assert_eq!(warnings(&app, "1.0.0").await, [of_one]);
    assert_eq!(warnings(&app, "sbom").await, [""; 0], "what is no package is not meant");
    said(&app, Method::PUT, &format!("{NAME}/versions/1.0.0/yank"), &json!({"message": "bad"})).await;
    let yanked = r#"299 - "version 1.0.0 of team/writer was yanked: bad""#;
    assert_eq!(warnings(&app, &one.manifest().digest().to_string()).await, [yanked, of_one]);

    let left = said(&app, Method::DELETE, &format!("{NAME}/versions/1.0.0/deprecation"), &Value::Null).await;
    assert_eq!(left["deprecated"]["superseded_by"], "team/author", "that of all stays");
    assert_eq!(warnings(&app, "1.0.0").await, [yanked, of_all]);
    assert_eq!(said(&app, Method::DELETE, &format!("{NAME}/deprecation"), &Value::Null).await, json!({}));
    assert_eq!(warnings(&app, "2.0.0_b.1").await, [""; 0]);
}

#[tokio::test]
async fn what_is_said_stays_with_a_version_that_moves_and_goes_with_it() {
    let app = TestApp::spawn().await;
    let (one, path) = (push(&app, "1.0.0").await, format!("{NAME}/versions/1.0.0/yank"));
    said(&app, Method::PUT, &path, &json!({"message": "bad"})).await;
    let other = agent("writer", "1.0.0", "  description: Other bytes\n");
    assert_eq!(app.push_package(NAME, "1.0.0", &other).await.status, 201);
    assert_eq!(warnings(&app, "1.0.0").await.len(), 1);
    assert_eq!(warnings(&app, &one.manifest().digest().to_string()).await, [""; 0], "it is that version no more");
    assert_eq!(app.send(Method::DELETE, "/v2/team/writer/manifests/1.0.0", &[], b"").await.status, 202);
    assert_eq!(app.push_package(NAME, "1.0.0", &other).await.status, 201);
    assert_eq!(warnings(&app, "1.0.0").await, [""; 0], "another one of the name is not meant");
}

#[tokio::test]
async fn nothing_is_said_that_cannot_be_kept_and_of_nothing_that_is_not_there() {
    let app = TestApp::spawn().await;
    push(&app, "1.0.0").await;
    push_image(&app, NAME, "3.0.0", "no package").await;
    push_image(&app, "team/image", "1.0.0", "no package").await;
    let yank = |version: &str| format!("{NAME}/versions/{version}/yank");
    let deprecation = format!("{NAME}/versions/1.0.0/deprecation");
    let good = json!({"message": "x"});
    for (path, body, status, word) in [
        (yank("1.0.0"), json!({"message": "x".repeat(1_025)}), 400, "1024 bytes"),
        (yank("1.0.0"), json!({"message": "a\r\nWarning: b"}), 400, "control characters"),
        (yank("1.0.0"), json!({"message": "x", "superseded_by": "a/b"}), 400, "superseded_by"),
        (yank("1.0.0"), json!({"massage": "x"}), 400, "massage"),
        (yank("latest"), good.clone(), 400, "no semantic version"),
        (yank("^1"), good.clone(), 400, "no semantic version"),
        (yank("9.9.9"), good.clone(), 404, "9.9.9"),
        (yank("3.0.0"), good.clone(), 404, "no agent package"),
        ("team/none/versions/1.0.0/yank".to_owned(), good.clone(), 404, "does not exist"),
        ("team/image/deprecation".to_owned(), good.clone(), 404, "no agent package"),
        (deprecation.clone(), json!({"message": "x", "superseded_by": "Not A Name"}), 400, "superseded_by"),
        (deprecation, json!({"message": "x", "superseded_by": "a b\r\n"}), 400, "superseded_by"),
    ] {
        let answer = say(&app, Method::PUT, &path, &body).await;
        assert_eq!(answer.status, status, "{path} {body}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(word), "{path}: {detail}");
    }
    assert_eq!(warnings(&app, "1.0.0").await, [""; 0]);
    let exact = "é".repeat(512);
    said(&app, Method::PUT, &yank("1.0.0"), &json!({"message": exact})).await;
    assert_eq!(warnings(&app, "1.0.0").await, [format!("299 - \"version 1.0.0 of {NAME} was yanked: {exact}\"")]);
    said(&app, Method::PUT, &yank("1.0.0"), &json!({"message": "\u{202e}gpj.exe\\"})).await;
    assert_eq!(warnings(&app, "1.0.0").await, [r#"299 - "version 1.0.0 of team/writer was yanked:  gpj.exe\\""#]);
}

#[tokio::test]
async fn the_audit_knows_who_said_what_once() {
    let app = TestApp::with_accounts().await;
    let token = format!("Bearer {}", app.admin);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    app.push_package_as(&app.admin, "admin/writer", "1.0.0", &agent("writer", "1.0.0", "")).await;
    let at = "/api/v1/packages/admin/writer";
    for (method, path) in [
        (Method::PUT, format!("{at}/versions/1.0.0/yank")),
        (Method::PUT, format!("{at}/versions/1.0.0/yank")),
        (Method::DELETE, format!("{at}/versions/1.0.0/yank")),
        (Method::PUT, format!("{at}/versions/1.0.0/deprecation")),
        (Method::DELETE, format!("{at}/versions/1.0.0/deprecation")),
        (Method::PUT, format!("{at}/deprecation")),
        (Method::DELETE, format!("{at}/deprecation")),
        (Method::DELETE, format!("{at}/deprecation")),
    ] {
        let body = if method == Method::PUT { b"{}".as_slice() } else { b"" };
        assert_eq!(app.send(method, &path, &headers, body).await.status, 200, "{path}");
    }
    let audit = app.send(Method::GET, "/api/v1/audit?limit=100", &headers[..1], b"").await.json();
    let entries: Vec<_> = audit["items"].as_array().unwrap().iter().rev().collect();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["object"].as_str().unwrap()))
        .filter(|line| line.contains("yank") || line.contains("deprecate"))
        .collect();
    let expected = [
        "version.yank admin/writer:1.0.0",
        "version.unyank admin/writer:1.0.0",
        "version.deprecate admin/writer:1.0.0",
        "version.undeprecate admin/writer:1.0.0",
        "package.deprecate admin/writer",
        "package.undeprecate admin/writer",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn search_and_lists_leave_out_what_was_yanked_and_say_what_is_deprecated() {
    let app = TestApp::spawn().await;
    push(&app, "1.0.0").await;
    push(&app, "2.0.0").await;
    let found = async || {
        let page = app.get("/api/v1/packages?q=writer&fresh=true").await.json();
        let line =
            |hit: &Value| format!("{} {}", hit["version"].as_str().unwrap(), hit["state"]["deprecated"]["message"]);
        page["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(found().await, ["2.0.0 null"]);
    said(&app, Method::PUT, &format!("{NAME}/versions/1.0.0/deprecation"), &json!({"message": "old"})).await;
    for (version, left) in [("2.0.0", vec!["1.0.0 \"old\""]), ("1.0.0", vec![])] {
        said(&app, Method::PUT, &format!("{NAME}/versions/{version}/yank"), &json!({"message": "bad"})).await;
        assert_eq!(found().await, left, "{version}");
    }
    let versions = app.get(&format!("/api/v1/packages/{NAME}/versions")).await.json();
    let states: Vec<_> = versions["items"].as_array().unwrap().iter().map(|hit| hit["state"].clone()).collect();
    assert!(states.iter().all(|state| state["yanked"]["message"] == "bad"), "{states:?}");
    assert_eq!(states[1]["deprecated"]["message"], "old");
    assert_eq!(warnings(&app, "2.0.0").await.len(), 1, "it is there for who names it");
    said(&app, Method::DELETE, &format!("{NAME}/versions/2.0.0/yank"), &Value::Null).await;
    assert_eq!(found().await, ["2.0.0 null"]);
}
