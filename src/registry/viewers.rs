//! Who searches, and what they may see: read once, and remembered while it is true.

use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::sync::Cache;

use super::Error;
use crate::auth::{Sight, Visibility};
use crate::index::repositories::RepositoryId;
use crate::index::viewer::{self, Seen};
use crate::index::{Session, Sqlite, access};
use crate::oci::RepositoryName;
use crate::search::Viewer;

/// Callers whose view is remembered. Each takes eight bytes for every repository they were given, and a bit for every
/// repository there is.
const MAX_REMEMBERED: usize = 256;

/// Views by what the caller shows.
#[derive(Debug)]
pub(super) struct Viewers(Cache<Sight, Arc<Known>>);

/// What somebody sees.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) viewer: Viewer,
    sight: Sight,
    seen: Seen,
    generation: u64,
}

impl Default for Viewers {
    fn default() -> Self {
        Self(Cache::new(MAX_REMEMBERED))
    }
}

impl Viewers {
    /// What somebody sees at this access generation, or a later one.
    pub(super) fn find(&self, index: &Sqlite, sight: &Sight, generation: u64) -> Result<Arc<Known>, Error> {
        if let Some(known) = self.0.get(sight).filter(|known| known.holds(generation)) {
            return Ok(known);
        }
        let known = Arc::new(index.read(|session| Known::read(session, sight))?);
        self.0.insert(sight.clone(), Arc::clone(&known));
        Ok(known)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl Known {
    fn read(session: &mut dyn Session, sight: &Sight) -> Result<Self, Error> {
        let generation = access::generation(session)?;
        // An administrator's sight needs no lists.
        let seen = if sight.is_administrator() {
            Seen::default()
        } else {
            viewer::seen(session, sight.identity(), Timestamp::now())?
        };
        let repositories = seen.repositories.iter().map(|id| id.get()).collect();
        let (namespaces, organisations) = (seen.namespaces.clone(), seen.organisations.clone());
        let viewer = Viewer::new(sight.clone(), namespaces, organisations, repositories);
        Ok(Self { viewer, sight: sight.clone(), seen, generation })
    }

    fn holds(&self, generation: u64) -> bool {
        let is_bound = self.generation < generation || self.seen.until.is_some_and(|until| until <= Timestamp::now());
        self.sight.is_administrator() || !is_bound
    }

    /// What the same caller sees in a view of the database, which may be of a later moment.
    pub(super) fn in_view(self: &Arc<Self>, session: &mut dyn Session) -> Result<Arc<Self>, Error> {
        if self.holds(access::generation(session)?) {
            return Ok(Arc::clone(self));
        }
        Ok(Arc::new(Self::read(session, &self.sight)?))
    }

    /// Whether they see a repository.
    pub(super) fn sees(&self, id: RepositoryId, name: &RepositoryName, visibility: Visibility) -> bool {
        let namespace = name.namespace().unwrap_or_default();
        let is_permitted = self.sight.is_administrator() || self.seen.sees(id, namespace, visibility);
        is_permitted && self.sight.sees(name)
    }
}
