//! Identities from elsewhere: runs that publish without a stored secret, people who sign in, and who tries to.

use agent_registry::server::Config;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, example};

#[path = "../support/issuer.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod issuer;
#[path = "../support/minter.rs"]
#[expect(dead_code, reason = "these tests need a part of it")]
mod minter;
use issuer::{Issuer, Mood};
use minter::{Signer, github_claims, gitlab_claims};

const AUDIENCE: &str = "https://registry.example";
const CLIENT: &str = "agent-cli";
const REPOSITORY: &str = "acme/sentiment-analyzer";

/// A registry that trusts an issuer, and an administrator's hand.
pub(crate) struct Scene {
    pub(crate) app: TestApp,
    issuer: Issuer,
    signer: Signer,
}

impl Scene {
    pub(crate) async fn new(more: &str) -> Self {
        let signer = Signer::p256("k");
        let issuer = Issuer::start(std::slice::from_ref(&signer)).await;
        let authority = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(authority.path(), &issuer.certificate).unwrap();
        let text = format!(
            "[auth]\nexternal-url = \"{AUDIENCE}\"\nallow-private-issuers = true\n[[auth.issuers]]\nname = \"ci\"\n\
             url = \"{}\"\nca-certificate = \"{}\"\n{more}",
            issuer.url,
            authority.path().display()
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let config = Config::load(Some(file.path()), agent_registry::server::Overrides::default()).unwrap();
        Self { app: TestApp::configured(config).await, issuer, signer }
    }

    async fn admin(&self, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.app.admin);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.app.send(method, path, &headers, body.to_string().as_bytes()).await
    }

    pub(crate) async fn publisher(&self, repository: &str, claims: &Value) -> i64 {
        let wanted = json!({"repository": repository, "issuer": self.issuer.url, "claims": claims});
        let made = self.admin(Method::POST, "/api/v1/publishers", &wanted).await;
        assert_eq!(made.status, 201, "{}", made.json());
        made.json()["id"].as_i64().unwrap()
    }

    fn claims(&self) -> Value {
        github_claims(&self.issuer.url, AUDIENCE, Timestamp::now().as_second())
    }

    async fn exchange(&self, token: &str) -> Answer {
        self.exchange_with(token, json!({})).await
    }

    async fn exchange_with(&self, token: &str, mut body: Value) -> Answer {
        body["token"] = token.into();
        let headers = [("content-type", "application/json")];
        self.app.send(Method::POST, "/api/v1/oidc/token", &headers, body.to_string().as_bytes()).await
    }

    /// What becomes of an honest run with some other claims.
    pub(crate) async fn run(&self, changes: &Value) -> Answer {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.exchange(&self.signer.sign(&claims)).await
    }

