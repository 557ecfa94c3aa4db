//! What counts as a download, and that a registry that is stopped has counted all.

use std::time::{Duration, Instant};

use agent_registry::oci::{Digest, known};
use agent_registry::server::{Auth, Config};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, agent};
use crate::documents::{image, push_image};

/// How long something may take that happens by itself within about a second.
const SOON: Duration = Duration::from_secs(20);

/// A server without accounts that believes this machine whom it speaks for.
async fn behind_proxy() -> TestApp {
    let auth = Auth { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Auth::default() };
    TestApp::with(Config { auth, ..Config::default() }).await
}

async fn pull(app: &TestApp, path: &str, from: &str) -> u16 {
    app.send(Method::GET, path, &[("x-forwarded-for", from)], b"").await.status.as_u16()
}

async fn downloads(app: &TestApp, name: &str) -> Value {
    let answer = app.get(&format!("/api/v1/packages/{name}/downloads")).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

/// The clock hour, in which a client counts once.
fn hour() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() / 3_600
}

#[tokio::test]
async fn what_brings_no_manifest_is_no_download() {
    let app = TestApp::spawn().await;
    let artifact = agent("writer", "1.0.0", "");
    assert_eq!(app.push_package("team/writer", "1.0.0", &artifact).await.status, 201);
    let digest = artifact.manifest().digest();
    let etag = format!("\"{digest}\"");
    for target in ["1.0.0".to_owned(), digest.to_string()] {
        let path = format!("/v2/team/writer/manifests/{target}");
        assert_eq!(app.send(Method::HEAD, &path, &[], b"").await.status, 200);
        assert_eq!(app.send(Method::GET, &path, &[("if-none-match", &etag)], b"").await.status, 304);
    }
    assert_eq!(app.get("/v2/team/writer/manifests/9.9.9").await.status, 404);
    for blob in artifact.blobs() {
        assert_eq!(app.get(&format!("/v2/team/writer/blobs/{}", blob.descriptor.digest)).await.status, 200);
    }
    for path in ["/v2/team/writer/tags/list", "/api/v1/packages/team/writer", "/api/v1/packages/team/writer/versions"] {
        assert_eq!(app.get(path).await.status, 200);
    }
    let app = app.restarted().await;
    assert_eq!(downloads(&app, "team/writer").await, json!({"total": 0, "days": []}));
}

/// Pulls two versions again and again from two networks, and what was counted; nothing where the hour has changed.
async fn pulled_by_two() -> Option<(TestApp, Value)> {
    let app = behind_proxy().await;
    for version in ["1.0.0", "1.1.0"] {
        assert_eq!(app.push_package("team/writer", version, &agent("writer", version, "")).await.status, 201);
    }
    let digest = agent("writer", "1.0.0", "").manifest().digest();
    let begun = hour();
    for _ in 0..3 {
        for target in ["1.0.0", &digest.to_string()] {
            let path = format!("/v2/team/writer/manifests/{target}");
            for from in ["192.0.2.1", "2001:db8::1", "2001:db8::2"] {
                assert_eq!(pull(&app, &path, from).await, 200);
            }
        }
        assert_eq!(pull(&app, "/v2/team/writer/manifests/1.1.0", "192.0.2.1").await, 200);
    }
    let is_one_hour = hour() == begun;
    let app = restarted(app).await;
    let counted = downloads(&app, "team/writer").await;
    is_one_hour.then_some((app, counted))
}

#[tokio::test]
async fn a_client_counts_once_an_hour_for_each_manifest_however_it_names_it() {
    let (app, counted) = match pulled_by_two().await {
        Some(counted) => counted,
        None => pulled_by_two().await.expect("one hour is not over so soon"),
    };
    assert_eq!(counted["total"], 3);
    let days = counted["days"].as_array().unwrap();
    // The clock may have struck midnight meanwhile.
    let of = |version: &str| -> u64 {
        days.iter().filter(|day| day["version"] == version).map(|day| day["count"].as_u64().unwrap()).sum()
    };
    assert_eq!((of("1.0.0"), of("1.1.0")), (2, 1), "two addresses of one network are one client");
    let day = days[0]["day"].as_str().unwrap();
    assert!(day.split('-').map(str::len).eq([4, 2, 2]), "{day}");
    assert_eq!(pull(&app, "/v2/team/writer/manifests/1.0.0", "192.0.2.1").await, 200);
    let app = restarted(app).await;
    assert_eq!(downloads(&app, "team/writer").await["total"], 4, "who pulled before is not known after a restart");
}

