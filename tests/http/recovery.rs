//! A registry whose index was lost, one that was copied while it served, and what refuses to make either worse.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use agent_registry::oci::Digest;
use agent_registry::server::{Config, Error, Server, reindex, restore};
use agent_registry::storage::JournalReader;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::app::{Answer, TestApp, agent};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// How long something may take that happens by itself within about a second.
const SOON: Duration = Duration::from_secs(20);

/// An artifact of one layer, about `subject` if there is one.
async fn push(app: &TestApp, name: &str, tag: &str, layer: &[u8], subject: Option<(Digest, usize)>) -> (Digest, usize) {
    let config = app.push_blob(name, b"{}").await;
    let digest = app.push_blob(name, layer).await;
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/vnd.example.thing",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/octet-stream", "digest": digest, "size": layer.len()}],
    });
    if let Some((digest, size)) = subject {
        manifest["subject"] = json!({"mediaType": IMAGE, "digest": digest, "size": size});
    }
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let pushed = app.put_manifest(name, tag, IMAGE, &bytes).await;
    assert_eq!(pushed.status, 201, "{}", String::from_utf8_lossy(&pushed.body));
    (Digest::sha256(&bytes), bytes.len())
}

/// Two packages, artifacts with small and large layers, a referrer, moved and deleted tags, deleted manifests and
/// blobs, a mounted blob, a manifest pushed again.
async fn fill(app: &TestApp) {
    for (version, tag) in [("1.0.0", "1.0.0"), ("1.1.0-rc.1", "1.1.0-rc.1"), ("1.0.0", "latest")] {
        assert_eq!(
            app.push_package("team/writer", tag, &agent("writer", version, "  tags: [prose]\n")).await.status,
            201
        );
    }
    for (path, body) in [
        ("versions/1.0.0/yank", json!({"message": "bad"})),
        ("versions/1.1.0-rc.1/yank", json!({"message": "bad"})),
        ("versions/1.1.0-rc.1/deprecation", json!({"message": "old", "superseded_by": "team/author:2.0.0"})),
        ("deprecation", json!({"message": "all of it"})),
    ] {
        let path = format!("/api/v1/packages/team/writer/{path}");
        let headers = [("content-type", "application/json")];
        assert_eq!(app.send(Method::PUT, &path, &headers, body.to_string().as_bytes()).await.status, 200);
    }
    let unyank = "/api/v1/packages/team/writer/versions/1.0.0/yank";
    assert_eq!(app.send(Method::DELETE, unyank, &[], b"").await.status, 200);
    let large = vec![7; 300_000];
    let subject = push(app, "a/large", "v1", &large, None).await;
    push(app, "a/large", "signature", b"signed", Some(subject)).await;
    push(app, "a/large", "moved", b"one", None).await;
    push(app, "a/large", "moved", b"two", None).await;
    push(app, "a/large", "gone", b"three", None).await;
    assert_eq!(app.send(Method::DELETE, "/v2/a/large/manifests/gone", &[], b"").await.status, 202);
    let (deleted, _) = push(app, "a/large", "deleted", b"four", None).await;
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/large/manifests/{deleted}"), &[], b"").await.status, 202);
    let (again, _) = push(app, "a/large", "again", b"five", None).await;
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/large/manifests/{again}"), &[], b"").await.status, 202);
    push(app, "a/large", "again", b"five", None).await;
    let blob = app.push_blob("a/large", b"nobody's").await;
    assert_eq!(app.send(Method::DELETE, &format!("/v2/a/large/blobs/{blob}"), &[], b"").await.status, 202);
    let mount = format!("/v2/a/mounted/blobs/uploads/?mount={}&from=a/large", Digest::sha256(&large));
    assert_eq!(app.send(Method::POST, &mount, &[], b"").await.status, 201);
}

