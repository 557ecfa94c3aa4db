//! Which registry a name means, and how this program is known there. Flags go before variables, variables before the
//! profile, the profile before the default.

use std::fs;
use std::path::PathBuf;

use super::arguments::Global;
use super::context::Context;
use super::error::Error;
use super::printer::Printer;
use super::profiles::Profile;
use super::wanted::Wanted;
use crate::api::{ACCESS_TOKEN_PREFIX, Secret};
use crate::client::{Cache, Catalogue, Store};
use crate::oci::{Host, NameError, Reference, RepositoryName, Tag};
use crate::remote::{Credential, Endpoint, Options, Remote, docker_credential};

/// The registry where nobody names one: `agent registry serve` listens there.
const DEFAULT_REGISTRY: &str = "http://127.0.0.1:5050";

/// The registries one command may speak to.
#[derive(Debug)]
pub(super) struct Registries<'a> {
    context: &'a Context,
    profile: Option<Profile>,
    default: Endpoint,
}

/// A repository in its registry.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub remote: Remote,
    pub repository: RepositoryName,
}

impl Located {
    /// The full reference of a tag.
    pub(super) fn tagged(&self, tag: &Tag) -> Reference {
        let host = Some(self.remote.endpoint().host().clone());
        Reference { host, name: self.repository.clone(), tag: Some(tag.clone()), digest: None }
    }

    /// Host and repository.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.remote.endpoint().host(), self.repository)
    }
}

impl<'a> Registries<'a> {
    /// Reads the settings. No network.
    pub(super) fn load(context: &'a Context) -> Result<Self, Error> {
        let settings = context.settings()?;
        let profile = settings.choose(context.global.profile.as_deref())?.map(|(_, profile)| profile.clone());
        let default = Endpoint::parse(address(&context.global, profile.as_ref()), context.global.plain_http)?;
        context.printer.detail(&format!("registry for names without a host: {default}"));
        Ok(Self { context, profile, default })
    }

    /// Prepares to speak to a registry. No network.
    pub(super) fn connect(&self, host: Option<&Host>) -> Result<Remote, Error> {
        let endpoint = match host {
            Some(host) if host != self.default.host() => Endpoint::of_host(host, self.context.global.plain_http),
            _ => self.default.clone(),
        };
        self.connect_to(&endpoint)
    }

    /// As [`Self::connect`], to an address.
    pub(super) fn connect_to(&self, endpoint: &Endpoint) -> Result<Remote, Error> {
        self.connect_as(endpoint, self.credential(endpoint)?)
    }

    /// As [`Self::connect_to`], with a given credential, or as a stranger.
    pub(super) fn connect_as(&self, endpoint: &Endpoint, credential: Option<Credential>) -> Result<Remote, Error> {
        let ca_certificate = match &self.context.global.ca_certificate {
            None => None,
            Some(path) => {
                let path = self.context.path(path);
                Some(fs::read(&path).map_err(|source| Error::io("read", &path, source))?)
            }
        };
        let options = Options { credential, ca_certificate, tell_warning, ..Options::default() };
        Ok(Remote::connect(endpoint.clone(), options)?)
    }

    /// The registry a text on the command line means: an address or a host; without one, that of names without a host.
    pub(super) fn endpoint(&self, text: Option<&str>) -> Result<Endpoint, Error> {
        let Some(text) = text else { return Ok(self.default.clone()) };
        let is_address = text.contains("://");
        let endpoint = Endpoint::parse(text, self.context.global.plain_http)?;
        // A host alone means the registry known by it, with its scheme.
        let is_default = !is_address && endpoint.host() == self.default.host();
        Ok(if is_default { self.default.clone() } else { endpoint })
    }

    /// A token goes to the one registry it was set for; any other gets what Docker has for exactly its host.
    fn credential(&self, endpoint: &Endpoint) -> Result<Option<Credential>, Error> {
        let global = &self.context.global;
        let given = [&global.token_variable, &global.pat_variable].into_iter().flatten().map(Secret::expose);
        if *endpoint == self.default
            && let Some(token) = given.into_iter().find(|token| !token.is_empty())
        {
            self.context.printer.detail("credential: the token of the environment");
            return Ok(Some(Credential::Token(token.to_owned())));
        }
        if let Some(credential) = self.of_profile(endpoint) {
            self.context.printer.detail("credential: the token of the profile");
            return Ok(Some(as_token(credential)));
        }
        for file in self.context.docker_files() {
            if let Some(credential) = docker_credential(&file, endpoint.host())? {
                self.context.printer.detail(&format!("credential: from {}", self.context.shown(&file)));
                return Ok(Some(as_token(credential)));
            }
        }
        Ok(None)
    }

