//! People as the API speaks of them: who a caller is, users, organisations with their members, and teams.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CallerKind, CredentialKind, Level, Role, Scope, Secret, Visibility};

/// Shortest password in bytes.
pub const MIN_PASSWORD_LENGTH: usize = 8;

/// Longest password in bytes.
pub const MAX_PASSWORD_LENGTH: usize = 1024;

/// Who a caller is: `GET /api/v1/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Me {
    /// The account's name; of a publisher, a text in parentheses, which no account can have.
    pub name: String,
    /// Which kind of caller.
    pub kind: CallerKind,
    /// Whether everything is allowed.
    pub is_administrator: bool,
    /// The organisations the caller is in.
    #[serde(default)]
    pub organisations: Vec<Membership>,
    /// What was shown.
    pub credential: CallerCredential,
}

/// A user's place in an organisation, seen from the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Membership {
    /// The organisation.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::OrganisationName))]
    pub name: String,
    /// The place in it.
    pub role: Role,
}

/// The credential of a request, and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct CallerCredential {
    /// Which kind.
    pub kind: CredentialKind,
    /// The number of the access token it is, or was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<i64>,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// The repositories it reaches, as patterns; all without one.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// When it ends; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct User {
    /// The name, which is also a namespace.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub name: String,
    /// Whether everything is allowed.
    pub is_administrator: bool,
    /// Whether signing in by password is possible.
    pub has_password: bool,
    /// Visibility of the repositories the user creates.
    pub default_visibility: Visibility,
    /// When the account was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// A user to be made: `POST /api/v1/users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewUser {
    /// One component of a repository name, at most 64 bytes, not reserved and not taken.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub name: String,
    /// 8 to 1024 bytes, which may be fewer characters; without one, only tokens sign the user in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = Password, min_length = 2, max_length = 1024, examples("correct horse battery")))]
    pub password: Option<Secret>,
    /// Whether everything is allowed.
    #[serde(default)]
    pub is_administrator: bool,
}

/// A new password: `PUT /api/v1/users/{name}/password`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewPassword {
    /// 8 to 1024 bytes, which may be fewer characters.
    #[cfg_attr(feature = "server", schema(value_type = String, format = Password, min_length = 2, max_length = 1024, examples("correct horse battery")))]
    pub password: Secret,
}

/// Whether a user is an administrator: `PUT /api/v1/users/{name}/administrator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AdministratorChange {
    /// Whether everything is allowed.
    pub is_administrator: bool,
}

/// What remains of a removed user or organisation: `DELETE /api/v1/users/{name}`, `DELETE /api/v1/organisations/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Removed {
    /// The account; its name stays taken.
    pub name: String,
    /// How many repositories are still there.
    pub repositories: u64,
    /// Who decides about them now; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages_now_owned_by: Option<String>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Organisation {
    /// The name, which is also a namespace.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::OrganisationName))]
    pub name: String,
    /// Visibility of repositories created in its namespace, where nothing else is said.
    pub default_visibility: Visibility,
    /// The caller's place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// How many members it has.
    pub members: u64,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// An organisation to be made; the caller becomes its owner: `POST /api/v1/organisations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewOrganisation {
    /// One component of a repository name, at most 64 bytes, not reserved and not taken.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::OrganisationName))]
    pub name: String,
    /// Visibility of repositories created in its namespace; private when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_visibility: Option<Visibility>,
}

/// A change of an organisation: `PATCH /api/v1/organisations/{name}`. What is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct OrganisationChange {
    /// Visibility of repositories created from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_visibility: Option<Visibility>,
}

/// A user's place in an organisation, seen from the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Member {
    /// The user.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub user: String,
    /// The place.
    pub role: Role,
    /// Since when.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
}

/// A place in an organisation, given or changed: `PUT /api/v1/organisations/{organisation}/members/{user}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct MemberChange {
    /// The place.
    pub role: Role,
}

/// A team of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Team {
    /// The organisation.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::OrganisationName))]
    pub organisation: String,
    /// The name within it: one component of a repository name, at most 64 bytes.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::TeamText))]
    pub name: String,
    /// What the team may do with every repository of the organisation; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Level>,
    /// How many members it has.
    pub members: u64,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// A team to be made: `POST /api/v1/organisations/{organisation}/teams`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewTeam {
    /// The name within the organisation: one component of a repository name, at most 64 bytes.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::TeamText))]
    pub name: String,
    /// What the team may do with every repository of the organisation; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Level>,
}

/// What a team may do from now on: `PATCH /api/v1/organisations/{organisation}/teams/{team}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TeamChange {
    /// What the team may do with every repository of the organisation; absent or null for nothing.
    #[serde(default)]
    pub role: Option<Level>,
}

/// A member of a team: `GET /api/v1/organisations/{organisation}/teams/{team}/members`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TeamMember {
    /// The user, a member of the organisation.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub user: String,
    /// Since when.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
}
