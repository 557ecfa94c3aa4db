//! The catalogue of a registry of this project: search, packages and versions.

use super::Error;
use crate::api::{CallerKind, Hit, MAX_PAGE_LENGTH, Me, Package, Page, RegistryInfo};
use crate::oci::{RepositoryName, Target, percent_encode};
use crate::remote::{ErrorKind, Remote};

/// Largest answer that is read, in bytes: a full page of long descriptions.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Most pages that are followed, whatever a registry says of there being more.
pub(super) const MAX_PAGES: usize = 1_000;

/// The catalogue of one registry.
#[derive(Debug)]
pub struct Catalogue<'a> {
    remote: &'a Remote,
    info: RegistryInfo,
}

impl<'a> Catalogue<'a> {
    /// Asks whether a registry has a catalogue; `None` for the registry of another project.
    pub async fn detect(remote: &'a Remote) -> Result<Option<Self>, Error> {
        // Another registry may answer anything here.
        let info = match remote.get_json::<serde_json::Value>("/api/v1", MAX_ANSWER_BYTES).await {
            Ok(info) => info,
            // Whoever cannot be reached may still be ours; one that answers and refuses is not, where ours says this to
            // everybody.
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Io) => return Err(error.into()),
            Err(_) => None,
        };
        let info = info.and_then(|info| serde_json::from_value::<RegistryInfo>(info).ok());
        Ok(info.filter(|info| info.name == RegistryInfo::NAME).map(|info| Self { remote, info }))
    }

    /// What the registry says of itself.
    pub fn info(&self) -> &RegistryInfo {
        &self.info
    }

    /// The namespace of names without one: the caller's own name, where the registry knows it.
    pub async fn namespace(&self) -> Result<String, Error> {
        let told = &self.info.default_namespace;
        // The first question is answered to strangers, too, so a password was not asked for there.
        let is_unasked = self.info.authentication && told == RegistryInfo::DEFAULT_NAMESPACE;
        if !is_unasked || !self.remote.has_credential() {
            return Ok(told.clone());
        }
        let me = self.remote.get_json::<Me>("/api/v1/me", MAX_ANSWER_BYTES).await?;
        Ok(me.filter(|me| me.kind == CallerKind::User).map_or_else(|| told.clone(), |me| me.name))
    }

    /// The packages a query finds, at most `limit`, in the order of the registry.
    pub async fn search(&self, query: &str, limit: Option<usize>) -> Result<Vec<Hit>, Error> {
        let base = format!("/api/v1/packages?q={}&", percent_encode(query));
        Ok(self.pages(&base, limit).await?.unwrap_or_default())
    }

    /// What the registry knows of a package, by default of its newest version.
    pub async fn package(&self, name: &RepositoryName, target: Option<&Target>) -> Result<Option<Package>, Error> {
        let path = match target {
            None => format!("/api/v1/packages/{name}"),
            Some(target) => format!("/api/v1/packages/{name}/versions/{target}"),
        };
        Ok(self.remote.get_json(&path, MAX_ANSWER_BYTES).await?)
    }

    /// All versions of a package, in the order of the registry; `None` when it does not exist.
    pub async fn versions(&self, name: &RepositoryName) -> Result<Option<Vec<Hit>>, Error> {
        self.pages(&format!("/api/v1/packages/{name}/versions?"), None).await
    }

    /// Follows the pages of a list; `base` ends where a parameter can follow.
    async fn pages(&self, base: &str, limit: Option<usize>) -> Result<Option<Vec<Hit>>, Error> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut found: Vec<Hit> = vec![];
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let wanted = (limit - found.len()).min(MAX_PAGE_LENGTH);
            if wanted == 0 {
                break;
            }
            let cursor = after.as_ref().map(|after| format!("&after={}", percent_encode(after)));
            let path = format!("{base}limit={wanted}{}", cursor.unwrap_or_default());
            let Some(page) = self.remote.get_json::<Page<Hit>>(&path, MAX_ANSWER_BYTES).await? else { return Ok(None) };
            let is_end = page.items.is_empty() || page.next.is_none() || page.next == after;
            found.extend(page.items.into_iter().take(wanted));
            if is_end {
                break;
            }
            after = page.next;
        }
        Ok(Some(found))
    }
}
