//! The REST API of a registry of this program, as the verbs about people use it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::error::Error;
use super::registries::{Located, Registries};
use super::wanted::Wanted;
use crate::api::RegistryInfo;
use crate::client::{self, Catalogue};
use crate::remote::{self, Remote};

/// Largest answer to one question in bytes.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A registry of this program.
pub(super) struct Service {
    remote: Remote,
    info: RegistryInfo,
}

impl Service {
    /// The registry of names without a host.
    pub(super) async fn connect(context: &Context) -> Result<Self, Error> {
        Self::of(&Registries::load(context)?.connect(None)?).await
    }

    /// A registry, if it is one of this program.
    pub(super) async fn of(remote: &Remote) -> Result<Self, Error> {
        let found = Catalogue::detect(remote).await.map_err(|error| Error::of_client(error, remote.endpoint()))?;
        let info = found.map(|catalogue| catalogue.info().clone());
        let info = info.ok_or_else(|| Error::NoPeople(Box::new(remote.endpoint().clone())))?;
        Ok(Self { remote: remote.clone(), info })
    }

    /// A repository as named on the command line, with its registry.
    pub(super) async fn locate(context: &Context, name: &str) -> Result<(Self, Located), Error> {
        let located = Registries::load(context)?.locate(&Wanted::parse(name)?).await?;
        Ok((Self::of(&located.remote).await?, located))
    }

    /// As [`Self::locate`], for what is said of packages there.
    pub(super) async fn locate_catalogue(context: &Context, name: &str) -> Result<(Self, Located), Error> {
        let located = Self::locate(context, name).await;
        located.map_err(|error| if let Error::NoPeople(endpoint) = error { Error::NoNotices(endpoint) } else { error })
    }

    /// What it says of itself.
    pub(super) fn info(&self) -> &RegistryInfo {
        &self.info
    }

    /// Where it is.
    pub(super) fn place(&self) -> String {
        self.remote.endpoint().to_string()
    }

    /// Something called `what` that must be there.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<T, Error> {
        let found = self.told(self.remote.get_json(path, MAX_ANSWER_BYTES).await)?;
        found.ok_or_else(|| Error::NotFound { what: what.to_owned(), place: self.place() })
    }

    /// All entries of a list, or the first so many; `base` ends where a parameter can follow.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        base: &str,
        limit: Option<usize>,
        what: &str,
    ) -> Result<Vec<T>, Error> {
        let found = client::list(&self.remote, base, limit).await;
        let found = found.map_err(|error| Error::of_client(error, self.remote.endpoint()))?;
        found.ok_or_else(|| Error::NotFound { what: what.to_owned(), place: self.place() })
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, content: &impl Serialize) -> Result<T, Error> {
        self.told(self.remote.post_json(path, content, MAX_ANSWER_BYTES).await)
    }

    pub(super) async fn put<T: DeserializeOwned>(&self, path: &str, content: &impl Serialize) -> Result<T, Error> {
        self.told(self.remote.put_json(path, content, MAX_ANSWER_BYTES).await)
    }

    pub(super) async fn patch<T: DeserializeOwned>(&self, path: &str, content: &impl Serialize) -> Result<T, Error> {
        self.told(self.remote.patch_json(path, content, MAX_ANSWER_BYTES).await)
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.told(self.remote.delete_json(path, MAX_ANSWER_BYTES).await)
    }

    fn told<T>(&self, result: Result<T, remote::Error>) -> Result<T, Error> {
        result.map_err(|error| Error::of_client(error.into(), self.remote.endpoint()))
    }
}