/// Everything a client can see, by path.
async fn seen(app: &TestApp) -> BTreeMap<String, (u16, Vec<u8>)> {
    let mut seen = BTreeMap::new();
    let catalogue = app.get("/v2/_catalog").await;
    let names = catalogue.json()["repositories"].as_array().unwrap().clone();
    let mut paths = vec!["/v2/_catalog".to_owned(), "/api/v1/packages?q=prose&fresh=true".to_owned()];
    for blob in [&vec![7; 300_000][..], b"{}", b"signed", b"one", b"four", b"nobody's"] {
        paths.extend(names.iter().map(|name| format!("/v2/{}/blobs/{}", name.as_str().unwrap(), Digest::sha256(blob))));
    }
    for name in names.iter().map(|name| name.as_str().unwrap()) {
        paths.push(format!("/api/v1/repositories/{name}"));
        paths.push(format!("/api/v1/packages/{name}"));
        paths.push(format!("/api/v1/packages/{name}/versions"));
        paths.push(format!("/v2/{name}/tags/list"));
        for tag in app.get(&format!("/v2/{name}/tags/list")).await.json()["tags"].as_array().unwrap() {
            let manifest = app.get(&format!("/v2/{name}/manifests/{}", tag.as_str().unwrap())).await;
            let digest = manifest.header("docker-content-digest").to_owned();
            paths.push(format!("/v2/{name}/referrers/{digest}"));
            let warnings: Vec<_> = manifest.headers.get_all("warning").iter().collect();
            seen.insert(format!("{name}:{tag} {digest} {warnings:?}"), (manifest.status.as_u16(), manifest.body));
        }
    }
    for path in paths {
        let answer = app.get(&path).await;
        let body = if answer.status.is_success() { answer.body } else { vec![] };
        seen.insert(path, (answer.status.as_u16(), body));
    }
    assert!(seen.len() > 30, "{seen:?}");
    seen
}

fn lose_index(data: &Path) {
    fs::remove_file(data.join("index.sqlite")).unwrap();
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_as_it_was() {
    let app = TestApp::spawn().await;
    fill(&app).await;
    let before = seen(&app).await;
    let app = app.restarted_after(async |data| {
        assert!(matches!(reindex(data).await, Err(Error::IndexPresent(_))));
        lose_index(data);
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            data: data.to_owned(),
            insecure_no_auth: true,
            ..Config::default()
        };
        let refused = Server::bind(config).await.unwrap_err();
        assert!(refused.hint().unwrap().contains("agent registry reindex --data"), "{refused}");
        let rebuilt = reindex(data).await.unwrap();
        assert_eq!(rebuilt.losses, []);
        assert_eq!((rebuilt.totals.repositories, rebuilt.totals.tags, rebuilt.totals.packages), (3, 7, 2));
    });
    let app = app.await;
    similar(&before, &seen(&app).await);
    // What comes now is numbered after everything the lost index may have numbered, and survives the next loss too.
    push(&app, "a/later", "v1", b"later", None).await;
    let before = seen(&app).await;
    let app = app.restarted_after(async |data| {
        lose_index(data);
        assert_eq!(reindex(data).await.unwrap().losses, []);
    });
    similar(&before, &seen(&app.await).await);
}