/// Stopped, so that all is written, and started again with the same settings.
async fn restarted(app: TestApp) -> TestApp {
    let auth = Auth { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Auth::default() };
    app.restarted_with(Config { auth, ..Config::default() }).await
}

#[tokio::test]
async fn downloads_are_shown_soon_and_outlive_their_manifest() {
    let app = TestApp::spawn().await;
    let digest = push_image(&app, "team/image", "v1", "one").await;
    push_image(&app, "team/image", "v2", "two").await;
    for tag in ["v1", "v2"] {
        assert_eq!(app.get(&format!("/v2/team/image/manifests/{tag}")).await.status, 200);
    }
    let end = Instant::now() + SOON;
    while downloads(&app, "team/image").await["total"] != 2 {
        assert!(Instant::now() < end, "nothing was counted");
    }
    assert_eq!(app.send(Method::DELETE, &format!("/v2/team/image/manifests/{digest}"), &[], b"").await.status, 202);
    let left = downloads(&app, "team/image").await;
    assert_eq!((left["total"].as_u64(), left["days"].as_array().unwrap().len()), (Some(2), 1));
    assert_eq!(left["days"][0].get("version"), None, "it is no package");
}

#[tokio::test]
async fn signatures_and_other_referrers_do_not_count() {
    let app = TestApp::spawn().await;
    let subject = push_image(&app, "team/image", "v1", "one").await;
    let config = app.push_blob("team/image", b"{}").await;
    let about = json!({"mediaType": known::OCI_MANIFEST, "digest": subject, "size": 2});
    let referrer = image(&config, &json!({"subject": about}));
    let digest = Digest::sha256(&referrer);
    let put = app.put_manifest("team/image", &digest.to_string(), known::OCI_MANIFEST, &referrer).await;
    assert_eq!(put.status, 201);
    let tag = format!("{}.sig", subject.to_string().replace(':', "-"));
    let signature = push_image(&app, "team/image", &tag, "as cosign once did").await;
    for target in [digest.to_string(), tag, signature.to_string()] {
        assert_eq!(app.get(&format!("/v2/team/image/manifests/{target}")).await.status, 200);
    }
    let app = app.restarted().await;
    assert_eq!(downloads(&app, "team/image").await["total"], 0);
    assert_eq!(app.get("/v2/team/image/manifests/v1").await.status, 200);
    let app = app.restarted().await;
    assert_eq!(downloads(&app, "team/image").await["total"], 1);
}

#[tokio::test]
async fn lists_of_days_come_in_pages_and_what_cannot_be_asked_is_refused() {
    let app = TestApp::spawn().await;
    let mut pushed = vec![];
    for number in 0..5 {
        pushed.push(push_image(&app, "team/image", &format!("v{number}"), &number.to_string()).await.to_string());
        assert_eq!(app.get(&format!("/v2/team/image/manifests/v{number}")).await.status, 200);
    }
    let app = app.restarted().await;
    let (mut found, mut path) = (vec![], "/api/v1/packages/team/image/downloads?limit=2".to_owned());
    loop {
        let page = app.get(&path).await.json();
        assert!(page["total"] == 5 && page["days"].as_array().unwrap().len() <= 2);
        found.extend(page["days"].as_array().unwrap().iter().map(|day| day["digest"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/packages/team/image/downloads?limit=2&after={next}");
    }
    found.sort();
    pushed.sort();
    assert_eq!(found, pushed);
    for query in ["days=0", "days=401", "days=x", "limit=0", "after=x", "after=1~x", "after=~sha256:00"] {
        assert_eq!(app.get(&format!("/api/v1/packages/team/image/downloads?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(app.get("/api/v1/packages/team/image/downloads?days=400").await.status, 200);
    assert_eq!(app.get("/api/v1/packages/team/none/downloads").await.status, 404);
}
