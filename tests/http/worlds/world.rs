//! A registry and a model of it, changed together.

use std::collections::{BTreeMap, BTreeSet};

use agent_registry::oci::{Digest, known};
use agent_registry::package::BlobContent;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::callers::{Caller, NARROWED, PUBLISHED, Who};
use super::people::{Access, ORGANISATIONS, People, USERS, Visibility};
use super::shelf::{REPOSITORIES, Shelf, Thing};
use crate::app::Answer;
use crate::oidc::{Scene, github};

/// What went wrong, for people.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Fails a question unless something holds.
macro_rules! agree {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use agree;

/// Something that has to be among the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    pub(crate) repository: usize,
    pub(crate) tag: Option<String>,
    pub(crate) digest: Option<Digest>,
}

pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) people: People,
    pub(crate) shelves: Vec<Shelf>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) has_publisher: bool,
    publisher: i64,
    /// What has happened, in order.
    pub(crate) told: Vec<Told>,
    /// Counts what moves tags.
    moves: u64,
    /// Manifests as they were sent.
    bytes: BTreeMap<Digest, Vec<u8>>,
    /// Blobs that a repository has, so that they are sent once.
    sent: BTreeSet<(usize, Digest)>,
    /// Whether pulls may not be counted yet.
    pub(crate) is_counting: bool,
}

impl World {
    pub(crate) async fn new() -> Self {
        let scene = Scene::new("").await;
        let mut world = Self {
            scene,
            people: People::default(),
            shelves: vec![Shelf::default(); REPOSITORIES.len()],
            callers: vec![],
            has_publisher: true,
            publisher: 0,
            told: vec![],
            moves: 0,
            bytes: BTreeMap::new(),
            sent: BTreeSet::new(),
            is_counting: false,
        };
        let mut tokens = vec![];
        for user in USERS {
            world.must(Method::POST, "/users", &json!({"name": user})).await;
            tokens.push(world.token(user, &json!({"name": "all"})).await);
        }
        for (index, narrow) in NARROWED.iter().enumerate() {
            let name = format!("narrow-{index}");
            let wanted = json!({"name": name, "scopes": narrow.scopes, "repositories": narrow.patterns});
            tokens.push(world.token(narrow.user, &wanted).await);
        }
        for organisation in ORGANISATIONS {
            let visibility = if organisation == "acme" { "org" } else { "private" };
            let wanted = json!({"name": organisation, "default_visibility": visibility});
            world.must(Method::POST, "/organisations", &wanted).await;
        }
        world.publisher = world.scene.publisher(REPOSITORIES[PUBLISHED], &github()).await;
        tokens.push(world.scene.run(&json!({})).await.json()["token"].as_str().unwrap().to_owned());
        world.callers = Self::everybody(&world.scene.app.admin, &tokens);
        world
    }

