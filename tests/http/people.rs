//! People over REST: users, organisations, teams, tokens, permissions, rules about tags and the audit.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

/// Somebody with an access token of their own.
struct Person<'a> {
    app: &'a TestApp,
    token: String,
}

impl Person<'_> {
    async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = if path.starts_with("/v2") { path.to_owned() } else { format!("/api/v1{path}") };
        self.app.send(method, &path, &headers, body.as_bytes()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &body).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &Value::Null).await
    }

    /// Pushes a small blob, so that the repository is there.
    async fn push(&self, repository: &str) -> u16 {
        let digest = agent_registry::oci::Digest::sha256(b"x");
        let authorization = format!("Bearer {}", self.token);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        self.app.send(Method::POST, &path, &[("authorization", &authorization)], b"x").await.status.as_u16()
    }

    async fn pull(&self, repository: &str) -> u16 {
        self.get(&format!("/v2/{repository}/blobs/{}", agent_registry::oci::Digest::sha256(b"x"))).await.status.as_u16()
    }
}

impl TestApp {
    fn administrator(&self) -> Person<'_> {
        Person { app: self, token: self.admin.clone() }
    }

    /// A new user with a token for everything.
    async fn person(&self, name: &str) -> Person<'_> {
        let admin = self.administrator();
        let made = admin.post("/users", json!({"name": name, "password": format!("password of {name}")})).await;
        assert_eq!((made.status.as_u16(), &made.json()["has_password"]), (201, &json!(true)));
        let login = json!({"user": name, "password": format!("password of {name}"), "name": "test"});
        let headers = [("content-type", "application/json")];
        let answer = self.send(Method::POST, "/api/v1/login", &headers, login.to_string().as_bytes()).await;
        assert_eq!(answer.status, 201);
        Person { app: self, token: answer.json()["token"].as_str().unwrap().to_owned() }
    }
}

fn problem(answer: &Answer) -> u16 {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], answer.status.as_u16());
    answer.status.as_u16()
}

#[tokio::test]
async fn users_are_made_listed_and_removed_by_administrators() {
    let app = TestApp::with_accounts().await;
    let (admin, ada) = (app.administrator(), app.person("ada").await);
    let users = admin.get("/users").await.json();
    assert_eq!(
        users["items"].as_array().unwrap().iter().map(|user| &user["name"]).collect::<Vec<_>>(),
        ["ada", "admin"]
    );
    for (name, status) in [("ada", 409), ("api", 400), ("Ada", 400), ("a/b", 400)] {
        assert_eq!(problem(&admin.post("/users", json!({"name": name})).await), status, "{name}");
    }
    assert_eq!(problem(&ada.post("/users", json!({"name": "bob"})).await), 403);
    assert_eq!(problem(&ada.get("/users").await), 403);
    assert_eq!(ada.get("/users/ada").await.json()["name"], "ada");
    assert_eq!(problem(&ada.get("/users/admin").await), 404, "others are nobody's business");
    assert_eq!(problem(&ada.get("/users/nobody").await), 404);
    assert_eq!(problem(&app.get("/api/v1/users").await), 401);
    assert_eq!(problem(&admin.put("/users/admin/administrator", json!({"is_administrator": false})).await), 409);
    assert_eq!(ada.push("ada/agent").await, 201);
    let removed = admin.delete("/users/ada").await.json();
    assert_eq!(removed, json!({"name": "ada", "repositories": 1, "packages_now_owned_by": "admin"}));
    assert_eq!(ada.pull("ada/agent").await, 401, "at once");
    assert_eq!(admin.pull("ada/agent").await, 200);
    assert_eq!(problem(&admin.post("/users", json!({"name": "ada"})).await), 409, "the name stays taken");
}

