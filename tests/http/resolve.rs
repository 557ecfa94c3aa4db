//! Which version is meant: tags, versions, digests, `latest` and ranges, over REST.

use agent_registry::package::Artifact;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, agent};
use crate::documents::push_image;

const NAME: &str = "team/writer";

async fn push(app: &TestApp, tag: &str) -> Artifact {
    let artifact = agent("writer", &tag.replace('_', "+"), "");
    assert_eq!(app.push_package(NAME, tag, &artifact).await.status, 201);
    artifact
}

async fn push_all(app: &TestApp, tags: &[&str]) {
    for tag in tags {
        push(app, tag).await;
    }
}

async fn ask(app: &TestApp, name: &str, wanted: &str, pre: &str) -> Answer {
    let base = format!("{}/api/v1/packages/{name}/resolve", app.url);
    let mut parameters = vec![("version", wanted)];
    parameters.extend((!pre.is_empty()).then_some(("pre", pre)));
    app.get(reqwest::Url::parse_with_params(&base, parameters).unwrap().as_str()).await
}

/// The version that is meant, or the status and what is told.
async fn meant(app: &TestApp, wanted: &str) -> Result<String, (u16, String)> {
    read(&ask(app, NAME, wanted, "").await)
}

fn read(answer: &Answer) -> Result<String, (u16, String)> {
    let json = answer.json();
    if answer.status == 200 {
        return Ok(json["version"].as_str().unwrap_or("-").to_owned());
    }
    assert_eq!(answer.header("content-type"), "application/problem+json");
    Err((answer.status.as_u16(), json["detail"].as_str().unwrap().to_owned()))
}

async fn say(app: &TestApp, version: &str, what: &str) {
    let path = format!("/api/v1/packages/{NAME}/versions/{version}/{what}");
    let said = app.send(Method::PUT, &path, &[("content-type", "application/json")], b"{\"message\":\"bad\"}").await;
    assert_eq!(said.status, 200, "{}", String::from_utf8_lossy(&said.body));
}

