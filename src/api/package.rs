//! The record of a package: what it says of itself, and what its registry knows of it beside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Rating, Standing, VersionState, Visibility};
use crate::oci::{Descriptor, Digest, MediaType, RepositoryName, Tag};
use crate::package::{Compatibility, FileEntry, Metadata, Mode, Summary};

/// Most files a record shows; `files_total` says how many there are.
pub const MAX_FILES_SHOWN: usize = 1_000;
/// Most referrers a record shows; the distribution API lists all.
pub const MAX_REFERRERS_SHOWN: usize = 100;
/// Most moves of tags a record shows, the newest.
pub const MAX_MOVES_SHOWN: usize = 100;

/// Everything a registry knows of one version of a package. What a package does not say is null or empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Package {
    /// Where it is.
    pub repository: RepositoryName,
    /// The package's name: the last component of the repository it is for.
    pub name: String,
    /// The name as its author wrote it, where that is no such component.
    pub display_name: Option<String>,
    /// The version it was found as, else the one it says it is.
    pub version: Option<String>,
    /// One or two sentences.
    pub description: Option<String>,
    /// Who made it, free text.
    pub author: Option<String>,
    /// Licence, as written.
    pub license: Option<String>,
    /// What kind of thing it is: `agent` or `skill`.
    pub kind: String,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Name of the model it talks to.
    pub model: Option<String>,
    /// Who serves that model.
    pub model_provider: Option<String>,
    /// Language runtime, such as `python`.
    pub runtime: Option<String>,
    /// Packages it needs, in its runtime's own syntax.
    pub dependencies: Vec<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
    /// URL that answers when it is well.
    pub health_check: Option<String>,
    /// The author's labels; not the registry's tags.
    pub tags: Vec<String>,
    /// The author's free pairs.
    pub labels: BTreeMap<String, String>,
    /// What it runs on.
    pub compatibility: RunsOn,
    /// `apiVersion` of its `agent.yaml`.
    pub schema_version: Option<String>,
    /// When this manifest was first pushed.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When a tag last came to point at it.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// How often manifests of the package were pulled, all versions together.
    pub downloads: u64,
    /// How often this manifest was pulled, of those days that are kept.
    pub version_downloads: u64,
    /// What its users think on average, between 1 and 5; null while nobody has rated it.
    pub rating: Option<f64>,
    /// How many users have rated it.
    pub ratings: u64,
    /// Bytes of its configuration and layers, as transferred.
    pub size: u64,
    /// The manifest.
    pub digest: Digest,
    /// Whether it has a signature, whoever made it.
    pub signed: bool,
    /// Whether the files inside were compared with the configuration; large packages are stored unchecked.
    pub checked: bool,
    /// What is said of this version, and of all of the package.
    #[serde(default, skip_serializing_if = "VersionState::is_plain")]
    pub state: VersionState,
    /// What `latest` means in this package now, where that is a version.
    pub latest: Option<String>,
    /// Who may see and pull it without a grant; absent where nobody has to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// The registry's tags that point at it, at most 100.
    pub registry_tags: Vec<Tag>,
    /// Its files by path, at most 1,000.
    pub files: Vec<PackageFile>,
    /// How many files it has.
    pub files_total: u64,
    /// Its layers, in order.
    pub layers: Vec<PackageLayer>,
    /// Artifacts about it, such as signatures, by digest; at most 100.
    pub referrers: Vec<PackageReferrer>,
    /// Where the tags that point at it have pointed, the newest move first; at most 100.
    pub history: Vec<TagMove>,
}

/// What a package runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RunsOn {
    /// Python versions, a PEP 440 specifier as written.
    pub python: Option<String>,
    /// Platforms such as `linux/amd64`.
    pub platforms: Vec<String>,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PackageFile {
    /// Its path, with `/`.
    pub path: String,
    /// Its permissions: `0644` or `0755`.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub mode: Mode,
    /// Bytes.
    pub size: u64,
    /// Digest of its content.
    pub digest: Digest,
}

