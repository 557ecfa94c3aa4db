//! What search knows of one repository.

use crate::auth::Visibility;
use crate::package::{Summary, Version};

/// Bytes of a README that are searched; what follows is not.
pub const MAX_README_BYTES: usize = 1_024;

/// A repository as it is found: by its current version, or by what it holds instead of packages.
#[derive(Clone, Debug)]
pub struct Document {
    /// The repository's row; stays the same for as long as the repository exists.
    pub repository_id: i64,
    /// What its current version says of itself.
    pub summary: Summary,
    /// The beginning of its README; more than [`super::MAX_README_BYTES`] is not looked at.
    pub readme: String,
    /// Every version that is not yanked, in any order.
    pub versions: Vec<Version>,
    /// Whether the current version has a signature.
    pub signed: bool,
    /// Who sees it without a grant.
    pub visibility: Visibility,
    /// The last event in the view of the index in which all this was read.
    pub as_of: u64,
}

/// One change of what search knows.
#[derive(Clone, Debug)]
pub enum Change {
    /// The repository is so now, whether it was known before or not.
    Put(Box<Document>),
    /// The repository with this row has nothing to be found by any more.
    Remove(i64),
}

impl Change {
    /// The repository's row.
    pub const fn id(&self) -> i64 {
        match self {
            Self::Put(document) => document.repository_id,
            Self::Remove(id) => *id,
        }
    }
}
