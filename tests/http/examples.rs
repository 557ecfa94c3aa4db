//! Every operation's example, taken from the description itself, sent to a registry that has what it speaks of.

use std::fmt::Write as _;
use std::time::Duration;

use agent_registry::oci::Digest;
use agent_registry::package::{Artifact, BlobContent};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, agent};
use crate::description::{document, example_of, operations, resolved};

/// Operations whose example cannot be good here, with what it gets and the reason.
const NOT_GOOD: [(&str, u16, &str); 1] =
    [("exchange_identity_token", 404, "its token is of an issuer that no test can be; `oidc.rs` exchanges real ones")];

/// A registry with the people, packages and rights that the examples speak of.
struct World {
    app: TestApp,
    backups: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let world = Self { app: TestApp::with_accounts().await, backups: tempfile::tempdir().unwrap() };
        for (name, password) in [("ada", json!("correct horse battery")), ("grace", Value::Null), ("alan", Value::Null)]
        {
            world.make("POST", "/api/v1/users", &json!({"name": name, "password": password})).await;
        }
        world.make("DELETE", "/api/v1/users/alan", &Value::Null).await;
        for name in ["acme", "umbrella"] {
            world.make("POST", "/api/v1/organisations", &json!({"name": name})).await;
        }
        let acme = "/api/v1/organisations/acme";
        world.make("PUT", &format!("{acme}/members/ada"), &json!({"role": "member"})).await;
        world.make("POST", &format!("{acme}/teams"), &json!({"name": "devs"})).await;
        world.make("PUT", &format!("{acme}/teams/devs/members/ada"), &json!({})).await;
        world.make("PUT", "/api/v1/repositories/acme/writer", &json!({"visibility": "org"})).await;
        for version in ["1.0.0", "1.1.0"] {
            world
                .push("acme/writer", version, &agent("writer", version, "  description: Writes.\n  author: Ada\n"))
                .await;
        }
        let grant = json!({"repository": "acme/writer", "grantee": {"user": "grace"}, "level": "read"});
        world.make("PUT", "/api/v1/permissions", &grant).await;
        let made = world.make("POST", "/api/v1/tokens?user=ada", &json!({"name": "laptop"})).await;
        assert_eq!(made["id"], 2, "the examples name this token");
        let publisher =
            json!({"repository": "acme/writer", "issuer": "https://ci.example.com", "claims": {"project_id": "7"}});
        assert_eq!(world.make("POST", "/api/v1/publishers", &publisher).await["id"], 1);
        let token = made["token"].as_str().unwrap();
        for bearer in [token, world.app.admin.as_str()] {
            let rated = world.send_as(
                bearer,
                "PUT",
                "/api/v1/packages/acme/writer/rating",
                "application/json",
                br#"{"stars":4}"#,
            );
            assert_eq!(rated.await.status, 200);
        }
        let identity = json!({"issuer": "https://ci.example.com", "subject": "10001"});
        world.make("PUT", "/api/v1/users/ada/identities", &identity).await;
        world
    }

    /// Makes a backup, and waits for its end.
    async fn back_up(&self) {
        let directory = self.backups.path().join("made before");
        self.make("POST", "/api/v1/admin/backup", &json!({"directory": directory})).await;
        let mut interval = tokio::time::interval(Duration::from_millis(10));
        while self.make("GET", "/api/v1/admin/backup", &Value::Null).await["state"] == "running" {
            interval.tick().await;
        }
    }

    async fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Answer {
        self.send_as(&self.app.admin, method, path, media_type, body).await
    }

    async fn send_as(&self, token: &str, method: &str, path: &str, media_type: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", media_type)];
        self.app.send(method.to_uppercase().parse::<Method>().unwrap(), path, &headers, body).await
    }

    async fn make(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, path, "application/json", body.as_bytes()).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{method} {path}: {} {text}", answer.status);
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn push(&self, name: &str, tag: &str, artifact: &Artifact) {
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            let path = format!("/v2/{name}/blobs/uploads/?digest={}", Digest::sha256(&content));
            assert_eq!(self.send("POST", &path, "application/octet-stream", &content).await.status, 201);
        }
        let manifest = artifact.manifest();
        let path = format!("/v2/{name}/manifests/{tag}");
        assert_eq!(self.send("PUT", &path, manifest.media_type().as_str(), manifest.bytes()).await.status, 201);
    }

    /// Sends an operation's example.
    async fn example(&self, document: &Value, method: &str, path: &str, operation: &Value) -> Answer {
        let (mut path, mut query) = (path.to_owned(), String::new());
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let Some(value) = example_of(document, parameter) else { continue };
            let text = encoded(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_bytes());
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), &text);
            } else {
                query = format!("{query}{}{name}={text}", if query.is_empty() { "?" } else { "&" });
            }
        }
        let mut body = operation.pointer("/requestBody/content/application~1json/example").cloned();
        if let Some(directory) = body.as_mut().and_then(|body| body.get_mut("directory")) {
            // The example is a folder of a real machine.
            *directory = json!(self.backups.path().join("backup"));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send(method, &format!("{path}{query}"), "application/json", body.as_bytes()).await
    }
}

