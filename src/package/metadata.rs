//! What a package says of itself: the part of its configuration that people search and read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::agent_yaml::AgentYaml;
use super::front_matter::FrontMatter;
use super::names::slug;
use super::version::Version;

/// The facts of a package, whichever document they came from. What a registry computes (size, downloads, rating,
/// digest, times) is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Metadata {
    /// The last component of the repository the package is for.
    pub name: String,
    /// The name as written, where that is no component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Absent when only tags tell versions apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub version: Option<Version>,
    /// One or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who made it, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Licence, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Free words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Free pairs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Name of the model it talks to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who serves that model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    /// Language runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Packages it needs, in its runtime's own syntax.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// Ports it listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// URL that answers when it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
    /// What it runs on.
    #[serde(default, skip_serializing_if = "Compatibility::is_empty")]
    pub compatibility: Compatibility,
    /// `apiVersion` of its `agent.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<String>,
}

/// What a package runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Compatibility {
    /// Python versions, a PEP 440 specifier as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Platforms such as `linux/amd64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
}

impl Compatibility {
    fn is_empty(&self) -> bool {
        self.python.is_none() && self.platforms.is_empty()
    }
}

impl Metadata {
    /// The model as `provider/name`, or the name alone where nobody says who serves it.
    pub fn model_reference(&self) -> Option<String> {
        let model = self.model.as_ref()?;
        Some(self.model_provider.as_ref().map_or_else(|| model.clone(), |provider| format!("{provider}/{model}")))
    }

    /// The facts of a skill, or of an agent in one Markdown file; `fallback`, the name of the folder or file, names it
    /// where its head does not. `None` when neither makes a package name.
    pub fn of_head(head: FrontMatter, fallback: &str) -> Option<Self> {
        let name = slug(head.name.as_deref().unwrap_or(fallback))?;
        Some(Self {
            // Only a written name is kept: a folder is renamed by a pull, and the package must stay the same.
            display_name: head.name.filter(|written| *written != name),
            name,
            // A skill's version is free text; one that is no semantic version cannot be a package's.
            version: head.version.and_then(|version| version.parse().ok()),
            description: head.description,
            author: head.author,
            license: head.license,
            tags: head.tags,
            model: head.model,
            ..Self::default()
        })
    }
}

impl From<AgentYaml> for Metadata {
    fn from(agent: AgentYaml) -> Self {
        Self {
            display_name: (agent.display_name != agent.name).then_some(agent.display_name),
            name: agent.name,
            version: agent.version,
            description: agent.description,
            author: agent.author,
            license: agent.license,
            tags: agent.tags,
            labels: agent.labels,
            capabilities: agent.capabilities,
            model: Some(agent.model),
            model_provider: Some(agent.model_provider),
            runtime: Some(agent.runtime),
            dependencies: agent.dependencies,
            ports: agent.ports,
            health_check: agent.health_check,
            compatibility: Compatibility { python: agent.python, platforms: agent.platforms },
            schema_version: Some(agent.api_version),
        }
    }
}