#[tokio::test]
async fn passwords_sign_in_and_nothing_else() {
    let app = TestApp::with_accounts().await;
    let ada = app.person("ada").await;
    let me = ada.get("/me").await.json();
    assert_eq!((&me["name"], &me["kind"], &me["is_administrator"]), (&json!("ada"), &json!("user"), &json!(false)));
    assert_eq!(me["credential"]["scopes"], json!(["read", "write", "delete", "admin"]));
    assert!(me["credential"]["expires_at"].is_string() && me["credential"]["token"].is_i64(), "{me}");
    let basic =
        format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "ada:password of ada"));
    let with = [("authorization", basic.as_str())];
    assert_eq!(app.send(Method::GET, "/token", &with, b"").await.status, 200);
    assert_eq!(app.send(Method::GET, "/v2/", &with, b"").await.status, 401);
    assert_eq!(app.send(Method::GET, "/api/v1/me", &with, b"").await.status, 401);
    assert_eq!(app.get("/api/v1/me").await.status, 401);
    let short = app.send(Method::GET, "/token", &with, b"").await.json()["token"].as_str().unwrap().to_owned();
    let short = Person { app: &app, token: short };
    assert_eq!(short.get("/me").await.json()["credential"]["kind"], "short");
    assert_eq!(ada.put("/users/ada/password", json!({"password": "another one"})).await.status, 204);
    assert_eq!(app.send(Method::GET, "/token", &with, b"").await.status, 401);
    assert_eq!(problem(&ada.put("/users/ada/password", json!({"password": "short"})).await), 400);
    let typed = app.send(Method::POST, "/api/v1/login", &[("content-type", "text/plain")], b"{}").await;
    assert_eq!(problem(&typed), 415);
}

#[tokio::test]
async fn tokens_reach_as_far_as_they_say_and_end_when_they_are_told_to() {
    let app = TestApp::with_accounts().await;
    let ada = app.person("ada").await;
    let narrow = json!({"name": "ci", "scopes": ["write"], "repositories": ["ada/ci-*"], "expires": "30d"});
    let made = ada.post("/tokens", narrow).await;
    assert_eq!(made.status, 201);
    let (id, token) = (made.json()["id"].as_i64().unwrap(), made.json()["token"].as_str().unwrap().to_owned());
    let ci = Person { app: &app, token };
    assert_eq!(
        (ci.push("ada/ci-agent").await, ci.push("ada/agent").await, ci.push("ada/ci-a/b").await),
        (201, 403, 403)
    );
    assert_eq!(ci.send(Method::DELETE, "/v2/ada/ci-agent/manifests/latest", &Value::Null).await.status, 403);
    assert_eq!(problem(&ci.post("/tokens", json!({"name": "wider"})).await), 403);
    assert_eq!(problem(&ci.delete(&format!("/tokens/{}", id - 1)).await), 403, "not the token it was made with");
    let listed = ada.get("/tokens").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(&ci.token) && !listed.to_string().contains(&ada.token));
    let rotated = ada.post(&format!("/tokens/{id}/rotate"), json!({"overlap_seconds": 60})).await;
    assert_eq!(rotated.status, 201);
    let next = Person { app: &app, token: rotated.json()["token"].as_str().unwrap().to_owned() };
    assert_eq!(
        (ci.push("ada/ci-agent").await, next.push("ada/ci-agent").await, next.push("ada/agent").await),
        (201, 201, 403)
    );
    assert_eq!(ada.delete(&format!("/tokens/{id}")).await.status, 204);
    assert_eq!((ci.push("ada/ci-agent").await, next.push("ada/ci-agent").await), (401, 201));
    for (wrong, status) in [
        (json!({"name": "x", "scopes": []}), 400),
        (json!({"name": "x", "scopes": ["fly"]}), 400),
        (json!({"name": "x", "repositories": ["A/*"]}), 400),
        (json!({"name": ""}), 400),
        (json!({"name": "x", "expires": "9999w"}), 400),
        (json!({"name": "x", "expires": "never"}), 403),
        (json!({"name": "x", "token": "ab".repeat(32)}), 403),
    ] {
        assert_eq!(problem(&ada.post("/tokens", wrong.clone()).await), status, "{wrong}");
    }
    let foreign = json!({"name": "old", "token": "ab".repeat(32), "expires": "never"});
    assert_eq!(app.administrator().post("/tokens?user=ada", foreign).await.status, 201);
    assert_eq!(Person { app: &app, token: "ab".repeat(32) }.get("/me").await.json()["name"], "ada");
    assert_eq!(problem(&ada.get("/tokens?user=admin").await), 404);
}

