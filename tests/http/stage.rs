//! The people and repositories among whom permissions are tried, and one request for every operation.

use std::cell::Cell;

use agent_registry::oci::{Digest, known};
use agent_registry::package::BlobContent;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{Answer, TestApp, agent};
use crate::documents::image;

/// Who asks. Reader, writer and admin were granted that on each repository of `acme` and are not in it; member and owner
/// are.
pub(crate) const COLUMNS: [&str; 8] =
    ["anonymous", "stranger", "member", "reader", "writer", "admin", "owner", "administrator"];

/// The repositories in `acme`, by what they are.
pub(crate) const KINDS: [&str; 3] = ["private", "org", "public"];

/// Password of the one user who has one.
const PASSWORD: &str = "correct horse";

/// A request, as one of the columns will send it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    media_type: &'static str,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: Method, path: impl Into<String>, body: &Value) -> Self {
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        Self { method, path: path.into(), media_type: "application/json", body }
    }

    /// The same about something else.
    pub(crate) fn about(&self, old: &str, new: &str) -> Self {
        let body = String::from_utf8(self.body.clone()).unwrap().replace(old, new).into_bytes();
        Self { path: self.path.replace(old, new), body, ..self.clone() }
    }
}

/// A server with everybody on it.
pub(crate) struct Stage {
    app: TestApp,
    tokens: [Option<String>; 8],
    manifests: [Digest; 3],
    pub(crate) backups: TempDir,
    made: Cell<u32>,
}

