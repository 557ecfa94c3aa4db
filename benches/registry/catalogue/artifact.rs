//! A version of a package as it is pushed: configuration, `agent.yaml`, `README.md`, and the manifest over them.

use agent_registry::oci::{Algorithm, Descriptor, Digest, Manifest, MediaType, known};
use agent_registry::package::{Config, FileEntry, Metadata, Mode};
use anyhow::Result;
use bytes::Bytes;
use serde_json::json;

const TITLE: &str = "org.opencontainers.image.title";

/// A document of a package, which is a layer of its own.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    path: &'static str,
    kind: &'static str,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

impl Document {
    fn new(path: &'static str, kind: &'static str, text: String) -> Self {
        let bytes = Bytes::from(text);
        Self { path, kind, digest: Digest::sha256(&bytes), bytes }
    }
}

/// What all versions of a package have in common.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) metadata: Metadata,
    pub(crate) documents: [Document; 2],
}

/// One version.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) config: Config,
    pub(crate) config_bytes: Bytes,
    pub(crate) manifest: Manifest,
}

impl Source {
    pub(crate) fn new(metadata: Metadata, readme: String) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let yaml = format!(
            "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: {}\n  description: {}\nspec:\n  runtime: {}\n  \
             model: {{provider: {}, name: {}}}\n  capabilities: {}\n",
            metadata.name,
            json!(metadata.description),
            text(&metadata.runtime),
            text(&metadata.model_provider),
            text(&metadata.model),
            json!(metadata.capabilities),
        );
        let documents =
            [Document::new("agent.yaml", known::YAML, yaml), Document::new("README.md", known::MARKDOWN, readme)];
        Self { metadata, documents }
    }

    /// The package under a version.
    pub(crate) fn version(&self, version: &str) -> Result<Artifact> {
        let metadata = Metadata { version: Some(version.parse()?), ..self.metadata.clone() };
        let files = self.documents.iter().map(|document| {
            let (path, size) = (document.path.parse()?, document.bytes.len() as u64);
            Ok(FileEntry { path, mode: Mode::Plain, size, digest: document.digest })
        });
        let config = Config::new(metadata, files.collect::<Result<_>>()?)?;
        let config_bytes = Bytes::from(config.to_bytes()?);
        let (kind, digest) = (MediaType::known(known::AGENT_CONFIG), Digest::sha256(&config_bytes));
        let layers = self.documents.iter().map(|document| {
            let title = format!("{}/{}", self.metadata.name, document.path);
            let size = document.bytes.len() as u64;
            Descriptor::new(MediaType::known(document.kind), document.digest, size).annotated(TITLE, title)
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": known::OCI_MANIFEST,
            "artifactType": known::AGENT,
            "config": Descriptor::new(kind, digest, config_bytes.len() as u64),
            "layers": layers.collect::<Vec<_>>(),
            "annotations": config.metadata.annotations(),
        });
        let manifest = Manifest::parse(serde_json::to_vec(&manifest)?.into(), None, Algorithm::Sha256)?;
        Ok(Artifact { config, config_bytes, manifest })
    }
}
