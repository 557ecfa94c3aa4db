//! An index of search as the registry uses it: how far it is, and who sees what, level with the database.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use crate::index::repositories::RepositoryId;
use crate::index::{self, Sqlite, access, documents, events, standings};
use crate::search::{Opened, Search};

/// Standings set at a time.
const PAGE: usize = 1_000;

/// An index of search, and how far it is.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) search: Search,
    /// Which of its place's it is.
    pub(super) number: u64,
    /// Whether it knows everything up to [`Self::seen`], so that it can be asked.
    is_filled: AtomicBool,
    /// The last event that it knows of. [`Search::position`] is behind it where none of those since changed anything.
    seen: AtomicI64,
    level: Mutex<Level>,
    /// Held while standings are read and set, so that none that was read earlier is set later.
    standings: Mutex<()>,
}

/// At which access generation, and up to which event, it is known who sees what.
#[derive(Clone, Copy, Debug)]
struct Level {
    generation: u64,
    event: i64,
}

impl Serving {
    pub(super) fn new(opened: Opened, number: u64) -> Self {
        let Opened { search, is_new } = opened;
        let position = i64::try_from(search.position()).unwrap_or(i64::MAX);
        Self {
            search,
            number,
            is_filled: AtomicBool::new(!is_new && position > 0),
            seen: AtomicI64::new(position),
            level: Mutex::new(Level { generation: 0, event: position }),
            standings: Mutex::default(),
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        self.is_filled.load(Ordering::Acquire)
    }

    /// The last event that it knows of.
    pub(super) fn seen(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    /// It knows every document as of an event or later, and is to be fed with what came after.
    pub(super) fn fill_up(&self, event: i64) {
        *self.level() = Level { generation: 0, event };
        self.seen.store(event, Ordering::Release);
        self.is_filled.store(true, Ordering::Release);
    }

    /// It was fed up to an event, in a view of the database that was at this access generation, and whose last event
    /// was this.
    pub(super) fn advance(&self, position: i64, (generation, last): (u64, i64)) {
        self.seen.fetch_max(position, Ordering::AcqRel);
        let mut level = self.level();
        // Whatever shows a repository to others moves the generation, so there was nothing in between.
        if level.generation == generation {
            level.event = level.event.max(last);
        }
    }

    /// Makes it know who sees what at this access generation, or a later one. Reads the database only if it has moved.
    pub(super) fn level_with(&self, index: &Sqlite, generation: u64) -> Result<(), Error> {
        let mut level = self.level();
        if level.generation >= generation {
            return Ok(());
        }
        let (new, changed) = index.read(|session| {
            let new = Level { generation: access::generation(session)?, event: events::last(session)? };
            Ok::<_, Error>((new, documents::visibilities_since(session, level.event)?))
        })?;
        let changed: Vec<_> = changed.into_iter().map(|(id, visibility)| (id.get(), visibility)).collect();
        if !changed.is_empty() {
            self.search.set_visibilities(&changed, new.event.unsigned_abs());
        }
        *level = new;
        Ok(())
    }

    /// Tells it the downloads and ratings of some repositories, as they are now.
    pub(super) fn refresh_standings(&self, index: &Sqlite, repositories: &[RepositoryId]) -> Result<(), Error> {
        let _turn = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        for some in repositories.chunks(PAGE) {
            let found = index.read(|session| {
                let found = some.iter().map(|id| Ok((id.get(), standings::of_repository(session, *id)?)));
                found.collect::<Result<Vec<_>, index::Error>>()
            })?;
            self.search.set_standings(&found);
        }
        Ok(())
    }

    /// Tells it all downloads and ratings.
    pub(super) fn refresh_all_standings(&self, index: &Sqlite) -> Result<(), Error> {
        let mut after = RepositoryId::new(0);
        loop {
            let _turn = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
            let found = index.read(|session| standings::after(session, after, PAGE))?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = *last;
            let found: Vec<_> = found.into_iter().map(|(id, standing)| (id.get(), standing)).collect();
            self.search.set_standings(&found);
        }
    }

    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
