//! The catalogue of a registry of this project: search, packages and versions.

use super::list::MAX_ANSWER_BYTES;
use super::{Error, list};
use crate::api::{CallerKind, Hit, MAX_PAGE_LENGTH, Me, Package, RegistryInfo, Resolved, SearchPage, Sort};
use crate::oci::{RepositoryName, Target, percent_encode};
use crate::remote::{self, ErrorKind, Remote};

/// The catalogue of one registry.
#[derive(Debug)]
pub struct Catalogue<'a> {
    remote: &'a Remote,
    info: RegistryInfo,
}

impl<'a> Catalogue<'a> {
    /// Asks whether a registry has a catalogue; `None` for the registry of another project.
    pub async fn detect(remote: &'a Remote) -> Result<Option<Self>, Error> {
        let info = match ask(remote).await {
            Ok(info) => info,
            // Ours tells everybody what it is; the credential alone is refused then, and that is the error.
            Err(error) if is_denied(&error) && remote.has_credential() => {
                return match ask(&remote.as_stranger()).await {
                    Ok(Some(_)) => Err(error),
                    _ => Ok(None),
                };
            }
            // Whoever cannot be reached may still be ours; one that answers and refuses is not. One that sends callers
            // elsewhere is not to be gone on with.
            Err(Error::Remote(error)) if is_telling(&error) => return Err(error.into()),
            Err(_) => None,
        };
        Ok(info.map(|info| Self { remote, info }))
    }

    pub(super) fn remote(&self) -> &Remote {
        self.remote
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

    /// The packages a query finds, of all that was pushed before, at most `limit`, in the order of the registry.
    pub async fn search(&self, query: &str, limit: Option<usize>) -> Result<Vec<Hit>, Error> {
        Ok(list(self.remote, &search_path(query, None), limit).await?.unwrap_or_default())
    }

    /// The same in an order, with how many there are in all, and how they divide if that is wanted.
    pub async fn find(&self, query: &str, sort: Option<Sort>, limit: usize, facets: bool) -> Result<SearchPage, Error> {
        let base = search_path(query, sort);
        let first = format!("{base}limit={}&facets={facets}", limit.clamp(1, MAX_PAGE_LENGTH));
        let mut found: SearchPage = self.remote.get_json(&first, MAX_ANSWER_BYTES).await?.unwrap_or_default();
        while found.items.len() < limit
            && let Some(after) = found.next.take()
        {
            let more = (limit - found.items.len()).min(MAX_PAGE_LENGTH);
            let path = format!("{base}limit={more}&after={}", percent_encode(&after));
            let page: SearchPage = self.remote.get_json(&path, MAX_ANSWER_BYTES).await?.unwrap_or_default();
            found.next = page.next.filter(|next| *next != after && !page.items.is_empty());
            found.items.extend(page.items);
        }
        found.items.truncate(limit);
        Ok(found)
    }

    /// What the registry knows of a package, by default of what stands for it; `None` where it knows no such package.
    pub async fn package(&self, name: &RepositoryName, target: Option<&Target>) -> Result<Option<Package>, Error> {
        let path = match target {
            None => format!("/api/v1/packages/{name}"),
            Some(target) => format!("/api/v1/packages/{name}/versions/{target}"),
        };
        Ok(self.remote.get_json(&path, MAX_ANSWER_BYTES).await?)
    }

    /// Which manifest a version, a range or `latest` means now; `pre` lets pre-releases count.
    pub async fn resolve(&self, name: &RepositoryName, wanted: &str, pre: bool) -> Result<Resolved, Error> {
        let path = format!("/api/v1/packages/{name}/resolve?version={}&pre={pre}", percent_encode(wanted));
        match self.remote.require_json(&path, MAX_ANSWER_BYTES).await {
            Err(remote::Error::Refused(refusal)) if refusal.kind() == ErrorKind::NotFound => {
                Err(Error::Unresolved { repository: name.clone(), told: refusal.message })
            }
            other => Ok(other?),
        }
    }

    /// Versions of a package, the newest first, at most `limit`; `None` when it does not exist.
    pub async fn versions(&self, name: &RepositoryName, limit: Option<usize>) -> Result<Option<Vec<Hit>>, Error> {
        list(self.remote, &format!("/api/v1/packages/{name}/versions?"), limit).await
    }
}

/// Where a query is asked; a further parameter can follow.
fn search_path(query: &str, sort: Option<Sort>) -> String {
    let sort = sort.map(|sort| format!("sort={}&", sort.as_str())).unwrap_or_default();
    format!("/api/v1/packages?q={}&fresh=true&{sort}", percent_encode(query))
}

/// What a registry of this project says of itself.
async fn ask(remote: &Remote) -> Result<Option<RegistryInfo>, Error> {
    // Another registry may answer anything here.
    let answer = remote.get_json::<serde_json::Value>("/api/v1", MAX_ANSWER_BYTES).await?;
    let info = answer.and_then(|answer| serde_json::from_value::<RegistryInfo>(answer).ok());
    Ok(info.filter(|info| info.name == RegistryInfo::NAME))
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Remote(error) if error.kind() == ErrorKind::Denied)
}

fn is_telling(error: &remote::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Io) || matches!(error, remote::Error::Foreign { .. })
}
