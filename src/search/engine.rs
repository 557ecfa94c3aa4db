//! The search itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Answer, Change, Document, Error, Found, Request};
use crate::api::{FacetCount, Facets, Sort, Standing};
use crate::auth::Visibility;

/// What is searched. All of it may be called from any thread; there is one feeder.
#[derive(Debug)]
pub struct Search {
    state: Mutex<State>,
}

/// What was found in a directory.
#[derive(Debug)]
pub struct Opened {
    /// The search.
    pub search: Search,
    /// Whether it is empty because there was nothing, or nothing that can be read: whoever feeds it has to fill it.
    pub is_new: bool,
}

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<i64, (Document, Standing)>,
    position: u64,
}

impl Search {
    /// An empty one that is gone with the process.
    pub fn in_memory() -> Result<Self, Error> {
        Ok(Self { state: Mutex::default() })
    }

    /// The one in a directory, which is made where it is missing. What is damaged or of another format is thrown away.
    pub fn open(_directory: &Path) -> Result<Opened, Error> {
        Ok(Opened { search: Self::in_memory()?, is_new: true })
    }

    /// The last event that was applied and will be known after a restart; 0 before the first.
    pub fn position(&self) -> u64 {
        self.with(|state| state.position)
    }

    /// How many documents there are.
    pub fn documents(&self) -> u64 {
        self.with(|state| state.documents.len() as u64)
    }

    /// Takes in changes, in order, as what was known at an event; searches see all of them when it returns, and none
    /// before. Blocks for as long as a disk needs.
    pub fn apply(&self, changes: Vec<Change>, position: u64) -> Result<(), Error> {
        self.with(|state| {
            for change in changes {
                match change {
                    Change::Put(document) => {
                        let standing = state.documents.get(&document.repository_id).map(|known| known.1);
                        let entry = (*document, standing.unwrap_or_default());
                        state.documents.insert(entry.0.repository_id, entry);
                    }
                    Change::Remove(id) => drop(state.documents.remove(&id)),
                }
            }
            state.position = position;
        });
        Ok(())
    }

    /// Takes in who sees repositories, at once; `as_of` is the event that said so. What a later event said stays, also
    /// where a document read before it is applied after it. A document must be put for it, too, before an event that
    /// is not before `as_of` is applied: only documents outlast a restart.
    pub fn set_visibilities(&self, changed: &[(i64, Visibility)], as_of: u64) {
        self.with(|state| {
            for (id, visibility) in changed {
                if let Some((document, _)) = state.documents.get_mut(id).filter(|known| known.0.as_of <= as_of) {
                    (document.visibility, document.as_of) = (*visibility, as_of);
                }
            }
        });
    }

    /// Takes in downloads and ratings, at once. They do not outlast a restart, and unknown repositories are left out:
    /// set them after each document that is put for a repository not known before. Signatures are the document's.
    pub fn set_standings(&self, changed: &[(i64, Standing)]) {
        self.with(|state| {
            for (id, standing) in changed {
                if let Some(known) = state.documents.get_mut(id) {
                    known.1 = *standing;
                }
            }
        });
    }

    /// Gives up what only changes need, where there were none for a while. To be called now and then.
    pub fn rest(&self) {}

    /// Searches. Takes about a millisecond, and waits for no change.
    pub fn search(&self, request: &Request<'_>) -> Result<Answer, Error> {
        self.with(|state| state.search(request))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn search(&self, request: &Request<'_>) -> Result<Answer, Error> {
        let mut found: Vec<_> = self
            .documents
            .values()
            .filter(|(it, _)| request.viewer.sees(it.repository_id, &it.summary.repository, it.visibility))
            .filter(|(it, standing)| request.query.matches(&it.summary, &Standing { signed: it.signed, ..*standing }))
            .collect();
        found.sort_by(|(one, a), (other, b)| {
            let by = match request.sort {
                Sort::Updated => other.summary.updated_at.cmp(&one.summary.updated_at),
                Sort::Downloads => b.downloads.cmp(&a.downloads),
                Sort::Rating => b.rating.average.unwrap_or(0.0).total_cmp(&a.rating.average.unwrap_or(0.0)),
                _ => std::cmp::Ordering::Equal,
            };
            by.then_with(|| one.summary.repository.as_str().cmp(other.summary.repository.as_str()))
        });
        let begin = match request.after {
            None => 0,
            Some(after) => after.parse::<usize>().map_err(|_| Error::Cursor)?,
        };
        let page = found.iter().skip(begin).take(request.limit);
        let page = page.map(|(it, _)| Found {
            repository_id: it.repository_id,
            repository: it.summary.repository.clone(),
            version: None,
        });
        let end = begin + request.limit;
        Ok(Answer {
            found: page.collect(),
            next: (end < found.len()).then(|| end.to_string()),
            total: found.len() as u64,
            relaxed: false,
            facets: request.facets.then(|| facets(found.iter().map(|known| &known.0))),
            as_of: self.position,
        })
    }
}

fn facets<'a>(found: impl Iterator<Item = &'a Document> + Clone) -> Facets {
    let count = |values: &dyn Fn(&Document) -> Vec<String>| {
        let mut counts = BTreeMap::<String, u64>::new();
        for value in found.clone().flat_map(values).filter(|value| !value.is_empty()) {
            *counts.entry(value).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(value, count)| FacetCount { value, count }).collect();
        counts.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
        counts.truncate(crate::api::MAX_FACET_VALUES);
        counts
    };
    Facets {
        capabilities: count(&|it| it.summary.capabilities.clone()),
        tags: count(&|it| it.summary.tags.clone()),
        models: count(&|it| vec![it.summary.model.clone()]),
        runtimes: count(&|it| vec![it.summary.runtime.clone()]),
        authors: count(&|it| vec![it.summary.author.clone()]),
        kinds: count(&|it| vec![it.summary.kind.clone()]),
    }
}
