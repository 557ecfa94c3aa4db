//! Lists: tags, repositories, referrers, page by page.

use std::collections::HashSet;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::address;
use super::error::found;
use super::exchange::Ask;
use super::link;
use super::scope::Scope;
use super::{Error, Remote};
use crate::oci::{Descriptor, Digest, Manifest, ManifestKind, Page, RepositoryName, Route, Tag, Target, known};

/// Largest page in bytes.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// Most pages of one list.
const MAX_PAGES: usize = 1000;
/// Most entries of one list.
const MAX_ENTRIES: usize = 200_000;
/// Entries asked for at once: more is an error to some registries.
const PAGE_LENGTH: u64 = 1000;
/// Lengths of the two halves of a referrers tag (distribution-spec, "Referrers Tag Schema").
const MAX_REFERRERS_TAG: (usize, usize) = (32, 64);

#[derive(Deserialize)]
struct TagPage {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct CatalogPage {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ReferrersPage {
    manifests: Option<Vec<Value>>,
}

impl Remote {
    /// All tags of a repository, in the registry's order. `None` when the repository is unknown.
    pub async fn tags(&self, name: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        let route = Route::Tags(name.clone(), first_page());
        let pages = self.pages(&route, Scope::pull(name), "list of tags", |page: TagPage| page.tags);
        // What is no tag cannot be asked for either.
        Ok(found(pages.await)?.map(|tags| tags.iter().filter_map(|tag| tag.parse().ok()).collect()))
    }

    /// All repositories the registry shows to this caller.
    pub async fn repositories(&self) -> Result<Vec<RepositoryName>, Error> {
        let route = Route::Catalog(first_page());
        let take = |page: CatalogPage| page.repositories;
        let names = self.pages(&route, Scope::catalogue(), "list of repositories", take).await?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What refers to a manifest: signatures, reports and the like. Registries without this list keep it in a tag.
    pub async fn referrers(&self, name: &RepositoryName, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let route = Route::Referrers(name.clone(), *digest, vec![], Page::default());
        let take = |page: ReferrersPage| page.manifests;
        match self.pages(&route, Scope::pull(name), "list of referrers", take).await {
            Ok(entries) => Ok(entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()),
            Err(Error::NotARegistry { .. }) => self.tagged_referrers(name, digest).await,
            Err(error) if matches!(error.status(), Some(400 | 404 | 405 | 501)) => {
                self.tagged_referrers(name, digest).await
            }
            Err(error) => Err(error),
        }
    }

    async fn tagged_referrers(&self, name: &RepositoryName, digest: &Digest) -> Result<Vec<Descriptor>, Error> {
        let target = Target::Tag(referrers_tag(digest)?);
        Ok(match self.manifest(name, &target).await?.as_ref().map(Manifest::kind) {
            Some(ManifestKind::Index { manifests }) => manifests.clone(),
            _ => vec![],
        })
    }

    /// The entries of all pages of a list.
    async fn pages<T: DeserializeOwned, E>(
        &self,
        first: &Route,
        scope: Scope,
        what: &'static str,
        take: impl Fn(T) -> Option<Vec<E>>,
    ) -> Result<Vec<E>, Error> {
        let mut url = self.endpoint().url(&first.path_and_query())?;
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        while seen.insert(url.clone()) {
            let ask = Ask::new(Method::GET, url, scope.clone()).header(ACCEPT, accepted(first));
            let read = self.exchange.read(&ask, what, MAX_PAGE_BYTES).await?;
            let page = serde_json::from_slice(&read.body).map_err(|source| Error::Json { what, source })?;
            entries.extend(take(page).unwrap_or_default());
            if entries.len() > MAX_ENTRIES {
                return Err(Error::Endless { what: "entries of a list", limit: MAX_ENTRIES });
            }
            let Some(next) = link::next(&read.headers) else { return Ok(entries) };
            if seen.len() >= MAX_PAGES {
                break;
            }
            url = address::follow_home(&self.exchange.endpoint, &read.url, "next page", &next)?;
        }
        Err(Error::Endless { what: "pages of a list", limit: seen.len() })
    }
}

fn first_page() -> Page {
    Page { n: Some(PAGE_LENGTH), last: None }
}

fn accepted(route: &Route) -> HeaderValue {
    HeaderValue::from_static(match route {
        Route::Referrers(..) => known::OCI_INDEX,
        _ => "application/json",
    })
}

fn referrers_tag(digest: &Digest) -> Result<Tag, Error> {
    let (algorithm, hex) = (digest.algorithm().as_str(), digest.hex());
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    format!("{}-{}", cut(algorithm, MAX_REFERRERS_TAG.0), cut(&hex, MAX_REFERRERS_TAG.1))
        .parse()
        .map_err(|_| Error::Malformed { what: "digest" })
}