    async fn as_bearer(&self, token: &str, method: Method, path: &str, body: &[u8]) -> Answer {
        self.app.send(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    async fn audit(&self, action: &str) -> Vec<Value> {
        let found = self.admin(Method::GET, &format!("/api/v1/audit?action={action}"), &json!({})).await;
        found.json()["items"].as_array().unwrap().clone()
    }
}

pub(crate) fn github() -> Value {
    json!({"repository_id": "4711", "workflow_file": "publish.yml", "environment": "release"})
}

fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// What pushing a package with a token comes to.
async fn push(scene: &Scene, token: &str, repository: &str) -> u16 {
    let artifact = example("sentiment-analyzer");
    let manifest = artifact.manifest();
    for blob in artifact.blobs() {
        let content = match &blob.content {
            agent_registry::package::BlobContent::Bytes(bytes) => bytes.to_vec(),
            agent_registry::package::BlobContent::File(path) => std::fs::read(path).unwrap(),
        };
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", blob.descriptor.digest);
        let sent = scene.as_bearer(token, Method::POST, &path, &content).await;
        if sent.status != 201 {
            return sent.status.as_u16();
        }
    }
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", manifest.media_type().as_str())];
    let path = format!("/v2/{repository}/manifests/v1");
    scene.app.send(Method::PUT, &path, &headers, manifest.bytes()).await.status.as_u16()
}

#[tokio::test]
async fn a_run_publishes_a_repository_that_did_not_exist_and_reaches_no_other() {
    let scene = Scene::new("").await;
    let id = scene.publisher(REPOSITORY, &github()).await;
    let exchanged = scene.run(&json!({})).await;
    let secret = token(&exchanged);
    assert_eq!(exchanged.json()["repositories"], json!([REPOSITORY]));
    assert!(secret.starts_with("agr_") && exchanged.json().get("user").is_none());
    let ends: Timestamp = exchanged.json()["expires_at"].as_str().unwrap().parse().unwrap();
    assert!((14..=15).contains(&(ends.duration_since(Timestamp::now()).as_secs() / 60 + 1)), "{ends}");

    assert_eq!(scene.as_bearer(&secret, Method::GET, "/v2/", b"").await.status, 200);
    let there = push(&scene, &secret, "acme/other").await;
    assert_eq!(there, 403);
    assert_eq!(push(&scene, &secret, REPOSITORY).await, 201);
    let path = format!("/v2/{REPOSITORY}/manifests/v1");
    assert_eq!(scene.as_bearer(&secret, Method::GET, &path, b"").await.status, 200);
    assert_eq!(scene.as_bearer(&secret, Method::DELETE, &path, b"").await.status, 403);
    assert_eq!(scene.app.get(&path).await.status, 401, "what is published so is private");
    let wanted = json!({"repository": REPOSITORY, "issuer": scene.issuer.url, "claims": github()});
    let headers = [("authorization", &*format!("Bearer {secret}")), ("content-type", "application/json")];
    let more = scene.app.send(Method::POST, "/api/v1/publishers", &headers, wanted.to_string().as_bytes()).await;
    assert_eq!(more.status, 403, "a run makes no publishers");

    let audit = scene.audit("publisher.exchange").await;
    assert_eq!(
        (audit[0]["actor"].clone(), audit[0]["rule"].clone()),
        (json!(format!("(publisher {id})")), json!("publisher"))
    );
    assert_eq!(scene.audit("push").await[0]["actor"], json!(format!("(publisher {id})")));
    assert_eq!(scene.admin(Method::DELETE, &format!("/api/v1/publishers/{id}"), &json!({})).await.status, 204);
    assert_eq!(scene.as_bearer(&secret, Method::GET, &path, b"").await.status, 401, "its tokens end with it");
    assert_eq!(scene.run(&json!({})).await.status, 403);
}

#[tokio::test]
async fn an_identity_is_exchanged_once_whether_it_has_a_number_or_not() {
    let scene = Scene::new("").await;
    scene.publisher(REPOSITORY, &github()).await;
    let numbered = scene.claims();
    let mut nameless = scene.claims();
    nameless.as_object_mut().unwrap().remove("jti");
    for claims in [numbered, nameless] {
        let identity = scene.signer.sign(&claims);
        let tries = (0..8).map(|_| scene.exchange(&identity));
        let all = futures_util::future::join_all(tries).await;
        let taken = all.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1, "of many at the same moment one is taken");
        assert!(all.iter().all(|answer| answer.status == 200 || answer.status == 401));
        let again = scene.exchange(&scene.signer.sign(&claims)).await;
        assert_eq!(again.status, 401);
        assert!(again.json()["detail"].as_str().unwrap().contains("used before"), "{}", again.json());
    }
    assert_eq!(scene.audit("publisher.exchange").await.len(), 2);
}

#[tokio::test]
async fn a_run_must_be_the_one_that_is_meant() {
    let scene = Scene::new("").await;
    scene.publisher(REPOSITORY, &github()).await;
    let other = "acme/agents/.github/workflows/other.yml@refs/heads/main";
    for changes in [
        json!({"repository_id": "4712"}),
        json!({"environment": "test"}),
        json!({"workflow_ref": other}),
        json!({"event_name": "pull_request_target"}),
        json!({"event_name": "workflow_run"}),
    ] {
        let refused = scene.run(&changes).await;
        assert_eq!(refused.status, 403, "{changes}: {}", refused.json());
    }
    for changes in [
        json!({"aud": "sigstore"}),
        json!({"aud": [AUDIENCE, "sigstore"]}),
        json!({"iss": "https://token.actions.githubusercontent.com"}),
        json!({"exp": 1}),
        json!({"nbf": Timestamp::now().as_second() + 600}),
        json!({"iat": Timestamp::now().as_second() - 7200}),
    ] {
        let refused = scene.run(&changes).await;
        assert_eq!(refused.status, 401, "{changes}: {}", refused.json());
    }
    let forged = Signer::p256("k").sign(&scene.claims());
    assert_eq!(scene.exchange(&forged).await.status, 401);
    for text in ["", "agr_secret", "a.b.c"] {
        assert_eq!(scene.exchange(text).await.status, 401, "{text}");
    }
    let spent = scene.claims();
    assert_eq!(scene.exchange(&scene.signer.sign(&spent)).await.status, 200, "a refusal spends no other identity");
}

#[tokio::test]
async fn one_of_several_publishers_is_named_and_gitlab_fits_too() {
    let scene = Scene::new("").await;
    scene.publisher("acme/one", &json!({"project_id": "22", "ref_protected": "true"})).await;
    scene.publisher("acme/two", &json!({"project_id": "22"})).await;
    let identity = || scene.signer.sign(&gitlab_claims(&scene.issuer.url, AUDIENCE, Timestamp::now().as_second()));
    assert_eq!(scene.exchange(&identity()).await.status, 400);
    let chosen = scene.exchange_with(&identity(), json!({"repository": "acme/two"})).await;
    let secret = token(&chosen);
    assert_eq!(chosen.json()["repositories"], json!(["acme/two"]));
    assert_eq!(push(&scene, &secret, "acme/one").await, 403);
    assert_eq!(scene.exchange_with(&identity(), json!({"repository": "acme/three"})).await.status, 403);
}

#[tokio::test]
async fn a_publishers_token_signs_in_as_docker_does() {
    let scene = Scene::new("").await;
    scene.publisher(REPOSITORY, &github()).await;
    let secret = token(&scene.run(&json!({})).await);
    let signed_in = scene
        .app
        .client
        .get(format!("{}/token?service=registry.example&scope=repository:{REPOSITORY}:pull,push", scene.app.url))
        .basic_auth("ci", Some(&secret))
        .send()
        .await
        .unwrap();
    assert_eq!(signed_in.status(), 200);
    let short: Value = signed_in.json().await.unwrap();
    assert_eq!(push(&scene, short["token"].as_str().unwrap(), REPOSITORY).await, 201);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_no_fault_of_the_callers() {
    let scene = Scene::new("").await;
    scene.publisher(REPOSITORY, &github()).await;
    scene.issuer.set_mood(Mood::Down);
    let refused = scene.run(&json!({})).await;
    assert_eq!(refused.status, 503);
    assert!(!refused.json().to_string().contains("127.0.0.1"), "{}", refused.json());
}

#[tokio::test]
async fn a_registry_that_trusts_nobody_or_everybody_exchanges_nothing() {
    for app in [TestApp::with_accounts().await, TestApp::spawn().await] {
        let info = app.get("/api/v1").await.json();
        assert!(info.get("audience").is_none() && info.get("sign_in").is_none(), "{info}");
        let body = json!({"token": "a.b.c"}).to_string();
        let headers = [("content-type", "application/json")];
        assert_eq!(app.send(Method::POST, "/api/v1/oidc/token", &headers, body.as_bytes()).await.status, 404);
    }
}

impl Scene {
    async fn with_people(more: &str) -> Self {
        Self::new(&format!("client-id = \"{CLIENT}\"\nsign-in = true\n{more}")).await
    }

    fn person(&self, changes: &Value) -> String {
        let now = Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer.url, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300,
            "jti": minter::unique(), "preferred_username": "grace",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&claims)
    }

    async fn me(&self, token: &str) -> Value {
        self.as_bearer(token, Method::GET, "/api/v1/me", b"").await.json()
    }
}

#[tokio::test]
async fn a_person_signs_in_as_the_user_an_administrator_linked() {
    let scene = Scene::with_people("").await;
    let info = scene.app.get("/api/v1").await.json();
    assert_eq!(info["audience"], AUDIENCE);
    assert_eq!(info["sign_in"], json!([{"name": "ci", "url": scene.issuer.url, "client_id": CLIENT}]));
    assert_eq!(scene.admin(Method::POST, "/api/v1/users", &json!({"name": "ada"})).await.status, 201);
    assert_eq!(scene.exchange(&scene.person(&json!({}))).await.status, 403, "nobody linked it");
    let identity = json!({"issuer": scene.issuer.url, "subject": "person-1"});
    let linked = scene.admin(Method::PUT, "/api/v1/users/ada/identities", &identity).await;
    assert_eq!(linked.status, 201, "{}", linked.json());
    assert_eq!(scene.admin(Method::PUT, "/api/v1/users/admin/identities", &identity).await.status, 409);
    let signed_in = scene.exchange(&scene.person(&json!({}))).await;
    let secret = token(&signed_in);
    assert_eq!(signed_in.json()["user"], "ada");
    assert_eq!(scene.me(&secret).await["name"], "ada");
    assert_eq!(scene.exchange(&scene.person(&json!({"sub": "person-2"}))).await.status, 403);
    let listed = scene.as_bearer(&secret, Method::GET, "/api/v1/users/ada/identities", b"").await.json();
    assert_eq!(listed["items"][0]["subject"], "person-1");

    let headers = [("authorization", &*format!("Bearer {secret}")), ("content-type", "application/json")];
    let own = json!({"issuer": scene.issuer.url, "subject": "person-3"}).to_string();
    let told = scene.app.send(Method::PUT, "/api/v1/users/ada/identities", &headers, own.as_bytes()).await;
    assert_eq!(told.status, 403, "users do not link themselves");
    let path = format!("/api/v1/users/ada/identities?issuer={}&subject=person-1", scene.issuer.url);
    assert_eq!(scene.admin(Method::DELETE, &path, &json!({})).await.status, 204);
    assert_eq!(scene.admin(Method::DELETE, &path, &json!({})).await.status, 404);
    assert_eq!(scene.exchange(&scene.person(&json!({}))).await.status, 403);
    assert_eq!(scene.audit("user.sign-in").await.len(), 1);
}

#[tokio::test]
async fn a_person_who_comes_first_gets_the_name_unless_it_is_somebodys() {
    let scene = Scene::with_people("create-users-from = \"preferred_username\"\n").await;
    let first = scene.exchange(&scene.person(&json!({}))).await;
    assert_eq!(first.json()["user"], "grace", "{}", first.json());
    let renamed = scene.exchange(&scene.person(&json!({"preferred_username": "admin"}))).await;
    assert_eq!(renamed.json()["user"], "grace", "the subject counts, whatever the name is now");
    let names = [("p-2", json!("grace")), ("p-3", json!("admin")), ("p-4", json!("api")), ("p-5", json!("Not A Name"))];
    for (subject, name) in names {
        let refused = scene.exchange(&scene.person(&json!({"sub": subject, "preferred_username": name}))).await;
        assert_eq!(refused.status, 403, "{name}: {}", refused.json());
    }
    assert_eq!(scene.exchange(&scene.person(&json!({"sub": "p-6", "preferred_username": 7}))).await.status, 403);
    assert_eq!(scene.admin(Method::DELETE, "/api/v1/users/grace", &json!({})).await.status, 200);
    assert_eq!(scene.exchange(&scene.person(&json!({}))).await.status, 403, "who was removed does not come back");
}

#[tokio::test]
async fn a_sign_in_for_one_registry_is_none_for_another() {
    let scene = Scene::with_people("create-users-from = \"preferred_username\"\n").await;
    let secret = agent_registry::api::Secret::new("random");
    let own = agent_registry::api::sign_in_nonce(AUDIENCE, &secret);
    let evil = agent_registry::api::sign_in_nonce("https://registry.evil", &secret);
    for (nonce, shown) in [(&evil, json!({"nonce": "random"})), (&own, json!({})), (&own, json!({"nonce": "other"}))] {
        let refused = scene.exchange_with(&scene.person(&json!({"nonce": nonce})), shown.clone()).await;
        assert_eq!(refused.status, 401, "{shown}");
    }
    let taken = scene.exchange_with(&scene.person(&json!({"nonce": own})), json!({"nonce": "random"})).await;
    assert_eq!(taken.status, 200);
    let run = scene.person(&json!({"aud": AUDIENCE}));
    assert_eq!(scene.exchange(&run).await.status, 403, "what is made for runs signs in nobody");
}
