//! Searching the catalogue: packages by what they are and can do, exactly as far as the caller may see.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Error;
use super::feed_search::Searching;
use super::search_place::Place;
use super::service::Registry;
use super::serving::Serving;
use super::viewers::Known;
use crate::api::{Hit, MAX_PAGE_LENGTH, Query, SearchPage, Sort, VersionState};
use crate::auth::Sight;
use crate::index::documents::{self, Shown};
use crate::index::repositories::RepositoryId;
use crate::index::{Session, events, notices, versions};
use crate::search::{self, Found};

/// Tags named with one version.
pub(super) const MAX_TAGS: usize = 100;

/// How long a search waits for what was committed before it, if it is to know that.
const MAX_CATCHING_UP: Duration = Duration::from_secs(2);

/// How long any search waits for an index that is being opened, or filled for the first time.
const MAX_OPENING: Duration = Duration::from_secs(1);

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// The query.
    pub query: Query,
    /// The order where the query says none; by relevance where neither does.
    pub sort: Option<Sort>,
    /// What the page before gave as `next`.
    pub after: Option<String>,
    /// Most packages on the page, cut to 1 to [`MAX_PAGE_LENGTH`].
    pub limit: usize,
    /// Whether facets are counted.
    pub facets: bool,
    /// Whether everything has to be known that was committed before; for at most two seconds.
    pub fresh: bool,
}

impl Registry {
    /// Keeps the index of search in a folder of its own, so that it need not be filled at each start.
    #[must_use]
    pub fn searching_in(mut self, folder: &std::path::Path) -> Self {
        let (index, store) = (Arc::clone(&self.index), Arc::clone(&self.store));
        self.searching = Arc::new(Searching::new(index, store, Place::Folder(folder.to_owned())));
        self
    }

    /// The packages in sight that a query finds, each with its best version.
    pub async fn search(&self, sight: &Sight, request: SearchRequest) -> Result<SearchPage, Error> {
        let serving = self.searching.wait(request.fresh).await?;
        let (searching, sight) = (Arc::clone(&self.searching), sight.clone());
        // A query may take a few milliseconds, which is too long for a thread that serves requests.
        tokio::task::spawn_blocking(move || searching.find(&serving, &sight, &request)).await?
    }
}

impl Searching {
    /// The index to ask, once it can be; where it is to be fresh, once it knows what is committed now.
    async fn wait(self: &Arc<Self>, is_fresh: bool) -> Result<Arc<Serving>, Error> {
        let wanted = if is_fresh { self.index.read(|session| events::last(session))? } else { 0 };
        let knowing = || self.ready().filter(|serving| serving.seen() >= wanted);
        if let Some(serving) = knowing() {
            return Ok(serving);
        }
        let until = Instant::now() + if is_fresh { MAX_CATCHING_UP } else { MAX_OPENING };
        loop {
            // Whoever feeds already is waited for.
            match tokio::time::timeout_at(until, self.feed()).await {
                Ok(fed) => drop(fed?),
                Err(_) => return self.ready().ok_or(Error::SearchFilling),
            }
            if let Some(serving) = knowing() {
                return Ok(serving);
            }
        }
    }

    fn find(&self, serving: &Serving, sight: &Sight, request: &SearchRequest) -> Result<SearchPage, Error> {
        let (generation, seen) = (self.index.access_generation(), serving.seen());
        serving.level_with(&self.index, generation)?;
        let known = self.viewers.find(&self.index, sight, generation)?;
        let asked = search::Request {
            query: &request.query,
            sort: request.query.sort.or(request.sort).unwrap_or(Sort::Relevance),
            viewer: &known.viewer,
            after: request.after.as_deref(),
            limit: request.limit.clamp(1, MAX_PAGE_LENGTH),
            facets: request.facets,
        };
        let answer = serving.search.search(&asked)?;
        let items = self.index.read(|session| {
            let known = known.in_view(session)?;
            let hits = answer.found.iter().map(|found| hit(session, &known, found));
            hits.filter_map(Result::transpose).collect::<Result<_, Error>>()
        })?;
        let as_of = answer.as_of.max(seen.unsigned_abs());
        let search::Answer { next, total, relaxed, facets, .. } = answer;
        Ok(SearchPage { items, next, total, relaxed, facets, as_of })
    }
}

/// A package as a list shows it; nothing where it has gone, or out of sight, since it was found.
fn hit(session: &mut dyn Session, known: &Arc<Known>, found: &Found) -> Result<Option<Hit>, Error> {
    let id = RepositoryId::new(found.repository_id);
    let shown = match &found.version {
        Some(version) => documents::version(session, id, version)?,
        None => documents::current(session, id)?,
    };
    match shown.filter(|shown| known.sees(id, &shown.summary.repository, shown.visibility)) {
        Some(shown) => show(session, id, shown).map(Some),
        None => Ok(None),
    }
}

fn show(session: &mut dyn Session, id: RepositoryId, shown: Shown) -> Result<Hit, Error> {
    let registry_tags = versions::tags_of(session, shown.manifest, MAX_TAGS)?;
    let state = match shown.sort_key {
        Some(key) if shown.has_notice => notices::of_key(session, id, key)?,
        _ => VersionState::default(),
    };
    let Shown { summary, size, checked, created_at, standing, .. } = shown;
    Ok(Hit { summary, size, registry_tags, created_at, checked, standing, state })
}
