//! One issuer and its keys: fetched when they are needed, kept for a while, asked for again when a new one turns up.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch::{Fetcher, PATIENCE};
use super::{IssuerSettings, OidcError};
use crate::auth::IssuerKeys;

/// When keys are fetched.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Refresh {
    /// How long keys are used without asking again, so that one an issuer took back ends.
    pub(in crate::server) fresh: Duration,
    /// How long they are used while the issuer cannot be reached.
    pub(in crate::server) usable: Duration,
    /// Least time between two tries: whoever sends unknown keys must not make this registry flood an issuer.
    pub(in crate::server) pause: Duration,
    /// How long one document may take.
    pub(in crate::server) patience: Duration,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            fresh: Duration::from_mins(15),
            usable: Duration::from_hours(6),
            pause: Duration::from_mins(1),
            patience: PATIENCE,
        }
    }
}

/// An issuer that is trusted.
#[derive(Debug)]
pub(in crate::server) struct Issuer {
    settings: IssuerSettings,
    fetcher: Fetcher,
    refresh: Refresh,
    // One request at a time fetches; the others then find the result.
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    keys: Option<(Instant, Arc<IssuerKeys>)>,
    tried: Option<Instant>,
}

/// What is needed of an issuer's description (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, is_private_allowed: bool, refresh: Refresh) -> Result<Self, OidcError> {
        let read = |path: &std::path::PathBuf| {
            fs::read(path).map_err(|source| OidcError::Authority { path: path.clone(), source })
        };
        let authority = settings.ca_certificate.as_ref().map(read).transpose()?;
        let fetcher = Fetcher::new(authority.as_deref(), is_private_allowed, refresh.patience)?;
        Ok(Self { settings, fetcher, refresh, cache: Mutex::default() })
    }

    /// What the administrator said of it.
    pub(in crate::server) fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// Its keys, fetched anew if they are old or lack the one that is asked for.
    pub(super) async fn keys(&self, key_id: &str) -> Result<Arc<IssuerKeys>, OidcError> {
        let mut cache = self.cache.lock().await;
        let now = Instant::now();
        let kept = cache.keys.clone().filter(|(fetched, _)| now - *fetched < self.refresh.usable);
        let is_good =
            |(fetched, keys): &(Instant, Arc<IssuerKeys>)| now - *fetched < self.refresh.fresh && keys.knows(key_id);
        if let Some((_, keys)) = kept.as_ref().filter(|kept| is_good(kept)) {
            return Ok(Arc::clone(keys));
        }
        if cache.tried.is_some_and(|tried| now - tried < self.refresh.pause) {
            return kept.map(|(_, keys)| keys).ok_or(OidcError::Unreachable);
        }
        cache.tried = Some(now);
        match (self.fetch().await, kept) {
            (Ok(keys), _) => {
                let keys = Arc::new(keys);
                cache.keys = Some((now, Arc::clone(&keys)));
                Ok(keys)
            }
            (Err(error), Some((_, keys))) => {
                let issuer = self.settings.url.as_str();
                tracing::warn!(issuer, error = &error as &dyn std::error::Error, "using an issuer's older keys");
                Ok(keys)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self) -> Result<IssuerKeys, OidcError> {
        let document = self.fetcher.document(&self.settings.url.discovery()).await?;
        let description: Description = serde_json::from_slice(&document).map_err(OidcError::Description)?;
        if description.issuer != self.settings.url.as_str() {
            return Err(OidcError::OtherIssuer(description.issuer.chars().take(256).collect()));
        }
        Ok(IssuerKeys::parse(&self.fetcher.document(&description.jwks_uri).await?)?)
    }
}
