//! The JSON of a registry's own API, beside the distribution API: reading, and changing.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::found;
use super::exchange::{Ask, Read, Repeat};
use super::payload::Payload;
use super::scope::Scope;
use super::{Error, Remote};

/// What errors call such an answer.
const ANSWER: &str = "answer of the registry's own API";

impl Remote {
    /// Gets JSON of at most `max_bytes` from an own API of the registry. `None` on 404, and when the answer is no JSON
    /// at all; JSON of another form is an error.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        max_bytes: usize,
    ) -> Result<Option<T>, Error> {
        let ask = self.ask_own(Method::GET, path_and_query)?;
        let read = match found(self.exchange.read(&ask, ANSWER, max_bytes).await) {
            Ok(Some(read)) => read,
            Ok(None) | Err(Error::NotARegistry { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !is_json(&read.headers) {
            return Ok(None);
        }
        serde_json::from_slice(&read.body).map(Some).map_err(|source| Error::Json { what: ANSWER, source })
    }

    /// As [`Self::get_json`], where an absence is an error too: the registry says what is missing.
    pub async fn require_json<T: DeserializeOwned>(&self, path_and_query: &str, max_bytes: usize) -> Result<T, Error> {
        let ask = self.ask_own(Method::GET, path_and_query)?;
        let read = self.exchange.read(&ask, ANSWER, max_bytes).await?;
        serde_json::from_slice(&read.body).map_err(|source| Error::Json { what: ANSWER, source })
    }

    /// Sends JSON to an own API of the registry and reads its answer, of at most `max_bytes`.
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        content: &impl Serialize,
        max_bytes: usize,
    ) -> Result<T, Error> {
        // Sent again after a lost answer it would be done twice.
        self.change(Method::POST, path_and_query, content, Repeat::Unprocessed, max_bytes).await
    }

    /// As [`Self::post_json`], for what is the same however often it is sent. No answer at all reads as `null`.
    pub async fn put_json<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        content: &impl Serialize,
        max_bytes: usize,
    ) -> Result<T, Error> {
        self.change(Method::PUT, path_and_query, content, Repeat::Always, max_bytes).await
    }

    /// As [`Self::post_json`], for a part of what is there. No answer at all reads as `null`.
    pub async fn patch_json<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        content: &impl Serialize,
        max_bytes: usize,
    ) -> Result<T, Error> {
        self.change(Method::PATCH, path_and_query, content, Repeat::Unprocessed, max_bytes).await
    }

    /// Deletes something of an own API of the registry. No answer at all reads as `null`.
    pub async fn delete_json<T: DeserializeOwned>(&self, path_and_query: &str, max_bytes: usize) -> Result<T, Error> {
        // A second try would be told that nothing is there, and the first one's answer may be needed.
        let ask = self.ask_own(Method::DELETE, path_and_query)?.repeat(Repeat::Unprocessed);
        parse_changed(&self.exchange.read(&ask, ANSWER, max_bytes).await?)
    }

    async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path_and_query: &str,
        content: &impl Serialize,
        repeat: Repeat,
        max_bytes: usize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(content).map_err(|source| Error::Json { what: ANSWER, source })?;
        let ask = self
            .ask_own(method, path_and_query)?
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .payload(Payload::Bytes(body.into()))
            .repeat(repeat);
        parse_changed(&self.exchange.read(&ask, ANSWER, max_bytes).await?)
    }

    fn ask_own(&self, method: Method, path_and_query: &str) -> Result<Ask<'static>, Error> {
        // Passwords travel in these requests, and new tokens in the answers.
        let ask = Ask::new(method, self.endpoint().url(path_and_query)?, Scope::none()).stay_home();
        Ok(ask.header(ACCEPT, HeaderValue::from_static("application/json")))
    }
}

/// Reads the answer to a change. It may hold a new token, of which the parser's message would repeat a part.
fn parse_changed<T: DeserializeOwned>(read: &Read) -> Result<T, Error> {
    let body: &[u8] = if read.body.is_empty() { b"null" } else { &read.body };
    serde_json::from_slice(body).map_err(|_| Error::Malformed { what: ANSWER })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}