/// The account of a column. That of nobody is somebody's, since a request needs a name.
pub(crate) fn user(column: &str) -> &str {
    match column {
        "administrator" => "admin",
        // That name is reserved.
        "admin" => "keeper",
        "anonymous" => "bystander",
        other => other,
    }
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let app = TestApp::with_accounts().await;
        let tokens = [const { None }; 8];
        let (manifests, backups) = ([Digest::sha256(b""); 3], tempfile::tempdir().unwrap());
        let mut stage = Self { app, tokens, manifests, backups, made: Cell::new(0) };
        stage.tokens[7] = Some(stage.app.admin.clone());
        stage.make("/api/v1/users", &json!({"name": "bystander", "password": PASSWORD})).await;
        for (index, column) in COLUMNS.iter().enumerate().take(7).skip(1) {
            let name = user(column);
            stage.make("/api/v1/users", &json!({"name": name})).await;
            let made = stage.make(&format!("/api/v1/tokens?user={name}"), &json!({"name": "test"})).await;
            stage.tokens[index] = Some(made["token"].as_str().unwrap().to_owned());
        }
        stage.found("acme").await;
        stage.make("/api/v1/organisations/acme/teams", &json!({"name": "devs"})).await;
        stage.join("acme", "bystander").await;
        for (index, kind) in KINDS.iter().enumerate() {
            stage.manifests[index] = stage.fill(kind).await;
        }
        stage
    }

    /// Sends a request as one of the columns.
    pub(crate) async fn send(&self, column: &str, ask: &Ask) -> Answer {
        let index = COLUMNS.iter().position(|known| *known == column).unwrap();
        let authorization = self.tokens[index].as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", ask.media_type)];
        headers.extend(authorization.as_deref().map(|text| ("authorization", text)));
        self.app.send(ask.method.clone(), &ask.path, &headers, &ask.body).await
    }

    /// Does something that nobody's rights are in question for.
    pub(crate) async fn administer(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.send("administrator", &Ask::new(method, path, body)).await;
        assert!(answer.status.is_success(), "{path}: {} {:?}", answer.status, String::from_utf8_lossy(&answer.body));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    pub(crate) async fn make(&self, path: &str, body: &Value) -> Value {
        self.administer(Method::POST, path, body).await
    }

    /// A name nobody had.
    pub(crate) fn name(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("new-{}", self.made.get())
    }

    pub(crate) async fn new_user(&self) -> String {
        let name = self.name();
        self.make("/api/v1/users", &json!({"name": name})).await;
        name
    }

    pub(crate) async fn new_organisation(&self) -> String {
        let name = self.name();
        self.found(&name).await;
        name
    }

    pub(crate) async fn join(&self, organisation: &str, user: &str) {
        let path = format!("/api/v1/organisations/{organisation}/members/{user}");
        self.administer(Method::PUT, &path, &json!({"role": "member"})).await;
    }

    async fn found(&self, organisation: &str) {
        self.make("/api/v1/organisations", &json!({"name": organisation})).await;
        let path = format!("/api/v1/organisations/{organisation}/members");
        self.administer(Method::PUT, &format!("{path}/owner"), &json!({"role": "owner"})).await;
        self.administer(Method::PUT, &format!("{path}/member"), &json!({"role": "member"})).await;
        // Else the administrator would be one of its owners too.
        self.administer(Method::DELETE, &format!("{path}/admin"), &Value::Null).await;
    }

    /// Makes a repository of a kind with an agent in it, and grants on it.
    async fn fill(&self, kind: &str) -> Digest {
        let name = format!("acme/{kind}");
        self.administer(Method::PUT, &format!("/api/v1/repositories/{name}"), &json!({"visibility": kind})).await;
        for (column, level) in [("reader", "read"), ("writer", "write"), ("admin", "admin")] {
            let grant = json!({"repository": name, "grantee": {"user": user(column)}, "level": level});
            self.administer(Method::PUT, "/api/v1/permissions", &grant).await;
        }
        self.push_blob(&name, format!("only in {kind}").as_bytes()).await;
        self.push_blob(&name, b"{}").await;
        let artifact = agent(kind, "1.0.0", "");
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            self.push_blob(&name, &content).await;
        }
        let (path, body) = (format!("/v2/{name}/manifests/1.0.0"), artifact.manifest().bytes().to_vec());
        let put = Ask { method: Method::PUT, path, media_type: known::OCI_MANIFEST, body };
        assert_eq!(self.send("administrator", &put).await.status, 201);
        Digest::sha256(artifact.manifest().bytes())
    }

    async fn push_blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        let ask = Ask { method: Method::POST, path, media_type: "application/octet-stream", body: content.to_vec() };
        assert_eq!(self.send("administrator", &ask).await.status, 201);
        digest
    }

    fn put_manifest(&self, name: &str) -> (Ask, Digest) {
        let tag = self.name();
        let body = image(&Digest::sha256(b"{}"), &json!({"annotations": {"note": tag}}));
        let (path, digest) = (format!("/v2/{name}/manifests/{tag}"), Digest::sha256(&body));
        (Ask { method: Method::PUT, path, media_type: known::OCI_MANIFEST, body }, digest)
    }

    /// An upload session that the column has opened, if it may, and else somebody who may.
    async fn session(&self, name: &str, column: &str) -> String {
        let ask = Ask::new(Method::POST, format!("/v2/{name}/blobs/uploads/"), &Value::Null);
        let mut opened = self.send(column, &ask).await;
        if opened.status != 202 {
            opened = self.send("administrator", &ask).await;
        }
        let location = opened.header("location").to_owned();
        location.strip_prefix(&self.app.url).unwrap_or(&location).to_owned()
    }

    /// A request of the distribution API, by the label of its route.
    pub(crate) async fn distribution(&self, label: &str, on: &str, column: &str) -> Ask {
        let name = format!("acme/{on}");
        let kind = KINDS.iter().position(|kind| *kind == on).unwrap_or_default();
        let (manifest, blob) = (self.manifests[kind], Digest::sha256(format!("only in {on}").as_bytes()));
        let (method, path) = match label {
            "ping" => (Method::GET, "/v2/".to_owned()),
            "catalog" => (Method::GET, "/v2/_catalog".to_owned()),
            "tags" => (Method::GET, format!("/v2/{name}/tags/list")),
            "referrers" => (Method::GET, format!("/v2/{name}/referrers/{manifest}")),
            "manifest_get" => (Method::GET, format!("/v2/{name}/manifests/{manifest}")),
            "manifest_head" => (Method::HEAD, format!("/v2/{name}/manifests/1.0.0")),
            "manifest_put" => return self.put_manifest(&name).0,
            "manifest_delete" => {
                let (put, digest) = self.put_manifest(&name);
                assert_eq!(self.send("administrator", &put).await.status, 201);
                (Method::DELETE, format!("/v2/{name}/manifests/{digest}"))
            }
            "blob_get" => (Method::GET, format!("/v2/{name}/blobs/{blob}")),
            "blob_head" => (Method::HEAD, format!("/v2/{name}/blobs/{blob}")),
            "blob_delete" => {
                let digest = self.push_blob(&name, self.name().as_bytes()).await;
                (Method::DELETE, format!("/v2/{name}/blobs/{digest}"))
            }
            // Into the caller's own namespace, from where nobody but some may read.
            "upload_start" if on == "mount" => {
                let digest = Digest::sha256(b"only in private");
                let path = format!("/v2/{}/mounted/blobs/uploads/?mount={digest}&from=acme/private", user(column));
                (Method::POST, path)
            }
            "upload_start" => (Method::POST, format!("/v2/{name}/blobs/uploads/")),
            "upload_status" => (Method::GET, self.session(&name, column).await),
            "upload_cancel" => (Method::DELETE, self.session(&name, column).await),
            "upload_chunk" => (Method::PATCH, self.session(&name, column).await),
            "upload_finish" => {
                let (path, digest) = (self.session(&name, column).await, Digest::sha256(b""));
                (Method::PUT, format!("{path}?digest={digest}"))
            }
            other => panic!("there is no request for {other}"),
        };
        Ask { method, path, media_type: "application/octet-stream", body: vec![] }
    }
}

/// The one who can sign in by password.
pub(crate) fn login() -> Value {
    json!({"user": "bystander", "password": PASSWORD})
}
