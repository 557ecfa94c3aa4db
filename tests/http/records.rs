//! The record of a package: every field that is promised, with its type, and what is said of what is no package.

use agent_registry::package::{Overrides, Source};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, agent};
use crate::documents::push_image;

const NAME: &str = "team/writer";

/// An agent that says everything.
const FULL: &str = "apiVersion: agent.dev/v1
kind: Agent
metadata:
  name: writer
  version: 1.2.0
  description: Writes \u{202e}<b>text</b>
  author: ai-team@example.com
  license: MIT
  tags: [prose, nlp]
  labels: {team: docs}
spec:
  runtime: python
  model: {provider: openai, name: gpt-4}
  capabilities: [text-generation, summaries]
  dependencies: [\"openai==1.0\"]
  ports: [{container: 8080}]
  healthCheck: {command: [curl, -f, \"http://localhost:8080/health\"]}
  compatibility: {python: \">=3.9\", platforms: [linux/amd64]}
";

fn full(files: usize) -> agent_registry::package::Artifact {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("agent.yaml"), FULL).unwrap();
    for number in 0..files {
        std::fs::write(place.path().join(format!("note-{number:04}.txt")), "x").unwrap();
    }
    Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

async fn record(app: &TestApp, path: &str) -> Value {
    let answer = app.get(&format!("/api/v1/packages/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

#[tokio::test]
async fn a_record_has_every_field_with_its_type() {
    let app = TestApp::spawn().await;
    let artifact = full(3);
    assert_eq!(app.push_package(NAME, "1.2.0", &artifact).await.status, 201);
    let record = record(&app, NAME).await;
    for (key, value) in [
        ("repository", json!(NAME)),
        ("name", json!("writer")),
        ("version", json!("1.2.0")),
        ("description", json!("Writes \u{202e}<b>text</b>")),
        ("author", json!("ai-team@example.com")),
        ("license", json!("MIT")),
        ("kind", json!("agent")),
        ("capabilities", json!(["text-generation", "summaries"])),
        ("model", json!("gpt-4")),
        ("model_provider", json!("openai")),
        ("runtime", json!("python")),
        ("dependencies", json!(["openai==1.0"])),
        ("ports", json!([8080])),
        ("health_check", json!("http://localhost:8080/health")),
        ("tags", json!(["prose", "nlp"])),
        ("labels", json!({"team": "docs"})),
        ("compatibility", json!({"python": ">=3.9", "platforms": ["linux/amd64"]})),
        ("downloads", json!(0)),
        ("version_downloads", json!(0)),
        ("rating", Value::Null),
        ("ratings", json!(0)),
        ("size", json!(artifact.manifest().content_bytes())),
        ("digest", json!(artifact.manifest().digest().to_string())),
        ("signed", json!(false)),
        ("checked", json!(true)),
        ("latest", json!("1.2.0")),
        ("registry_tags", json!(["1.2.0"])),
        ("files_total", json!(4)),
        ("referrers", json!([])),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    for key in ["created_at", "updated_at"] {
        assert!(record[key].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{key}");
    }
    assert_eq!((record["state"].clone(), record["visibility"].clone()), (Value::Null, Value::Null));
    let files = record["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["path"], &files[0]["mode"]), (4, &json!("agent.yaml"), &json!("0644")));
    assert_eq!(files[3]["digest"], json!(agent_registry::oci::Digest::sha256(b"x").to_string()));
    let titles: Vec<_> = record["layers"].as_array().unwrap().iter().map(|layer| layer["title"].clone()).collect();
    assert_eq!(titles, [json!("writer/agent.yaml"), json!("writer")]);
    assert_eq!((&record["history"][0]["tag"], &record["history"][0]["digest"]), (&json!("1.2.0"), &record["digest"]));

    // What says little has the same fields, null or empty.
    assert_eq!(app.push_package("team/bare", "1.0.0", &agent("bare", "1.0.0", "")).await.status, 201);
    let bare = self::record(&app, "team/bare").await;
    for key in ["description", "author", "license", "health_check", "rating"] {
        assert!(bare.as_object().unwrap().contains_key(key) && bare[key].is_null(), "{key}");
    }
    for key in ["dependencies", "ports", "tags"] {
        assert_eq!(bare[key], json!([]), "{key}");
    }
    assert_eq!(bare["compatibility"], json!({"python": null, "platforms": []}));
}

#[tokio::test]
async fn many_files_are_counted_and_the_first_are_shown() {
    let app = TestApp::spawn().await;
    assert_eq!(app.push_package(NAME, "1.2.0", &full(1_200)).await.status, 201);
    let record = record(&app, NAME).await;
    assert_eq!((record["files"].as_array().unwrap().len(), &record["files_total"]), (1_000, &json!(1_201)));
}

#[tokio::test]
async fn what_happens_to_a_package_is_in_its_record() {
    let app = TestApp::spawn().await;
    let (old, new) = (agent("writer", "1.0.0", ""), agent("writer", "1.1.0", ""));
    for (tag, artifact) in [("1.0.0", &old), ("stable", &old), ("1.1.0", &new), ("stable", &new), ("stable", &old)] {
        assert_eq!(app.push_package(NAME, tag, artifact).await.status, 201);
    }
    let subject = serde_json::to_value(old.manifest().descriptor()).unwrap();
    for (kind, is_signed) in [("application/spdx+json", false), ("application/vnd.dev.sigstore.bundle.v0.3+json", true)]
    {
        let config = app.push_blob(NAME, b"{}").await;
        let about = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
            "layers": [], "subject": subject,
        });
        let bytes = about.to_string().into_bytes();
        let digest = agent_registry::oci::Digest::sha256(&bytes);
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        assert_eq!(app.put_manifest(NAME, &digest.to_string(), media_type, &bytes).await.status, 201);
        let record = record(&app, &format!("{NAME}/versions/1.0.0")).await;
        let referrers = record["referrers"].as_array().unwrap();
        let found = referrers.iter().find(|referrer| referrer["digest"] == digest.to_string()).unwrap();
        assert_eq!((&found["artifact_type"], &found["size"]), (&json!(kind), &json!(bytes.len())));
        assert_eq!(record["signed"], is_signed, "{kind}");
    }
    for _ in 0..2 {
        assert_eq!(app.get(&format!("/v2/{NAME}/manifests/1.1.0")).await.status, 200);
    }
    let body = b"{\"message\":\"old\",\"superseded_by\":\"team/author\"}";
    let path = format!("/api/v1/packages/{NAME}/versions/1.0.0/deprecation");
    assert_eq!(app.send(Method::PUT, &path, &[("content-type", "application/json")], body).await.status, 200);

    let old_digest = old.manifest().digest().to_string();
    let record_of_old = record(&app, &format!("{NAME}/versions/{old_digest}")).await;
    assert_eq!(record_of_old["registry_tags"], json!(["1.0.0", "stable"]));
    assert_eq!((&record_of_old["version"], &record_of_old["latest"]), (&json!("1.0.0"), &json!("1.1.0")));
    assert_eq!(record_of_old["state"]["deprecated"]["superseded_by"], "team/author");
    let moves: Vec<_> = record_of_old["history"].as_array().unwrap().iter().collect();
    let stable: Vec<_> = moves.iter().filter(|moved| moved["tag"] == "stable").map(|it| it["digest"].clone()).collect();
    let new_digest = new.manifest().digest().to_string();
    assert_eq!(stable, [json!(old_digest), json!(new_digest), json!(old_digest)], "the newest first");
    assert!(moves.iter().all(|moved| moved["at"].is_string() && moved["actor"].is_string()), "{moves:?}");
    assert_eq!(record(&app, &format!("{NAME}/versions/stable")).await["digest"], json!(old_digest));

    let versions = app.get(&format!("/api/v1/packages/{NAME}/versions")).await.json();
    let line = |index: usize| &versions["items"][index];
    assert_eq!(
        (&line(0)["version"], &line(0)["signed"], &line(0)["state"]),
        (&json!("1.1.0"), &json!(false), &Value::Null)
    );
    assert_eq!((&line(1)["version"], &line(1)["signed"]), (&json!("1.0.0"), &json!(true)));
    assert_eq!(line(1)["state"]["deprecated"]["message"], "old");
}

#[tokio::test]
async fn what_is_no_package_has_no_record_and_is_told_what_it_is() {
    let app = TestApp::spawn().await;
    let config = app.push_blob("team/chart", b"{}").await;
    let chart = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": config, "size": 2},
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    assert_eq!(app.put_manifest("team/chart", "0.1.0", media_type, chart.to_string().as_bytes()).await.status, 201);
    for (path, expected) in [
        ("team/chart", "team/chart holds no agent package: what is there is of kind Helm chart, for `helm pull`"),
        (
            "team/chart/versions/0.1.0",
            "team/chart holds no agent package at `0.1.0`: what is there is of kind Helm chart, for `helm pull`",
        ),
    ] {
        let answer = app.get(&format!("/api/v1/packages/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, "application/problem+json"));
        assert_eq!(answer.json()["detail"], expected, "{path}");
    }
    push_image(&app, "team/other", "sha256-0000.sig", "only a signature").await;
    let answer = app.get("/api/v1/packages/team/other").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["detail"].clone()),
        (404, json!("team/other holds no agent package"))
    );
    assert_eq!(app.get("/api/v1/packages/team/chart/versions").await.json()["items"], json!([]));
}
