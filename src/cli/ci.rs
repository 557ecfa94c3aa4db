//! Publishing from continuous integration without a stored secret: what the service says of the run is exchanged for a
//! token that lasts for minutes.

use super::arguments::Global;
use super::context::Context;
use super::error::Error;
use super::registries::{Located, Registries};
use crate::api::{ExchangedToken, IdentityToken, RegistryInfo, Secret};
use crate::client::Catalogue;
use crate::remote::{CiRun, Credential, Endpoint, Remote};

/// Where identity tokens are exchanged.
pub(super) const EXCHANGE: &str = "/api/v1/oidc/token";

/// Largest answer to an exchange in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;

impl Global {
    /// What the service gives this run to say who it is.
    fn ci_run(&self) -> Option<CiRun> {
        let given = |secret: &Option<Secret>| {
            let secret = secret.as_ref().map(|secret| secret.expose().to_owned());
            secret.filter(|text| !text.is_empty())
        };
        if let Some(token) = given(&self.id_token) {
            return Some(CiRun::Token(token));
        }
        let url = self.id_token_address.clone().filter(|url| !url.is_empty())?;
        Some(CiRun::Request { url, token: given(&self.id_token_request)? })
    }
}

/// The place, reached as the run that this is; as it was, where there is a credential, no such run, or a registry that
/// exchanges nothing.
pub(super) async fn as_run(context: &Context, registries: &Registries<'_>, located: Located) -> Result<Located, Error> {
    let remote = &located.remote;
    let Some(run) = context.global.ci_run().filter(|_| !remote.has_credential()) else { return Ok(located) };
    let failed = |error: crate::client::Error| Error::of_client(error, remote.endpoint());
    let Some(catalogue) = Catalogue::detect(remote).await.map_err(failed)? else { return Ok(located) };
    let Some(audience) = audience(catalogue.info(), remote.endpoint())? else {
        context.printer.detail("credential: none; the registry exchanges no identity tokens");
        return Ok(located);
    };
    let token = run.identity(remote, audience).await?;
    let shown =
        IdentityToken { token: Secret::new(token.expose()), nonce: None, repository: Some(located.repository.clone()) };
    let exchanged = exchange(remote, &shown).await.map_err(|error| failed(error.into()))?;
    context.printer.detail("credential: the identity of this run, exchanged for a token of some minutes");
    let credential = Credential::Token(exchanged.token.expose().to_owned());
    Ok(Located { remote: registries.connect_as(remote.endpoint(), Some(credential))?, ..located })
}

/// The name identity tokens must be made for. Only the name the registry is reached by: a token for another one could
/// be used there by whoever answers here.
pub(super) fn audience<'a>(info: &'a RegistryInfo, endpoint: &Endpoint) -> Result<Option<&'a str>, Error> {
    let Some(audience) = info.audience.as_deref() else { return Ok(None) };
    let own = [endpoint.to_string(), endpoint.host().to_string()];
    if own.iter().any(|own| audience.eq_ignore_ascii_case(own)) {
        return Ok(Some(audience));
    }
    Err(Error::OtherName { endpoint: Box::new(endpoint.clone()), audience: audience.chars().take(256).collect() })
}

/// Exchanges an identity token for one of the registry's own.
pub(super) async fn exchange(remote: &Remote, shown: &IdentityToken) -> Result<ExchangedToken, crate::remote::Error> {
    remote.post_json(EXCHANGE, shown, MAX_ANSWER_BYTES).await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_run_needs_address_and_token_or_the_identity_itself() {
        let secret = |text: &str| Some(Secret::new(text));
        let mut global = Global::default();
        assert!(global.ci_run().is_none());
        global.id_token_address = Some("https://ci.example".to_owned());
        assert!(global.ci_run().is_none());
        global.id_token_request = secret("");
        assert!(global.ci_run().is_none());
        global.id_token_request = secret("t");
        assert!(matches!(global.ci_run(), Some(CiRun::Request { .. })));
        global.id_token = secret("a.b.c");
        assert!(matches!(global.ci_run(), Some(CiRun::Token(_))));
    }

    #[test]
    fn an_identity_is_never_made_for_another_registry() {
        let endpoint = Endpoint::parse("https://registry.example", false).unwrap();
        let named = |audience: Option<&str>| RegistryInfo {
            name: RegistryInfo::NAME.to_owned(),
            version: String::new(),
            default_namespace: String::new(),
            authentication: true,
            audience: audience.map(str::to_owned),
            sign_in: vec![],
        };
        assert_eq!(audience(&named(None), &endpoint).unwrap(), None);
        for own in ["https://registry.example", "Registry.example"] {
            assert_eq!(audience(&named(Some(own)), &endpoint).unwrap(), Some(own));
        }
        for other in [
            "http://registry.example",
            "https://registry.example:444",
            "other.example",
            "registry.example:444",
            "registry.example.evil",
            "sigstore",
            "",
        ] {
            assert!(matches!(audience(&named(Some(other)), &endpoint), Err(Error::OtherName { .. })), "{other}");
        }
    }
}
