//! The distribution API's lists: tags, repositories, referrers, page by page.

use jiff::Timestamp;

use super::Error;
use super::service::Registry;
use crate::api::Repository;
use crate::auth::{Permit, Pull, Sight};
use crate::index::repositories::{self, MAX_PAGE};
use crate::index::{referrers, tags};
use crate::oci::{Descriptor, Digest, MAX_MANIFEST_BYTES, MediaType, Page, RepositoryName, Tag};

/// Entries of one page when the caller does not say.
pub const DEFAULT_LIST_LENGTH: usize = 1_000;

/// Bytes that a descriptor's JSON needs beside its annotations, generously.
const DESCRIPTOR_BYTES: usize = 1_024;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries in order.
    pub items: Vec<T>,
    /// The entry after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

impl Registry {
    /// A repository's tags, bytewise in order.
    pub async fn tags(&self, permit: &Permit<Pull>, page: &Page) -> Result<Listed<Tag>, Error> {
        let limit = length(page);
        let found = self.snapshot(|session| {
            let id = repositories::find(session, permit.repository())?;
            let id = id.ok_or_else(|| Error::RepositoryUnknown(permit.repository().clone()))?;
            Ok(tags::list(session, id, page.last.as_deref(), limit + 1)?)
        })?;
        Ok(cut(found, limit, ToString::to_string))
    }

    /// The repositories in sight, bytewise in order.
    pub async fn catalogue(&self, sight: &Sight, page: &Page) -> Result<Listed<RepositoryName>, Error> {
        let limit = length(page);
        let found = self.read(|session| {
            repositories::list(session, sight, Timestamp::now(), page.last.as_deref(), limit + 1).map_err(Error::from)
        })?;
        Ok(cut(found, limit, ToString::to_string))
    }

    /// What a repository holds, counted.
    pub async fn repository(&self, permit: &Permit<Pull>) -> Result<Repository, Error> {
        let name = permit.repository();
        let counted = self.read(|session| repositories::count(session, name).map_err(Error::from))?;
        let counted = counted.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
        let (created_at, tags, manifests) = (counted.created_at, counted.tags, counted.manifests);
        Ok(Repository { name: name.clone(), created_at, tags, manifests, visibility: None })
    }

    /// The manifests about another one, of any of the given types, or all without types. What nobody refers to has
    /// none, whether it exists or not (distribution-spec, "Listing Referrers").
    pub async fn referrers(
        &self,
        permit: &Permit<Pull>,
        subject: &Digest,
        kinds: &[MediaType],
        page: &Page,
    ) -> Result<Listed<Descriptor>, Error> {
        let limit = length(page);
        let mut after = page.last.as_deref().map(str::parse::<Digest>).transpose().map_err(|_| Error::Cursor)?;
        self.snapshot(|session| {
            let mut found = vec![];
            let Some(id) = repositories::find(session, permit.repository())? else {
                return Ok(cut(found, limit, digest));
            };
            let one = if let [kind] = kinds { Some(kind) } else { None };
            // One answer is a manifest, which no client reads beyond this size.
            let mut budget = MAX_MANIFEST_BYTES - DESCRIPTOR_BYTES;
            loop {
                let batch = referrers::list(session, id, subject, one, after.as_ref(), limit + 1)?;
                let is_last = batch.len() <= limit;
                for descriptor in batch {
                    after = Some(descriptor.digest);
                    let is_wanted =
                        kinds.is_empty() || descriptor.artifact_type.as_ref().is_some_and(|kind| kinds.contains(kind));
                    if !is_wanted {
                        continue;
                    }
                    let size = json_size(&descriptor);
                    // The first is sent whatever its size: without it no page would get past it.
                    if found.len() == limit || (size > budget && !found.is_empty()) {
                        let next = found.last().map(digest);
                        return Ok(Listed { items: found, next });
                    }
                    budget = budget.saturating_sub(size);
                    found.push(descriptor);
                }
                if is_last || limit == 0 {
                    return Ok(Listed { items: found, next: None });
                }
            }
        })
    }
}

fn digest(descriptor: &Descriptor) -> String {
    descriptor.digest.to_string()
}

/// How many entries a page has: too large a wish is cut, not refused.
fn length(page: &Page) -> usize {
    let wanted = page.n.map_or(DEFAULT_LIST_LENGTH, |n| usize::try_from(n).unwrap_or(usize::MAX));
    wanted.min(MAX_PAGE)
}

/// Cuts a list that was read one entry further than its page. An empty page has nothing to go on from.
pub(super) fn cut<T>(mut items: Vec<T>, limit: usize, name: impl Fn(&T) -> String) -> Listed<T> {
    let goes_on = items.len() > limit;
    items.truncate(limit);
    let next = if goes_on { items.last().map(name) } else { None };
    Listed { items, next }
}

/// About how long a descriptor is as JSON; text in it may be escaped, at worst to six times its length.
fn json_size(descriptor: &Descriptor) -> usize {
    let text: usize = descriptor.annotations.iter().map(|(key, value)| key.len() + value.len() + 6).sum();
    DESCRIPTOR_BYTES + text
}
