//! One registry over HTTP: challenge, credentials by exact origin, the verbs of the distribution API, retries.
//!
//! The other side is not trusted. It may not send a credential elsewhere, make this client wait or read without end,
//! pass other bytes off as a manifest, or write to a terminal. Blobs are the exception: who reads one hashes it.

mod address;
mod authority;
mod blobs;
mod challenge;
mod credential;
mod docker;
mod docker_helper;
mod docker_store;
mod endpoint;
mod error;
mod event_stream;
mod exchange;
mod identity;
mod link;
mod lists;
mod manifests;
mod own_api;
mod patience;
mod payload;
mod private_file;
mod refusal;
mod scope;
mod session;
mod sign_in;
mod text;
mod token;
mod upload;
mod warnings;
mod wire;

use std::fmt;
use std::sync::Arc;

use reqwest::StatusCode;

pub use blobs::BlobBody;
pub use credential::Credential;
pub use docker::docker_credential;
pub use docker_store::{Kept, docker_helper, forget_docker_credential, keep_docker_credential};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{Error, ErrorKind};
pub use event_stream::{EventStream, ServerEvent};
pub use identity::{CiRun, DeviceCode, IdentityToken, Issuer, random_text};
pub use manifests::Found;
pub use payload::BlobSource;
pub use private_file::write_private;
pub use refusal::Refusal;
pub use sign_in::SignIn;
pub use upload::RESUMABLE_BYTES;

use authority::Authority;
use exchange::Exchange;
use patience::Patience;
use scope::Scope;
use upload::Pieces;
use warnings::Warnings;
use wire::Wire;

use crate::oci::Route;

/// Largest answer to a ping in bytes.
const MAX_PING_BYTES: usize = 64 * 1024;

/// How to talk to a registry.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who the caller is; anonymous without.
    pub credential: Option<Credential>,
    /// Certificate authorities to trust beside the system's, as PEM.
    pub ca_certificate: Option<Vec<u8>>,
    /// Most attempts of one request, at least one; 4 by default.
    pub max_attempts: u32,
    /// Is told each warning of the registry once, fit to be shown; by default nobody is.
    pub tell_warning: fn(&str),
}

impl Default for Options {
    fn default() -> Self {
        Self { credential: None, ca_certificate: None, max_attempts: 4, tell_warning: |_| () }
    }
}

/// A registry to talk to. Clones share connections and tokens.
#[derive(Clone)]
pub struct Remote {
    exchange: Arc<Exchange>,
    pieces: Pieces,
}

impl Remote {
    /// Prepares for a registry. Nothing is sent yet.
    pub fn connect(endpoint: Endpoint, options: Options) -> Result<Self, Error> {
        let patience = Patience::with_attempts(options.max_attempts);
        Self::with(endpoint, options, patience, Pieces::default())
    }

    fn with(endpoint: Endpoint, options: Options, patience: Patience, pieces: Pieces) -> Result<Self, Error> {
        // A host that is no address is found out before anything is prepared.
        endpoint.url("/")?;
        let wire = Wire::new(&endpoint, &options, patience)?;
        let (authority, warnings) = (Authority::new(options.credential), Warnings::new(options.tell_warning));
        Ok(Self { exchange: Arc::new(Exchange { endpoint, wire, authority, warnings }), pieces })
    }

    /// Where the registry is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.exchange.endpoint
    }

    /// The same registry, for somebody without a credential.
    pub fn as_stranger(&self) -> Self {
        let Exchange { endpoint, wire, .. } = &*self.exchange;
        let exchange = Exchange {
            endpoint: endpoint.clone(),
            wire: wire.clone(),
            authority: Authority::new(None),
            warnings: Warnings::new(|_| ()),
        };
        Self { exchange: Arc::new(exchange), pieces: self.pieces }
    }

    /// Whether there is a credential, of whatever worth.
    pub fn has_credential(&self) -> bool {
        self.exchange.authority.credential().is_some()
    }

    /// The user of the credential, where it has one.
    pub fn user(&self) -> Option<&str> {
        self.exchange.authority.user()
    }

    /// Asks whether this is a registry that takes the credential.
    pub async fn ping(&self) -> Result<(), Error> {
        let ask = self.ask(&Route::Ping, Scope::none())?;
        match self.exchange.read(&ask, "ping", MAX_PING_BYTES).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND.as_u16() => {
                Err(Error::NotARegistry { address: refusal.address, found: "it knows no /v2/".to_owned() })
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("endpoint", self.endpoint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod auth_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod own_api_tests;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod retry_tests;
#[cfg(test)]
mod spec_tests;
#[cfg(test)]
mod tls_tests;
#[cfg(test)]
mod trust_tests;
#[cfg(test)]
mod upload_tests;
