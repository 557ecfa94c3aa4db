//! Which credential goes with a request to the registry: what the challenge asked for, tokens kept per scope.

use std::collections::HashMap;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::credential::{Credential, bearer};
use super::scope::Scope;
use super::token::{Realm, Token};
use super::wire::Wire;
use super::{Endpoint, Error};

/// Most tokens kept; a mirror of many repositories starts over.
const MAX_TOKENS: usize = 1000;

/// The credential of one registry, and what has been learned about its use.
#[derive(Debug)]
pub(super) struct Authority {
    credential: Option<Credential>,
    // One request at a time learns or fetches; the others then find the result.
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct Learned {
    scheme: Option<Scheme>,
    tokens: HashMap<Scope, Token>,
}

#[derive(Clone, Debug)]
enum Scheme {
    Basic,
    Bearer(Realm),
}

impl Authority {
    pub(super) fn new(credential: Option<Credential>) -> Self {
        Self { credential, learned: Mutex::default() }
    }

    /// The user of the credential, where it has one.
    pub(super) fn user(&self) -> Option<&str> {
        match &self.credential {
            Some(Credential::Basic { user, .. }) => Some(user),
            Some(Credential::Token(_)) | None => None,
        }
    }

    /// The credential, to be recognised where a registry repeats it.
    pub(super) fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// The header to send with a request right away. Before any challenge only a token is sent unasked.
    pub(super) async fn header(&self, wire: &Wire, scope: &Scope) -> Result<Option<HeaderValue>, Error> {
        let mut learned = self.learned.lock().await;
        match (learned.scheme.clone(), &self.credential) {
            (None, Some(Credential::Token(token))) => bearer(token).map(Some),
            (Some(Scheme::Basic), Some(credential)) => credential.basic().map(Some),
            (Some(Scheme::Bearer(realm)), credential) => {
                if let Some(token) = learned.tokens.get(scope).filter(|token| token.is_fresh()) {
                    return Ok(Some(token.header.clone()));
                }
                let token = realm.token(wire, &scope.with(None), credential.as_ref()).await?;
                Ok(Some(learned.keep(scope, token)))
            }
            _ => Ok(None),
        }
    }

    /// The header that answers a challenge from `url`; `None` when there is nothing better than what was `sent`.
    pub(super) async fn answer(
        &self,
        wire: &Wire,
        endpoint: &Endpoint,
        (url, headers): (&Url, &HeaderMap),
        scope: &Scope,
        sent: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let mut learned = self.learned.lock().await;
        match Challenge::of(headers) {
            None => Ok(None),
            Some(Challenge::Basic) => {
                learned.scheme = Some(Scheme::Basic);
                let header = self.credential.as_ref().map(Credential::basic).transpose()?;
                Ok(header.filter(|header| Some(header) != sent))
            }
            Some(Challenge::Bearer { realm, service, scope: asked }) => {
                let realm = Realm::of(endpoint, url, &realm, service)?;
                learned.scheme = Some(Scheme::Bearer(realm.clone()));
                // Another request may have fetched a token while this one was refused with an older.
                if let Some(token) = learned.tokens.get(scope).filter(|token| token.is_fresh())
                    && Some(&token.header) != sent
                {
                    return Ok(Some(token.header.clone()));
                }
                let token = realm.token(wire, &scope.with(asked.as_deref()), self.credential.as_ref()).await?;
                Ok(Some(learned.keep(scope, token)))
            }
        }
    }
}

impl Learned {
    fn keep(&mut self, scope: &Scope, token: Token) -> HeaderValue {
        if self.tokens.len() >= MAX_TOKENS {
            self.tokens.clear();
        }
        let header = token.header.clone();
        self.tokens.insert(scope.clone(), token);
        header
    }
}