/// A value as programs write it that were made from the description: also `/` becomes `%2F`.
fn encoded(text: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What is wrong with an answer, going by the description.
fn wrong(document: &Value, operation: &Value, answer: &Answer) -> Option<String> {
    let id = operation["operationId"].as_str().unwrap();
    let text = String::from_utf8_lossy(&answer.body);
    if let Some((_, status, _)) = NOT_GOOD.iter().find(|(known, ..)| *known == id) {
        return (answer.status != *status).then(|| format!("{id}: {} {text}", answer.status));
    }
    let responses = operation["responses"].as_object().unwrap();
    let Some(response) = responses.get(answer.status.as_str()).filter(|_| answer.status.is_success()) else {
        return Some(format!("{id}: {} {text}", answer.status));
    };
    let media_type = answer.header("content-type").split(';').next().unwrap().trim();
    let Some(content) = resolved(document, response).get("content") else {
        return (!answer.body.is_empty()).then(|| format!("{id}: a body where none is described: {text}"));
    };
    let Some(schema) = content.get(media_type).map(|content| &content["schema"]) else {
        return Some(format!("{id}: {media_type} is not described"));
    };
    let whole = json!({"allOf": [schema], "components": document["components"]});
    let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
    let body = answer.json();
    let wrong: Vec<_> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
    if body["items"].as_array().is_some_and(Vec::is_empty) {
        return Some(format!("{id}: an example that finds nothing"));
    }
    (!wrong.is_empty()).then(|| format!("{id}: {wrong:?} in {text}"))
}

#[tokio::test]
async fn every_example_does_what_is_said() {
    let document = document();
    let world = World::new().await;
    world.back_up().await;
    let mut all = operations(&document);
    // What takes something away comes last, and what lies deepest before that in which it lies.
    all.sort_by_key(|(method, path, _)| match *method {
        "get" => (0, 0),
        "delete" => (2, usize::MAX - path.split('/').count()),
        _ => (1, 0),
    });
    let mut wrongs = vec![];
    for (method, path, operation) in all {
        let answer = world.example(&document, method, path, operation).await;
        wrongs.extend(wrong(&document, operation, &answer));
    }
    assert!(wrongs.is_empty(), "{} examples are wrong:\n{}", wrongs.len(), wrongs.join("\n"));
}

#[tokio::test]
async fn an_answer_that_is_not_as_described_is_noticed() {
    let mut document = document();
    let world = World::new().await;
    let operation = document["paths"]["/api/v1/users/{name}"]["get"].clone();
    let answer = world.example(&document, "get", "/api/v1/users/{name}", &operation).await;
    assert_eq!(wrong(&document, &operation, &answer), None);
    document["components"]["schemas"]["User"]["properties"]["is_administrator"]["type"] = json!("string");
    let told = wrong(&document, &operation, &answer).unwrap();
    assert!(told.contains("is not of type"), "{told}");
    let missing = Answer { status: reqwest::StatusCode::NOT_FOUND, ..answer };
    assert!(wrong(&document, &operation, &missing).unwrap().starts_with("show_user: 404"));
}
