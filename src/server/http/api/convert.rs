//! From the words of the API to those of decisions, and back: each room has its own, and they are the same.

use crate::api;
use crate::auth::{self, AccountName, ActionKind, RepositoryPattern, Scopes, TeamName};
use crate::index::accounts::Account;
use crate::index::organisations::Member;
use crate::index::tokens::{StoredToken, TokenKind};
use crate::registry::{CountedTeam, Listed, Organisation};
use crate::server::http::error::Failure;

/// Declares that two enums have the same words.
macro_rules! same {
    ($($name:ident: $($variant:ident),+;)+) => {$(
        impl From<auth::$name> for api::$name {
            fn from(word: auth::$name) -> Self {
                match word { $(auth::$name::$variant => Self::$variant,)+ }
            }
        }

        impl From<api::$name> for auth::$name {
            fn from(word: api::$name) -> Self {
                match word { $(api::$name::$variant => Self::$variant,)+ }
            }
        }
    )+};
}

same! {
    Visibility: Private, Org, Public;
    Level: Read, Write, Admin;
    Role: Member, Owner;
    Scope: Read, Write, Delete, Admin;
}

impl From<api::RepositoryAction> for ActionKind {
    fn from(action: api::RepositoryAction) -> Self {
        match action {
            api::RepositoryAction::Pull => Self::Pull,
            api::RepositoryAction::Push => Self::Push,
            api::RepositoryAction::Delete => Self::Delete,
            api::RepositoryAction::Admin => Self::Admin,
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

impl From<Account> for api::User {
    fn from(account: Account) -> Self {
        Self {
            name: account.name.to_string(),
            is_administrator: account.is_administrator,
            has_password: account.password_at.is_some(),
            default_visibility: account.default_visibility.into(),
            created_at: account.created_at,
        }
    }
}

impl From<Organisation> for api::Organisation {
    fn from(organisation: Organisation) -> Self {
        Self {
            name: organisation.account.name.to_string(),
            default_visibility: organisation.account.default_visibility.into(),
            role: organisation.role.map(Into::into),
            members: organisation.members,
            created_at: organisation.account.created_at,
        }
    }
}

impl From<Member> for api::Member {
    fn from(member: Member) -> Self {
        Self { user: member.user.to_string(), role: member.role.into(), since: member.since }
    }
}

impl From<StoredToken> for api::Token {
    fn from(token: StoredToken) -> Self {
        Self {
            id: token.id.get(),
            user: token.account.to_string(),
            name: token.name,
            kind: match token.kind {
                TokenKind::Access => api::TokenKind::Access,
                TokenKind::Refresh => api::TokenKind::Refresh,
            },
            scopes: scopes(token.scopes),
            repositories: patterns(&token.patterns),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}

/// A team, which does not know its organisation itself.
pub(super) fn team(organisation: &AccountName, counted: CountedTeam) -> api::Team {
    let team = counted.team;
    api::Team {
        organisation: organisation.to_string(),
        name: team.name,
        role: team.role.map(Into::into),
        members: counted.members,
        created_at: team.created_at,
    }
}

/// Who gets something, as a caller wrote it.
pub(super) fn grantee(grantee: &api::Grantee) -> Result<auth::Grantee, Failure> {
    Ok(match grantee {
        api::Grantee::User(text) => auth::Grantee::User(account(text)?),
        api::Grantee::Team(text) => auth::Grantee::Team(text.parse::<TeamName>().map_err(wrong)?),
        api::Grantee::Organisation(text) => auth::Grantee::Organisation(account(text)?),
    })
}

/// Scopes as a list of words.
pub(super) fn scopes(scopes: Scopes) -> Vec<api::Scope> {
    scopes.iter().map(Into::into).collect()
}

/// Patterns as text.
pub(super) fn patterns(patterns: &[RepositoryPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

/// A page of the registry's as one of the API's.
pub(super) fn page<T, U: From<T>>(listed: Listed<T>) -> api::Page<U> {
    api::Page { items: listed.items.into_iter().map(U::from).collect(), next: listed.next }
}

/// An account's name, as a caller wrote it.
pub(super) fn account(text: &str) -> Result<AccountName, Failure> {
    text.parse().map_err(wrong)
}

/// A text that is none of what it should be.
pub(super) fn wrong(error: impl std::error::Error) -> Failure {
    Failure::Parameter(error.to_string())
}
