//! What can go wrong with a registry, what a person can do about it, and whether to ask again.

use std::path::PathBuf;
use std::time::Duration;

use super::Refusal;
use crate::oci::{Digest, ManifestError};

/// What went wrong; [`Error::kind`] says how to treat it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificate authority is no PEM, or the client cannot be set up.
    #[error("secure connections cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// The certificate authority's file holds none.
    #[error("the file of the certificate authority holds no certificate in PEM form")]
    NoAuthority,
    /// No connection: nobody listens, no such host, no trusted certificate.
    #[error("no connection to {address}")]
    Connect {
        /// Scheme, host and port.
        address: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The connection broke in the middle of an exchange.
    #[error("connection to {address} broke")]
    Broken {
        /// Scheme, host and port.
        address: String,
        /// Why.
        source: reqwest::Error,
    },
    /// No byte moved for too long.
    #[error("{address} has been silent for {} s", .patience.as_secs())]
    Stalled {
        /// Scheme, host and port.
        address: String,
        /// How long was waited.
        patience: Duration,
    },
    /// Bytes moved, but so few that nothing would ever be done.
    #[error("{address} sends next to nothing: less than 32 KiB in {} s", .patience.as_secs())]
    Trickle {
        /// Scheme, host and port.
        address: String,
        /// How long was waited.
        patience: Duration,
    },
    /// The registry answered with an error.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The realm that hands out the registry's tokens gives none.
    #[error("no token: {0}")]
    NoToken(Box<Refusal>),
    /// Who vouches for a run or a person gives no identity token.
    #[error("no identity token: {0}")]
    NoIdentity(Box<Refusal>),
    /// Nobody signed in, or nobody could.
    #[error("sign-in at {issuer} failed: {problem}")]
    SignIn {
        /// The issuer's address; fit to be shown.
        issuer: String,
        /// Why; fit to be shown.
        problem: String,
    },
    /// There is no port for a browser to come back to.
    #[error("this machine has no port to wait for a browser on")]
    Listen(#[source] std::io::Error),
    /// Whoever answers there speaks another language.
    #[error("{address} is no OCI registry: {found}")]
    NotARegistry {
        /// Scheme, host and port.
        address: String,
        /// What it answered with.
        found: String,
    },
    /// The registry sends this client to an address it must not go to.
    #[error("{what} leads to `{address}`, which {reason}")]
    Foreign {
        /// A redirect, an upload's location, a page, a token realm.
        what: &'static str,
        /// Scheme, host and port of the address; paths may hold secrets.
        address: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// More than this client takes in.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// What it was.
        what: &'static str,
        /// Most bytes accepted.
        limit: u64,
    },
    /// Redirects or pages without end.
    #[error("{what} do not end: gave up after {limit}")]
    Endless {
        /// What goes on and on.
        what: &'static str,
        /// How many were followed.
        limit: usize,
    },
    /// The bytes are others than those asked for, or than the registry says they are.
    #[error("{what} has digest {found}, expected {expected}")]
    DigestMismatch {
        /// What it was.
        what: &'static str,
        /// The digest asked for or announced.
        expected: Box<Digest>,
        /// The digest of what came.
        found: Box<Digest>,
    },
    /// Fewer bytes than announced.
    #[error("blob ended after {found} of {expected} bytes")]
    Truncated {
        /// Bytes announced.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The manifest breaks its format.
    #[error("registry sent a manifest that is invalid")]
    Manifest(#[from] ManifestError),
    /// An answer is no JSON of the expected form.
    #[error("{what} is not valid")]
    Json {
        /// What it was.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A part of an answer is missing or breaks its grammar.
    #[error("{what} is missing or malformed")]
    Malformed {
        /// What it was.
        what: &'static str,
    },
    /// A file to upload cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file with a credential cannot be written.
    #[error("`{}` cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is to be uploaded has not the size it was said to have.
    #[error("blob to upload has {found} bytes, expected {expected}: it changed meanwhile")]
    SourceChanged {
        /// Bytes expected.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A docker credential helper failed.
    #[error("credential helper `{program}` failed: {message}")]
    Helper {
        /// The program.
        program: String,
        /// What it said.
        message: String,
    },
}

/// The few ways in which callers treat errors differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// What was asked for does not exist, or is not shown to this caller.
    NotFound,
    /// The credential is missing, wrong, or has not the right.
    Denied,
    /// The registry cannot be reached or is in trouble; later may work.
    Unavailable,
    /// The registry refuses the request for another reason.
    Refused,
    /// The other side breaks the protocol, or tries what is not allowed.
    Protocol,
    /// This machine: files, settings, credential helpers.
    Io,
}

impl Error {
    /// How a caller should treat it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::NoToken(refusal) | Self::NoIdentity(refusal) if refusal.kind() == ErrorKind::Unavailable => {
                ErrorKind::Unavailable
            }
            Self::NoToken(_) | Self::NoIdentity(_) | Self::SignIn { .. } => ErrorKind::Denied,
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Stalled { .. }
            | Self::Trickle { .. }
            | Self::Truncated { .. } => ErrorKind::Unavailable,
            Self::Setup(_)
            | Self::Listen(_)
            | Self::NoAuthority
            | Self::File { .. }
            | Self::Write { .. }
            | Self::SourceChanged { .. }
            | Self::Helper { .. } => ErrorKind::Io,
            _ => ErrorKind::Protocol,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refusal) | Self::NoToken(refusal) => refusal.hint(),
            Self::Connect { address, source } if says(source, "CaUsedAsEndEntity") => Some(format!(
                "the certificate of {address} is an authority's, which no server may show: sign one for the server with \
                 it, or make it with `-addext basicConstraints=critical,CA:FALSE`"
            )),
            Self::Connect { address, source } if is_about_certificates(source) => Some(format!(
                "the certificate of {address} is not trusted here; if it is your own, name the authority that signed it \
                 with `--ca-certificate FILE`"
            )),
            Self::Connect { address, source } if says(source, "InvalidContentType") => {
                let host = address.trim_start_matches("https://");
                Some(format!("no TLS is spoken there; if that is meant, use http://{host} or `--plain-http`"))
            }
            Self::Connect { address, .. } if address.starts_with("http://") => {
                Some("is the registry running? `agent registry serve` starts one on this machine".to_owned())
            }
            Self::Connect { .. } => Some("check the address and the network".to_owned()),
            Self::Broken { address, .. } if address.starts_with("http://") => Some(format!(
                "run the command again; if it happens again, check the network, and whether the registry speaks TLS: \
                 {}",
                address.replacen("http", "https", 1)
            )),
            Self::Broken { .. } | Self::Stalled { .. } | Self::Trickle { .. } | Self::Truncated { .. } => {
                Some("run the command again; check the network if it happens again".to_owned())
            }
            Self::NotARegistry { address, .. } => {
                Some(format!("check the address: a registry answers at {address}/v2/"))
            }
            Self::DigestMismatch { .. } => {
                Some("nothing was kept; something between here and the registry changes what it delivers".to_owned())
            }
            Self::Setup(_) | Self::NoAuthority => Some("the certificate authority must be a PEM file".to_owned()),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) | Self::NoToken(refusal) => {
                matches!(refusal.status, 408 | 429 | 500 | 502 | 503 | 504)
            }
            Self::Connect { source, .. } => !is_about_certificates(source) && !says(source, "InvalidContentType"),
            Self::Broken { .. } | Self::Stalled { .. } | Self::Truncated { .. } => true,
            _ => false,
        }
    }

    /// Whether the registry has certainly not acted on the request, which may succeed later.
    pub(super) fn is_unprocessed(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.status, 429 | 503),
            Self::Connect { .. } | Self::NoToken(_) => self.is_transient(),
            _ => false,
        }
    }

    /// The status the registry refused with.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// How long the registry asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) | Self::NoToken(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// Sorts an error of the HTTP client; its URL may hold secrets and is left out.
    pub(super) fn of_exchange(address: String, source: reqwest::Error) -> Self {
        let source = source.without_url();
        if source.is_connect() { Self::Connect { address, source } } else { Self::Broken { address, source } }
    }
}

fn is_about_certificates(error: &reqwest::Error) -> bool {
    says(error, "certificate")
}

/// Whether an error or one of its causes has a word: the TLS library's errors are reachable by their text only.
fn says(error: &reqwest::Error, word: &str) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains(word) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Turns "there is none" from an error into an answer.
pub(super) fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
