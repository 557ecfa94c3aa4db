//! Identities from elsewhere, as this server takes them: whose, and for whom they must be made.

use jiff::Timestamp;

use super::{IssuerSettings, Issuers, OidcError, Refresh};
use crate::api::SignInIssuer;
use crate::auth::Asserted;
use crate::server::Auth;

/// The issuers that are trusted, and the name this server is known by to them.
#[derive(Debug, Default)]
pub(in crate::server) struct Elsewhere {
    issuers: Issuers,
    audience: Option<String>,
}

impl Elsewhere {
    /// `home` is the server's address where nobody but this machine reaches it, who can use no other.
    pub(in crate::server) fn new(auth: &Auth, home: Option<&str>) -> Result<Self, OidcError> {
        let issuers = Issuers::new(&auth.issuers, auth.allow_private_issuers, Refresh::default())?;
        let external = auth.external_url.as_ref().map(ToString::to_string);
        let audience = external.or_else(|| home.map(str::to_owned)).filter(|_| !auth.issuers.is_empty());
        if audience.is_none() && !auth.issuers.is_empty() {
            tracing::warn!("identity tokens are not taken: `auth.external-url` must say for whom they are made");
        }
        Ok(Self { issuers, audience })
    }

    /// For whom the identity tokens of runs must be made; absent where none are taken.
    pub(in crate::server) fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Where people can sign in.
    pub(in crate::server) fn sign_in(&self) -> Vec<SignInIssuer> {
        let able = self.issuers.settings().filter(|issuer| issuer.sign_in && self.audience.is_some());
        let told = able.filter_map(|issuer| {
            let client_id = issuer.client_id.clone()?;
            Some(SignInIssuer { name: issuer.name.clone(), url: issuer.url.to_string(), client_id })
        });
        told.collect()
    }

    /// Checks an identity token; whether it is a person's, who signs in at this registry, and not a run's.
    pub(in crate::server) async fn verify(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<(Asserted, &IssuerSettings, bool), OidcError> {
        let (asserted, issuer) = self.issuers.verify(token, audience, Timestamp::now()).await?;
        let is_person = issuer.sign_in && issuer.client_id.as_deref() == Some(asserted.audience());
        Ok((asserted, issuer, is_person))
    }
}
