//! Why a change to people, tokens or rules is not made although it is allowed.

use crate::auth::{AccountName, Grantee, PublisherId, TeamName, TokenId};

/// What kind of answer a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What it is about does not exist.
    Missing,
    /// It contradicts what is there.
    Conflict,
    /// It asks for something that cannot be.
    Invalid,
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody has the name, or had it.
    #[error("the name `{0}` is taken; that of a removed account stays taken until an administrator frees it")]
    NameTaken(AccountName),
    /// The name is kept for the registry.
    #[error("the name `{0}` is reserved; choose another one")]
    NameReserved(AccountName),
    /// No such user.
    #[error("there is no user `{0}`")]
    UnknownUser(AccountName),
    /// No such organisation.
    #[error("there is no organisation `{0}`")]
    UnknownOrganisation(AccountName),
    /// No such account.
    #[error("there is no account `{0}`")]
    UnknownAccount(AccountName),
    /// No such team.
    #[error("there is no team `{0}`")]
    UnknownTeam(TeamName),
    /// Nobody of this name can be granted anything.
    #[error("there is no {0}")]
    UnknownGrantee(Grantee),
    /// No such token of whom the caller may know.
    #[error("there is no token {0}")]
    UnknownToken(TokenId),
    /// No such publisher of this repository.
    #[error("there is no publisher {0} of this repository")]
    UnknownPublisher(PublisherId),
    /// The user has no such identity.
    #[error("this identity does not sign `{0}` in")]
    UnknownIdentity(AccountName),
    /// The identity signs in somebody already.
    #[error("this identity signs in a user already")]
    IdentityLinked,
    /// Nothing was granted to them.
    #[error("nothing is granted to {0} here")]
    NotGranted(Grantee),
    /// The organisation has such a team.
    #[error("there is a team `{0}` already")]
    TeamTaken(TeamName),
    /// The organisation would have no owner.
    #[error("organisation `{0}` would have no owner; make somebody else an owner first")]
    LastOwner(AccountName),
    /// Nobody could administer the registry.
    #[error("`{0}` is the last administrator; make somebody else an administrator first")]
    LastAdministrator(AccountName),
    /// Its repositories would be nobody's.
    #[error("`{name}` still has {repositories} repositories")]
    NotEmpty {
        /// The organisation.
        name: AccountName,
        /// How many.
        repositories: u64,
    },
    /// Only who belongs to an organisation can be in its teams.
    #[error("`{user}` is not in organisation `{organisation}`; make them a member first")]
    NotMember {
        /// Who.
        user: AccountName,
        /// Of what.
        organisation: AccountName,
    },
    /// The account is there: its name is in use.
    #[error("`{0}` was not removed; only the name of a removed account can be freed")]
    NotRemoved(AccountName),
    /// The text is a token already.
    #[error("this token is known already")]
    TokenKnown,
    /// Nobody could tell it from others.
    #[error("a token's name has 1 to {max} characters and no control characters", max = super::MAX_TOKEN_NAME_LENGTH)]
    TokenName,
    /// It would be accepted for too long.
    #[error("a token ends at most {0} days from now")]
    TooLong(u64),
    /// It would never be accepted.
    #[error("the end lies in the past")]
    InThePast,
    /// A message or comment that cannot be kept.
    #[error("{0} has at most {max} bytes and no control characters", max = crate::api::MAX_MESSAGE_LENGTH)]
    Text(&'static str),
    /// What to use instead is no reference.
    #[error("`superseded_by` is no reference: {0}")]
    SupersededBy(String),
    /// A yank says nothing of what to use instead.
    #[error("`superseded_by` is for deprecations; write it into the message of the yank, or deprecate the version too")]
    SupersedingYank,
    /// No number of stars.
    #[error("a rating has 1 to {max} stars", max = crate::api::MAX_STARS)]
    Stars,
    /// A build system, or nobody.
    #[error("only users rate packages")]
    NotAUser,
    /// The user has not rated the package.
    #[error("`{0}` has not rated this package")]
    NotRated(AccountName),
    /// More of them than a list takes.
    #[error("at most {most} {what}")]
    TooMany {
        /// How many are taken.
        most: usize,
        /// Of what.
        what: &'static str,
    },
}

impl Refusal {
    /// What kind of answer it is.
    pub const fn kind(&self) -> RefusalKind {
        match self {
            Self::UnknownUser(_)
            | Self::UnknownOrganisation(_)
            | Self::UnknownAccount(_)
            | Self::UnknownTeam(_)
            | Self::UnknownGrantee(_)
            | Self::UnknownToken(_)
            | Self::UnknownPublisher(_)
            | Self::UnknownIdentity(_)
            | Self::NotRated(_)
            | Self::NotGranted(_) => RefusalKind::Missing,
            Self::NameTaken(_)
            | Self::TeamTaken(_)
            | Self::LastOwner(_)
            | Self::LastAdministrator(_)
            | Self::NotEmpty { .. }
            | Self::NotMember { .. }
            | Self::NotRemoved(_)
            | Self::IdentityLinked
            | Self::TokenKnown => RefusalKind::Conflict,
            Self::NameReserved(_)
            | Self::TokenName
            | Self::TooLong(_)
            | Self::InThePast
            | Self::Text(_)
            | Self::SupersededBy(_)
            | Self::SupersedingYank
            | Self::Stars
            | Self::NotAUser
            | Self::TooMany { .. } => RefusalKind::Invalid,
        }
    }
}
