//! Asks search, and compares what it finds with what the model says the caller may find: no more and no less.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reqwest::Url;
use semver::VersionReq;
use serde_json::Value;

use super::asked::{Asked, Verdict};
use super::callers::Caller;
use super::shelf::{Document, REPOSITORIES, Row, Shelf};
use super::step::{SORTS, Step};
use super::world::{Outcome, World, agree};
use crate::access_actors::until;

/// A page no world fills.
const WHOLE: &str = "1000";
/// Pages that a walk may take before it is one without end.
const MAX_PAGES: usize = 60;

/// What a caller has to find.
struct Expected<'a> {
    /// What is certain, and what may be there or not.
    certain: BTreeMap<&'static str, (&'a Shelf, Document)>,
    unsure: BTreeMap<&'static str, (&'a Shelf, Document)>,
    /// Whether it need not have all words.
    is_relaxed: bool,
    /// What the version that is shown has to be in.
    ranges: Vec<VersionReq>,
}

impl World {
    /// Asks one of the questions. Where a grant ended meanwhile, nobody knows what is right, and it is asked again.
    pub(crate) async fn ask(&mut self, step: &Step) -> Outcome {
        loop {
            let began = Timestamp::now();
            let outcome = self.put_question(step).await;
            if outcome.is_ok() || !self.has_ended_since(began) {
                return outcome;
            }
        }
    }

    fn has_ended_since(&self, began: Timestamp) -> bool {
        let grants = self.shelves.iter().filter_map(|shelf| shelf.access.as_ref()).flat_map(|access| &access.grants);
        let now = Timestamp::now();
        grants.filter_map(|grant| grant.until).any(|end| began <= end && end <= now)
    }

