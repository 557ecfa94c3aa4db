//! The `[auth]` table of the configuration: the name clients reach the registry by, and whom it believes.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::oci::Host;

/// Most networks of trusted proxies.
const MAX_PROXIES: usize = 64;

/// How clients sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Auth {
    /// Where clients reach the registry, such as `https://registry.example.com`. Without it, where each request says
    /// it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_url: Option<ExternalUrl>,
    /// Networks of proxies whose `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto` are believed. Default:
    /// none.
    pub trusted_proxies: Vec<IpNet>,
    /// File with the token that the first administrator gets, instead of one made up and shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_token_file: Option<PathBuf>,
    /// Believe issuers in private networks too, over plain HTTP on loopback. For tests. Default false.
    pub allow_private_issuers: bool,
    /// Who may vouch for build systems and people, by `OpenID` Connect.
    pub issuers: Vec<Issuer>,
}

impl Auth {
    /// What is wrong with it, as key and problem.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.trusted_proxies.len() > MAX_PROXIES {
            return Err(("auth.trusted-proxies", "has more than 64 networks"));
        }
        if self.issuers.iter().any(|issuer| issuer.name.is_empty() || issuer.url.is_empty()) {
            return Err(("auth.issuers", "needs a `name` and a `url` in each entry"));
        }
        Ok(())
    }
}

/// An `OpenID` Connect issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Issuer {
    /// What people call it.
    pub name: String,
    /// Its address, exactly as its tokens have it in `iss`.
    pub url: String,
}

/// A text that is no address of a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address must be `http://host[:port]` or `https://host[:port]`, without a path")]
pub struct ExternalUrlError;

/// Where clients reach the registry: scheme, host and port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalUrl {
    is_tls: bool,
    host: Host,
}

impl ExternalUrl {
    /// `https` or `http`.
    pub const fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// The host, with its port if it is not the scheme's own.
    pub const fn host(&self) -> &Host {
        &self.host
    }
}

impl FromStr for ExternalUrl {
    type Err = ExternalUrlError;

    fn from_str(text: &str) -> Result<Self, ExternalUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(ExternalUrlError)?;
        let (is_tls, own_port) = match scheme {
            "https" => (true, ":443"),
            "http" => (false, ":80"),
            _ => return Err(ExternalUrlError),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        // Clients leave it out, so a realm with it would be another host to them.
        let host = host.strip_suffix(own_port).unwrap_or(&host);
        Ok(Self { is_tls, host: host.parse().map_err(|_| ExternalUrlError)? })
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.host)
    }
}

impl TryFrom<String> for ExternalUrl {
    type Error = ExternalUrlError;

    fn try_from(text: String) -> Result<Self, ExternalUrlError> {
        text.parse()
    }
}

impl From<ExternalUrl> for String {
    fn from(url: ExternalUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_and_host() {
        for (text, printed) in [
            ("https://registry.example.com", "https://registry.example.com"),
            ("https://Registry.Example.com:443/", "https://registry.example.com"),
            ("http://10.0.0.1:5050", "http://10.0.0.1:5050"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://a:80", "https://a:80"),
        ] {
            assert_eq!(text.parse::<ExternalUrl>().unwrap().to_string(), printed);
        }
        for text in
            ["", "a.example.com", "ftp://a", "https://", "https://a/b", "https://u@a", "https://a\"", "https://a b"]
        {
            assert!(text.parse::<ExternalUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_table_reads_back() {
        let text = "external-url = \"https://a.example.com\"\ntrusted-proxies = [\"10.0.0.0/8\", \"::1/128\"]\n\
                    admin-token-file = \"/run/token\"\n[[issuers]]\nname = \"ci\"\nurl = \"https://ci.example.com\"\n";
        let auth: Auth = toml::from_str(text).unwrap();
        assert!(auth.trusted_proxies[0].contains(&"10.1.2.3".parse::<std::net::IpAddr>().unwrap()));
        assert_eq!(auth.check(), Ok(()));
        assert_eq!(toml::from_str::<Auth>(&toml::to_string(&auth).unwrap()).unwrap(), auth);
        for wrong in [
            "trusted-proxies = [\"10.0.0.0/33\"]",
            "external-url = \"a\"",
            "realm = \"x\"",
            "[[issuers]]\nname = \"a\"",
        ] {
            assert!(toml::from_str::<Auth>(wrong).is_err(), "{wrong}");
        }
        let nameless = Issuer { name: String::new(), url: "https://a".to_owned() };
        assert_eq!(Auth { issuers: vec![nameless], ..Auth::default() }.check().unwrap_err().0, "auth.issuers");
    }
}
