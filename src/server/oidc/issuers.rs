//! The issuers an administrator listed, and the one way from an identity token to what it vouches for.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::issuer::{Issuer, Refresh};
use super::{FetchError, IssuerSettings};
use crate::auth::{Asserted, Assertion, AssertionError, IssuerKeysError};

/// Why an identity token is not taken, or cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The token is bad.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// Nobody listed its issuer. It is never asked.
    #[error("the identity token's issuer is not one this registry trusts; an administrator lists it in `auth.issuers`")]
    Untrusted,
    /// The issuer could not be asked a moment ago, and is not asked again so soon.
    #[error("the issuer could not be reached a moment ago")]
    Unreachable,
    /// The issuer's documents cannot be had.
    #[error("the issuer's keys cannot be fetched")]
    Fetch(#[from] FetchError),
    /// The issuer's description is none.
    #[error("the issuer's description is no OpenID Connect discovery document")]
    Description(#[source] serde_json::Error),
    /// The description is of somebody else.
    #[error("the issuer's description names another issuer, `{0}`")]
    OtherIssuer(String),
    /// The key set cannot be used.
    #[error(transparent)]
    Keys(#[from] IssuerKeysError),
    /// The authority to trust an issuer's certificate by cannot be read.
    #[error("cannot read the certificate authority {}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl OidcError {
    /// Whether the caller's token is to blame, and not the issuer or this registry.
    pub(in crate::server) fn is_callers_fault(&self) -> bool {
        matches!(self, Self::Assertion(_) | Self::Untrusted)
    }
}

/// All issuers that are trusted.
#[derive(Debug, Default)]
pub(in crate::server) struct Issuers(Vec<Issuer>);

impl Issuers {
    /// Prepares for each of them. Nobody is asked yet.
    pub(in crate::server) fn new(
        all: &[IssuerSettings],
        is_private_allowed: bool,
        refresh: Refresh,
    ) -> Result<Self, OidcError> {
        let made = all.iter().map(|settings| Issuer::new(settings.clone(), is_private_allowed, refresh));
        Ok(Self(made.collect::<Result<_, _>>()?))
    }

    /// The issuers' settings, in the order of the configuration.
    pub(in crate::server) fn settings(&self) -> impl Iterator<Item = &IssuerSettings> {
        self.0.iter().map(Issuer::settings)
    }

    /// Checks an identity token that must be made for `audience`, or for people who sign in at this registry.
    pub(in crate::server) async fn verify(
        &self,
        token: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<(Asserted, &IssuerSettings), OidcError> {
        let assertion = Assertion::parse(token)?;
        let issuer = self.0.iter().find(|issuer| issuer.settings().url.as_str() == assertion.issuer());
        let issuer = issuer.ok_or(OidcError::Untrusted)?;
        let settings = issuer.settings();
        let keys: Arc<_> = issuer.keys(assertion.key_id()).await?;
        let client = settings.client_id.as_deref().filter(|_| settings.sign_in);
        let audiences: Vec<_> = client.into_iter().chain([audience]).collect();
        Ok((assertion.verify(&settings.url, &keys, &audiences, now)?, settings))
    }
}