#[tokio::test]
async fn organisations_have_owners_members_and_teams() {
    let app = TestApp::with_accounts().await;
    let (ada, bob, eve) = (app.person("ada").await, app.person("bob").await, app.person("eve").await);
    let made = ada.post("/organisations", json!({"name": "acme", "default_visibility": "org"})).await;
    assert_eq!(
        (made.status.as_u16(), &made.json()["role"], &made.json()["members"]),
        (201, &json!("owner"), &json!(1))
    );
    assert_eq!(problem(&eve.get("/organisations/acme").await), 404, "strangers do not learn of it");
    assert_eq!(problem(&eve.get("/organisations/nothing").await), 404);
    assert_eq!(ada.put("/organisations/acme/members/bob", json!({"role": "member"})).await.status, 204);
    assert_eq!(ada.push("acme/agent").await, 201);
    assert_eq!((bob.pull("acme/agent").await, eve.pull("acme/agent").await), (200, 404));
    assert_eq!(bob.push("acme/agent").await, 403);
    assert_eq!(problem(&ada.delete("/organisations/acme/members/ada").await), 409, "the last owner");
    assert_eq!(problem(&bob.put("/organisations/acme/members/eve", json!({"role": "owner"})).await), 403);

    assert_eq!(ada.post("/organisations/acme/teams", json!({"name": "devs", "role": "write"})).await.status, 201);
    assert_eq!(problem(&ada.put("/organisations/acme/teams/devs/members/eve", json!({})).await), 409, "no member");
    assert_eq!(ada.put("/organisations/acme/teams/devs/members/bob", json!({})).await.status, 204);
    assert_eq!(bob.push("acme/other").await, 201, "a team's role holds in the whole namespace");
    assert_eq!(ada.get("/organisations/acme/teams/devs/members").await.json()["items"][0]["user"], "bob");
    let changed = ada.send(Method::PATCH, "/organisations/acme/teams/devs", &json!({"role": null})).await;
    assert_eq!((changed.status.as_u16(), changed.json().get("role")), (200, None));
    assert_eq!(bob.push("acme/other").await, 403, "at once");
    assert_eq!(ada.delete("/organisations/acme/teams/devs").await.status, 204);
    assert_eq!(bob.delete("/organisations/acme/members/bob").await.status, 204, "everybody may leave");
    assert_eq!(bob.pull("acme/agent").await, 404);
    assert_eq!(problem(&ada.delete("/organisations/acme").await), 409, "it has repositories");
}

#[tokio::test]
async fn permissions_are_granted_explained_and_taken_back() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.person("ada").await, app.person("bob").await);
    assert_eq!(ada.push("ada/agent").await, 201);
    assert_eq!((bob.pull("ada/agent").await, bob.pull("ada/absent").await), (404, 404));
    let grant = json!({"repository": "ada/agent", "grantee": {"user": "bob"}, "level": "read", "expires": "30d"});
    assert_eq!(problem(&bob.put("/permissions", grant.clone()).await), 403);
    assert_eq!(ada.put("/permissions", grant).await.status, 200);
    assert_eq!((bob.pull("ada/agent").await, bob.push("ada/agent").await), (200, 403));
    let listed = ada.get("/permissions?repository=ada/agent").await.json();
    assert_eq!(
        (&listed["items"][0]["grantee"], &listed["items"][0]["level"]),
        (&json!({"user": "bob"}), &json!("read"))
    );
    let question = "/permissions/explain?user=bob&action=pull&repository=ada/agent";
    let told = ada.get(question).await.json();
    assert_eq!((&told["allowed"], told["rule"].as_str().unwrap().contains("bob")), (&json!(true), true), "{told}");
    assert!(!told["tried"].as_array().unwrap().is_empty());
    assert_eq!(problem(&bob.get(question).await), 403);
    assert_eq!(ada.delete("/permissions?repository=ada/agent&user=bob").await.status, 204);
    assert_eq!(bob.pull("ada/agent").await, 404, "at once");
    assert_eq!(problem(&ada.delete("/permissions?repository=ada/agent&user=bob").await), 404);
    assert_eq!(problem(&ada.delete("/permissions?repository=ada/agent").await), 400);
}

#[tokio::test]
async fn visibility_is_settled_before_the_first_byte() {
    let app = TestApp::with_accounts().await;
    let (ada, bob) = (app.person("ada").await, app.person("bob").await);
    let made = ada.put("/repositories/ada/open", json!({"visibility": "public"})).await;
    assert_eq!((made.status.as_u16(), &made.json()["visibility"]), (201, &json!("public")));
    assert_eq!(ada.push("ada/open").await, 201);
    let path = format!("/v2/ada/open/blobs/{}", agent_registry::oci::Digest::sha256(b"x"));
    assert_eq!((bob.pull("ada/open").await, app.get(&path).await.status.as_u16()), (200, 200));
    assert_eq!(problem(&bob.put("/repositories/ada/open", json!({"visibility": "private"})).await), 403);
    assert_eq!(problem(&bob.put("/repositories/ada/new", json!({"visibility": "public"})).await), 403);
    let closed = ada.put("/repositories/ada/open", json!({"visibility": "private"})).await;
    assert_eq!((closed.status.as_u16(), &closed.json()["visibility"]), (200, &json!("private")));
    assert_eq!((bob.pull("ada/open").await, app.get(&path).await.status.as_u16()), (404, 401));
    assert_eq!(problem(&ada.put("/repositories/ada/open", json!({"visibility": "secret"})).await), 400);
}