#[tokio::test]
async fn every_way_to_name_a_version_leads_to_it() {
    let app = TestApp::spawn().await;
    push_all(&app, &["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0-rc.2", "1.3.0_b.1"]).await;
    let edge = push(&app, "0.9.0").await;
    assert_eq!(app.push_manifest(NAME, "edge", edge.manifest()).await.status, 201);
    for (wanted, expected) in [
        ("1.2.0", "1.2.0"),
        ("1.3.0+b.1", "1.3.0+b.1"),
        ("1.3.0_b.1", "1.3.0+b.1"),
        ("1.3.0", "1.3.0+b.1"),
        ("latest", "1.10.0"),
        ("*", "1.10.0"),
        ("^1.2", "1.10.0"),
        ("~1.2", "1.2.0"),
        ("1.x", "1.10.0"),
        ("1", "1.10.0"),
        (">=1,<1.3", "1.2.0"),
        (">=1, <1.3", "1.2.0"),
        ("^2.0.0-rc", "2.0.0-rc.2"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("edge", "0.9.0"),
        (&edge.manifest().digest().to_string(), "0.9.0"),
    ] {
        assert_eq!(meant(&app, wanted).await.as_deref(), Ok(expected), "{wanted}");
        // The record by the same text, with everything encoded.
        let encoded = wanted.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let record = app.get(&format!("/api/v1/packages/{NAME}/versions/{encoded}")).await;
        assert_eq!((record.status.as_u16(), record.json()["version"].as_str()), (200, Some(expected)), "{wanted}");
    }
    for (wanted, pre, expected) in [("*", "true", "2.0.0-rc.2"), ("^1", "true", "1.10.0"), ("*", "false", "1.10.0")] {
        assert_eq!(read(&ask(&app, NAME, wanted, pre).await).as_deref(), Ok(expected), "{wanted} {pre}");
    }
    // `>=2` begins with the first pre-release of 2.0.0, and `>=2.0.0` after the last one.
    for (path, expected) in [
        ("%3E%3D2?pre=true", json!("2.0.0-rc.2")),
        ("%3E%3D1?pre=true", json!("2.0.0-rc.2")),
        ("%3E%3D2.0.0?pre=true", Value::Null),
        ("%3E%3D2", Value::Null),
    ] {
        let record = app.get(&format!("/api/v1/packages/{NAME}/versions/{path}")).await;
        assert_eq!(record.json()["version"], expected, "{path}");
    }

    let resolved = ask(&app, NAME, "~1.3", "").await.json();
    assert_eq!((resolved["repository"].clone(), resolved["tag"].clone()), (json!(NAME), json!("1.3.0_b.1")));
    let manifest = app.get(&format!("/v2/{NAME}/manifests/1.3.0_b.1")).await;
    assert_eq!(resolved["digest"], manifest.header("docker-content-digest"));
    assert_eq!(resolved["state"], Value::Null);
    let by_tag = ask(&app, NAME, "edge", "").await.json();
    assert_eq!((by_tag["tag"].clone(), by_tag["version"].clone()), (json!("edge"), json!("0.9.0")));
    let by_digest = ask(&app, NAME, &edge.manifest().digest().to_string(), "").await.json();
    assert_eq!(by_digest["tag"], Value::Null);
}

#[tokio::test]
async fn what_is_meant_by_nothing_is_told_with_what_comes_near() {
    let app = TestApp::spawn().await;
    push_all(&app, &["1.0.0", "1.1.0", "2.0.0-rc.1", "3.0.0"]).await;
    say(&app, "1.1.0", "yank").await;
    for (wanted, expected) in [
        (
            "^2",
            "no version of team/writer matches `^2`; the nearest are 3.0.0, 2.0.0-rc.1 (a pre-release), 1.1.0 (yanked)",
        ),
        (
            "~1.1",
            "no version of team/writer matches `~1.1`; the nearest are 3.0.0, 2.0.0-rc.1 (a pre-release), 1.1.0 (yanked), 1.0.0",
        ),
        (
            "1.0.1",
            "team/writer has no tag or version `1.0.1`; the nearest are 2.0.0-rc.1 (a pre-release), 1.1.0 (yanked), 1.0.0",
        ),
        (
            "nightly",
            "team/writer has no tag or version `nightly`; the nearest are 3.0.0, 2.0.0-rc.1 (a pre-release), 1.1.0 (yanked), 1.0.0",
        ),
    ] {
        let (status, told) = meant(&app, wanted).await.unwrap_err();
        assert!(status == 404 && told.starts_with(expected), "{wanted}: {told}");
    }
    let digest = agent_registry::oci::Digest::sha256(b"nothing");
    assert_eq!(meant(&app, &digest.to_string()).await.unwrap_err().0, 404);
    for wanted in ["", "^", ">=1 <2", "sha256:12", "a b", "' OR 1=1 --", &"9".repeat(300), "../..", "\u{202e}"] {
        let (status, told) = meant(&app, wanted).await.unwrap_err();
        assert!(status == 400 && told.contains("write latest, 1.2.0, ^1.2, ~1"), "{wanted}: {told}");
        assert!(told.len() < 400, "{wanted}");
    }
    assert_eq!(ask(&app, NAME, "*", "perhaps").await.status, 400);
    assert_eq!(app.get(&format!("/api/v1/packages/{NAME}/resolve")).await.status, 400);
    let (status, told) = read(&ask(&app, "team/none", "*", "").await).unwrap_err();
    assert_eq!((status, told.as_str()), (404, "repository team/none does not exist"));

    assert_eq!(app.push_package("team/young", "0.1.0-a", &agent("young", "0.1.0-a", "")).await.status, 201);
    let (_, told) = read(&ask(&app, "team/young", "latest", "").await).unwrap_err();
    let expected =
        "team/young has neither the tag `latest` nor a stable version; the nearest is 0.1.0-a (a pre-release)";
    assert_eq!(told, expected);
    push_image(&app, "team/image", "v1", "an image").await;
    let (status, told) = read(&ask(&app, "team/image", "^1", "").await).unwrap_err();
    assert!(status == 404 && told.contains("holds no agent package at `^1`: what is there is of kind"), "{told}");
    assert_eq!(ask(&app, "team/image", "v1", "").await.json()["version"], Value::Null, "a tag is a tag");
}

#[tokio::test]
async fn what_was_taken_back_is_meant_only_by_its_name() {
    let app = TestApp::spawn().await;
    push_all(&app, &["1.0.0", "1.1.0"]).await;
    let newest = push(&app, "1.2.0").await;
    assert_eq!(app.push_manifest(NAME, "latest", newest.manifest()).await.status, 201);
    assert_eq!(meant(&app, "latest").await.as_deref(), Ok("1.2.0"));
    say(&app, "1.2.0", "yank").await;
    say(&app, "1.1.0", "deprecation").await;
    for wanted in ["latest", "*", "^1", "=1.1.0"] {
        let resolved = ask(&app, NAME, wanted, "").await.json();
        assert_eq!(resolved["version"], "1.1.0", "{wanted}");
        assert_eq!(resolved["state"]["deprecated"]["message"], "bad", "{wanted}");
        assert_eq!(resolved["state"]["yanked"], Value::Null, "{wanted}");
    }
    assert_eq!(meant(&app, "=1.2.0").await.unwrap_err().0, 404, "a range, if a narrow one");
    for wanted in ["1.2.0".to_owned(), newest.manifest().digest().to_string()] {
        let resolved = ask(&app, NAME, &wanted, "").await.json();
        assert_eq!(
            (resolved["version"].as_str(), &resolved["state"]["yanked"]["message"]),
            (Some("1.2.0"), &json!("bad"))
        );
    }
    // The tag `latest` on a version that is not its own.
    let stable = agent("writer", "1.0.0", "");
    assert_eq!(app.push_manifest(NAME, "latest", stable.manifest()).await.status, 201);
    assert_eq!(meant(&app, "latest").await.as_deref(), Ok("1.0.0"));
    for version in ["1.0.0", "1.1.0"] {
        say(&app, version, "yank").await;
    }
    let (status, told) = meant(&app, "latest").await.unwrap_err();
    assert_eq!(status, 404);
    assert!(told.contains("1.2.0 (yanked)"), "{told}");
    assert_eq!(meant(&app, "*").await.unwrap_err().0, 404);
    let record = app.get(&format!("/api/v1/packages/{NAME}")).await;
    assert_eq!(record.status, 404);
    let told = record.json()["detail"].as_str().unwrap().to_owned();
    assert!(told.starts_with("every version of team/writer was yanked; the nearest are 1.2.0 (yanked), "), "{told}");
}

#[tokio::test]
async fn what_is_hidden_is_resolved_as_what_does_not_exist() {
    let mut app = TestApp::with_accounts().await;
    let stranger = std::mem::replace(&mut app.client, signed_in(&app.admin));
    let artifact = agent("writer", "1.0.0", "");
    assert_eq!(app.push_package("admin/writer", "1.0.0", &artifact).await.status, 201);
    let paths = ["resolve?version=1", "versions/1", "versions", ""];
    for path in paths.map(|path| format!("/api/v1/packages/admin/writer/{path}").trim_end_matches('/').to_owned()) {
        assert_eq!(app.get(&path).await.status, 200, "{path}");
    }
    let record = app.get("/api/v1/packages/admin/writer").await.json();
    assert_eq!(record["visibility"], "private");
    app.client = stranger;
    for path in paths.map(|path| format!("/api/v1/packages/admin/writer/{path}").trim_end_matches('/').to_owned()) {
        let (hidden, missing) = (app.get(&path).await, app.get(&path.replace("writer", "nobody")).await);
        assert_eq!((hidden.status, missing.status), (missing.status, hidden.status), "{path}");
        let text = |answer: &Answer| answer.json()["detail"].as_str().unwrap().replace("writer", "nobody");
        assert_eq!(text(&hidden), text(&missing), "{path}");
        assert_ne!(hidden.status, 200, "{path}");
    }
}

/// A client that shows a token with each request.
fn signed_in(token: &str) -> Client {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    Client::builder().default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)])).build().unwrap()
}
