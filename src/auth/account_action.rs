//! What can be done to accounts, tokens and the registry itself.

use super::{AccountName, Reach, TokenId};

/// One thing to be done, with what it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountAction<'a> {
    /// List all users.
    ListUsers,
    /// Look at a user.
    ViewUser(&'a AccountName),
    /// Make a user.
    CreateUser {
        /// The name.
        name: &'a AccountName,
        /// Whether it is to be an administrator.
        as_administrator: bool,
    },
    /// Remove a user.
    RemoveUser(&'a AccountName),
    /// Say whether a user is an administrator.
    SetAdministrator(&'a AccountName),
    /// Set a user's password.
    SetPassword(&'a AccountName),
    /// Say which identities from elsewhere sign a user in.
    LinkIdentity(&'a AccountName),
    /// Let the name of a removed account be taken again.
    FreeName(&'a AccountName),
    /// List organisations, as far as they may be viewed.
    ListOrganisations,
    /// Look at an organisation, its members and teams.
    ViewOrganisation(&'a AccountName),
    /// Make an organisation and own it.
    CreateOrganisation(&'a AccountName),
    /// Remove an organisation.
    RemoveOrganisation(&'a AccountName),
    /// Say who is in an organisation, and as what.
    ChangeMembers(&'a AccountName),
    /// Leave an organisation.
    Leave(&'a AccountName),
    /// Make, change and remove teams of an organisation, and say who is in them.
    ChangeTeams(&'a AccountName),
    /// Set the visibility that new repositories of a namespace get.
    SetDefaultVisibility(&'a AccountName),
    /// List a user's tokens.
    ListTokens(&'a AccountName),
    /// Make a token of a user, or one in place of another.
    CreateToken {
        /// Whose it is.
        user: &'a AccountName,
        /// How far it reaches.
        reach: &'a Reach,
        /// Whether it does something only administrators are trusted with: never ends, or has a text that was given.
        is_special: bool,
    },
    /// Revoke a token of a user.
    RevokeToken {
        /// Whose it is; the token must be theirs.
        user: &'a AccountName,
        /// The token.
        token: TokenId,
    },
    /// Learn which rule decides for somebody about a repository one is no admin of.
    Explain,
    /// Read the audit.
    ReadAudit,
    /// Make a new signing key.
    RotateSigningKeys,
}

impl<'a> AccountAction<'a> {
    /// Its name in audit rows.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ListUsers => "user.list",
            Self::ViewUser(_) => "user.view",
            Self::CreateUser { .. } => "user.create",
            Self::RemoveUser(_) => "user.remove",
            Self::SetAdministrator(_) => "user.administrator",
            Self::SetPassword(_) => "user.password",
            Self::LinkIdentity(_) => "user.link",
            Self::FreeName(_) => "account.free",
            Self::ListOrganisations => "organisation.list",
            Self::ViewOrganisation(_) => "organisation.view",
            Self::CreateOrganisation(_) => "organisation.create",
            Self::RemoveOrganisation(_) => "organisation.remove",
            Self::ChangeMembers(_) => "organisation.members",
            Self::Leave(_) => "organisation.leave",
            Self::ChangeTeams(_) => "organisation.teams",
            Self::SetDefaultVisibility(_) => "account.visibility",
            Self::ListTokens(_) => "token.list",
            Self::CreateToken { .. } => "token.create",
            Self::RevokeToken { .. } => "token.revoke",
            Self::Explain => "permission.explain",
            Self::ReadAudit => "audit.read",
            Self::RotateSigningKeys => "signing-key.rotate",
        }
    }

    /// The account it is about; none where it is about the registry.
    pub const fn account(&self) -> Option<&'a AccountName> {
        match self {
            Self::ViewUser(name)
            | Self::CreateUser { name, .. }
            | Self::RemoveUser(name)
            | Self::SetAdministrator(name)
            | Self::SetPassword(name)
            | Self::LinkIdentity(name)
            | Self::FreeName(name)
            | Self::ViewOrganisation(name)
            | Self::CreateOrganisation(name)
            | Self::RemoveOrganisation(name)
            | Self::ChangeMembers(name)
            | Self::Leave(name)
            | Self::ChangeTeams(name)
            | Self::SetDefaultVisibility(name)
            | Self::ListTokens(name)
            | Self::CreateToken { user: name, .. }
            | Self::RevokeToken { user: name, .. } => Some(name),
            Self::ListUsers | Self::ListOrganisations | Self::Explain | Self::ReadAudit | Self::RotateSigningKeys => {
                None
            }
        }
    }

    /// Whether nothing changes: a credential needs no more than to be good for reading.
    pub const fn is_view(&self) -> bool {
        matches!(
            self,
            Self::ListUsers
                | Self::ViewUser(_)
                | Self::ListOrganisations
                | Self::ViewOrganisation(_)
                | Self::ListTokens(_)
                | Self::Explain
                | Self::ReadAudit
        )
    }
}
