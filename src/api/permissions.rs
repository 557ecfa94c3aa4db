//! Who may do what with a repository, as the API speaks of it: visibility, grants, rules about tags, explanations, audit.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Expiry, Level, Outcome, RepositoryAction, TagRuleKind, Visibility};
use crate::oci::RepositoryName;

/// Most rules about the tags of one repository.
pub const MAX_TAG_RULES: usize = 32;

/// Settings of a repository: `PUT /api/v1/repositories/{name}` makes it, or changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RepositorySettings {
    /// Who may see and pull it without a grant.
    pub visibility: Visibility,
}

/// Who has a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grantee {
    /// A user.
    User(String),
    /// A team as `organisation/team`.
    Team(String),
    /// The members of an organisation.
    Organisation(String),
}

impl Grantee {
    /// Which kind, as the API's parameters name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Team(_) => "team",
            Self::Organisation(_) => "organisation",
        }
    }

    /// The name of the user, team or organisation.
    pub fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Team(name) | Self::Organisation(name) => name,
        }
    }
}

/// A grant: `GET /api/v1/permissions?repository=R`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Permission {
    /// The repository; all its tags.
    pub repository: RepositoryName,
    /// Who has it.
    pub grantee: Grantee,
    /// What it allows.
    pub level: Level,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it ends; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub expires_at: Option<Timestamp>,
}

/// A grant to be made or changed: `PUT /api/v1/permissions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct NewPermission {
    /// The repository; all its tags.
    pub repository: RepositoryName,
    /// Who gets it.
    pub grantee: Grantee,
    /// What it allows.
    pub level: Level,
    /// When it ends: `30d`, `12h`, or a time; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

/// Why somebody may do something, or not: `GET /api/v1/permissions/explain?user=U&action=A&repository=R`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// Who.
    #[cfg_attr(feature = "server", schema(value_type = crate::api::texts::UserName))]
    pub user: String,
    /// What.
    pub action: RepositoryAction,
    /// Where.
    pub repository: RepositoryName,
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rule that allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rules that were asked before and do not allow it, in their order.
    #[serde(default)]
    pub tried: Vec<TriedRule>,
}

/// A rule that does not allow something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TriedRule {
    /// The rule.
    pub rule: String,
    /// Why it does not.
    pub reason: String,
}

/// The rules about a repository's tags: `GET` and `PUT /api/v1/tag-rules?repository=R`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TagRules {
    /// The rules; each that matches a tag holds. At most 32.
    #[cfg_attr(feature = "server", schema(max_items = 32))]
    pub rules: Vec<TagRule>,
}

/// A rule about tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TagRule {
    /// The tags: a text in which `*` stands for anything and `?` for one character, or the word `semver`.
    pub pattern: String,
    /// What it does.
    pub kind: TagRuleKind,
    /// Of a restricted tag: what one must be allowed to move it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Of a restricted tag: who may move it, instead of a level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "server", schema(max_items = 64))]
    pub grantees: Vec<Grantee>,
}

/// A decision that changed something, or that refused: `GET /api/v1/audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its number; higher is newer.
    pub id: i64,
    /// When.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was shown: `password`, `token 7`, `short token of 7`, or nothing.
    pub credential: String,
    /// What was asked for, such as `push` or `account.create`.
    pub action: String,
    /// On what.
    pub object: String,
    /// The rule that allowed it, or why none did.
    pub rule: String,
    /// How it went.
    pub outcome: Outcome,
    /// The address the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The number of the request, as the log and the answer have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}
