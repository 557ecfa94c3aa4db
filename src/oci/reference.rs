//! What people type to name an artifact: `[host[:port]/]name[:tag][@digest]`, with no hidden default host.

use std::fmt;
use std::str::FromStr;

use super::{Digest, DigestError, NameError, RepositoryName, Tag, TagError};

/// Longest host with port in bytes: a DNS name has at most 253 (RFC 1035), a port five digits.
const MAX_HOST_LENGTH: usize = 260;

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The part before the first slash looks like a host and is none.
    #[error("host `{0}` is invalid")]
    Host(String),
    /// The repository name is invalid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The tag is invalid.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The digest is invalid.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// A registry's host with an optional port, as in a reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(String);

impl Host {
    /// `host`, `host:port` or `[v6]:port` as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without its port and without brackets.
    pub fn name(&self) -> &str {
        match self.0.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or(rest),
            None => self.0.split(':').next().unwrap_or(&self.0),
        }
    }

    /// Whether the host is this machine itself, where plain HTTP is the default.
    pub fn is_loopback(&self) -> bool {
        let name = self.name();
        name.eq_ignore_ascii_case("localhost")
            || name.to_ascii_lowercase().ends_with(".localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Host {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = || ReferenceError::Host(text.chars().take(MAX_HOST_LENGTH).collect());
        let port =
            |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        let valid = if let Some(rest) = text.strip_prefix('[') {
            rest.split_once(']').is_some_and(|(address, rest)| {
                address.parse::<std::net::Ipv6Addr>().is_ok()
                    && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port))
            })
        } else {
            let (name, rest) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
            is_host_name(name) && rest.is_none_or(port)
        };
        if valid && text.len() <= MAX_HOST_LENGTH { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}

fn is_host_name(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A parsed reference. Unlike the Docker grammar it adds neither a host nor a `library/` of its own.
///
/// The first component is a host when a slash follows and it has a dot or a colon, or is `localhost`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The registry, where the text names one.
    pub host: Option<Host>,
    /// The repository.
    pub name: RepositoryName,
    /// The tag, where the text names one. `+` in the text is read as `_`, since a tag cannot hold it.
    pub tag: Option<Tag>,
    /// The digest, where the text names one; it decides, the tag beside it is then only information.
    pub digest: Option<Digest>,
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = match rest.split_once('/') {
            Some((first, rest)) if looks_like_host(first) => (Some(first.parse()?), rest),
            _ => (None, rest),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag.replace('+', "_").parse()?)),
            None => (rest, None),
        };
        Ok(Self { host, name: name.parse()?, tag, digest })
    }
}

fn looks_like_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        write!(f, "{}", self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}
