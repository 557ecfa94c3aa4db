//! What the catalogue answers with beside records: search pages with facets, states of versions, downloads, ratings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Hit;
use crate::oci::{Digest, RepositoryName, Tag};

/// Values of one facet in an answer, the most frequent ones.
pub const MAX_FACET_VALUES: usize = 50;
/// Longest message of a yank, deprecation or rating, in bytes.
pub const MAX_MESSAGE_LENGTH: usize = 1_024;
/// Most stars a rating gives; the least is one.
pub const MAX_STARS: u8 = 5;

/// One page of a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SearchPage {
    /// The packages, each with its best matching version, in the wanted order.
    pub items: Vec<Hit>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many packages match, exactly, of those the caller may see.
    pub total: u64,
    /// Whether nothing has all of the words, so that these have most of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaxed: bool,
    /// How the matching packages divide; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<Facets>,
    /// The number of the last event that search has seen.
    pub as_of: u64,
}

/// How packages divide by what they say of themselves: at most 50 values each, the most frequent first, then by name; counts are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Facets {
    /// What they can do.
    pub capabilities: Vec<FacetCount>,
    /// Their authors' labels.
    pub tags: Vec<FacetCount>,
    /// Models they talk to.
    pub models: Vec<FacetCount>,
    /// Runtimes.
    pub runtimes: Vec<FacetCount>,
    /// Who made them.
    pub authors: Vec<FacetCount>,
    /// Kinds of things.
    pub kinds: Vec<FacetCount>,
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct FacetCount {
    /// The value as written by authors.
    pub value: String,
    /// How many matching packages have it.
    pub count: u64,
}

/// What a registry knows of a package that the package does not say itself: what a query can ask beside its summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Standing {
    /// How often its manifests were pulled.
    pub downloads: u64,
    /// What its users think.
    pub rating: Rating,
    /// Whether the version has a signature, whoever made it.
    pub signed: bool,
}

/// What users think of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Rating {
    /// Between 1 and 5; absent while nobody has rated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// How many users have rated it.
    pub count: u64,
}

impl Rating {
    /// What so many ratings with so many stars together amount to.
    #[expect(clippy::cast_precision_loss, reason = "nobody gives 2^52 stars")]
    pub fn of(count: u64, stars: u64) -> Self {
        Self { average: (count > 0).then(|| stars as f64 / count as f64), count }
    }
}

/// What is said of a version beside what it is. Neither keeps it from being pulled by its tag or digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct VersionState {
    /// It was taken back: ranges, `latest` and search leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yanked: Option<Notice>,
    /// It should no longer be begun with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Notice>,
}

impl VersionState {
    /// Whether nothing is said.
    pub const fn is_plain(&self) -> bool {
        self.yanked.is_none() && self.deprecated.is_none()
    }
}

/// Why a version was yanked or deprecated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Notice {
    /// In the words of who did it; may be empty.
    #[serde(default)]
    pub message: String,
    /// What to use instead, as a reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// A yank or deprecation as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewNotice {
    /// Why, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "server", schema(max_length = 1024))]
    pub message: String,
    /// What to use instead, as a reference; only of a deprecation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
}

/// What a range, tag or digest means now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Resolved {
    /// Where.
    pub repository: RepositoryName,
    /// The version, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tag to pull it by, where one led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// The manifest.
    pub digest: Digest,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "VersionState::is_plain")]
    pub state: VersionState,
}

/// A rating as it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewRating {
    /// From 1 to 5.
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 5))]
    pub stars: u8,
    /// Why, at most 1024 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(max_length = 1024))]
    pub comment: Option<String>,
}

/// What one user thinks of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct UserRating {
    /// Who.
    pub user: String,
    /// From 1 to 5.
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 5))]
    pub stars: u8,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was last changed.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// How often a package was pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Downloads {
    /// All downloads there ever were, also of versions that are gone.
    pub total: u64,
    /// Those of single days, the newest first, by manifest.
    pub days: Vec<DayDownloads>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How often one manifest was pulled on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DayDownloads {
    /// The day in UTC, such as `2026-11-25`.
    #[cfg_attr(feature = "server", schema(value_type = String, format = Date))]
    pub day: jiff::civil::Date,
    /// The highest version that the manifest is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The manifest.
    #[cfg_attr(feature = "server", schema(value_type = String))]
    pub digest: Digest,
    /// Pulls: one a client and clock hour.
    pub count: u64,
}

/// Something that happened, in the one order in which everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its number: grows with every event and is never used twice; numbers may be left out.
    pub id: u64,
    /// What happened, such as `tag.moved`.
    pub kind: String,
    /// Where.
    pub repository: RepositoryName,
    /// The manifest it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The tag it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// What more there is to say: the new visibility, or why something was yanked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who did it.
    pub actor: String,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}
