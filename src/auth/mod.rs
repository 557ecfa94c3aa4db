//! Who may do what, as pure functions: facts and a caller go in, a permit or a denial comes out.
//!
//! A [`Permit`] is the only key to a repository, and only [`decide`] and [`Permit::system`] make one. Nothing here
//! loads facts, reads a clock or knows a web framework.

mod access;
mod access_token;
mod account;
mod account_action;
mod action;
#[cfg(feature = "server")]
mod assertion;
mod caller;
mod decide;
mod decide_account;
mod explain;
mod facts;
mod glob;
mod identity;
#[cfg(feature = "server")]
mod issuer;
#[cfg(feature = "server")]
mod issuer_keys;
#[cfg(feature = "server")]
mod password;
mod pattern;
mod permit;
mod publisher;
mod reach;
mod rule;
mod scope;
mod scopes;
#[cfg(feature = "server")]
mod short_token;
#[cfg(test)]
mod short_token_tests;
mod sight;
mod tag_rule;
mod words;

#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod table_tests;

pub use access::{Access, Resource, ScopeAction, ScopeActions};
pub use access_token::{AccessToken, AccessTokenError, MAX_ACCESS_TOKEN_LENGTH, TokenForm};
pub use account::{AccountName, AccountNameError, MAX_ACCOUNT_NAME_LENGTH, RESERVED_NAMES, TeamName};
pub use account_action::AccountAction;
pub use action::{Action, ActionKind, Admin, Delete, Pull, Push};
#[cfg(feature = "server")]
pub use assertion::{Asserted, Assertion, AssertionError, LEEWAY_SECONDS, MAX_AGE_SECONDS, MAX_ASSERTION_BYTES};
pub use caller::{Caller, CredentialKind, Origin};
pub use decide::{Denied, Reason, decide, level};
pub use decide_account::{AccountDenied, AccountFacts, AccountPermit, Authority, decide_account};
pub use explain::{Explanation, explain};
pub use facts::{AboutCaller, AboutRepository, Facts, Grantee, Namespace};
pub use identity::{Identity, PublisherId, TokenId};
#[cfg(feature = "server")]
pub use issuer::{IssuerError, IssuerUrl, MAX_ISSUER_LENGTH};
#[cfg(feature = "server")]
pub use issuer_keys::{IssuerKeys, IssuerKeysError, MAX_ISSUER_KEYS};
#[cfg(feature = "server")]
pub use password::{HashError, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, Password, PasswordLength};
pub use pattern::{MAX_PATTERN_LENGTH, MAX_PATTERNS, PatternError, RepositoryPattern};
pub use permit::Permit;
pub use publisher::{
    MAX_CLAIM_LENGTH, MAX_PUBLISHER_CLAIMS, PublisherError, PublisherMismatch, PublisherRule, selectors,
};
pub use reach::{Narrowing, Reach};
pub use rule::Rule;
pub use scope::{MAX_SCOPES, parse_scope, write_scope};
pub use scopes::{Scope, Scopes};
#[cfg(feature = "server")]
pub use short_token::{
    KeyRing, MAX_SHORT_TOKEN_LENGTH, SHORT_TOKEN_LIFE, ShortToken, ShortTokenError, SigningKey, SigningKeyError,
};
pub use sight::Sight;
pub use tag_rule::{MAX_MOVERS, Mover, Movers, TagPattern, TagRefused, TagRule, TagRuleError, TagRuleKind, check_tag};
pub use words::{Level, Role, Visibility, WordError};

#[cfg(test)]
mod assertion_tests;
