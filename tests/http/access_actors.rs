//! People and the credentials they show, for the tests of who may do what.

use agent_registry::oci::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Somebody who shows something with each request.
pub(crate) struct Actor<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) authorization: Option<String>,
}

/// What [`Actor::push_image`] has stored.
pub(crate) struct Image {
    pub(crate) layer: Digest,
    pub(crate) manifest: Digest,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))
}

impl TestApp {
    pub(crate) fn actor(&self, authorization: impl Into<String>) -> Actor<'_> {
        Actor { app: self, authorization: Some(authorization.into()) }
    }

    /// Whoever shows nothing.
    pub(crate) fn nobody(&self) -> Actor<'_> {
        Actor { app: self, authorization: None }
    }

    /// The first administrator.
    pub(crate) fn boss(&self) -> Actor<'_> {
        self.actor(format!("Bearer {}", self.admin))
    }

    /// A new user, with a token for everything.
    pub(crate) async fn user(&self, name: &str) -> Actor<'_> {
        let made = self.boss().call(Method::POST, "/users", &json!({"name": name})).await;
        assert_eq!(made.status, 201, "{name}");
        self.token(name, json!({"name": "all"})).await.1
    }

    /// Somebody's new token, and its number.
    pub(crate) async fn token(&self, user: &str, wanted: Value) -> (i64, Actor<'_>) {
        let made = self.boss().call(Method::POST, &format!("/tokens?user={user}"), &wanted).await;
        assert_eq!(made.status, 201, "{wanted}: {}", String::from_utf8_lossy(&made.body));
        let (id, token) = (made.json()["id"].as_i64().unwrap(), made.json()["token"].clone());
        (id, self.actor(format!("Bearer {}", token.as_str().unwrap())))
    }
}

impl<'a> Actor<'a> {
    /// A request with what the actor shows.
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let shown = self.authorization.as_deref().map(|shown| ("authorization", shown));
        let headers: Vec<_> = headers.iter().copied().chain(shown).collect();
        self.app.send(method, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], b"").await
    }

    /// The status of a GET.
    pub(crate) async fn reads(&self, path: &str) -> u16 {
        self.get(path).await.status.as_u16()
    }

    /// The status of a request without a body.
    pub(crate) async fn tries(&self, method: Method, path: &str) -> u16 {
        self.send(method, path, &[], b"").await.status.as_u16()
    }

    /// A request to the REST API.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, &format!("/api/v1{path}"), &[("content-type", "application/json")], text.as_bytes()).await
    }

    /// A request to the REST API that must succeed.
    pub(crate) async fn must(&self, method: Method, path: &str, body: Value) -> Answer {
        let answer = self.call(method.clone(), path, &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        answer
    }

    /// The answer to a small blob in one request.
    pub(crate) async fn put_blob(&self, repository: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::sha256(bytes));
        self.send(Method::POST, &path, &[], bytes).await
    }

    /// The status of a manifest under a tag.
    pub(crate) async fn put_manifest(&self, repository: &str, target: &str, bytes: &[u8]) -> u16 {
        let path = format!("/v2/{repository}/manifests/{target}");
        self.send(Method::PUT, &path, &[("content-type", MANIFEST)], bytes).await.status.as_u16()
    }

    /// Pushes an image of one layer, which is also its configuration.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str, layer: &[u8]) -> Image {
        assert_eq!(self.put_blob(repository, layer).await.status, 201, "{repository}");
        let (image, layer) = (image(layer), Digest::sha256(layer));
        assert_eq!(self.put_manifest(repository, tag, &image).await, 201, "{repository}:{tag}");
        Image { layer, manifest: Digest::sha256(&image), bytes: image }
    }

    /// The same actor with a short token for a scope.
    pub(crate) async fn short(&self, scope: &str) -> Actor<'a> {
        let answer = self.get(&format!("/token?scope={scope}")).await;
        assert_eq!(answer.status, 200, "{scope}");
        self.app.actor(format!("Bearer {}", answer.json()["token"].as_str().unwrap()))
    }

    /// Opens an upload session, and says where it is.
    pub(crate) async fn begin(&self, repository: &str) -> String {
        let begun = self.send(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), &[], b"").await;
        assert_eq!(begun.status, 202, "{repository}");
        begun.header("location").to_owned()
    }

    /// The status of a chunk.
    pub(crate) async fn patch(&self, place: &str, bytes: &[u8]) -> u16 {
        self.send(Method::PATCH, place, &[], bytes).await.status.as_u16()
    }

    /// The status of the end of an upload.
    pub(crate) async fn finish(&self, place: &str, whole: &[u8]) -> u16 {
        self.tries(Method::PUT, &format!("{place}?digest={}", Digest::sha256(whole))).await
    }
}

/// Waits until something has become so, at most a minute.
pub(crate) async fn until(what: impl AsyncFn() -> bool) {
    let waiting = async {
        while !what().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), waiting).await.expect("it becomes so within a minute");
}

/// The manifest of an image of one layer, which is also its configuration.
pub(crate) fn image(layer: &[u8]) -> Vec<u8> {
    let blob = json!({"mediaType": "application/octet-stream", "size": layer.len(), "digest": Digest::sha256(layer).to_string()});
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": [blob]}).to_string().into_bytes()
}