    async fn put_question(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Search { caller, query, sort, limit } => {
                let caller = self.caller(*caller).clone();
                self.be_counted().await;
                self.searches(&caller, query, SORTS[*sort], *limit).await
            }
            Step::Look { caller, repository } => {
                self.be_counted().await;
                self.looks(&self.caller(*caller).clone(), *repository).await
            }
            Step::Resolve { caller, repository, range, pre } => {
                self.resolves(&self.caller(*caller).clone(), *repository, *range, *pre).await
            }
            Step::Events { caller, limit } => self.listens(&self.caller(*caller).clone(), *limit).await,
            Step::Borrow { from, caller, sort } => {
                self.borrows(&self.caller(*from).clone(), &self.caller(*caller).clone(), SORTS[*sort]).await
            }
            _ => unreachable!("asks nothing"),
        }
    }

    /// Waits until all pulls are counted: that is done beside the requests.
    async fn be_counted(&mut self) {
        if !std::mem::take(&mut self.is_counting) {
            return;
        }
        let administrator = self.administrator();
        let pulled = self.shelves.iter().zip(REPOSITORIES).filter(|(shelf, _)| shelf.downloads > 0);
        for (shelf, name) in pulled {
            let path = format!("/api/v1/packages/{name}/downloads?days=1");
            until(async || {
                let counted = self.get(&administrator, &path).await;
                counted.status != 200 || counted.json()["total"].as_u64() >= Some(shelf.downloads)
            })
            .await;
        }
    }

    async fn page(&self, caller: &Caller, query: &str, parameters: &[(&str, &str)]) -> Outcome<Value> {
        let url = format!("{}/api/v1/packages", self.scene.app.url);
        let all = [("q", query)].into_iter().chain(parameters.iter().copied());
        let url = Url::parse_with_params(&url, all).unwrap();
        let answer = self.get(caller, url.as_str()).await;
        if self.is_gone(caller) {
            agree!(answer.status == 401, "{} is gone, and gets {}", caller.named(), answer.status);
            return Ok(Value::Null);
        }
        let body = String::from_utf8_lossy(&answer.body);
        agree!(answer.status == 200, "{} {url}: {} {body}", caller.named(), answer.status);
        Ok(answer.json())
    }

    /// Waits until search has seen everything.
    pub(crate) async fn catch_up(&self) -> Outcome {
        self.page(&self.administrator(), "", &[("fresh", "true")]).await.map(drop)
    }

    /// Whether everybody finds just what they may find now, without waiting for anything.
    pub(crate) async fn is_right_at_once(&self) -> Outcome {
        for caller in &self.callers {
            loop {
                let began = Timestamp::now();
                let page = self.page(caller, "", &[("limit", WHOLE)]).await?;
                let expected = self.expected(caller, &Asked::default(), true);
                let outcome = if page.is_null() { Ok(()) } else { self.agrees(&page, &expected, "relevance") };
                match outcome {
                    Err(_) if self.has_ended_since(began) => {}
                    Err(error) => return Err(format!("at once, {}: {error}", caller.named())),
                    Ok(()) => break,
                }
            }
        }
        Ok(())
    }

    async fn searches(&self, caller: &Caller, query: &Asked, sort: &str, limit: u8) -> Outcome {
        let text = query.to_string();
        let told = |error: String| format!("{} asks `{text}` sorted by {sort}: {error}", caller.named());
        // What search has not seen yet may be missing or old, but hidden things are hidden.
        let stale = self.page(caller, &text, &[("limit", WHOLE), ("sort", sort)]).await?;
        for name in names(&stale) {
            let repository = REPOSITORIES.iter().position(|known| *known == name);
            let is_seen = repository.is_some_and(|repository| self.sees(caller, repository));
            agree!(is_seen, "{}", told(format!("a leak of {name}")));
        }
        let parameters = [("limit", WHOLE), ("sort", sort), ("facets", "true"), ("fresh", "true")];
        let whole = self.page(caller, &text, &parameters).await?;
        if whole.is_null() {
            return Ok(());
        }
        let expected = self.expected(caller, query, whole["relaxed"] == true);
        self.agrees(&whole, &expected, sort).map_err(told)?;
        facets(&whole, &expected).map_err(told)?;
        self.walks(caller, &text, sort, limit, &whole).await.map_err(told)
    }

    /// The same in pages is the same.
    async fn walks(&self, caller: &Caller, text: &str, sort: &str, limit: u8, whole: &Value) -> Outcome {
        let (limit, mut items, mut after) = (limit.to_string(), vec![], None::<String>);
        for _ in 0..MAX_PAGES {
            let mut parameters = vec![("limit", limit.as_str()), ("sort", sort)];
            parameters.extend(after.as_deref().map(|after| ("after", after)));
            let page = self.page(caller, text, &parameters).await?;
            agree!(page["total"] == whole["total"], "a page has another total: {page}");
            agree!(page.get("facets").is_none(), "nobody asked for facets: {page}");
            let found = page["items"].as_array().unwrap();
            items.extend(found.iter().cloned());
            match page["next"].as_str() {
                Some(next) => {
                    agree!(found.len().to_string() == limit, "a page that is not the last is not full: {page}");
                    after = Some(next.to_owned());
                }
                None => {
                    let whole = whole["items"].as_array().unwrap();
                    agree!(items == *whole, "pages of {limit} are not the whole:\n{items:?}\n{whole:?}");
                    return Ok(());
                }
            }
        }
        Err("the pages do not end".to_owned())
    }

    /// What a caller has to find.
    fn expected(&self, caller: &Caller, query: &Asked, is_relaxed: bool) -> Expected<'_> {
        let mut expected =
            Expected { certain: BTreeMap::new(), unsure: BTreeMap::new(), is_relaxed: false, ranges: query.ranges() };
        let mut some = BTreeMap::new();
        for (index, name) in REPOSITORIES.into_iter().enumerate().filter(|(index, _)| self.sees(caller, *index)) {
            let shelf = &self.shelves[index];
            let Some(document) = shelf.document() else { continue };
            if query.touches(name, shelf, &document) {
                some.insert(name, (shelf, document.clone()));
            }
            match query.matches(name, shelf, &document) {
                Verdict::Yes => drop(expected.certain.insert(name, (shelf, document))),
                Verdict::Either => drop(expected.unsure.insert(name, (shelf, document))),
                Verdict::No => {}
            }
        }
        // Whether there is one depends only on what this caller may see.
        if is_relaxed && query.may_relax() && expected.certain.is_empty() {
            expected.unsure.extend(some);
            expected.is_relaxed = true;
        }
        expected
    }

    fn agrees(&self, page: &Value, expected: &Expected<'_>, sort: &str) -> Outcome {
        let found = names(page);
        let unique: BTreeSet<_> = found.iter().map(String::as_str).collect();
        agree!(unique.len() == found.len(), "found twice: {found:?}");
        let missing: Vec<_> = expected.certain.keys().filter(|name| !unique.contains(**name)).collect();
        let extra = unique
            .iter()
            .filter(|name| !expected.certain.contains_key(**name) && !expected.unsure.contains_key(**name));
        let extra: Vec<_> = extra.collect();
        agree!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, too many {extra:?}");
        agree!(page["total"] == found.len(), "the total is {}, of {}", page["total"], found.len());
        agree!((page["relaxed"] == true) == expected.is_relaxed, "relaxed: {}", page["relaxed"]);
        for hit in page["items"].as_array().unwrap() {
            let name = hit["repository"].as_str().unwrap();
            let (shelf, document) = expected.certain.get(name).or_else(|| expected.unsure.get(name)).unwrap();
            hit_is(hit, shelf, document, &expected.ranges).map_err(|error| format!("{name}: {error}: {hit}"))?;
        }
        in_order(page, sort)
    }

    /// A cursor shows nobody what they may not see.
    async fn borrows(&self, from: &Caller, caller: &Caller, sort: &str) -> Outcome {
        let first = self.page(from, "", &[("limit", "2"), ("sort", sort), ("fresh", "true")]).await?;
        let Some(next) = first["next"].as_str() else { return Ok(()) };
        let parameters = [("after", next), ("limit", WHOLE), ("sort", sort)];
        let rest = self.page(caller, "", &parameters).await?;
        for name in names(&rest) {
            let repository = REPOSITORIES.iter().position(|known| *known == name).unwrap();
            agree!(self.sees(caller, repository), "{} borrows a cursor, and finds {name}", caller.named());
        }
        Ok(())
    }
}

