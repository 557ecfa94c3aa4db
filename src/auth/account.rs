//! Names of accounts and teams, and the names nobody may simply take.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::MAX_SHOWN_CHARACTERS;
use crate::oci::RepositoryName;

/// Longest account name in bytes: it must leave room in a repository name, whose namespace it is.
pub const MAX_ACCOUNT_NAME_LENGTH: usize = 64;

/// Names only an administrator gives away: they are paths of the server, or would pass for the registry itself.
pub const RESERVED_NAMES: &[&str] = &[
    "about",
    "account",
    "accounts",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "assets",
    "audit",
    "auth",
    "blob",
    "blobs",
    "catalog",
    "catalogue",
    "default",
    "docs",
    "everyone",
    "explore",
    "favicon.ico",
    "grpc",
    "health",
    "healthz",
    "help",
    "internal",
    "library",
    "livez",
    "login",
    "logout",
    "manifests",
    "me",
    "metrics",
    "new",
    "nobody",
    "none",
    "null",
    "oauth",
    "official",
    "oidc",
    "organisations",
    "organizations",
    "packages",
    "permissions",
    "public",
    "publishers",
    "readyz",
    "registry",
    "repositories",
    "robots.txt",
    "root",
    "search",
    "security",
    "settings",
    "signin",
    "signup",
    "static",
    "status",
    "support",
    "system",
    "tags",
    "token",
    "tokens",
    "undefined",
    "users",
    "v1",
    "v2",
    "well-known",
    "www",
];

/// A text that is no name of an account or team.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    /// No component of a repository name, or too long for one.
    #[error(
        "{what} name `{text}` is invalid: 1 to {MAX_ACCOUNT_NAME_LENGTH} lowercase letters and digits, \
         joined by `.`, `_` or `-`"
    )]
    Invalid {
        /// What it should name.
        what: &'static str,
        /// The text, cut to a length that can be shown.
        text: String,
    },
    /// A team without its organisation.
    #[error("team `{0}` lacks its organisation: write `organisation/team`")]
    NoOrganisation(String),
}

/// The name of a user or an organisation: one component of a repository name, since it is also a namespace.
///
/// Users and organisations share one space of names. Whether a name may be taken is another question:
/// [`AccountName::is_reserved`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(String);

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only an administrator may make an account of this name.
    pub fn is_reserved(&self) -> bool {
        RESERVED_NAMES.binary_search(&self.as_str()).is_ok()
    }

    /// Whether a repository is in this account's namespace.
    pub fn owns(&self, repository: &RepositoryName) -> bool {
        repository.namespace() == Some(self.as_str())
    }
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        component(text, "account").map(Self)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A team of an organisation, `acme/devs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TeamName {
    organisation: AccountName,
    team: String,
}

impl TeamName {
    /// A team by its name inside an organisation.
    pub fn new(organisation: AccountName, team: &str) -> Result<Self, AccountNameError> {
        Ok(Self { organisation, team: component(team, "team")? })
    }

    /// The organisation it belongs to.
    pub fn organisation(&self) -> &AccountName {
        &self.organisation
    }

    /// Its name inside the organisation.
    pub fn team(&self) -> &str {
        &self.team
    }
}

impl FromStr for TeamName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let (organisation, team) = text.split_once('/').ok_or_else(|| AccountNameError::NoOrganisation(shown(text)))?;
        Self::new(organisation.parse()?, team)
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organisation, self.team)
    }
}

fn component(text: &str, what: &'static str) -> Result<String, AccountNameError> {
    if text.len() <= MAX_ACCOUNT_NAME_LENGTH && RepositoryName::is_component(text) {
        Ok(text.to_owned())
    } else {
        Err(AccountNameError::Invalid { what, text: shown(text) })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARACTERS).collect()
}

macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

serde_as_text!(AccountName, TeamName);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn account_names_are_namespaces() {
        for good in ["ada", "a-1", "a.b_c", &"a".repeat(64)] {
            let name: AccountName = good.parse().unwrap();
            assert_eq!(name.as_str(), good);
            assert!(name.owns(&format!("{good}/x/y").parse().unwrap()));
            assert!(!name.owns(&format!("{good}x/y").parse().unwrap()));
            assert!(!name.owns(&good.parse().unwrap()), "a name of one component is in no namespace");
        }
        for bad in ["", "Ada", "a/b", "(system)", "-a", "a ", "a\n", &"a".repeat(65)] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn teams_name_their_organisation() {
        let team: TeamName = "acme/devs".parse().unwrap();
        assert_eq!(
            (team.organisation().as_str(), team.team(), team.to_string().as_str()),
            ("acme", "devs", "acme/devs")
        );
        for bad in ["devs", "acme/", "/devs", "acme/devs/x", "Acme/devs", ""] {
            assert!(bad.parse::<TeamName>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&team).unwrap(), "\"acme/devs\"");
        assert!(serde_json::from_str::<TeamName>("\"devs\"").is_err());
    }

    #[test]
    fn reserved_names_are_sorted_names_and_ordinary_ones_are_free() {
        assert!(RESERVED_NAMES.is_sorted(), "they are searched by halves");
        for name in RESERVED_NAMES {
            assert!(name.parse::<AccountName>().unwrap().is_reserved(), "{name}");
        }
        for free in ["ada", "acme", "team", "ai-team", "apis", "v22"] {
            assert!(!free.parse::<AccountName>().unwrap().is_reserved(), "{free}");
        }
    }

    #[test]
    fn errors_do_not_repeat_a_flood() {
        let error = "A".repeat(10_000).parse::<AccountName>().unwrap_err();
        assert!(error.to_string().len() < 300);
    }
}
