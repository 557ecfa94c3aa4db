//! Feeds search: what has happened since it was last fed, read from the index, a bounded part at a time.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;

use super::search_place::Place;
use super::serving::Serving;
use super::viewers::Viewers;
use super::{Error, Registry, readme};
use crate::index::documents::{self, Head};
use crate::index::repositories::RepositoryId;
use crate::index::{Sqlite, access, events};
use crate::search::{Change, Document};
use crate::storage::BlobStore;

/// Most events that are followed at a time, not counting those about blobs.
const MAX_EVENTS: usize = 1_000;
/// Repositories read in one view while a new index is filled.
const PAGE: usize = 500;
/// Repositories that are taken in together meanwhile: taking in costs as much as reading a few hundred.
const MAX_FILL: usize = 4_000;
/// Events that may have changed nothing before search keeps that it has seen them.
const MAX_UNKEPT: i64 = 10_000;

/// All that searching needs of the registry.
#[derive(Debug)]
pub(super) struct Searching {
    pub(super) index: Arc<Sqlite>,
    store: Arc<dyn BlobStore>,
    pub(super) place: Place,
    /// None until it is first fed.
    current: ArcSwapOption<Serving>,
    /// One that is being made beside it.
    pub(super) next: ArcSwapOption<Serving>,
    /// Whoever feeds holds it, and has where filling has got to.
    pub(super) turn: Arc<tokio::sync::Mutex<Filling>>,
    pub(super) viewers: Viewers,
}

/// Where filling an index has got to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filling {
    after: i64,
    /// The last event when it began: what came after is followed once the index is full.
    begun: Option<i64>,
}

impl Registry {
    /// Lets search know some of what has happened. Whether more waits.
    pub async fn feed_search(&self) -> Result<bool, Error> {
        self.searching.feed().await
    }

    /// Waits until nothing that was begun for search goes on.
    pub async fn settle_search(&self) {
        drop(self.searching.turn.lock().await);
    }

    /// The number of the last event that search knows of; 0 before it knows any.
    pub fn search_position(&self) -> u64 {
        self.searching.current().map_or(0, |serving| serving.seen().unsigned_abs())
    }

    /// Tells search that downloads or ratings of some repositories have changed, after that was committed. Blocks for
    /// a read of each.
    pub(super) fn refresh_standings(&self, repositories: &[RepositoryId]) -> Result<(), Error> {
        for serving in [self.searching.current(), self.searching.next.load_full()].into_iter().flatten() {
            serving.refresh_standings(&self.index, repositories)?;
        }
        Ok(())
    }
}

impl Searching {
    pub(super) fn new(index: Arc<Sqlite>, store: Arc<dyn BlobStore>, place: Place) -> Self {
        let (current, next, turn) = (ArcSwapOption::empty(), ArcSwapOption::empty(), Arc::default());
        Self { index, store, place, current, next, turn, viewers: Viewers::default() }
    }

    pub(super) fn current(&self) -> Option<Arc<Serving>> {
        self.current.load_full()
    }

    /// The index that can be asked.
    pub(super) fn ready(&self) -> Option<Arc<Serving>> {
        self.current().filter(|serving| serving.is_filled())
    }

    /// Whoever asked may go away meanwhile: the turn ends only with the work.
    pub(super) async fn feed(self: &Arc<Self>) -> Result<bool, Error> {
        let mut filling = Arc::clone(&self.turn).lock_owned().await;
        let (searching, runtime) = (Arc::clone(self), Handle::current());
        tokio::task::spawn_blocking(move || {
            let before = searching.current().map(|serving| serving.number);
            let serving = searching.opened()?;
            if before != Some(serving.number) {
                *filling = Filling::default();
            }
            searching.step(&serving, &mut filling, &runtime)
        })
        .await?
    }

    /// Puts another index in the place of the one in use.
    pub(super) fn switch(&self, serving: Arc<Serving>) {
        self.current.store(Some(serving));
    }

