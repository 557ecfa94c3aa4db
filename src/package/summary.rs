//! What a list shows of a package version, and what a query can ask about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::{AGENT_YAML_NAMES, ArtifactKind};
use crate::oci::{Digest, RepositoryName};

/// One version of a package, without its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Summary {
    /// The repository that holds it.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub repository: RepositoryName,
    /// The version, where there is one.
    pub version: Option<String>,
    /// The manifest.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub digest: Digest,
    /// What it does, in the author's words; may be empty.
    #[serde(default)]
    pub description: String,
    /// Who wrote it, free text; may be empty.
    #[serde(default)]
    pub author: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The author's labels; not the registry's tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The model as `provider/name`; may be empty.
    #[serde(default)]
    pub model: String,
    /// The runtime, such as `python`; may be empty.
    #[serde(default)]
    pub runtime: String,
    /// Licence as written; may be empty.
    #[serde(default)]
    pub license: String,
    /// What kind of thing it is: `agent`, `skill`, or for what is no package `chart`, `image` and others.
    #[serde(default = "agent")]
    pub kind: String,
    /// When it last changed.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
}

/// The kind of packages of before there were others.
fn agent() -> String {
    ArtifactKind::Agent.word().to_owned()
}

impl Config {
    /// Whether it is a skill: knowledge for an agent, which has no `agent.yaml`.
    fn is_skill(&self) -> bool {
        let has = |name: &str| self.files.iter().any(|file| file.path.as_str() == name);
        has("SKILL.md") && !AGENT_YAML_NAMES.iter().any(|name| has(name))
    }

    /// What kind of thing it is: an agent, or a skill.
    pub fn kind(&self) -> ArtifactKind {
        if self.is_skill() { ArtifactKind::Skill } else { ArtifactKind::Agent }
    }

    /// What a list shows of this package, given what its registry knows of it.
    pub fn summary(&self, repository: RepositoryName, digest: Digest, updated_at: Timestamp) -> Summary {
        let metadata = &self.metadata;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Summary {
            repository,
            version: metadata.version.as_ref().map(ToString::to_string),
            digest,
            description: text(&metadata.description),
            author: text(&metadata.author),
            capabilities: metadata.capabilities.clone(),
            tags: metadata.tags.clone(),
            model: metadata.model_reference().unwrap_or_default(),
            runtime: text(&metadata.runtime),
            license: text(&metadata.license),
            kind: self.kind().word().to_owned(),
            updated_at,
        }
    }
}
