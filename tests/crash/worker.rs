//! A client that works on a package of its own until the server is gone: it pushes, yanks, deprecates, rates, deletes
//! and pulls, and keeps books of what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use agent_registry::oci::{Digest, known::OCI_MANIFEST};
use agent_registry::package::{Artifact, BlobContent, Overrides, Source};
use reqwest::{Method, StatusCode};
use semver::Version;
use serde_json::{Value, json};

use crate::client::Gone;
use crate::kill::Dice;
use crate::known::{Deed, Known};
use crate::real::Hand;

/// Versions above which one is deleted rather than another pushed.
const MANY: usize = 8;

/// A client, and what it knows between crashes.
pub(crate) struct Worker {
    pub(crate) repository: String,
    pub(crate) known: Known,
    /// What was sent last, of which nobody knows whether it was done.
    pub(crate) open: Option<Deed>,
    /// What was pulled in this life of the server, and when that was first acknowledged.
    pub(crate) pulled: BTreeMap<String, Instant>,
    /// Whether one more was sent.
    pub(crate) is_pulling: bool,
    /// Rates and pulls; everything else is an administrator's.
    pub(crate) token: String,
    pub(crate) dice: Dice,
    pub(crate) counter: Arc<AtomicU64>,
}

/// Packs a package that is found by a word of its own.
pub(crate) fn pack(repository: &str, version: &Version, mark: &str) -> Artifact {
    let place = tempfile::tempdir().unwrap();
    let name = repository.rsplit('/').next().unwrap();
    let text = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {name}\n  version: {version}\n  description: \
         Marked {mark}\nspec:\n  runtime: python\n  model: {{provider: openai, name: gpt-4}}\n  capabilities: [marking]\n"
    );
    std::fs::write(place.path().join("agent.yaml"), text).unwrap();
    Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

impl Worker {
    /// Works until the server is gone.
    pub(crate) async fn work(&mut self, administrator: &Hand, own: &Hand) -> Gone {
        self.pulled.clear();
        self.is_pulling = false;
        loop {
            let done = match self.dice.below(10) {
                0..4 => self.push(administrator).await,
                4..6 => self.pull(own).await,
                6 => self.rate(own).await,
                _ => self.say(administrator).await,
            };
            if done.is_err() {
                return Gone;
            }
        }
    }

    /// Sends what changes something, and notes it when that was acknowledged.
    async fn change(
        &mut self,
        hand: &Hand,
        deed: Deed,
        (method, path, media_type, body): (Method, String, &str, Vec<u8>),
    ) -> Result<(), Gone> {
        self.open = Some(deed.clone());
        let answer = hand.send(method.clone(), &path, media_type, body).await.map_err(|_| Gone)?;
        let status = answer.status();
        // An answer of which only the head came says enough.
        let body = if status.is_success() { String::new() } else { answer.text().await.unwrap_or_default() };
        assert!(status.is_success(), "{method} {path}: {status} {body}");
        self.known = self.known.after(&deed);
        self.open = None;
        Ok(())
    }

    async fn push(&mut self, hand: &Hand) -> Result<(), Gone> {
        if self.known.versions.len() >= MANY {
            return self.delete(hand).await;
        }
        let number = self.counter.fetch_add(1, Ordering::SeqCst);
        let text = if self.dice.below(4) == 0 { format!("2.0.0-rc.{number}") } else { format!("1.{number}.0") };
        let version: Version = text.parse().unwrap();
        let mark = format!("mark{}", letters(number));
        let artifact = pack(&self.repository, &version, &mark);
        for blob in artifact.blobs() {
            let bytes = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            let path = format!("/v2/{}/blobs/uploads/?digest={}", self.repository, Digest::sha256(&bytes));
            let sent = hand.send(Method::POST, &path, "application/octet-stream", bytes).await.map_err(|_| Gone)?;
            assert_eq!(sent.status(), StatusCode::CREATED, "{path}");
        }
        let bytes = artifact.manifest().bytes().to_vec();
        let (digest, is_latest) = (Digest::sha256(&bytes).to_string(), self.dice.below(2) == 0);
        let latest = if is_latest { "&tag=latest" } else { "" };
        let path = format!("/v2/{}/manifests/{digest}?tag={version}{latest}", self.repository);
        let deed = Deed::Push { version, digest, is_latest };
        self.change(hand, deed, (Method::PUT, path, OCI_MANIFEST, bytes)).await
    }

    async fn delete(&mut self, hand: &Hand) -> Result<(), Gone> {
        let Some(version) = self.some_version() else { return Ok(()) };
        let path = format!("/v2/{}/manifests/{}", self.repository, self.known.versions[&version].digest);
        self.change(hand, Deed::Delete(version), (Method::DELETE, path, "text/plain", vec![])).await
    }

    async fn say(&mut self, hand: &Hand) -> Result<(), Gone> {
        let Some(version) = self.some_version() else { return Ok(()) };
        let (is, all) = (self.dice.below(3) > 0, self.dice.below(8) == 0);
        let base = format!("/api/v1/packages/{}", self.repository);
        let (deed, path) = match self.dice.below(2) {
            _ if all => (Deed::DeprecateAll(is), format!("{base}/deprecation")),
            0 => (Deed::Yank(version.clone(), is), format!("{base}/versions/{version}/yank")),
            _ => (Deed::Deprecate(version.clone(), is), format!("{base}/versions/{version}/deprecation")),
        };
        let (method, body) = if is { (Method::PUT, json!({"message": "so"})) } else { (Method::DELETE, Value::Null) };
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        self.change(hand, deed, (method, path, "application/json", body)).await
    }

    async fn rate(&mut self, hand: &Hand) -> Result<(), Gone> {
        if self.known.versions.is_empty() {
            return Ok(());
        }
        let path = format!("/api/v1/packages/{}/rating", self.repository);
        let stars = u8::try_from(1 + self.dice.below(5)).unwrap();
        let is_taken_back = self.known.stars.is_some() && self.dice.below(4) == 0;
        let (method, stars) = if is_taken_back { (Method::DELETE, None) } else { (Method::PUT, Some(stars)) };
        let body = stars.map(|stars| json!({"stars": stars}).to_string().into_bytes()).unwrap_or_default();
        self.change(hand, Deed::Rate(stars), (method, path, "application/json", body)).await
    }

    /// Pulls; each client, digest and hour counts once, so that a client of this life counts once a version.
    async fn pull(&mut self, hand: &Hand) -> Result<(), Gone> {
        let Some(version) = self.some_version() else { return Ok(()) };
        let path = format!("/v2/{}/manifests/{version}", self.repository);
        self.is_pulling = true;
        let answer = hand.send(Method::GET, &path, "text/plain", vec![]).await.map_err(|_| Gone)?;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let warns = !answer.headers().get_all("warning").iter().collect::<Vec<_>>().is_empty();
        let copy = &self.known.versions[&version];
        let expected = copy.is_yanked || copy.is_deprecated || self.known.is_deprecated;
        assert_eq!(warns, expected, "{path} warns of {copy:?} in {:?}", self.known);
        self.pulled.entry(copy.digest.clone()).or_insert_with(Instant::now);
        self.is_pulling = false;
        Ok(())
    }

    fn some_version(&mut self) -> Option<Version> {
        let count = self.known.versions.len() as u64;
        let number = if count == 0 { return None } else { self.dice.below(count) };
        self.known.versions.keys().nth(usize::try_from(number).unwrap()).cloned()
    }
}

/// A number as letters, so that no two are near one another for a search that forgives typing errors.
pub(crate) fn letters(number: u64) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu"][usize::from(digit - b'0')])
        .collect()
}
