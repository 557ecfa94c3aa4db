//! Who may do what, as pure functions: facts and an identity go in, a permit or a denial comes out.
//!
//! A [`Permit`] is the only key to a repository, and only [`decide`] and [`Permit::system`] make one. Nothing here
//! loads facts, reads a clock or knows a web framework.

mod access_token;
mod action;
#[cfg(feature = "server")]
mod assertion;
mod decide;
mod facts;
mod identity;
#[cfg(feature = "server")]
mod issuer;
#[cfg(feature = "server")]
mod issuer_keys;
#[cfg(feature = "server")]
mod password;
mod permit;
mod sight;

pub use access_token::{AccessToken, AccessTokenError, MAX_ACCESS_TOKEN_LENGTH, TokenForm};
pub use action::{Action, ActionKind, Admin, Delete, Pull, Push};
#[cfg(feature = "server")]
pub use assertion::{Asserted, Assertion, AssertionError, LEEWAY_SECONDS, MAX_AGE_SECONDS, MAX_ASSERTION_BYTES};
pub use decide::{Denied, decide};
pub use facts::Facts;
pub use identity::{Identity, IdentityError, MAX_USER_NAME_LENGTH, UserName};
#[cfg(feature = "server")]
pub use issuer::{IssuerError, IssuerUrl, MAX_ISSUER_LENGTH};
#[cfg(feature = "server")]
pub use issuer_keys::{IssuerKeys, IssuerKeysError, MAX_ISSUER_KEYS};
#[cfg(feature = "server")]
pub use password::{HashError, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, Password, PasswordLength};
pub use permit::{Permit, Rule};
pub use sight::Sight;

#[cfg(test)]
mod assertion_tests;