    async fn token(&self, user: &str, wanted: &Value) -> String {
        let made = self.must(Method::POST, &format!("/tokens?user={user}"), wanted).await;
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// A caller by any number.
    pub(crate) fn caller(&self, number: u8) -> &Caller {
        &self.callers[usize::from(number) % self.callers.len()]
    }

    /// Sends a request with what a caller shows.
    pub(crate) async fn send(&self, caller: &Caller, method: Method, path: &str, body: &Value) -> Answer {
        let shown = caller.authorization.as_deref().map(|shown| ("authorization", shown));
        let headers: Vec<_> = [("content-type", "application/json")].into_iter().chain(shown).collect();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.scene.app.send(method, path, &headers, body.as_bytes()).await
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.send(caller, Method::GET, path, &Value::Null).await
    }

    pub(crate) fn administrator(&self) -> Caller {
        Caller::new(Who::Administrator, &[], Some(&self.scene.app.admin))
    }

    /// Something an administrator does by REST, which has to succeed.
    pub(crate) async fn must(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.administer(method, path, body).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn administer(&self, method: Method, path: &str, body: &Value) -> Outcome<Answer> {
        let answer = self.send(&self.administrator(), method.clone(), &format!("/api/v1{path}"), body).await;
        agree!(
            answer.status.is_success(),
            "{method} {path} {body}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }

    pub(crate) fn tell(&mut self, kind: &'static str, repository: usize, tag: Option<&str>, digest: Option<Digest>) {
        self.told.push(Told { kind, repository, tag: tag.map(str::to_owned), digest });
    }

    /// Ends the publisher, and with it its tokens.
    pub(crate) async fn remove_publisher(&mut self) -> Outcome {
        if std::mem::take(&mut self.has_publisher) {
            self.administer(Method::DELETE, &format!("/publishers/{}", self.publisher), &Value::Null).await?;
        }
        Ok(())
    }

    /// Waits until the clock shows another millisecond: what moves tags is told apart by its time.
    fn tick() {
        let before = Timestamp::now().as_millisecond();
        while Timestamp::now().as_millisecond() == before {
            std::hint::spin_loop();
        }
    }

    async fn push_blob(&mut self, repository: usize, content: &[u8]) -> Outcome<Digest> {
        let digest = Digest::sha256(content);
        if self.sent.insert((repository, digest)) {
            let path = format!("/v2/{}/blobs/uploads/?digest={digest}", REPOSITORIES[repository]);
            let bearer = format!("Bearer {}", self.scene.app.admin);
            let sent = self.scene.app.send(Method::POST, &path, &[("authorization", &bearer)], content).await;
            agree!(sent.status == 201, "POST {path}: {}", sent.status);
        }
        Ok(digest)
    }

    pub(crate) async fn push_package(&mut self, repository: usize, tag: &str, content: u8) -> Outcome {
        let version = super::shelf::version_of(tag).map(|version| version.to_string());
        let name = super::shelf::package_name(REPOSITORIES[repository]);
        let artifact = super::goods::Content::of(content).pack(name, version.as_deref());
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            self.push_blob(repository, &content).await?;
        }
        self.put(repository, Some(tag), artifact.manifest().bytes(), Thing::Package(content, version)).await
    }

    /// Pushes an image or a chart.
    pub(crate) async fn push_other(&mut self, repository: usize, tag: &str, is_chart: bool) -> Outcome {
        let (config_type, thing) = if is_chart {
            ("application/vnd.cncf.helm.config.v1+json", Thing::Chart)
        } else {
            (known::OCI_CONFIG, Thing::Image)
        };
        let config = self.push_blob(repository, b"{}").await?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": known::OCI_MANIFEST,
            "config": {"mediaType": config_type, "size": 2, "digest": config}, "layers": [],
        });
        self.put(repository, Some(tag), manifest.to_string().as_bytes(), thing).await
    }

    /// Pushes a signature, of which nothing but its type is looked at.
    pub(crate) async fn push_signature(&mut self, repository: usize, subject: Digest) -> Outcome {
        let config = self.push_blob(repository, b"{}").await?;
        let layer = self.push_blob(repository, b"signature").await?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": known::OCI_MANIFEST,
            "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": config},
            "layers": [
                {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "size": 9, "digest": layer},
            ],
            "subject": {"mediaType": known::OCI_MANIFEST, "size": 1, "digest": subject},
        });
        self.put(repository, None, manifest.to_string().as_bytes(), Thing::Signature(subject)).await
    }

    /// Puts a manifest, and notes what follows.
    async fn put(&mut self, repository: usize, tag: Option<&str>, bytes: &[u8], thing: Thing) -> Outcome {
        let digest = Digest::sha256(bytes);
        let target = tag.map_or_else(|| digest.to_string(), str::to_owned);
        let path = format!("/v2/{}/manifests/{target}", REPOSITORIES[repository]);
        let bearer = format!("Bearer {}", self.scene.app.admin);
        let headers = [("authorization", bearer.as_str()), ("content-type", known::OCI_MANIFEST)];
        Self::tick();
        let put = self.scene.app.send(Method::PUT, &path, &headers, bytes).await;
        agree!(put.status == 201, "PUT {path}: {} {}", put.status, String::from_utf8_lossy(&put.body));
        self.exists(repository);
        self.bytes.insert(digest, bytes.to_vec());
        if self.shelves[repository].manifests.insert(digest, thing).is_none() {
            self.tell("manifest.pushed", repository, None, Some(digest));
        }
        if let Some(tag) = tag {
            self.point(repository, tag, digest);
        }
        Ok(())
    }

    /// Points a tag at a manifest that is there, by sending it again.
    pub(crate) async fn retag(&mut self, repository: usize, digest: Digest, tag: &str) -> Outcome {
        let (bytes, thing) = (self.bytes[&digest].clone(), self.shelves[repository].manifests[&digest].clone());
        self.put(repository, Some(tag), &bytes, thing).await
    }

    fn point(&mut self, repository: usize, tag: &str, digest: Digest) {
        self.moves += 1;
        let shelf = &mut self.shelves[repository];
        if shelf.tags.get(tag).is_none_or(|(at, _)| *at != digest) {
            shelf.tags.insert(tag.to_owned(), (digest, self.moves));
            shelf.forget_what_is_gone();
            self.tell("tag.moved", repository, Some(tag), Some(digest));
        }
    }

    /// Notes that a repository has come into being, as its namespace says.
    pub(crate) fn exists(&mut self, repository: usize) {
        let is_acme = REPOSITORIES[repository].starts_with("acme/");
        let visibility = if is_acme { Visibility::Org } else { Visibility::Private };
        self.shelves[repository].access.get_or_insert_with(|| Access { visibility, grants: vec![] });
    }

    /// Notes a pull: one a client, digest and hour.
    pub(crate) fn count(&mut self, client: &str, repository: usize, digest: Digest) {
        let shelf = &mut self.shelves[repository];
        if matches!(shelf.manifests.get(&digest), Some(Thing::Signature(_)) | None) {
            return;
        }
        let hour = Timestamp::now().as_second() / 3_600;
        if shelf.pulled.insert((client.to_owned(), digest, hour)) {
            shelf.downloads += 1;
            self.is_counting = true;
        }
    }

    /// Deletes a manifest or a tag.
    pub(crate) async fn delete(&mut self, repository: usize, target: &str) -> Outcome {
        let path = format!("/v2/{}/manifests/{target}", REPOSITORIES[repository]);
        Self::tick();
        let deleted = self.send(&self.administrator(), Method::DELETE, &path, &Value::Null).await;
        agree!(deleted.status == 202, "DELETE {path}: {}", deleted.status);
        Ok(())
    }
}