/// Equality that names what differs.
fn similar(before: &BTreeMap<String, (u16, Vec<u8>)>, after: &BTreeMap<String, (u16, Vec<u8>)>) {
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (path, (status, body)) in before {
        let (status_after, body_after) = &after[path];
        let texts = (String::from_utf8_lossy(body), String::from_utf8_lossy(body_after));
        assert!(status == status_after && body == body_after, "{path}: {status} {status_after} {texts:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_rebuilt_is_told() {
    let app = TestApp::spawn().await;
    let (lost, cut) = (vec![1; 100_000], vec![2; 100_000]);
    push(&app, "a/b", "lost", &lost, None).await;
    push(&app, "a/b", "cut", &cut, None).await;
    push(&app, "a/b", "whole", &vec![3; 100_000], None).await;
    let file = |data: &Path, content: &[u8]| {
        let hex = Digest::sha256(content).hex();
        data.join("blobs/sha256").join(&hex[..2]).join(hex)
    };
    let app = app.restarted_after(async |data| {
        lose_index(data);
        fs::remove_file(file(data, &lost)).unwrap();
        fs::write(file(data, &cut), b"cut").unwrap();
        let rebuilt = reindex(data).await.unwrap();
        let mut told: Vec<_> = rebuilt.losses.iter().map(ToString::to_string).collect();
        told.sort();
        let mut expected = [
            format!("blob {} of a/b: its file is gone", Digest::sha256(&lost)),
            format!("blob {} of a/b: its file has 3 bytes instead of 100000", Digest::sha256(&cut)),
        ];
        expected.sort();
        assert_eq!(told, expected);
    });
    let app = app.await;
    assert_eq!(app.get("/v2/a/b/tags/list").await.json()["tags"], json!(["cut", "lost", "whole"]));
    for (content, status) in [(&lost, 404), (&cut, 404), (&vec![3; 100_000], 200)] {
        assert_eq!(app.get(&format!("/v2/a/b/blobs/{}", Digest::sha256(content))).await.status, status);
    }
    // Pushed again, it is whole again.
    app.push_blob("a/b", &lost).await;
    assert_eq!(app.get(&format!("/v2/a/b/blobs/{}", Digest::sha256(&lost))).await.body, lost);
}

#[tokio::test]
async fn an_older_index_does_not_go_on_beside_a_newer_journal() {
    let app = TestApp::spawn().await;
    push(&app, "a/b", "v1", b"one", None).await;
    let old = tempfile::tempdir().unwrap();
    let app = app.restarted_after(async |data| {
        fs::copy(data.join("index.sqlite"), old.path().join("old")).unwrap();
    });
    let app = app.await;
    push(&app, "a/b", "v2", b"two", None).await;
    let app = app.restarted_after(async |data| {
        let new = fs::read(data.join("index.sqlite")).unwrap();
        fs::copy(old.path().join("old"), data.join("index.sqlite")).unwrap();
        let config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            data: data.to_owned(),
            insecure_no_auth: true,
            ..Config::default()
        };
        let refused = Server::bind(config).await.unwrap_err();
        assert!(refused.to_string().contains("registry failed") && refused.hint().is_some(), "{refused}");
        fs::write(data.join("index.sqlite"), new).unwrap();
    });
    assert_eq!(app.await.get("/v2/a/b/tags/list").await.json()["tags"], json!(["v1", "v2"]));
}

#[tokio::test]
async fn the_journal_follows_within_a_second_or_so_while_the_server_runs() {
    let app = TestApp::spawn().await;
    push(&app, "a/b", "v1", b"one", None).await;
    let journal = app.data().join("journal");
    let begun = Instant::now();
    loop {
        let mut reader = JournalReader::open(&journal).unwrap();
        let mut kept = vec![];
        while let Some(Ok(record)) = reader.next_record().unwrap() {
            kept.push(String::from_utf8_lossy(&record.content).into_owned());
        }
        if kept.iter().any(|record| record.starts_with("{\"kind\":\"tag.moved\"")) {
            assert_eq!(kept.len(), 4, "{kept:?}");
            break;
        }
        assert!(begun.elapsed() < SOON, "{kept:?}");
        tokio::task::yield_now().await;
    }
}

async fn back_up(app: &TestApp, headers: &[(&str, &str)], directory: &Path) -> Answer {
    let body = json!({ "directory": directory }).to_string();
    app.send(Method::POST, "/api/v1/admin/backup", headers, body.as_bytes()).await
}

/// What became of the newest backup.
async fn backed_up(app: &TestApp) -> Value {
    let begun = Instant::now();
    loop {
        let newest = app.get("/api/v1/admin/backup").await.json();
        if newest["state"] != "running" {
            return newest;
        }
        assert!(begun.elapsed() < SOON, "{newest}");
        tokio::task::yield_now().await;
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_copy_made_under_load_holds_all_that_was_acknowledged_before() {
    let app = TestApp::spawn().await;
    fill(&app).await;
    let place = tempfile::tempdir().unwrap();
    let (copy, data) = (place.path().join("copies/first"), place.path().join("restored"));
    let (stop, mut stopped) = oneshot::channel::<()>();
    let load = async {
        let mut pushed = 0;
        while stopped.try_recv().is_err() {
            push(&app, "a/load", &format!("t{pushed}"), &vec![u8::try_from(pushed % 200).unwrap(); 90_000], None).await;
            pushed += 1;
        }
        pushed
    };
    let making = async {
        // Some of the load comes before, some while it is made.
        while app.get("/v2/a/load/manifests/t2").await.status != 200 {}
        let before = app.get("/v2/a/load/tags/list").await.json()["tags"].as_array().unwrap().clone();
        assert_eq!(back_up(&app, &[JSON], &copy).await.status, 202);
        let made = backed_up(&app).await;
        stop.send(()).unwrap();
        (before, made)
    };
    let (pushed, (before, made)) = tokio::join!(load, making);
    assert_eq!((&made["state"], &made["content"]["lost"]), (&json!("done"), &json!([])), "{made}");
    assert!(pushed > before.len());

    let restored = restore(&copy, &data).await.unwrap();
    assert_eq!((json!(restored.totals.tags), restored.lost), (made["content"]["tags"].clone(), vec![]));
    let held = tempfile::tempdir().unwrap();
    fs::rename(&data, held.path().join("data")).unwrap();
    let other = TestApp::at(held, "data").await;
    let tags = other.get("/v2/a/load/tags/list").await.json()["tags"].as_array().unwrap().clone();
    assert!(before.iter().all(|tag| tags.contains(tag)), "{before:?} {tags:?}");
    for tag in &tags {
        let manifest = other.get(&format!("/v2/a/load/manifests/{}", tag.as_str().unwrap())).await.json();
        let digest: Digest = manifest["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
        let layer = other.get(&format!("/v2/a/load/blobs/{digest}")).await;
        assert_eq!(Digest::sha256(&layer.body), digest, "{tag}");
    }
    let package = |record: Value| (record["digest"].clone(), record["registry_tags"].clone());
    let path = "/api/v1/packages/team/writer";
    assert_eq!(package(other.get(path).await.json()), package(app.get(path).await.json()));
    // The restored registry goes on, and its own index can be lost.
    push(&other, "a/later", "v1", b"later", None).await;
}

#[tokio::test]
async fn only_a_whole_copy_is_restored_and_only_into_nothing() {
    let app = TestApp::spawn().await;
    push(&app, "a/b", "v1", b"one", None).await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    back_up(&app, &[JSON], &copy).await;
    assert_eq!(backed_up(&app).await["state"], "done");
    assert!(matches!(restore(&copy, &copy).await, Err(Error::Occupied(_))));
    fs::remove_file(copy.join("VERSION")).unwrap();
    assert!(matches!(restore(&copy, &place.path().join("new")).await, Err(Error::NoBackup(_))));
    assert!(!place.path().join("new").exists());
    assert!(matches!(reindex(&place.path().join("nothing")).await, Err(Error::NoDataDir(_))));

    let inside = app.data().join("copy");
    for (directory, problem) in [
        (copy.as_path(), "is not empty"),
        (Path::new("relative"), "is no absolute path"),
        (inside.as_path(), "lies inside the data directory"),
    ] {
        assert_eq!(back_up(&app, &[JSON], directory).await.status, 202);
        let failed = backed_up(&app).await;
        assert!(failed["state"] == "failed" && failed["problem"].as_str().unwrap().contains(problem), "{failed}");
    }
}

#[tokio::test]
async fn administration_is_for_this_machine_alone() {
    let app = TestApp::spawn().await;
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    assert_eq!(app.get("/api/v1/admin/backup").await.status, 404);
    for headers in [
        [JSON, ("x-forwarded-for", "203.0.113.9")],
        [JSON, ("forwarded", "for=203.0.113.9")],
        [JSON, ("host", "registry.example.com")],
    ] {
        assert_eq!(back_up(&app, &headers, &copy).await.status, 403, "{headers:?}");
        assert_eq!(app.send(Method::GET, "/api/v1/admin/backup", &headers[1..], b"").await.status, 403);
    }
    assert_eq!(back_up(&app, &[("content-type", "text/plain")], &copy).await.status, 415);
    assert_eq!(app.send(Method::POST, "/api/v1/admin/backup", &[JSON], b"{\"dir\":\"/x\"}").await.status, 400);
    assert_eq!(app.get("/api/v1/admin/backup").await.status, 404, "none was begun");
    assert!(!copy.exists());
}
