//! What the API answers with: pages, packages and their versions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SignInIssuer, Standing, VersionState, Visibility};
use crate::oci::{Digest, RepositoryName, Tag};
use crate::package::Summary;

/// Most entries one page of an answer holds.
pub const MAX_PAGE_LENGTH: usize = 1_000;

/// Entries one page holds when the caller does not say.
pub const DEFAULT_PAGE_LENGTH: usize = 100;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The entries, in the order of the list.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One line of a list of packages: a version, or what the other tags of a package without versions point at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Hit {
    /// What it is.
    #[serde(flatten)]
    pub summary: Summary,
    /// Bytes of its configuration and layers, as transferred.
    pub size: u64,
    /// The registry's tags that point at it.
    pub registry_tags: Vec<Tag>,
    /// When this version was first pushed.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// Whether the files inside were compared with the configuration; large packages are stored unchecked.
    pub checked: bool,
    /// What the registry knows of it.
    #[serde(flatten)]
    pub standing: Standing,
    /// What is said of this version.
    #[serde(default, skip_serializing_if = "VersionState::is_plain")]
    pub state: VersionState,
}

/// What a repository holds, whether packages or anything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// When it was first pushed to.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// How many tags it has.
    pub tags: u64,
    /// How many manifests it has.
    pub manifests: u64,
    /// Who may see and pull it without a grant; absent where nobody has to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

/// How a client knows that a registry has a catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RegistryInfo {
    /// Always `agent-registry`.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// The namespace of names without one: the caller's own, where the caller is known.
    pub default_namespace: String,
    /// Whether callers have to sign in.
    #[serde(default)]
    pub authentication: bool,
    /// For whom continuous integration has to ask its identity token; absent where none is exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Where people can sign in instead of with a password.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sign_in: Vec<SignInIssuer>,
}

impl RegistryInfo {
    /// The name by which a registry of this program is known.
    pub const NAME: &str = "agent-registry";
    /// The namespace of names without one, for callers without a name.
    pub const DEFAULT_NAMESPACE: &str = "default";
}

/// Where a backup shall be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewBackup {
    /// An absolute path on the registry's machine, of a folder that is empty or not there.
    pub directory: String,
}

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub enum BackupState {
    /// It is being written.
    Running,
    /// It is whole and durable.
    Done,
    /// It was given up; what is there of it is no backup.
    Failed,
}

/// The newest backup since the registry was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Backup {
    /// Where it is.
    pub directory: String,
    /// How far it is.
    pub state: BackupState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it holds, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<BackupContent>,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct BackupContent {
    /// The number of the last event it knows.
    pub last_event: u64,
    /// Repositories.
    pub repositories: u64,
    /// Manifests.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Blobs, each once.
    pub blobs: u64,
    /// Blobs that are files of their own.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Blobs whose bytes the registry itself has lost.
    pub lost: Vec<Digest>,
}