#[tokio::test]
async fn rules_about_tags_hold() {
    let app = TestApp::with_accounts().await;
    let ada = app.person("ada").await;
    assert_eq!(ada.push("ada/agent").await, 201);
    let rules = json!({"rules": [
        {"pattern": "semver", "kind": "immutable"},
        {"pattern": "latest", "kind": "restricted", "level": "admin"},
    ]});
    let path = "/tag-rules?repository=ada/agent";
    assert_eq!(ada.put(path, rules.clone()).await.status, 200);
    assert_eq!(ada.get(path).await.json(), rules);
    for wrong in [
        json!({"rules": [{"pattern": "v*", "kind": "immutable", "level": "admin"}]}),
        json!({"rules": [{"pattern": "v*", "kind": "restricted"}]}),
        json!({"rules": [{"pattern": "", "kind": "immutable"}]}),
        json!({"rules": [{"pattern": "v*", "kind": "restricted", "level": "admin", "grantees": [{"user": "ada"}]}]}),
    ] {
        assert_eq!(problem(&ada.put(path, wrong.clone()).await), 400, "{wrong}");
    }
    assert_eq!(ada.delete(path).await.status, 204);
    assert_eq!(ada.get(path).await.json(), json!({"rules": []}));
}

#[tokio::test]
async fn the_audit_knows_what_was_done_and_denied() {
    let app = TestApp::with_accounts().await;
    let (admin, ada, bob) = (app.administrator(), app.person("ada").await, app.person("bob").await);
    assert_eq!((ada.push("ada/agent").await, bob.push("ada/agent").await), (201, 403));
    assert_eq!(problem(&ada.get("/audit").await), 403);
    let pushes = admin.get("/audit?action=push").await.json();
    let outcomes: Vec<_> =
        pushes["items"].as_array().unwrap().iter().map(|entry| (&entry["actor"], &entry["outcome"])).collect();
    assert!(outcomes.contains(&(&json!("bob"), &json!("denied"))), "{pushes}");
    assert_eq!(pushes["items"][0]["address"], "127.0.0.1");
    let created = admin.get("/audit?user=admin&action=user.create&limit=1").await.json();
    assert_eq!((&created["items"][0]["object"], created["next"].is_string()), (&json!("bob"), true));
    let next = created["next"].as_str().unwrap();
    let older = admin.get(&format!("/audit?user=admin&action=user.create&limit=1&after={next}")).await.json();
    assert_eq!(older["items"][0]["object"], "ada");
    assert_eq!(problem(&admin.get("/audit?since=yesterday").await), 400);
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_one_is_still_believed() {
    let app = TestApp::with_accounts().await;
    let (admin, ada) = (app.administrator(), app.person("ada").await);
    let login = format!("Bearer {}", app.admin);
    let short = app.send(Method::GET, "/token", &[("authorization", &login)], b"").await.json();
    let short = Person { app: &app, token: short["token"].as_str().unwrap().to_owned() };
    assert_eq!(problem(&ada.post("/admin/signing-keys/rotate", Value::Null).await), 403);
    let made = admin.post("/admin/signing-keys/rotate", Value::Null).await;
    assert_eq!((made.status.as_u16(), made.json()["kid"].is_string()), (201, true));
    assert_eq!(short.get("/me").await.status, 200);
}

#[tokio::test]
async fn without_accounts_nothing_about_people_is_there() {
    let app = TestApp::spawn().await;
    for path in ["/api/v1/users", "/api/v1/organisations", "/api/v1/audit", "/api/v1/tokens?user=ada"] {
        assert_eq!(problem(&app.get(path).await), 404, "{path}");
    }
    let headers = [("content-type", "application/json")];
    let login = app.send(Method::POST, "/api/v1/login", &headers, br#"{"user":"ada","password":"password"}"#).await;
    assert_eq!(problem(&login), 404);
}
