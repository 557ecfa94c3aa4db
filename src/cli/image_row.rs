//! A line of `agent images`: one tag, wherever it was found.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::error::Error;
use super::registries::Located;
use crate::api::Hit;
use crate::client::{self, StoreEntry};
use crate::oci::{Digest, Host, Reference, Tag, Target};
use crate::package::{CREATED, Summary, Version};

/// Manifests asked for at once.
const PARALLEL: usize = 8;

/// Where a line was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Where {
    Registry,
    Local,
    /// The same bytes under the same name in both.
    Both,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// The manifest.
    #[serde(rename = "id")]
    pub digest: Digest,
    /// Host, where there is one, and repository.
    pub repository: String,
    pub tag: Option<Tag>,
    /// What to type to mean it.
    pub reference: String,
    pub created: Option<Timestamp>,
    /// Bytes as transferred.
    pub size: Option<u64>,
    pub source: Where,
    pub description: String,
    pub author: String,
    pub capabilities: Vec<String>,
    pub version: Option<String>,
    pub model: String,
    pub runtime: String,
    pub labels: Vec<String>,
    /// What it is, where it is no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip)]
    summary: Option<Summary>,
}

impl Row {
    fn new(reference: Reference, digest: Digest, source: Where) -> Self {
        let shown = match &reference.tag {
            Some(_) => Reference { digest: None, ..reference.clone() },
            None => Reference { digest: Some(digest), ..reference.clone() },
        };
        let host = reference.host.map(|host| format!("{host}/")).unwrap_or_default();
        Self {
            digest,
            repository: format!("{host}{}", reference.name),
            tag: reference.tag,
            reference: shown.to_string(),
            created: None,
            size: None,
            source,
            description: String::new(),
            author: String::new(),
            capabilities: vec![],
            version: None,
            model: String::new(),
            runtime: String::new(),
            labels: vec![],
            kind: None,
            summary: None,
        }
    }

    fn described(self, summary: &Summary) -> Self {
        let summary = summary.clone();
        Self {
            description: summary.description.clone(),
            author: summary.author.clone(),
            capabilities: summary.capabilities.clone(),
            version: summary.version.clone(),
            model: summary.model.clone(),
            runtime: summary.runtime.clone(),
            labels: summary.tags.clone(),
            summary: Some(summary),
            ..self
        }
    }

    /// A line of the local store.
    pub(super) fn of_entry(entry: &StoreEntry) -> Self {
        let mut row = Self::new(entry.reference.clone(), entry.manifest, Where::Local);
        row.created = Some(entry.stored_at);
        row.size = Some(entry.size);
        let unreadable = entry.problem.as_ref().map(|_| "damaged".to_owned());
        match &entry.config {
            Some(config) => {
                row.described(&config.summary(entry.reference.name.clone(), entry.manifest, entry.stored_at))
            }
            None => Self { kind: unreadable.or_else(|| Some(entry.kind.to_string())), ..row },
        }
    }

    /// What a query asks about; absent for what is no agent.
    pub(super) fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// The tag in a table.
    pub(super) fn shown_tag(&self) -> String {
        self.tag.as_ref().map_or_else(|| "<none>".to_owned(), ToString::to_string)
    }
}

/// Lines from both sides, each reference with the same bytes once.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<(String, Digest), Row>);

impl Rows {
    /// Adds a line, or notes that the other side has it too.
    pub(super) fn add(&mut self, row: Row) {
        let key = (row.reference.clone(), row.digest);
        let is_in_both = self.0.get(&key).is_some_and(|there| there.source != row.source);
        let source = if is_in_both { Where::Both } else { row.source };
        // The registry comes last: it knows when a version was made public.
        self.0.insert(key, Row { source, ..row });
    }

    /// Adds a line for each tag of a version.
    pub(super) fn add_hit(&mut self, host: &Host, hit: &Hit) {
        let summary = &hit.summary;
        let tags = hit.registry_tags.iter().cloned().map(Some);
        let none = hit.registry_tags.is_empty().then_some(None);
        for tag in tags.chain(none) {
            let reference = Reference { host: Some(host.clone()), name: summary.repository.clone(), tag, digest: None };
            let mut row = Row::new(reference, summary.digest, Where::Registry).described(summary);
            row.created = Some(hit.created_at);
            row.size = Some(hit.size);
            row.kind = Some(summary.kind.clone()).filter(|kind| kind != "agent" && kind != "skill");
            self.add(row);
        }
    }

    /// By repository; versions, the newest first, then other tags. Lines without a tag only where they are wanted.
    pub(super) fn sorted(self, with_untagged: bool) -> Vec<Row> {
        let mut rows: Vec<Row> = self.0.into_values().filter(|row| with_untagged || row.tag.is_some()).collect();
        rows.sort_by_cached_key(|row| {
            let version = row.tag.as_ref().and_then(Version::from_tag);
            (row.repository.clone(), std::cmp::Reverse(version), row.reference.clone())
        });
        rows
    }
}

/// What to type to mean a package that was found.
pub(super) fn reference(host: &Host, hit: &Hit) -> String {
    let summary = &hit.summary;
    let tag = tag(hit);
    let digest = if tag.is_none() { Some(summary.digest) } else { None };
    Reference { host: Some(host.clone()), name: summary.repository.clone(), tag, digest }.to_string()
}

/// The tag to pull it by: its version's, else any.
pub(super) fn tag(hit: &Hit) -> Option<Tag> {
    let version = hit.summary.version.as_deref().and_then(|text| text.parse::<Version>().ok());
    let own = version.map(|version| version.tag().clone()).filter(|tag| hit.registry_tags.contains(tag));
    own.or_else(|| hit.registry_tags.first().cloned())
}

/// Asks for the manifest behind each tag: the way with registries that have no catalogue.
pub(super) async fn of_tags(located: &Located, tags: Vec<Tag>) -> Result<Vec<Row>, Error> {
    let asked = stream::iter(tags).map(|tag| of_tag(located, tag)).buffered(PARALLEL);
    let found: Vec<Option<Row>> = asked.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn of_tag(located: &Located, tag: Tag) -> Result<Option<Row>, Error> {
    let (remote, name) = (&located.remote, &located.repository);
    let described = client::describe(remote, name, &Target::Tag(tag.clone())).await;
    let Some(described) = described.map_err(|error| Error::of_client(error, remote.endpoint()))? else {
        // Deleted since the tags were listed.
        return Ok(None);
    };
    let manifest = &described.manifest;
    let mut row = Row::new(located.tagged(&tag), manifest.digest(), Where::Registry);
    row.size = Some(manifest.content_bytes());
    row.created = manifest.annotations().get(CREATED).and_then(|text| text.parse().ok());
    Ok(Some(match &described.config {
        Some(config) => {
            let created = row.created.unwrap_or(Timestamp::UNIX_EPOCH);
            row.described(&config.summary(name.clone(), manifest.digest(), created))
        }
        None => Row { kind: Some(described.kind.to_string()), ..row },
    }))
}