    fn of_profile(&self, endpoint: &Endpoint) -> Option<Credential> {
        let profile = self.profile.as_ref()?;
        let credential = profile.credential()?;
        let its_own = Endpoint::parse(&profile.registry, self.context.global.plain_http).ok()?;
        (its_own == *endpoint).then_some(credential)
    }

    /// The repository a name means. A name without namespace and host gets the profile's namespace, or on a registry
    /// of this project its default one; on any other it is as typed.
    pub(super) async fn locate(&self, wanted: &Wanted) -> Result<Located, Error> {
        let remote = self.connect(wanted.host.as_ref())?;
        if wanted.host.is_some() || wanted.name.namespace().is_some() {
            return Ok(Located { remote, repository: wanted.name.clone() });
        }
        let within = |namespace: &str| {
            let source = |error: NameError| Error::Reference { text: wanted.text.clone(), source: error.into() };
            wanted.name.within(namespace).map_err(source)
        };
        if let Some(namespace) = self.profile.as_ref().and_then(|profile| profile.namespace.as_deref()) {
            return Ok(Located { repository: within(namespace)?, remote });
        }
        let detected = Catalogue::detect(&remote).await.map_err(|error| Error::of_client(error, remote.endpoint()))?;
        let repository = match detected {
            Some(catalogue) => {
                let namespace = catalogue.namespace().await;
                within(&namespace.map_err(|error| Error::of_client(error, remote.endpoint()))?)?
            }
            None => wanted.name.clone(),
        };
        Ok(Located { remote, repository })
    }
}

/// An access token of this project that is kept as a password, as docker does, is shown as what it is.
fn as_token(credential: Credential) -> Credential {
    match credential {
        Credential::Basic { password, .. } if password.starts_with(ACCESS_TOKEN_PREFIX) => Credential::Token(password),
        other => other,
    }
}

/// Tells the user what a registry warns of.
fn tell_warning(text: &str) {
    Printer::warn(&format!("the registry says: {text}"));
}

/// The address of the registry for names without a host.
fn address<'a>(global: &'a Global, profile: Option<&'a Profile>) -> &'a str {
    let of_profile = profile.map(|profile| &profile.registry);
    let by_flag = of_profile.filter(|_| global.profile.is_some());
    let candidates = [global.registry.as_ref(), by_flag, global.registry_variable.as_ref(), of_profile];
    candidates.into_iter().flatten().find(|text| !text.is_empty()).map_or(DEFAULT_REGISTRY, String::as_str)
}

/// The local store of this user.
pub(super) fn store(context: &Context) -> Result<Store, Error> {
    Ok(Store::open(&folder(context, "store")?)?)
}

/// The local store of this user, if it has been made.
pub(super) fn existing_store(context: &Context) -> Result<Option<Store>, Error> {
    Ok(Store::open_existing(&folder(context, "store")?)?)
}

/// The cache of this user.
pub(super) fn cache(context: &Context) -> Result<Cache, Error> {
    Ok(Cache::open(&folder(context, "cache")?)?)
}

fn folder(context: &Context, name: &str) -> Result<PathBuf, Error> {
    Ok(context.home()?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_before_variables_before_the_profile_before_the_default() {
        let text = |text: &str| Some(text.to_owned());
        let profile = Profile { registry: "profile".to_owned(), ..Profile::default() };
        let mut global = Global::default();
        assert_eq!(address(&global, None), DEFAULT_REGISTRY);
        assert_eq!(address(&global, Some(&profile)), "profile");
        global.registry_variable = text("");
        assert_eq!(address(&global, Some(&profile)), "profile", "an empty variable is none");
        global.registry_variable = text("variable");
        assert_eq!(address(&global, Some(&profile)), "variable");
        global.profile = text("work");
        assert_eq!(address(&global, Some(&profile)), "profile", "asked for by flag");
        global.registry = text("flag");
        assert_eq!(address(&global, Some(&profile)), "flag");
    }
}
