//! One exchange with somebody who is no registry: bounded in bytes and time, and never redirected.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Url};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::super::address::shown;
use super::super::credential::{Credential, bearer};
use super::super::exchange::refuse;
use super::super::wire::Wire;
use super::super::{Error, Refusal};
use crate::oci::percent_encode;

/// Largest answer in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gets JSON, with a token for exactly this address where there is one.
pub(super) async fn get<T: DeserializeOwned>(
    wire: &Wire,
    what: &'static str,
    url: &Url,
    token: Option<&str>,
) -> Result<T, Error> {
    let mut request = wire.request(Method::GET, url.clone());
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, bearer(token)?);
    }
    let credential = token.map(|token| Credential::Token(token.to_owned()));
    let answered = exchange(wire, what, (Method::GET, url, request), credential.as_ref()).await?;
    answered.map_err(Error::NoIdentity)
}

/// Posts a form and reads the JSON that answers it; the refusal, where it is one.
pub(super) async fn post<T: DeserializeOwned>(
    wire: &Wire,
    what: &'static str,
    url: &Url,
    form: &[(&str, &str)],
) -> Result<Result<T, Box<Refusal>>, Error> {
    let form: Vec<_> = form.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    let body = form.join("&");
    let request = wire
        .request(Method::POST, url.clone())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(CONTENT_LENGTH, body.len())
        .body(body);
    exchange(wire, what, (Method::POST, url, request), None).await
}

async fn exchange<T: DeserializeOwned>(
    wire: &Wire,
    what: &'static str,
    (method, url, request): (Method, &Url, RequestBuilder),
    credential: Option<&Credential>,
) -> Result<Result<T, Box<Refusal>>, Error> {
    let exchange = async {
        let response = wire.send(url, request.header(ACCEPT, "application/json"), None).await?;
        if !response.status().is_success() {
            return match refuse(wire, &method, response, credential).await {
                Error::Refused(refusal) => Ok(Err(refusal)),
                // A web page where nothing was found.
                _ => Err(Error::Malformed { what }),
            };
        }
        let body = wire.read(response, what, MAX_ANSWER_BYTES).await?;
        // The parser's message would repeat a part of a token.
        serde_json::from_slice(&body).map(Ok).map_err(|_| Error::Malformed { what })
    };
    let stalled = || Err(Error::Stalled { address: shown(url), patience: PATIENCE });
    timeout(PATIENCE, exchange).await.unwrap_or_else(|_| stalled())
}
