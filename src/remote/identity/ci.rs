//! Who a run of continuous integration is, as the service it runs on vouches for it: no secret has to be stored for it.

use std::fmt;

use reqwest::Url;
use serde::Deserialize;

use super::super::{Error, Remote};
use super::{IdentityToken, peer};
use crate::oci::percent_encode;

/// What an answer of the service is called in errors.
const ANSWER: &str = "answer with an identity token";

/// What the service gives a run.
#[derive(Clone)]
pub enum CiRun {
    /// An address to ask and a token for it, as GitHub gives where `permissions: id-token: write` is set.
    Request {
        /// The address.
        url: String,
        /// The token for the address, and for nothing else.
        token: String,
    },
    /// The identity token itself, as GitLab gives where `id_tokens` is set.
    Token(String),
}

impl CiRun {
    /// The identity token for an audience. Asked for over https, or on this machine itself, only.
    pub async fn identity(&self, registry: &Remote, audience: &str) -> Result<IdentityToken, Error> {
        let (url, token) = match self {
            Self::Token(token) => return IdentityToken::new(token),
            Self::Request { url, token } => (request_url(url, audience)?, token),
        };
        let answer: Answer = peer::get(&registry.exchange.wire, ANSWER, &url, Some(token)).await?;
        IdentityToken::new(&answer.value)
    }
}

#[derive(Deserialize)]
struct Answer {
    value: String,
}

fn request_url(text: &str, audience: &str) -> Result<Url, Error> {
    let mut url = Url::parse(text).map_err(|_| Error::Malformed { what: "address for identity tokens" })?;
    let host = url.host_str().and_then(|host| host.parse::<crate::oci::Host>().ok());
    let is_here = url.scheme() == "http" && host.is_some_and(|host| host.is_loopback());
    if url.scheme() != "https" && !is_here {
        let address = super::super::address::shown(&url);
        let reason = "is not secured by https";
        return Err(Error::Foreign { what: "the address for identity tokens", address, reason });
    }
    let own = url.query().map(|query| format!("{query}&")).unwrap_or_default();
    url.set_query(Some(&format!("{own}audience={}", percent_encode(audience))));
    Ok(url)
}

impl fmt::Debug for CiRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request { .. } => "Request(…)",
            Self::Token(_) => "Token(…)",
        })
    }
}
