//! Who is asking.

use std::fmt;
use std::str::FromStr;

use crate::oci::RepositoryName;

/// Longest user name in bytes: it must leave room in a repository name, whose namespace it is.
pub const MAX_USER_NAME_LENGTH: usize = 64;

/// A text that is no user name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "user name `{0}` is invalid: 1 to {MAX_USER_NAME_LENGTH} lowercase letters and digits, joined by `.`, `_` or `-`"
)]
pub struct IdentityError(String);

/// A user's name: one component of a repository name, since it is also a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        if text.len() <= MAX_USER_NAME_LENGTH && RepositoryName::is_component(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdentityError(text.chars().take(MAX_USER_NAME_LENGTH + 1).collect()))
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is asking: nobody known, or a user.
///
/// The registry's own work is no identity a request could claim: it holds [`super::Permit::system`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A caller without credentials.
    Anonymous,
    /// A user whose credentials were checked.
    User(UserName),
}

impl Identity {
    /// The user's name, if there is one.
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Anonymous => None,
            Self::User(name) => Some(name),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Parentheses cannot occur in a user name, so nobody can pass for it in a log.
            Self::Anonymous => f.write_str("(anonymous)"),
            Self::User(name) => name.fmt(f),
        }
    }
}
