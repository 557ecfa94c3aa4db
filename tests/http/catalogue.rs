//! The catalogue over REST: packages found by what they can do, their versions and records, and what is refused.

use std::time::{Duration, Instant};

use agent_registry::package::{BlobContent, Config};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, agent, example};

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let url = reqwest::Url::parse_with_params(
        &format!("{}/api/v1/packages", app.url),
        [("q", query), ("fresh", "true"), ("sort", "name")],
    )
    .unwrap();
    let found = app.get(url.as_str()).await;
    assert_eq!(found.status, 200, "{query}");
    let hit =
        |hit: &Value| format!("{}:{}", hit["repository"].as_str().unwrap(), hit["version"].as_str().unwrap_or("-"));
    found.json()["items"].as_array().unwrap().iter().map(hit).collect()
}

#[tokio::test]
async fn pushed_packages_are_found_by_what_they_can_do() {
    let app = TestApp::spawn().await;
    for (name, version, more) in [
        ("writer", "1.0.0", "  author: ai-team\n  tags: [prose]\n"),
        ("writer", "1.1.0", "  author: ai-team\n"),
        ("sentiment-bot", "0.1.0", "  description: Reads moods\n"),
    ] {
        let pushed = app.push_package(&format!("team/{name}"), version, &agent(name, version, more)).await;
        assert_eq!(pushed.status, 201, "{}", String::from_utf8_lossy(&pushed.body));
    }
    assert_eq!(names(&app, "").await, ["team/sentiment-bot:0.1.0", "team/writer:1.1.0"]);
    assert_eq!(names(&app, "text-generation version:^1.1").await, ["team/writer:1.1.0"]);
    assert_eq!(names(&app, "sentiment*").await, ["team/sentiment-bot:0.1.0"]);
    assert_eq!(names(&app, "author:ai-team version:^1.0").await, ["team/writer:1.1.0"]);
    assert_eq!(names(&app, "author:ai-team version:~1.0").await, ["team/writer:1.0.0"], "the best in the range");
    assert_eq!(names(&app, "author:ai-team tag:prose").await, [""; 0], "only the current version says what it is");
    assert_eq!(names(&app, "moods -name:writer since:1d").await, ["team/sentiment-bot:0.1.0"]);
    assert_eq!(names(&app, "since:2999-01-01").await, [""; 0]);

    let first = app.get("/api/v1/packages?limit=1&sort=name&facets=true").await.json();
    assert_eq!((first["total"].clone(), first["facets"]["capabilities"][0]["count"].clone()), (json!(2), json!(2)));
    assert_eq!(first["facets"]["authors"], json!([{"value": "ai-team", "count": 1}]));
    let next = first["next"].as_str().unwrap();
    let rest = app.get(&format!("/api/v1/packages?limit=1&sort=name&after={next}")).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest["next"].clone()), (1, Value::Null));
    assert_ne!(rest["items"][0]["repository"], first["items"][0]["repository"]);
    assert_eq!((rest["total"].clone(), rest["facets"].clone()), (json!(2), Value::Null));
}

#[tokio::test]
async fn a_search_that_cannot_be_read_is_told_what_is_wrong_with_it() {
    let app = TestApp::spawn().await;
    let wrong = app.get("/api/v1/packages?q=good+colour:red").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("content-type")), (400, "application/problem+json"));
    assert!(wrong.json()["detail"].as_str().unwrap().contains("column 6: unknown field `colour`"));
    for query in ["limit=0", "limit=x", "after=nonsense", "q=a&q=b", "sort=size", "facets=1", "fresh=yes", "q=%22a"] {
        assert_eq!(app.get(&format!("/api/v1/packages?{query}")).await.status, 400, "{query}");
    }
    let long = "x".repeat(10_000);
    assert_eq!(app.get(&format!("/api/v1/packages?q={long}")).await.status, 400);
}

#[tokio::test]
async fn a_push_is_found_within_half_a_second_and_after_a_restart_at_once() {
    let app = TestApp::spawn().await;
    let path = "/api/v1/packages?q=name:writer";
    assert_eq!(app.get(path).await.json()["total"], 0);
    for version in ["1.0.0", "1.0.1", "1.0.2"] {
        assert_eq!(app.push_package("team/writer", version, &agent("writer", version, "")).await.status, 201);
        let pushed = Instant::now();
        while app.get(path).await.json()["items"][0]["version"] != version {
            // Four times what it is to take: the machine has other things to do.
            assert!(pushed.elapsed() < Duration::from_secs(2), "{version}");
        }
    }
    let app = app.restarted().await;
    assert_eq!(app.get(path).await.json()["items"][0]["version"], "1.0.2");
    assert!(app.data().join("search").is_dir());
    let app = app.restarted_after(async |data| std::fs::remove_dir_all(data.join("search")).unwrap()).await;
    assert_eq!(app.get(path).await.json()["items"][0]["version"], "1.0.2");
}

