//! Fetches a token from the realm a challenge names (distribution's token specification).

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, Url};
use serde::Deserialize;
use tokio::time::Instant;

use super::credential::{Credential, bearer};
use super::exchange::refuse;
use super::wire::Wire;
use super::{Endpoint, Error, address};
use crate::oci::percent_encode;

/// Largest answer of a realm in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// Shortest life of a token in seconds, also where the realm names none (token specification).
const MIN_LIFE_SECONDS: u64 = 60;
/// Longest life that is believed, in seconds.
const MAX_LIFE_SECONDS: u64 = 24 * 3600;
/// The name this client gives itself to a realm.
const CLIENT_ID: &str = "agent-registry";

/// Where tokens are had, checked to be a place credentials may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Realm {
    url: Url,
    service: Option<String>,
}

/// A token as a header, and when to get another.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Token {
    /// Whether the token will live long enough for a request.
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }
}

impl Realm {
    /// Checks the realm of a challenge: it must be the registry itself, or secured by https.
    pub(super) fn of(endpoint: &Endpoint, base: &Url, realm: &str, service: Option<String>) -> Result<Self, Error> {
        let url = address::follow_with_credential(endpoint, base, "token realm", realm)?;
        Ok(Self { url, service })
    }

    /// Gets a token that allows these scopes, or fewer, as the realm sees fit.
    pub(super) async fn token(
        &self,
        wire: &Wire,
        scopes: &[String],
        credential: Option<&Credential>,
    ) -> Result<Token, Error> {
        let mut response = self.ask(wire, scopes, credential).await?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let refused = refuse(wire, &Method::GET, response, credential).await;
            // An identity token of docker is no password; the same realm takes it in a form.
            response = match (credential, status) {
                (Some(Credential::Token(token)), 400 | 401 | 403) => self.refresh(wire, scopes, token).await?,
                _ => return Err(no_token(refused)),
            };
            if !response.status().is_success() {
                return Err(no_token(refused));
            }
        }
        let body = wire.read(response, "token", MAX_TOKEN_BYTES).await?;
        // The parser's message would repeat a part of the token.
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| Error::Malformed { what: "token" })?;
        granted.into_token()
    }

    async fn ask(&self, wire: &Wire, scopes: &[String], credential: Option<&Credential>) -> Result<Response, Error> {
        let service = self.service.iter().map(|service| ("service", service));
        let asked = service.chain(scopes.iter().map(|scope| ("scope", scope)));
        let own = self.url.query().filter(|query| !query.is_empty()).map(str::to_owned);
        let asked = asked.map(|(key, value)| format!("{key}={}", percent_encode(value)));
        let query: Vec<_> = own.into_iter().chain(asked).collect();
        let mut url = self.url.clone();
        url.set_query(Some(query.join("&")).filter(|query| !query.is_empty()).as_deref());
        let mut request = wire.request(Method::GET, url);
        if let Some(credential) = credential {
            request = request.header(AUTHORIZATION, credential.basic()?);
        }
        wire.send(&self.url, request, None).await
    }

    async fn refresh(&self, wire: &Wire, scopes: &[String], token: &str) -> Result<Response, Error> {
        let service = self.service.as_deref().unwrap_or_default();
        let form = [
            ("grant_type", "refresh_token"),
            ("service", service),
            ("client_id", CLIENT_ID),
            ("scope", &scopes.join(" ")),
            ("refresh_token", token),
        ];
        let form: Vec<_> = form.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
        let body = form.join("&");
        let request = wire
            .request(Method::POST, self.url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(CONTENT_LENGTH, body.len())
            .body(body);
        wire.send(&self.url, request, None).await
    }
}

impl Granted {
    fn into_token(self) -> Result<Token, Error> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = given(self.token).or_else(|| given(self.access_token));
        let header = bearer(&token.ok_or(Error::Malformed { what: "token" })?)?;
        let life = self.expires_in.unwrap_or_default().clamp(MIN_LIFE_SECONDS, MAX_LIFE_SECONDS);
        // Renewed a little early: clocks differ, and the request is still to be sent.
        let until = Instant::now() + Duration::from_secs(life - life / 6);
        Ok(Token { header, until })
    }
}

/// A realm's refusal says nothing about what was asked of the registry, least of all that it does not exist.
fn no_token(refused: Error) -> Error {
    match refused {
        Error::Refused(refusal) => Error::NoToken(refusal),
        error => error,
    }
}
