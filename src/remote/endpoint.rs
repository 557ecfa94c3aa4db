//! Where a registry is: scheme, host and port, and whether plain HTTP was asked for.

use std::fmt;
use std::str::FromStr as _;

use reqwest::Url;

use super::Error;
use crate::oci::{Host, ReferenceError};

/// Docker Hub's host in references.
pub(super) const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
/// The host that serves Docker Hub's distribution API.
const DOCKER_HUB_API: &str = "registry-1.docker.io";

/// Why a text is no registry address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// A scheme other than `http` and `https`.
    #[error("registry address `{0}` has a scheme other than http and https")]
    Scheme(String),
    /// More than scheme, host and port.
    #[error("registry address `{0}` may hold nothing but scheme, host and port")]
    Surplus(String),
    /// The host or the port is invalid.
    #[error("registry address is invalid: {0}")]
    Host(#[from] ReferenceError),
    /// Plain HTTP to another machine, without anybody having asked for it.
    #[error("plain HTTP to `{0}` is refused: everybody on the way could read the credential and change the packages")]
    PlainHttp(Host),
}

impl EndpointError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Scheme(_) | Self::Surplus(_) => {
                Some("write it as https://HOST[:PORT], repositories are named in references".to_owned())
            }
            Self::Host(_) => None,
            Self::PlainHttp(host) => {
                Some(format!("use https://{host}, or allow plain HTTP to this host with --plain-http"))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A registry's origin. `Display` gives `http://127.0.0.1:5050`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: Host,
    scheme: Scheme,
    // None for a host that no URL can hold, such as `1.2.3.4.5`: there is nothing to connect to then.
    base: Option<Url>,
}

impl Endpoint {
    /// Reads `http://h:p`, `https://h` or `h[:p]`; without a scheme https, or http for this machine itself and with
    /// `plain_http`.
    pub fn parse(text: &str, plain_http: bool) -> Result<Self, EndpointError> {
        let shown = || text.chars().take(256).filter(|c| !c.is_control()).collect::<String>();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@', '\\']) {
            return Err(EndpointError::Surplus(without_user_info(&shown())));
        }
        let host = Host::from_str(authority)?;
        match scheme.as_deref() {
            None => Self::of_host(&host, plain_http).usable(),
            Some("https") => Self::new(Scheme::Https, host).usable(),
            Some("http") if plain_http || host.is_loopback() => Self::new(Scheme::Http, host).usable(),
            Some("http") => Err(EndpointError::PlainHttp(host)),
            Some(_) => Err(EndpointError::Scheme(shown())),
        }
    }

    /// The registry a reference's host means: https, or http for this machine itself and with `plain_http`.
    pub fn of_host(host: &Host, plain_http: bool) -> Self {
        let scheme = if plain_http || host.is_loopback() { Scheme::Http } else { Scheme::Https };
        Self::new(scheme, host.clone())
    }

    fn new(scheme: Scheme, host: Host) -> Self {
        let served_by = if DOCKER_HUB.contains(&host.as_str()) { DOCKER_HUB_API } else { host.as_str() };
        let base = Url::parse(&format!("{}://{served_by}/", scheme.as_str())).ok();
        Self { host, scheme, base }
    }

    fn usable(self) -> Result<Self, EndpointError> {
        match self.base {
            Some(_) => Ok(self),
            None => Err(EndpointError::Host(ReferenceError::Host(self.host.as_str().to_owned()))),
        }
    }

    /// The host as references name it.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The address of a path and query on this registry.
    pub(super) fn url(&self, path_and_query: &str) -> Result<Url, Error> {
        // Joining would read `//host/` as another host.
        let (path, query) = path_and_query.split_once('?').map_or((path_and_query, None), |(p, q)| (p, Some(q)));
        if !path.starts_with('/') {
            return Err(Error::Malformed { what: "path of a request" });
        }
        let mut url = self.base.clone().ok_or(Error::Malformed { what: "host of the registry" })?;
        url.set_path(path);
        url.set_query(query);
        Ok(url)
    }

    /// Whether an address has exactly this scheme, host and port.
    pub(super) fn owns(&self, url: &Url) -> bool {
        self.base.as_ref().is_some_and(|base| base.origin() == url.origin())
    }

    /// Whether the registry is reached over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

fn without_user_info(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => address.to_owned(),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn shown(text: &str, plain_http: bool) -> String {
        Endpoint::parse(text, plain_http).unwrap().to_string()
    }

    #[test]
    fn the_scheme_is_https_except_at_home() {
        assert_eq!(shown("reg.example", false), "https://reg.example");
        assert_eq!(shown("reg.example:5000", false), "https://reg.example:5000");
        assert_eq!(shown("reg.example", true), "http://reg.example");
        assert_eq!(shown("https://reg.example/", true), "https://reg.example");
        for home in ["127.0.0.1:5050", "localhost:5050", "[::1]:5050"] {
            assert_eq!(shown(home, false), format!("http://{home}"));
            assert_eq!(shown(&format!("HTTP://{home}"), false), format!("http://{home}"));
            assert_eq!(shown(&format!("https://{home}"), false), format!("https://{home}"));
        }
    }

    #[test]
    fn plain_http_elsewhere_must_be_asked_for() {
        let error = Endpoint::parse("http://reg.example", false).unwrap_err();
        assert!(error.hint().unwrap().contains("--plain-http"));
        assert_eq!(shown("http://reg.example", true), "http://reg.example");
        for lookalike in ["http://localhost.evil", "http://127.0.0.1.evil", "http://0.0.0.0:80"] {
            assert!(matches!(Endpoint::parse(lookalike, false), Err(EndpointError::PlainHttp(_))), "{lookalike}");
        }
    }

    #[test]
    fn an_address_is_an_origin_and_nothing_more() {
        for text in ["h/v2", "https://h/v2/", "https://u:secret@h", "u@h", "h?x", "h#x", "https://h//", "h\\x"] {
            let error = Endpoint::parse(text, false).unwrap_err();
            assert!(matches!(error, EndpointError::Surplus(_)), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        for text in ["", "https://", "h:0", "h:99999", "h:x", "-h", "h\r\nx", "1.2.3.4.5", "ftp://h", "://h"] {
            assert!(Endpoint::parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_without_an_address_is_reported_and_nothing_worse() {
        let odd = Endpoint::of_host(&"1.2.3.4.5".parse().unwrap(), false);
        assert_eq!(odd.to_string(), "https://1.2.3.4.5");
        assert!(super::super::Remote::connect(odd, super::super::Options::default()).is_err());
    }

    #[test]
    fn docker_hub_is_served_elsewhere_than_it_is_named() {
        let hub = Endpoint::of_host(&"docker.io".parse().unwrap(), false);
        assert_eq!(hub.to_string(), "https://docker.io");
        assert_eq!(hub.url("/v2/").unwrap().as_str(), "https://registry-1.docker.io/v2/");
        assert_eq!(hub.host().as_str(), "docker.io");
    }

    #[test]
    fn only_the_exact_origin_is_its_own() {
        let endpoint = Endpoint::parse("https://reg.example", false).unwrap();
        let owns = |text: &str| endpoint.owns(&Url::parse(text).unwrap());
        assert!(owns("https://reg.example/x") && owns("https://REG.example:443/"));
        let others =
            ["http://reg.example/", "https://reg.example:444/", "https://reg.example.evil/", "https://example/"];
        assert!(others.iter().all(|other| !owns(other)));
    }
}