    /// The index in use, opened where nobody has asked for it before. One whose next events are gone, or that was made
    /// from another database, cannot be followed further, and is left for a new one.
    fn opened(&self) -> Result<Arc<Serving>, Error> {
        let (serving, is_opened_before) = if let Some(serving) = self.current() {
            (serving, true)
        } else {
            let (opened, number) = self.place.open()?;
            (Arc::new(Serving::new(opened, number)), false)
        };
        let is_followable = self.index.read(|session| documents::is_followable(session, serving.seen()))?;
        // Filling that broke off has left documents of which nobody knows whether they are still right.
        let is_half = !is_opened_before && !serving.is_filled() && serving.search.documents() > 0;
        if !is_half && (is_followable || !serving.is_filled()) {
            if !is_opened_before {
                serving.refresh_all_standings(&self.index)?;
                self.switch(Arc::clone(&serving));
            }
            return Ok(serving);
        }
        tracing::warn!(position = serving.seen(), "search cannot go on from where it was; it is filled anew");
        let (opened, number) = self.place.begin(serving.number)?;
        let new = Arc::new(Serving::new(opened, number));
        self.place.choose(number)?;
        self.switch(Arc::clone(&new));
        self.place.discard(serving.number);
        Ok(new)
    }

    /// Follows or fills an index. Whether more waits.
    pub(super) fn step(&self, serving: &Serving, filling: &mut Filling, runtime: &Handle) -> Result<bool, Error> {
        if serving.is_filled() {
            return self.follow(serving, runtime);
        }
        self.fill(serving, filling, runtime)?;
        Ok(true)
    }

    fn follow(&self, serving: &Serving, runtime: &Handle) -> Result<bool, Error> {
        let (changed, heads, generation, last) = self.index.read(|session| {
            let changed = documents::changed(session, serving.seen(), MAX_EVENTS)?;
            let heads =
                changed.repositories.iter().map(|id| documents::head(session, *id)).collect::<Result<_, _>>()?;
            Ok::<(_, Vec<_>, _, _), Error>((changed, heads, access::generation(session)?, events::last(session)?))
        })?;
        let unkept = changed.position - i64::try_from(serving.search.position()).unwrap_or(i64::MAX);
        if !heads.is_empty() || unkept > MAX_UNKEPT {
            let heads = changed.repositories.iter().copied().zip(heads);
            let put = heads.map(|(id, head)| self.change(id, head, last, runtime)).collect();
            serving.search.apply(put, changed.position.unsigned_abs())?;
            serving.refresh_standings(&self.index, &changed.repositories)?;
        }
        serving.advance(changed.position, (generation, last));
        Ok(changed.position < last)
    }

    fn fill(&self, serving: &Serving, filling: &mut Filling, runtime: &Handle) -> Result<(), Error> {
        let begun = match filling.begun {
            Some(begun) => begun,
            None => *filling.begun.insert(self.index.read(|session| events::last(session))?),
        };
        let (mut changes, mut ids, mut is_last) = (vec![], vec![], false);
        while !is_last && ids.len() < MAX_FILL {
            let after = RepositoryId::new(filling.after);
            let (page, heads, last) = self.index.read(|session| {
                let page = documents::repositories_after(session, after, PAGE)?;
                let heads = page.iter().map(|id| documents::head(session, *id)).collect::<Result<_, _>>()?;
                Ok::<(_, Vec<_>, _), Error>((page, heads, events::last(session)?))
            })?;
            is_last = page.len() < PAGE;
            filling.after = page.last().map_or(filling.after, |id| id.get());
            let heads = page.iter().copied().zip(heads);
            changes.extend(heads.map(|(id, head)| self.change(id, head, last, runtime)));
            ids.extend(page);
        }
        // Broken off before the end, it begins anew.
        let position = if is_last { begun.unsigned_abs() } else { 0 };
        if !changes.is_empty() || position != serving.search.position() {
            serving.search.apply(changes, position)?;
            serving.refresh_standings(&self.index, &ids)?;
        }
        if is_last {
            *filling = Filling::default();
            serving.fill_up(begun);
            tracing::info!(documents = serving.search.documents(), "search is filled");
        }
        Ok(())
    }

    fn change(&self, id: RepositoryId, head: Option<Head>, as_of: i64, runtime: &Handle) -> Change {
        let Some(Head { shown, versions, readme }) = head else { return Change::Remove(id.get()) };
        let readme = readme.map(|readme| readme::beginning(&readme, &*self.store, runtime)).transpose();
        let readme = readme.unwrap_or_else(|error| {
            // It can still be found by all the rest.
            let (error, repository) = (&error as &dyn std::error::Error, shown.summary.repository.as_str());
            tracing::warn!(error, repository, "cannot read a README");
            None
        });
        Change::Put(Box::new(Document {
            repository_id: id.get(),
            summary: shown.summary,
            readme: readme.unwrap_or_default(),
            versions,
            signed: shown.standing.signed,
            visibility: shown.visibility,
            as_of: as_of.unsigned_abs(),
        }))
    }
}
