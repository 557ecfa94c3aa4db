//! What an artifact in any registry is, without its layers.

use super::Error;
use super::download::read_blob;
use crate::oci::{Descriptor, Manifest, ManifestKind, RepositoryName, Target, known};
use crate::package::{ArtifactKind, CheckError, Config, MAX_CONFIG_BYTES, check_manifest, kind_of};
use crate::remote::Remote;

/// An artifact as its manifest and configuration describe it.
#[derive(Debug)]
pub struct Described {
    /// The manifest, with its digest, layers and annotations.
    pub manifest: Manifest,
    /// What it is.
    pub kind: ArtifactKind,
    /// The configuration of an agent package.
    pub config: Option<Config>,
    /// The configuration of any other artifact, where it is JSON and not too large.
    pub facts: Option<serde_json::Value>,
    /// Why an agent package has no readable configuration, or contradicts it.
    pub problem: Option<CheckError>,
}

/// Describes what a tag or digest points at; `None` when the registry does not have it.
pub async fn describe(remote: &Remote, name: &RepositoryName, target: &Target) -> Result<Option<Described>, Error> {
    let Some(manifest) = remote.manifest(name, target).await? else { return Ok(None) };
    let kind = kind_of(&manifest);
    let mut described = Described { manifest, kind, config: None, facts: None, problem: None };
    let ManifestKind::Image { config, .. } = described.manifest.kind() else { return Ok(Some(described)) };
    if described.kind == ArtifactKind::Agent {
        let bytes = read_blob(remote, name, config, MAX_CONFIG_BYTES).await?;
        match check_manifest(&described.manifest, &bytes) {
            Ok(config) => described.config = Some(config),
            Err(problem) => described.problem = Some(problem),
        }
    } else if is_readable(config) {
        let bytes = read_blob(remote, name, config, MAX_CONFIG_BYTES).await?;
        described.facts = serde_json::from_slice(&bytes).ok();
    }
    Ok(Some(described))
}

/// Whether a configuration says something, in JSON, that is worth reading.
fn is_readable(config: &Descriptor) -> bool {
    let media_type = config.media_type.as_str();
    let is_json = media_type.ends_with("json") || media_type == known::DOCKER_CONFIG;
    is_json && media_type != known::OCI_EMPTY && config.size <= MAX_CONFIG_BYTES as u64
}
