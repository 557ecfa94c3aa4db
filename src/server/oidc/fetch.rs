//! One document of an issuer: over TLS, without redirects, from a public address, small and soon.

use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::ACCEPT;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};
use tokio::time::timeout;

use super::address::{PrivateAddress, Resolver};

/// Largest document in bytes. The large issuers' key sets have about 10 KiB.
pub(super) const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// How long one document may take, from the connection to its last byte.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The name this client goes by.
const USER_AGENT: &str = concat!("agent-registry/", env!("CARGO_PKG_VERSION"));

/// Why a document is not there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The client cannot be set up.
    #[error("secure connections to the issuer cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// The address is none, or none that may be asked.
    #[error("`{0}` is no https address that may be asked")]
    Address(String),
    /// It leads into a private network.
    #[error(transparent)]
    Private(#[from] PrivateAddress),
    /// No connection, or it broke.
    #[error("cannot fetch `{url}`")]
    Exchange {
        /// The address.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer is none. Redirects are not followed: an issuer's documents are where it says they are.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// Too many bytes.
    #[error("`{0}` has more than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge(String),
    /// Too slow.
    #[error("`{url}` took longer than {} ms", .patience.as_millis())]
    TooSlow {
        /// The address.
        url: String,
        /// How long was waited.
        patience: Duration,
    },
}

/// A client that fetches documents of one issuer.
#[derive(Clone, Debug)]
pub(super) struct Fetcher {
    client: Client,
    resolver: Resolver,
    patience: Duration,
}

impl Fetcher {
    /// `authority` is a further certificate authority to trust, as PEM.
    pub(super) fn new(
        authority: Option<&[u8]>,
        is_private_allowed: bool,
        patience: Duration,
    ) -> Result<Self, FetchError> {
        let resolver = Resolver { is_private_allowed };
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .https_only(true)
            .redirect(Policy::none())
            .referer(false)
            .dns_resolver(resolver)
            // A proxy would resolve names itself, so that nobody looked at the address.
            .no_proxy();
        if let Some(pem) = authority {
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem).map_err(FetchError::Setup)?);
        }
        Ok(Self { client: builder.build().map_err(FetchError::Setup)?, resolver, patience })
    }

    /// The whole document at an address.
    pub(super) async fn document(&self, address: &str) -> Result<Bytes, FetchError> {
        let url = self.check(address)?;
        let fetched = timeout(self.patience, self.read(url)).await;
        fetched.unwrap_or_else(|_| Err(FetchError::TooSlow { url: address.to_owned(), patience: self.patience }))
    }

    /// Refuses what is no plain https address. An address in numbers never gets to the resolver, so it is judged here.
    fn check(&self, address: &str) -> Result<Url, FetchError> {
        let refused = || FetchError::Address(address.chars().take(256).filter(|c| !c.is_control()).collect());
        let url = Url::parse(address).map_err(|_| refused())?;
        let host = url.host_str().ok_or_else(refused)?;
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(refused());
        }
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(literal) if !self.resolver.allows(literal) => Err(PrivateAddress(host.to_owned()).into()),
            _ => Ok(url),
        }
    }

    async fn read(&self, url: Url) -> Result<Bytes, FetchError> {
        let address = url.to_string();
        let failed =
            |source: reqwest::Error| FetchError::Exchange { url: address.clone(), source: source.without_url() };
        let request = self.client.get(url).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status { url: address, status: response.status() });
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(FetchError::TooLarge(address));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}
