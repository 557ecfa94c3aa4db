//! A packed package: its manifest, and the blobs to send before it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tempfile::TempPath;

use super::annotations::CREATED;
use super::config::Config;
use crate::oci::{Algorithm, Descriptor, Manifest, ManifestError, known};

/// A package ready to be sent. The file of its tree is removed when it is dropped.
#[derive(Debug)]
pub struct Artifact {
    manifest: Manifest,
    config: Config,
    blobs: Vec<ArtifactBlob>,
    // Held for its drop.
    _tree: TempPath,
}

/// One blob of a package.
#[derive(Clone, Debug)]
pub struct ArtifactBlob {
    /// How the manifest points at it.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub content: BlobContent,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub enum BlobContent {
    /// In memory.
    Bytes(Bytes),
    /// In a file: the temporary one of the tree, or one of the source, which may change until it is sent.
    File(PathBuf),
}

impl Artifact {
    pub(super) fn new(manifest: Manifest, config: Config, blobs: Vec<ArtifactBlob>, tree: TempPath) -> Self {
        Self { manifest, config, blobs, _tree: tree }
    }

    /// The manifest, with its bytes and digest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What to send before the manifest: the configuration, then the layers in their order. Files with equal content
    /// are equal blobs, so a digest may come twice.
    pub fn blobs(&self) -> &[ArtifactBlob] {
        &self.blobs
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    schema_version: u64,
    media_type: &'static str,
    artifact_type: &'static str,
    config: &'a Descriptor,
    layers: Vec<&'a Descriptor>,
    annotations: BTreeMap<String, String>,
}

/// The manifest of blobs of which the first is the configuration: RFC 8785 JSON, the same bytes everywhere.
pub(super) fn write_manifest(
    config: &Config,
    blobs: &[ArtifactBlob],
    created: Option<Timestamp>,
) -> Result<Manifest, ManifestError> {
    let mut annotations = config.metadata.annotations();
    if let Some(created) = created {
        annotations.insert(CREATED.to_owned(), created.to_string());
    }
    let document = Document {
        schema_version: 2,
        media_type: known::OCI_MANIFEST,
        artifact_type: known::AGENT,
        config: &blobs[0].descriptor,
        layers: blobs[1..].iter().map(|blob| &blob.descriptor).collect(),
        annotations,
    };
    let bytes = serde_json_canonicalizer::to_vec(&document)?;
    Manifest::parse(bytes.into(), None, Algorithm::Sha256)
}
