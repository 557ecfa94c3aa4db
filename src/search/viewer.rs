//! Who looks: what a search may find, count, and give away.

use std::sync::{Arc, Mutex, PoisonError};

use super::bits::Bits;
use super::columns::Columns;
use super::values::Facet;
use crate::auth::Sight;

/// A caller, with what the index knows of its permits. Remembers what it sees: keep it for as long as they last.
#[derive(Debug)]
pub struct Viewer {
    sight: Sight,
    namespaces: Vec<String>,
    organisations: Vec<String>,
    /// In order, each once.
    repositories: Vec<i64>,
    /// The documents seen, and the number of the columns' sight they were seen in.
    seen: Mutex<Option<(u64, Arc<Bits>)>>,
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
        Self { sight, namespaces, organisations, repositories, seen: Mutex::default() }
    }

    /// The documents seen.
    pub(super) fn sees(&self, columns: &Columns) -> Arc<Bits> {
        if self.sight.is_everything() {
            return Arc::clone(&columns.taken);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Some((sight, bits)) if *sight == columns.sight => Arc::clone(bits),
            _ => {
                let bits = Arc::new(self.look(columns));
                *seen = Some((columns.sight, Arc::clone(&bits)));
                bits
            }
        }
    }

    fn look(&self, columns: &Columns) -> Bits {
        let mut seen = Bits::clone(&columns.taken);
        if !self.sight.is_administrator() {
            seen = self.permitted(columns);
            seen.and(&columns.taken);
        }
        if !self.sight.reach().is_unlimited() {
            seen.retain(|slot| columns.names.repository(slot).is_some_and(|name| self.sight.sees(&name)));
        }
        seen
    }

    fn permitted(&self, columns: &Columns) -> Bits {
        let mut seen = Bits::with_room(columns.room());
        for organisation in &self.organisations {
            columns.values.of_text(Facet::Namespace, organisation, &mut seen);
        }
        seen.and(&columns.internal);
        seen.or(&columns.public);
        for namespace in &self.namespaces {
            columns.values.of_text(Facet::Namespace, namespace, &mut seen);
        }
        self.repositories.iter().filter_map(|id| columns.slots.get(*id)).for_each(|slot| seen.insert(slot));
        seen
    }
}