impl From<&FileEntry> for PackageFile {
    fn from(file: &FileEntry) -> Self {
        Self { path: file.path.to_string(), mode: file.mode, size: file.size, digest: file.digest }
    }
}

/// One layer of a package, or part of another artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PackageLayer {
    /// What it is.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub media_type: MediaType,
    /// Its digest.
    pub digest: Digest,
    /// Bytes as transferred.
    pub size: u64,
    /// The file or folder that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl From<&Descriptor> for PackageLayer {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest,
            size: descriptor.size,
            title: descriptor.title().map(str::to_owned),
        }
    }
}

/// An artifact about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PackageReferrer {
    /// Its manifest.
    pub digest: Digest,
    /// What it is.
    #[cfg_attr(feature = "server", schema(value_type = Option<String>))]
    pub artifact_type: Option<MediaType>,
    /// Bytes of its manifest.
    pub size: u64,
}

impl From<Descriptor> for PackageReferrer {
    fn from(descriptor: Descriptor) -> Self {
        Self { digest: descriptor.digest, artifact_type: descriptor.artifact_type, size: descriptor.size }
    }
}

/// One move of a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TagMove {
    /// The tag.
    pub tag: Tag,
    /// Where it pointed from then on; absent where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Who moved it.
    pub actor: String,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

impl Package {
    /// What a package says of itself, so that what the registry knows can be added.
    pub fn of(repository: RepositoryName, digest: Digest, metadata: Metadata) -> Self {
        Self {
            repository,
            name: metadata.name,
            display_name: metadata.display_name,
            version: metadata.version.map(|version| version.to_string()),
            description: metadata.description,
            author: metadata.author,
            license: metadata.license,
            kind: String::new(),
            capabilities: metadata.capabilities,
            model: metadata.model,
            model_provider: metadata.model_provider,
            runtime: metadata.runtime,
            dependencies: metadata.dependencies,
            ports: metadata.ports,
            health_check: metadata.health_check,
            tags: metadata.tags,
            labels: metadata.labels,
            compatibility: RunsOn {
                python: metadata.compatibility.python,
                platforms: metadata.compatibility.platforms,
            },
            schema_version: metadata.schema_version,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            downloads: 0,
            version_downloads: 0,
            rating: None,
            ratings: 0,
            size: 0,
            digest,
            signed: false,
            checked: false,
            state: VersionState::default(),
            latest: None,
            visibility: None,
            registry_tags: vec![],
            files: vec![],
            files_total: 0,
            layers: vec![],
            referrers: vec![],
            history: vec![],
        }
    }

    /// What a query can ask about it.
    pub fn summary(&self) -> Summary {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Summary {
            repository: self.repository.clone(),
            version: self.version.clone(),
            digest: self.digest,
            description: text(&self.description),
            author: text(&self.author),
            capabilities: self.capabilities.clone(),
            tags: self.tags.clone(),
            model: self.metadata().model_reference().unwrap_or_default(),
            runtime: text(&self.runtime),
            license: text(&self.license),
            kind: self.kind.clone(),
            updated_at: self.updated_at,
        }
    }

    /// What the registry knows of it beside that.
    pub fn standing(&self) -> Standing {
        let rating = Rating { average: self.rating, count: self.ratings };
        Standing { downloads: self.downloads, rating, signed: self.signed }
    }

    /// What the package says of itself.
    pub fn metadata(&self) -> Metadata {
        let RunsOn { python, platforms } = self.compatibility.clone();
        Metadata {
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            version: self.version.as_ref().and_then(|version| version.parse().ok()),
            description: self.description.clone(),
            author: self.author.clone(),
            license: self.license.clone(),
            tags: self.tags.clone(),
            labels: self.labels.clone(),
            capabilities: self.capabilities.clone(),
            model: self.model.clone(),
            model_provider: self.model_provider.clone(),
            runtime: self.runtime.clone(),
            dependencies: self.dependencies.clone(),
            ports: self.ports.clone(),
            health_check: self.health_check.clone(),
            compatibility: Compatibility { python, platforms },
            schema_version: self.schema_version.clone(),
        }
    }
}
