//! `agent login --oidc`: a person signs in at an issuer that the registry trusts, in a browser here or elsewhere.

use super::ci::{audience, exchange};
use super::error::Error;
use super::printer::Printer;
use super::text::safe_lines;
use crate::api::{IdentityToken, RegistryInfo, Secret, SignInIssuer, sign_in_nonce};
use crate::client::Catalogue;
use crate::remote::{Issuer, Remote};

/// How somebody wants to sign in.
pub(super) struct Wanted<'a> {
    /// The issuer's name; empty where there is one alone.
    pub issuer: &'a str,
    /// Whether the browser is on another machine.
    pub is_elsewhere: bool,
    /// Whether to find out only whether it could be done.
    pub dry_run: bool,
}

/// Who signed in, and the access token made for it; `None` when nobody was to.
pub(super) async fn sign_in(remote: &Remote, wanted: &Wanted<'_>) -> Result<Option<(Option<String>, Secret)>, Error> {
    let failed = |error: crate::client::Error| Error::of_client(error, remote.endpoint());
    let catalogue = Catalogue::detect(remote).await.map_err(failed)?;
    let info = catalogue.as_ref().map(Catalogue::info);
    let chosen = info.map(|info| choose(info, wanted.issuer)).transpose()?;
    let name = info.map(|info| audience(info, remote.endpoint())).transpose()?.flatten();
    let (Some(chosen), Some(name)) = (chosen, name) else {
        return Err(Error::NoSignIn(Box::new(remote.endpoint().clone())));
    };
    let issuer = Issuer::discover(remote, &chosen.url, &chosen.client_id).await?;
    if wanted.dry_run {
        return Ok(None);
    }
    let (token, nonce) = if wanted.is_elsewhere {
        let show = |code: &crate::remote::DeviceCode| {
            Printer::line(&safe_lines(&format!("Open {} and enter the code {}", code.page, code.code)));
        };
        (issuer.sign_in_elsewhere(show).await?, None)
    } else {
        let nonce = Secret::new(crate::remote::random_text());
        let show = |address: &str| Printer::line(&safe_lines(&format!("Open this address to sign in:\n{address}")));
        (issuer.sign_in_here(&sign_in_nonce(name, &nonce), show).await?, Some(nonce))
    };
    let shown = IdentityToken { token: Secret::new(token.expose()), nonce, repository: None };
    let exchanged = exchange(remote, &shown).await.map_err(|error| failed(error.into()))?;
    Ok(Some((exchanged.user, exchanged.token)))
}

fn choose<'a>(info: &'a RegistryInfo, name: &str) -> Result<&'a SignInIssuer, Error> {
    let fits = |issuer: &&SignInIssuer| name.is_empty() || issuer.name == name;
    let mut fitting = info.sign_in.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(Error::IssuerUnclear { known: info.sign_in.iter().map(|issuer| issuer.name.clone()).collect() }),
    }
}
