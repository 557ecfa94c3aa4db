//! Who looks: what a search may find, count, and give away.

use crate::auth::{Sight, Visibility};
use crate::oci::RepositoryName;

/// A caller, with what the index knows of its permits. Remembers what it sees: keep it for as long as they last.
#[derive(Debug)]
pub struct Viewer {
    sight: Sight,
    namespaces: Vec<String>,
    organisations: Vec<String>,
    /// In order, each once.
    repositories: Vec<i64>,
}

impl Viewer {
    /// Who sees everything.
    pub fn everything() -> Self {
        Self::new(Sight::everything(), vec![], vec![], vec![])
    }

    /// Who sees what is public, and: all of these namespaces, what members see of these organisations, and these
    /// repositories, by their rows. An administrator's sight needs no such lists. Whatever the lists say, a credential
    /// narrows to what [`Sight::sees`].
    pub fn new(sight: Sight, namespaces: Vec<String>, organisations: Vec<String>, mut repositories: Vec<i64>) -> Self {
        repositories.sort_unstable();
        repositories.dedup();
        Self { sight, namespaces, organisations, repositories }
    }

    pub(super) fn sees(&self, id: i64, name: &RepositoryName, visibility: Visibility) -> bool {
        let is_in = |names: &[String]| name.namespace().is_some_and(|it| names.iter().any(|name| name == it));
        let is_permitted = self.sight.is_administrator()
            || visibility == Visibility::Public
            || is_in(&self.namespaces)
            || (visibility == Visibility::Org && is_in(&self.organisations))
            || self.repositories.binary_search(&id).is_ok();
        is_permitted && self.sight.sees(name)
    }
}
