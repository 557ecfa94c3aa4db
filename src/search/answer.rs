//! What search answers with.

use crate::api::Facets;
use crate::oci::RepositoryName;
use crate::package::Version;

/// One page of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The packages, in the wanted order.
    pub found: Vec<Found>,
    /// What to give as `after` for the next page; none on the last one.
    pub next: Option<String>,
    /// How many match, exactly, of those the viewer may see.
    pub total: u64,
    /// Whether nothing has all of the words, so that these have most of them.
    pub relaxed: bool,
    /// How all that match divide, where it was asked for.
    pub facets: Option<Facets>,
    /// The last event that this answer knows of.
    pub as_of: u64,
}

/// One package that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its repository's row.
    pub repository_id: i64,
    /// Its repository.
    pub repository: RepositoryName,
    /// The highest version that the query's `version:` lets through, without build metadata; `None`: the current one.
    pub version: Option<Version>,
}