pub(crate) fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|hit| hit["repository"].as_str().unwrap().to_owned()).collect()
}

/// Whether a hit says what is so.
fn hit_is(hit: &Value, shelf: &Shelf, document: &Document, ranges: &[VersionReq]) -> Outcome {
    let (average, count) = shelf.rating();
    agree!(hit["kind"] == document.kind, "the kind is {}", document.kind);
    agree!(hit["downloads"] == shelf.downloads, "{} downloads", shelf.downloads);
    agree!(
        hit["rating"]["count"] == count && hit["rating"]["average"].as_f64() == average,
        "rated {average:?}, {count}"
    );
    let Some(current) = &document.row else {
        agree!(hit["digest"] == document.digest.to_string(), "the digest is {}", document.digest);
        agree!(hit["version"].is_null(), "it has no version");
        return Ok(());
    };
    agree!(hit["signed"] == shelf.is_signed(&document.digest), "signed: {}", shelf.is_signed(&document.digest));
    let rows = shelf.rows();
    let is_in = |row: &&Row, range: &VersionReq| row.version.as_ref().is_some_and(|version| range.matches(version));
    let shown = match ranges {
        [] => current,
        // A filter by version shows the highest one in the range.
        [range] => rows.iter().filter(|row| !row.said.yanked).find(|row| is_in(row, range)).unwrap_or(current),
        _ => return Ok(()),
    };
    agree!(hit["digest"] == shown.digest.to_string(), "the digest is {} of {shown:?}", shown.digest);
    agree!(hit["state"]["deprecated"].is_object() == shown.said.deprecated, "deprecated: {}", shown.said.deprecated);
    let version = shown.version.as_ref().map(ToString::to_string).or_else(|| document.own_version.clone());
    agree!(hit["version"].as_str() == version.as_deref(), "the version is {version:?}");
    Ok(())
}

/// Whether hits are in the order that was asked for, by what they say themselves.
pub(crate) fn in_order(page: &Value, sort: &str) -> Outcome {
    let key = |hit: &Value| {
        let name = hit["repository"].as_str().unwrap().to_owned();
        let rank = match sort {
            "updated" => -hit["updated_at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond() as f64,
            "downloads" => -(hit["downloads"].as_u64().unwrap() as f64),
            "rating" => -hit["rating"]["average"].as_f64().unwrap_or(0.0),
            _ => 0.0,
        };
        (rank, name)
    };
    let keys: Vec<_> = page["items"].as_array().unwrap().iter().map(key).collect();
    agree!(sort == "relevance" || keys.is_sorted(), "not sorted by {sort}: {keys:?}");
    Ok(())
}

/// Whether facets count just what is found; where it is not certain what is, nothing can be said.
fn facets(page: &Value, expected: &Expected<'_>) -> Outcome {
    if !expected.unsure.is_empty() {
        return Ok(());
    }
    let mut counts: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for (_, document) in expected.certain.values() {
        let mut values = vec![("kinds", document.kind.to_owned())];
        if let Some(content) = &document.content {
            values.extend(content.capabilities.iter().map(|value| ("capabilities", (*value).to_owned())));
            values.extend(content.tags.iter().map(|value| ("tags", (*value).to_owned())));
            values.push(("models", content.model()));
            values.push(("runtimes", content.runtime.to_owned()));
            values.push(("authors", content.author.to_owned()));
        }
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
    for facet in ["capabilities", "tags", "models", "runtimes", "authors", "kinds"] {
        let mut wanted: Vec<_> = counts.iter().filter(|((name, _), _)| *name == facet).collect();
        wanted.sort_by_key(|((_, value), count)| (std::cmp::Reverse(**count), value.clone()));
        let wanted: Vec<_> = wanted.into_iter().map(|((_, value), count)| (value.clone(), *count)).collect();
        let listed = page["facets"][facet].as_array().ok_or_else(|| format!("no facet {facet}"))?;
        let listed =
            listed.iter().map(|one| (one["value"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap()));
        let listed: Vec<_> = listed.collect();
        agree!(listed == wanted, "{facet} are {listed:?} instead of {wanted:?}");
    }
    Ok(())
}
