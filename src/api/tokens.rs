//! Signing in, access tokens, and tokens for continuous integration, as the API speaks of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Expiry, Scope, Secret, TokenKind};
use crate::oci::RepositoryName;

/// What every access token of this project begins with; tokens of the reference tool are 64 hexadecimal digits.
pub const ACCESS_TOKEN_PREFIX: &str = "agr_";

/// Longest name of an access token in characters.
pub const MAX_TOKEN_NAME_LENGTH: usize = 100;

/// Most patterns of repositories in one access token.
pub const MAX_TOKEN_PATTERNS: usize = 64;

/// Longest such pattern in bytes.
pub const MAX_PATTERN_LENGTH: usize = 256;

/// Seconds an access token goes on working after its rotation when nobody says: a day.
pub const DEFAULT_OVERLAP_SECONDS: u64 = 24 * 60 * 60;

/// Most seconds of that: thirty days.
pub const MAX_OVERLAP_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Most claims a publisher may ask for.
pub const MAX_PUBLISHER_CLAIMS: usize = 16;

/// Longest identity token in bytes.
pub const MAX_IDENTITY_TOKEN_LENGTH: usize = 16 * 1024;

/// A sign-in by password, which makes an access token: `POST /api/v1/login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Login {
    /// The user.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub user: String,
    /// The password.
    #[cfg_attr(feature = "server", schema(value_type = String, format = Password, max_length = 1024, examples("correct horse battery")))]
    pub password: Secret,
    /// Name of the token; the registry finds one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(min_length = 1, max_length = 100))]
    pub name: Option<String>,
    /// When the token ends; 90 days from now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

/// An access token to be made: `POST /api/v1/tokens`. It reaches no further than the credential that asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TokenRequest {
    /// What it is for; 1 to 100 characters.
    #[cfg_attr(feature = "server", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may be used for; everything when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(min_items = 1))]
    pub scopes: Option<Vec<Scope>>,
    /// The repositories it reaches, as patterns: `*` is one component, `**` any number; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "server", schema(value_type = Vec<crate::api::texts::RepositoryPattern>, max_items = 64))]
    pub repositories: Vec<String>,
    /// When it ends: `90d`, `12h`, a time, or for administrators `never`; 90 days from now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// A token of 64 hexadecimal digits that exists already, to be accepted from now on; only for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = Password, pattern = "^[0-9a-f]{64}$"))]
    pub token: Option<Secret>,
}

/// What is known of a token. The token itself is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Token {
    /// Its number.
    #[cfg_attr(feature = "server", schema(minimum = 1))]
    pub id: i64,
    /// Whose it is.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub user: String,
    /// What it is for.
    pub name: String,
    /// Which kind.
    pub kind: TokenKind,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The repositories it reaches, as patterns; all without one.
    pub repositories: Vec<String>,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it ends; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub revoked_at: Option<Timestamp>,
}

/// A token that was made, shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// The token itself.
    pub token: Secret,
    /// What is known of it.
    #[serde(flatten)]
    pub details: Token,
}

/// How a token is replaced by a new one that reaches as far: `POST /api/v1/tokens/{id}/rotate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TokenRotation {
    /// Seconds the old one goes on working: a day when absent, at most thirty days.
    #[serde(default = "default_overlap")]
    #[cfg_attr(feature = "server", schema(minimum = 0, maximum = 2_592_000))]
    pub overlap_seconds: u64,
}

const fn default_overlap() -> u64 {
    DEFAULT_OVERLAP_SECONDS
}

/// Who may publish without an account: runs of continuous integration whose identity token says what is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Publisher {
    /// Its number.
    #[cfg_attr(feature = "server", schema(minimum = 1))]
    pub id: i64,
    /// The repository it may push to.
    pub repository: RepositoryName,
    /// Who signs the identity tokens: an https address.
    pub issuer: String,
    /// Claims the identity token must have, with exactly these values.
    pub claims: BTreeMap<String, String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub last_used_at: Option<Timestamp>,
}

/// A publisher to be made: `POST /api/v1/publishers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewPublisher {
    /// The repository it may push to, and create if it does not exist.
    pub repository: RepositoryName,
    /// Who signs the identity tokens: an https address. Only of those that an administrator has listed are any believed.
    #[cfg_attr(feature = "server", schema(max_length = 256, pattern = "^https://"))]
    pub issuer: String,
    /// Claims the identity token must have, with exactly these values; at most 16.
    pub claims: BTreeMap<String, String>,
}

/// An identity token to be exchanged: `POST /api/v1/oidc/token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct IdentityToken {
    /// The identity token, as continuous integration gives it to a run, or an issuer to a person.
    #[cfg_attr(feature = "server", schema(value_type = String, format = Password, max_length = 16_384))]
    pub token: Secret,
    /// The text that the token's `nonce` was made from, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Secret>,
    /// The repository to publish to; needed where publishers of several fit the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryName>,
}

/// What an identity token is exchanged for: a token of the publisher it fits, or of the user whose identity it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ExchangedToken {
    /// The token, to be shown as `Bearer`.
    pub token: Secret,
    /// When it ends.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
    /// The repositories it reaches; absent where it reaches those of a user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<RepositoryName>,
    /// The user who is signed in; absent for a publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The key that signs short tokens from now on: `POST /api/v1/admin/signing-keys/rotate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SigningKey {
    /// Its name in the header of a short token.
    pub kid: String,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}
