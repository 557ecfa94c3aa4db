//! The name of an OpenID Connect issuer: the address that tokens carry as `iss` and under which its keys are found.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest issuer address in bytes.
pub const MAX_ISSUER_LENGTH: usize = 256;

/// Where an issuer describes itself, below its address (OpenID Connect Discovery 1.0, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// A text that is no issuer's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "issuer `{0}` is invalid: https://HOST[:PORT][/PATH] of at most {MAX_ISSUER_LENGTH} bytes, \
     without user, query or fragment"
)]
pub struct IssuerError(String);

/// An issuer's address. Compared byte by byte, as the specification asks: a slash at the end makes another issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the issuer describes itself.
    pub fn discovery(&self) -> String {
        format!("{}{DISCOVERY}", self.0.trim_end_matches('/'))
    }
}

impl FromStr for IssuerUrl {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '\\' | '"' | '<' | '>' | '%');
        let rest = text.strip_prefix("https://").filter(|rest| rest.chars().all(is_plain));
        let has_host = rest.is_some_and(|rest| rest.split(['/', ':']).next().is_some_and(|host| !host.is_empty()));
        if has_host && text.len() <= MAX_ISSUER_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(IssuerError(text.chars().take(MAX_ISSUER_LENGTH).filter(|c| !c.is_control()).collect()))
        }
    }
}

impl TryFrom<String> for IssuerUrl {
    type Error = IssuerError;

    fn try_from(text: String) -> Result<Self, IssuerError> {
        text.parse()
    }
}

impl From<IssuerUrl> for String {
    fn from(issuer: IssuerUrl) -> Self {
        issuer.0
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_address_and_nothing_more() {
        for good in ["https://ci.example", "https://ci.example:8443/", "https://ci.example/realms/a", "https://[::1]:1"]
        {
            assert_eq!(good.parse::<IssuerUrl>().unwrap().as_str(), good);
        }
        let long = format!("https://{}", "a".repeat(MAX_ISSUER_LENGTH));
        for bad in ["", "ci.example", "http://ci.example", "HTTPS://ci.example", "https://", "https:///a", &long] {
            assert!(bad.parse::<IssuerUrl>().is_err(), "{bad}");
        }
        for bad in
            ["https://u@h", "https://h?a", "https://h#a", "https://h\\a", "https://h a", "https://h/%2e", "https://é"]
        {
            assert!(bad.parse::<IssuerUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slash_at_the_end_is_part_of_the_name_but_not_doubled() {
        let issuer: IssuerUrl = "https://ci.example/a/".parse().unwrap();
        assert_ne!(issuer, "https://ci.example/a".parse().unwrap());
        assert_eq!(issuer.discovery(), "https://ci.example/a/.well-known/openid-configuration");
    }
}
