//! Which registry a name means, and how this program is known there. Flags go before variables, variables before the
//! profile, the profile before the default.

use std::fs;
use std::path::PathBuf;

use super::arguments::Global;
use super::context::Context;
use super::error::Error;
use super::printer::Printer;
use super::profiles::{Profile, Profiles};
use super::wanted::Wanted;
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
        let path = match &context.config {
            Some(path) => context.path(path),
            None => context.home()?.join("config.json"),
        };
        let loaded = Profiles::load(&path)?;
        if loaded.is_exposed {
            let text = format!("other users can read the tokens in {}: close it with `chmod 600`", path.display());
            Printer::warn(&text);
        }
        let profile = loaded.profiles.choose(context.global.profile.as_deref(), &path)?;
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
        let credential = self.credential(&endpoint)?;
        let ca_certificate = match &self.context.global.ca_certificate {
            None => None,
            Some(path) => {
                let path = self.context.path(path);
                Some(fs::read(&path).map_err(|source| Error::io("read", &path, source))?)
            }
        };
        let options = Options { credential, ca_certificate, ..Options::default() };
        Ok(Remote::connect(endpoint, options)?)
    }

    /// A token goes to the one registry it was set for; any other gets what Docker has for exactly its host.
    fn credential(&self, endpoint: &Endpoint) -> Result<Option<Credential>, Error> {
        let global = &self.context.global;
        let given = [&global.token, &global.pat].into_iter().flatten().find(|token| !token.is_empty());
        if *endpoint == self.default
            && let Some(token) = given
        {
            self.context.printer.detail("credential: the token of the environment");
            return Ok(Some(Credential::Token(token.clone())));
        }
        if let Some(token) = self.profile_token(endpoint) {
            self.context.printer.detail("credential: the token of the profile");
            return Ok(Some(Credential::Token(token)));
        }
        let folder = match &global.docker_config {
            Some(folder) if !folder.as_os_str().is_empty() => Some(folder.clone()),
            _ => etcetera::home_dir().ok().map(|home| home.join(".docker")),
        };
        let Some(folder) = folder else { return Ok(None) };
        let found = docker_credential(&folder.join("config.json"), endpoint.host())?;
        if found.is_some() {
            self.context.printer.detail("credential: Docker's");
        }
        Ok(found)
    }

    fn profile_token(&self, endpoint: &Endpoint) -> Option<String> {
        let profile = self.profile.as_ref()?;
        let token = profile.pat.clone().filter(|token| !token.is_empty())?;
        let its_own = Endpoint::parse(&profile.registry, self.context.global.plain_http).ok()?;
        (its_own == *endpoint).then_some(token)
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
            Some(catalogue) => within(&catalogue.info().default_namespace)?,
            None => wanted.name.clone(),
        };
        Ok(Located { remote, repository })
    }
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
