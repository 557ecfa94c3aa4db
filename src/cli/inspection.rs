//! What `agent inspect` tells: the same facts as a table and as JSON.

use jiff::Timestamp;
use serde::Serialize;

use super::error::Error;
use super::printer::Printer;
use super::table::{facts, table};
use super::text::{age, counted, safe, size};
use crate::oci::{Descriptor, Digest, EdgeKind, Manifest, Tag};
use crate::package::{ArtifactKind, CREATED, Config, FileEntry, Metadata};

/// Files a table shows; JSON has all.
const MAX_FILES_SHOWN: usize = 20;

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
    /// Whether the registry compared the files with the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<bool>,
    #[serde(rename = "registry_tags", skip_serializing_if = "Vec::is_empty")]
    pub tags_in_registry: Vec<String>,
    /// What the package says of itself.
    #[serde(rename = "config", skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileEntry>,
    layers: Vec<Layer>,
    /// The configuration of what is no agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<serde_json::Value>,
}

/// A blob or a child.
#[derive(Debug, Serialize)]
struct Layer {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl Layer {
    fn of(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.to_string(),
            digest: descriptor.digest,
            size: descriptor.size,
            title: descriptor.title().map(str::to_owned),
        }
    }
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
            checked: None,
            tags_in_registry: vec![],
            metadata: None,
            files: vec![],
            layers: parts.map(|edge| Layer::of(edge.descriptor)).collect(),
            facts: None,
        }
    }

    /// With what an agent says of itself.
    pub(super) fn configured(self, config: &Config) -> Self {
        Self { metadata: Some(config.metadata.clone()), files: config.files.clone(), ..self }
    }

    /// As something other than an agent.
    pub(super) fn foreign(self, kind: &ArtifactKind, facts: Option<serde_json::Value>) -> Self {
        Self { kind: kind.to_string(), facts, ..self }
    }

    /// For people.
    pub(super) fn print(&self, printer: Printer) -> Result<(), Error> {
        let now = Timestamp::now();
        let when = |time: Option<Timestamp>| {
            time.map(|time| format!("{} ({})", age(time, now), time.strftime("%Y-%m-%d %H:%M:%S UTC")))
                .unwrap_or_default()
        };
        let mut rows = vec![("Reference", self.reference.clone()), ("Kind", self.kind.clone())];
        rows.extend(self.metadata.as_ref().map(of_metadata).unwrap_or_default());
        rows.extend([
            ("Digest", self.digest.to_string()),
            ("Size", size(self.size)),
            ("Tags", self.tags_in_registry.join(", ")),
            ("Created", when(self.created)),
            ("Updated", when(self.updated.filter(|updated| Some(*updated) != self.created))),
            ("Files checked", if self.checked == Some(false) { "not yet".to_owned() } else { String::new() }),
        ]);
        Printer::data(&facts(rows))?;
        self.print_parts()?;
        if self.metadata.is_none() {
            printer.note(&format!("this is no agent package but of kind {}", self.kind));
        }
        Ok(())
    }

    fn print_parts(&self) -> Result<(), Error> {
        if self.metadata.is_none() && self.layers.is_empty() {
            return Ok(());
        }
        if self.metadata.is_none() {
            let rows = self.layers.iter().map(|layer| {
                let title = layer.title.as_deref().map(|title| safe(title).into_owned()).unwrap_or_default();
                [layer.media_type.clone(), size(layer.size), layer.digest.short(), title]
            });
            return Printer::data(&format!("\n{}", table(["MEDIA TYPE", "SIZE", "DIGEST", "TITLE"], rows)));
        }
        let shown = self.files.iter().take(MAX_FILES_SHOWN);
        let rows = shown.map(|file| [file.path.to_string(), size(file.size), file.digest.short()]);
        Printer::data(&format!("\n{}", table(["FILE", "SIZE", "DIGEST"], rows)))?;
        match self.files.len().saturating_sub(MAX_FILES_SHOWN) {
            0 => Ok(()),
            more => Printer::data(&format!("… and {} more", counted(more, "file"))),
        }
    }
}

fn of_metadata(metadata: &Metadata) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let labels = metadata.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let ports = metadata.ports.iter().map(ToString::to_string).collect::<Vec<_>>();
    vec![
        ("Name", metadata.display_name.clone().unwrap_or_else(|| metadata.name.clone())),
        ("Version", metadata.version.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Description", text(&metadata.description)),
        ("Author", text(&metadata.author)),
        ("License", text(&metadata.license)),
        ("Capabilities", metadata.capabilities.join(", ")),
        ("Labels", metadata.tags.iter().chain(&labels).cloned().collect::<Vec<_>>().join(", ")),
        ("Model", metadata.model_reference().unwrap_or_default()),
        ("Runtime", text(&metadata.runtime)),
        ("Dependencies", metadata.dependencies.join(", ")),
        ("Ports", ports.join(", ")),
        ("Health check", text(&metadata.health_check)),
        ("Python", text(&metadata.compatibility.python)),
        ("Platforms", metadata.compatibility.platforms.join(", ")),
    ]
}
