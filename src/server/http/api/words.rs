//! The API's words and those that decisions are made in: the same words, turned into each other at the edge.

use super::Failure;
use crate::auth::{self, AccountName, TeamName};
use crate::oci::{ErrorCode, NameError, RepositoryName, RouteError};
use crate::{api, index};

macro_rules! same_words {
    ($($word:ident { $($variant:ident),+ })+) => {$(
        impl From<auth::$word> for api::$word {
            fn from(word: auth::$word) -> Self {
                match word {
                    $(auth::$word::$variant => Self::$variant,)+
                }
            }
        }

        impl From<api::$word> for auth::$word {
            fn from(word: api::$word) -> Self {
                match word {
                    $(api::$word::$variant => Self::$variant,)+
                }
            }
        }
    )+};
}

same_words! {
    Level { Read, Write, Admin }
    Role { Member, Owner }
    Scope { Read, Write, Delete, Admin }
    Visibility { Private, Org, Public }
}

impl From<api::RepositoryAction> for auth::ActionKind {
    fn from(action: api::RepositoryAction) -> Self {
        match action {
            api::RepositoryAction::Pull => Self::Pull,
            api::RepositoryAction::Push => Self::Push,
            api::RepositoryAction::Delete => Self::Delete,
            api::RepositoryAction::Admin => Self::Admin,
        }
    }
}

impl From<index::audit::Outcome> for api::Outcome {
    fn from(outcome: index::audit::Outcome) -> Self {
        match outcome {
            index::audit::Outcome::Allowed => Self::Allowed,
            index::audit::Outcome::Denied => Self::Denied,
        }
    }
}

impl From<index::tokens::TokenKind> for api::TokenKind {
    fn from(kind: index::tokens::TokenKind) -> Self {
        match kind {
            index::tokens::TokenKind::Access => Self::Access,
            index::tokens::TokenKind::Refresh => Self::Refresh,
        }
    }
}

impl From<&auth::Grantee> for api::Grantee {
    fn from(grantee: &auth::Grantee) -> Self {
        match grantee {
            auth::Grantee::User(name) => Self::User(name.to_string()),
            auth::Grantee::Team(name) => Self::Team(name.to_string()),
            auth::Grantee::Organisation(name) => Self::Organisation(name.to_string()),
        }
    }
}

/// Who is to have a grant.
pub(super) fn grantee(grantee: &api::Grantee) -> Result<auth::Grantee, Failure> {
    Ok(match grantee {
        api::Grantee::User(name) => auth::Grantee::User(account(name)?),
        api::Grantee::Team(name) => auth::Grantee::Team(name.parse().map_err(wrong)?),
        api::Grantee::Organisation(name) => auth::Grantee::Organisation(account(name)?),
    })
}

/// The name of a user or an organisation.
pub(super) fn account(text: &str) -> Result<AccountName, Failure> {
    text.parse().map_err(wrong)
}

/// The name of a team, from its two parts.
pub(super) fn team(organisation: &str, team: &str) -> Result<TeamName, Failure> {
    TeamName::new(account(organisation)?, team).map_err(wrong)
}

/// The name of a repository.
pub(super) fn repository(text: &str) -> Result<RepositoryName, Failure> {
    let invalid = |error: NameError| RouteError::Invalid { code: ErrorCode::NameInvalid, message: error.to_string() };
    Ok(text.parse().map_err(invalid)?)
}

/// What is wrong with something that was asked for.
pub(super) fn wrong(error: impl std::error::Error) -> Failure {
    Failure::Parameter(error.to_string())
}
