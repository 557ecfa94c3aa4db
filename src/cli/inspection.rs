//! What `agent inspect` tells: the same facts as a table and as JSON.

use jiff::Timestamp;
use serde::Serialize;

use super::error::Error;
use super::inspection_table;
use super::notice::why;
use super::printer::Printer;
use crate::api::{Package, PackageFile, PackageLayer, PackageReferrer, TagMove, VersionState, Visibility};
use crate::oci::{Digest, EdgeKind, Manifest, Tag};
use crate::package::{ArtifactKind, CREATED, Config, Metadata};

/// Everything known of one package.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    pub reference: String,
    /// What it is.
    pub kind: String,
    /// `disk`, `local` or `registry`.
    pub source: &'static str,
    pub digest: Digest,
    /// The first twelve digits of the digest.
    pub image_id: String,
    pub tag: Option<Tag>,
    /// Bytes as transferred.
    pub size: u64,
    pub created: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    #[serde(rename = "registry_tags", skip_serializing_if = "Vec::is_empty")]
    pub tags_in_registry: Vec<String>,
    /// What a registry with a catalogue knows beside.
    #[serde(flatten)]
    pub record: Option<Record>,
    /// What the package says of itself.
    #[serde(rename = "config", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PackageFile>,
    /// How many files there are; the registry tells of the first thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_total: Option<u64>,
    pub layers: Vec<PackageLayer>,
    /// The configuration of what is no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<serde_json::Value>,
}

/// What only a registry of this project knows of a package.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    /// Whether the registry compared the files with the configuration.
    pub checked: bool,
    pub signed: bool,
    /// Of all versions together.
    pub downloads: u64,
    pub version_downloads: u64,
    pub rating: Option<f64>,
    pub ratings: u64,
    /// What is said of this version.
    #[serde(skip_serializing_if = "VersionState::is_plain")]
    pub state: VersionState,
    /// The version that is taken where nobody says which.
    pub latest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    pub referrers: Vec<PackageReferrer>,
    pub history: Vec<TagMove>,
}

impl Inspection {
    /// What the manifest alone says.
    pub(super) fn of_manifest(reference: String, source: &'static str, manifest: &Manifest) -> Self {
        let edges = manifest.edges();
        let parts = edges.iter().filter(|edge| matches!(edge.kind, EdgeKind::Layer | EdgeKind::Child));
        Self {
            reference,
            kind: ArtifactKind::Agent.to_string(),
            source,
            digest: manifest.digest(),
            image_id: manifest.digest().short(),
            tag: None,
            size: manifest.content_bytes(),
            created: manifest.annotations().get(CREATED).and_then(|text| text.parse().ok()),
            updated: None,
            tags_in_registry: vec![],
            record: None,
            metadata: None,
            files: vec![],
            files_total: None,
            layers: parts.map(|edge| edge.descriptor.into()).collect(),
            facts: None,
        }
    }

    /// What a registry with a catalogue says.
    pub(super) fn of_package(reference: String, tag: Option<Tag>, package: Package) -> Self {
        Self {
            reference,
            source: "registry",
            digest: package.digest,
            image_id: package.digest.short(),
            tag,
            size: package.size,
            created: Some(package.created_at),
            updated: Some(package.updated_at),
            tags_in_registry: package.registry_tags.iter().map(Tag::to_string).collect(),
            metadata: Some(package.metadata()),
            kind: package.kind,
            record: Some(Record {
                checked: package.checked,
                signed: package.signed,
                downloads: package.downloads,
                version_downloads: package.version_downloads,
                rating: package.rating,
                ratings: package.ratings,
                state: package.state,
                latest: package.latest,
                visibility: package.visibility,
                referrers: package.referrers,
                history: package.history,
            }),
            files: package.files,
            files_total: Some(package.files_total),
            layers: package.layers,
            facts: None,
        }
    }

    /// With what an agent says of itself.
    pub(super) fn configured(self, config: &Config) -> Self {
        let files: Vec<_> = config.files.iter().map(Into::into).collect();
        Self { metadata: Some(config.metadata.clone()), files_total: Some(files.len() as u64), files, ..self }
    }

    /// As something other than an agent.
    pub(super) fn foreign(self, kind: &ArtifactKind, facts: Option<serde_json::Value>) -> Self {
        Self { kind: kind.to_string(), facts, ..self }
    }

    /// For people; all files, or the first of them.
    pub(super) fn print(&self, printer: Printer, with_files: bool) -> Result<(), Error> {
        inspection_table::print(self, with_files)?;
        if self.metadata.is_none() {
            printer.note(&format!("this is no agent package but of kind {}", self.kind));
        }
        Ok(())
    }

    /// What is said of it, each as a sentence.
    pub(super) fn notices(&self) -> Vec<String> {
        let Some(Record { state, .. }) = &self.record else { return vec![] };
        let yanked = state.yanked.iter().map(|notice| format!("{} was yanked{}", self.reference, why(notice)));
        let deprecated = state.deprecated.iter();
        yanked.chain(deprecated.map(|notice| format!("{} is deprecated{}", self.reference, why(notice)))).collect()
    }
}
