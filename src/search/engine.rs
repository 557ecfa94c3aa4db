//! The search itself: one feeder changes it, anybody searches meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tantivy::{Index, IndexReader};

use super::columns::Columns;
use super::directory;
use super::run::Run;
use super::schema::Fields;
use super::segments::Segments;
use super::snapshot::Snapshot;
use super::writer::Writer;
use super::{Answer, Change, Error, Request};
use crate::api::{MAX_PAGE_LENGTH, Standing};
use crate::auth::Visibility;

/// What is searched. All of it may be called from any thread; there is one feeder.
pub struct Search {
    index: Index,
    reader: IndexReader,
    fields: Arc<Fields>,
    /// What searches see. Replaced as a whole, so that nobody waits.
    current: ArcSwap<Snapshot>,
    /// Who replaces it; held for as long as memory needs.
    publishing: Mutex<()>,
    /// Who changes the index of words; held for as long as a disk needs.
    writer: Mutex<Writer>,
}

/// What was found in a directory.
#[derive(Debug)]
pub struct Opened {
    /// The search.
    pub search: Search,
    /// Whether it is empty because there was nothing, or nothing that can be read: whoever feeds it has to fill it.
    pub is_new: bool,
}

impl Search {
    /// An empty one that is gone with the process.
    pub fn in_memory() -> Result<Self, Error> {
        let fields = Fields::new();
        Self::over(Index::create_in_ram(fields.schema.clone()), fields)
    }

    /// The one in a directory, which is made where it is missing. What is damaged or of another format is thrown away.
    pub fn open(directory: &Path) -> Result<Opened, Error> {
        let open = || {
            let fields = Fields::new();
            let index = directory::open(directory, &fields)?;
            Self::over(index, fields)
        };
        match open() {
            Ok(search) => Ok(Opened { is_new: search.position() == 0, search }),
            Err(error) => {
                tracing::warn!(%error, directory = %directory.display(), "the search index is thrown away");
                directory::clear(directory)?;
                Ok(Opened { search: open()?, is_new: true })
            }
        }
    }

    fn over(index: Index, fields: Fields) -> Result<Self, Error> {
        let reader = directory::reader(&index)?;
        let current = directory::load(&index, &reader, fields.clone())?;
        Ok(Self {
            index,
            reader,
            fields: Arc::new(fields),
            current: ArcSwap::from_pointee(current),
            publishing: Mutex::default(),
            writer: Mutex::default(),
        })
    }

    /// The last event that was applied and will be known after a restart; 0 before the first.
    pub fn position(&self) -> u64 {
        self.current.load().position
    }

    /// How many documents there are.
    pub fn documents(&self) -> u64 {
        self.current.load().columns.slots.len() as u64
    }

    /// Takes in changes, in order, as what was known at an event; searches see all of them when it returns, and none
    /// before. Blocks for as long as a disk needs. After an error nothing is changed.
    pub fn apply(&self, changes: Vec<Change>, position: u64) -> Result<(), Error> {
        let mut writer = lock(&self.writer);
        let known = self.current.load_full();
        let changes = last_of_each(changes, &known.columns);
        let with_known = changes.iter().map(|change| (change, known.columns.slots.get(change.id()).is_some()));
        writer.write(&self.index, &self.fields, with_known, position)?;
        drop(known);
        self.reader.reload()?;
        self.publish(|next| {
            for change in &changes {
                match change {
                    Change::Put(document) => next.columns.put(document),
                    Change::Remove(id) => next.columns.remove(*id),
                }
            }
            next.columns.settle();
            next.popularities.renew(&next.columns);
            next.segments = Segments::of(self.reader.searcher(), &self.fields, &next.columns.slots, &next.segments)?;
            next.position = position;
            Ok(())
        })
    }

    /// Takes in who sees repositories, at once; `as_of` is the event that said so. What a later event said stays, also
    /// where a document read before it is applied after it. A document must be put for it, too, before an event that
    /// is not before `as_of` is applied: only documents outlast a restart.
    pub fn set_visibilities(&self, changed: &[(i64, Visibility)], as_of: u64) {
        let published = self.publish(|next| {
            for (id, visibility) in changed {
                next.columns.set_visibility(*id, *visibility, as_of);
            }
            Ok(())
        });
        debug_assert!(published.is_ok(), "nothing that can fail is done");
    }

    /// Takes in downloads and ratings, at once. They do not outlast a restart, and unknown repositories are left out:
    /// set them after each document that is put for a repository not known before. Signatures are the document's.
    pub fn set_standings(&self, changed: &[(i64, Standing)]) {
        let published = self.publish(|next| {
            let known = changed.iter().filter_map(|(id, standing)| Some((next.columns.slots.get(*id)?, standing)));
            for (slot, standing) in known {
                next.columns.live.set(slot, standing);
            }
            next.popularities.count(changed.len());
            next.popularities.renew(&next.columns);
            Ok(())
        });
        debug_assert!(published.is_ok(), "nothing that can fail is done");
    }

    /// Gives up what only changes need, where there were none for a while. To be called now and then.
    pub fn rest(&self) -> Result<(), Error> {
        let current = self.current.load_full();
        if current.popularities.is_due(&current.columns) {
            self.publish(|next| {
                next.popularities.renew(&next.columns);
                Ok(())
            })?;
        }
        if lock(&self.writer).rest()? {
            // Files of parts that were merged meanwhile can go.
            self.reader.reload()?;
            self.publish(|next| {
                let searcher = self.reader.searcher();
                next.segments = Segments::of(searcher, &self.fields, &next.columns.slots, &next.segments)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Searches. Takes about a millisecond, and waits for no change.
    pub fn search(&self, request: &Request<'_>) -> Result<Answer, Error> {
        let snapshot = self.current.load_full();
        let request = Request { limit: request.limit.min(MAX_PAGE_LENGTH), ..*request };
        Run::new(&snapshot, &request)?.answer()
    }

    /// Replaces what searches see by a changed copy; nothing, where that fails.
    fn publish(&self, change: impl FnOnce(&mut Snapshot) -> Result<(), Error>) -> Result<(), Error> {
        let _publishing = lock(&self.publishing);
        let mut next = Snapshot::clone(&self.current.load());
        change(&mut next)?;
        self.current.store(Arc::new(next));
        Ok(())
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("documents", &self.documents()).field("position", &self.position()).finish()
    }
}

/// The last change of each repository: the others would be undone at once. Who sees it is what the last event said.
fn last_of_each(changes: Vec<Change>, columns: &Columns) -> Vec<Change> {
    let mut seen = HashMap::<i64, (Visibility, u64)>::new();
    let mut last = BTreeMap::new();
    for (place, mut change) in changes.into_iter().enumerate() {
        let id = change.id();
        if let Change::Put(document) = &mut change {
            let known = seen.get(&id).copied().or_else(|| columns.visibility(id));
            if let Some((visibility, as_of)) = known.filter(|known| known.1 > document.as_of) {
                (document.visibility, document.as_of) = (visibility, as_of);
            }
            seen.insert(id, (document.visibility, document.as_of));
        }
        last.insert(id, (place, change));
    }
    let mut changes: Vec<_> = last.into_values().collect();
    changes.sort_unstable_by_key(|(place, _)| *place);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// What a panic left is whole: copies are changed, never what is seen.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