#[tokio::test]
async fn a_package_has_a_record_and_versions() {
    let app = TestApp::spawn().await;
    for (version, tag) in [("1.0.0", "1.0.0"), ("1.1.0-rc.1", "1.1.0-rc.1"), ("1.1.0+b.2", "1.1.0_b.2")] {
        assert_eq!(app.push_package("team/writer", tag, &agent("writer", version, "")).await.status, 201);
    }
    let record = app.get("/api/v1/packages/team/writer").await.json();
    for (key, value) in [
        ("name", json!("writer")),
        ("version", json!("1.1.0+b.2")),
        ("repository", json!("team/writer")),
        ("model", json!("gpt-4")),
        ("capabilities", json!(["text-generation"])),
        ("checked", json!(true)),
        ("registry_tags", json!(["1.1.0_b.2"])),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    let versions = app.get("/api/v1/packages/team/writer/versions").await.json();
    let order: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|hit| hit["version"].as_str().unwrap()).collect();
    assert_eq!(order, ["1.1.0+b.2", "1.1.0-rc.1", "1.0.0"]);
    let digest = record["digest"].as_str().unwrap();
    for target in ["1.1.0+b.2", "1.1.0_b.2", digest] {
        assert_eq!(app.get(&format!("/api/v1/packages/team/writer/versions/{target}")).await.json()["digest"], digest);
    }
    assert_eq!(app.get("/api/v1/packages/team/writer/versions/9.9.9").await.status, 404);
    assert_eq!(app.get("/api/v1/packages/team/none").await.status, 404);
    assert_eq!(app.get("/api/v1/packages/team/none/versions").await.status, 404);
    let repository = app.get("/api/v1/repositories/team/writer").await.json();
    assert_eq!((repository["tags"].clone(), repository["manifests"].clone()), (json!(3), json!(3)));

    assert_eq!(app.send(Method::DELETE, &format!("/v2/team/writer/manifests/{digest}"), &[], b"").await.status, 202);
    assert_eq!(app.get("/api/v1/packages/team/writer").await.json()["version"], "1.0.0");
}

#[tokio::test]
async fn the_examples_go_in() {
    let app = TestApp::spawn().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/packages");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let artifact = example(&name);
        let pushed =
            app.push_package(&format!("default/{}", artifact.config().metadata.name), "latest", &artifact).await;
        assert_eq!(pushed.status, 201, "{name}: {}", String::from_utf8_lossy(&pushed.body));
        count += 1;
    }
    assert!(count >= 3);
    assert_eq!(names(&app, "").await.len(), count);
}

#[tokio::test]
async fn a_package_whose_parts_disagree_is_refused() {
    let app = TestApp::spawn().await;
    let artifact = agent("writer", "1.0.0", "");
    assert_eq!(app.push_package("a/writer", "1.0.0", &artifact).await.status, 201);
    let honest: Value = serde_json::from_slice(artifact.manifest().bytes()).unwrap();

    let mut renamed = honest.clone();
    renamed["annotations"]["org.opencontainers.image.version"] = json!("2.0.0");
    let mut shortened = honest.clone();
    shortened["layers"].as_array_mut().unwrap().pop();
    let mut titled = honest.clone();
    titled["layers"][0]["annotations"]["org.opencontainers.image.title"] = json!("../evil");
    // A configuration that claims another content for a file than the tree has.
    let BlobContent::Bytes(config) = &artifact.blobs()[0].content else { panic!("the configuration is in memory") };
    let mut lie = Config::parse(config).unwrap();
    let main = lie.files.iter_mut().find(|file| file.path.as_str() == "main.py").unwrap();
    main.digest = agent_registry::oci::Digest::sha256(b"something else");
    let bytes = lie.to_bytes().unwrap();
    let mut lying = honest;
    lying["config"]["digest"] = json!(app.push_blob("a/writer", &bytes).await);
    lying["config"]["size"] = json!(bytes.len());

    for (document, expected) in [(renamed, "version"), (shortened, "writer"), (titled, "../evil"), (lying, "main.py")] {
        let bytes = document.to_string();
        let media_type = artifact.manifest().media_type().as_str();
        let refused = app.put_manifest("a/writer", "evil", media_type, bytes.as_bytes()).await;
        assert_eq!(refused.error(), (400, "MANIFEST_INVALID".into()), "{expected}");
        assert!(refused.message().contains(expected), "{expected}: {}", refused.message());
    }
    assert_eq!(app.get("/v2/a/writer/manifests/evil").await.status, 404);
}

#[test]
fn the_api_is_described_and_has_one_root() {
    let document: Value = serde_json::from_str(&agent_registry::server::openapi().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut paths = document["paths"].as_object().unwrap().keys();
    assert!(paths.len() > 30 && paths.all(|path| path.starts_with("/api/v1")), "{document}");
}
