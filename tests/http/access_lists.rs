//! Lists, counts and errors never name what the caller may not see.

use agent_registry::package::{Artifact, BlobContent};
use reqwest::Method;
use serde_json::json;

use crate::access_actors::Actor;
use crate::app::{TestApp, agent};

impl Actor<'_> {
    async fn push_package(&self, name: &str, target: &str, artifact: &Artifact) {
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            assert_eq!(self.put_blob(name, &content).await.status, 201);
        }
        assert_eq!(self.put_manifest(name, target, artifact.manifest().bytes()).await, 201, "{name}:{target}");
    }
}

/// What every list says to somebody, page by page.
async fn everything(actor: &Actor<'_>) -> String {
    let mut said = String::new();
    let mut next = vec![
        "/v2/_catalog".to_owned(),
        "/v2/_catalog?n=1".to_owned(),
        "/v2/_catalog?n=1&last=eve".to_owned(),
        "/api/v1/packages?fresh=true&facets=true".to_owned(),
        "/api/v1/packages?fresh=true&limit=1".to_owned(),
        "/api/v1/packages?fresh=true&q=hidden".to_owned(),
        "/api/v1/packages?fresh=true&q=hidden*".to_owned(),
        "/api/v1/packages?fresh=true&q=author:somebody".to_owned(),
        "/api/v1/packages?fresh=true&q=-name:nothing".to_owned(),
        "/api/v1/packages?fresh=true&q=version:^9".to_owned(),
        "/api/v1/users".to_owned(),
        "/api/v1/organisations".to_owned(),
        "/api/v1/organisations/eve/members".to_owned(),
        "/api/v1/tokens?user=eve".to_owned(),
        "/api/v1/audit".to_owned(),
        "/api/v1".to_owned(),
        "/metrics".to_owned(),
        "/".to_owned(),
    ];
    while let Some(path) = next.pop() {
        let answer = actor.get(&path).await;
        assert!(answer.status.as_u16() < 500, "{path}");
        said.push_str(&String::from_utf8_lossy(&answer.body));
        for (_, value) in &answer.headers {
            said.push_str(value.to_str().unwrap());
        }
        if path.starts_with("/v2/") {
            next.extend(Some(answer.next()).filter(|next| !next.is_empty()));
        } else if answer.status == 200
            && path.contains("limit=1")
            && let Some(cursor) = answer.json()["next"].as_str()
        {
            next.push(format!("/api/v1/packages?fresh=true&limit=1&after={cursor}"));
        }
    }
    said
}

#[tokio::test]
async fn no_list_names_what_is_hidden() {
    let app = TestApp::with_accounts().await;
    let (ada, bob, eve) = (app.user("ada").await, app.user("bob").await, app.user("eve").await);
    let (hidden, shown) = (agent("hidden-gem", "9.9.9", "  author: somebody\n"), agent("shown", "1.0.0", ""));
    for before_and_after in ["eve/aaa", "eve/hidden-gem", "eve/zzz"] {
        eve.push_package(before_and_after, "9.9.9", &hidden).await;
    }
    ada.must(Method::PUT, "/repositories/ada/shown", json!({"visibility": "public"})).await;
    ada.push_package("ada/shown", "1.0.0", &shown).await;
    let names = ["hidden-gem", "eve/aaa", "eve/zzz", "9.9.9", "somebody"];
    let catalogue = bob.short("registry:catalog:*&scope=repository:eve/hidden-gem:pull").await;
    let narrow = app.token("eve", json!({"name": "n", "repositories": ["eve/other", "ada/**"]})).await.1;
    for (who, actor) in [("nobody", app.nobody()), ("bob", bob), ("bob's short token", catalogue), ("a token", narrow)]
    {
        let said = everything(&actor).await;
        // What was asked for comes back in no answer either.
        for name in names {
            assert!(!said.contains(name), "{who} reads of {name}: {said}");
        }
    }
    for actor in [&eve, &app.boss()] {
        let said = everything(actor).await;
        for name in names {
            assert!(said.contains(name), "{name} is there");
        }
    }
    assert!(everything(&app.nobody()).await.contains("ada/shown"), "and what is public is listed");
}

#[tokio::test]
async fn pages_are_full_whatever_lies_hidden_between() {
    let app = TestApp::with_accounts().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for number in 0..12 {
        let hidden = format!("eve/r{number:02}");
        eve.push_image(&hidden, "v1", b"x").await;
        if number % 3 == 0 {
            let grant = json!({"repository": hidden, "grantee": {"user": "ada"}, "level": "read"});
            eve.must(Method::PUT, "/permissions", grant).await;
        }
    }
    let (mut next, mut pages) = ("/v2/_catalog?n=2".to_owned(), vec![]);
    while !next.is_empty() {
        let page = ada.get(&next).await;
        pages.push(page.json()["repositories"].clone());
        next = page.next();
    }
    assert_eq!(json!(pages), json!([["eve/r00", "eve/r03"], ["eve/r06", "eve/r09"]]));
}

#[tokio::test]
async fn the_catalogue_asks_for_its_scope() {
    let app = TestApp::with_accounts().await;
    let ada = app.user("ada").await;
    ada.push_image("ada/agent", "v1", b"x").await;
    let short = ada.short("repository:ada/agent:pull").await;
    for actor in [&app.nobody(), &short, &app.nobody().short("registry:catalog:*").await] {
        let asked = actor.get("/v2/_catalog").await;
        assert_eq!(asked.status, 401);
        assert!(asked.header("www-authenticate").contains("scope=\"registry:catalog:*\""));
    }
    let listed = ada.short("registry:catalog:*").await;
    assert_eq!(listed.get("/v2/_catalog").await.json()["repositories"], json!(["ada/agent"]));
    assert_eq!(listed.reads("/v2/ada/agent/manifests/v1").await, 401, "a name opens nothing");
}
