//! What a decision is made from: loaded by the registry, judged by [`super::decide`].

use serde::{Deserialize, Serialize};

use super::{AccountName, Level, Role, TeamName, Visibility};

/// What is known of a caller and a repository, and at which generation of the grants it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    policy: Policy,
    generation: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Open,
    Closed,
    Known(Box<(AboutCaller, AboutRepository)>),
}

/// What is known of the caller, apart from any repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AboutCaller {
    /// Whether everything is allowed.
    pub is_administrator: bool,
    /// Whether the account is there and not removed. A user who is not may do nothing at all.
    pub is_active: bool,
}

/// Whose namespace a repository is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Nobody's: the name has one component, or no account has this name.
    None,
    /// A user's.
    User(AccountName),
    /// An organisation's.
    Organisation(AccountName),
}

/// What is known of a repository, as far as it reaches the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutRepository {
    /// Whether it exists.
    pub exists: bool,
    /// Who sees it without a grant; means nothing where it does not exist.
    pub visibility: Visibility,
    /// Whose namespace it is in.
    pub namespace: Namespace,
    /// The caller's place in the namespace's organisation.
    pub membership: Option<Role>,
    /// The roles of the caller's teams in the namespace's organisation.
    pub team_roles: Vec<(TeamName, Level)>,
    /// The grants on the repository that reach the caller and have not expired.
    pub grants: Vec<(Grantee, Level)>,
    /// Whether the caller is a publisher of this repository.
    pub publisher: bool,
}

impl AboutRepository {
    /// A repository of which nothing is known: what a caller finds where there is none.
    pub const fn unknown() -> Self {
        Self {
            exists: false,
            visibility: Visibility::Private,
            namespace: Namespace::None,
            membership: None,
            team_roles: vec![],
            grants: vec![],
            publisher: false,
        }
    }
}

/// To whom a repository is granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grantee {
    /// A user.
    User(AccountName),
    /// The members of a team, of any organisation.
    Team(TeamName),
    /// The members of an organisation, of any namespace.
    Organisation(AccountName),
}

impl std::fmt::Display for Grantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => write!(f, "user {name}"),
            Self::Team(name) => write!(f, "team {name}"),
            Self::Organisation(name) => write!(f, "organisation {name}"),
        }
    }
}

impl Facts {
    /// The registry runs without accounts: everyone may do everything.
    pub const fn open() -> Self {
        Self { policy: Policy::Open, generation: 0 }
    }

    /// Nothing is known that would allow anything: everyone is denied.
    pub const fn closed() -> Self {
        Self { policy: Policy::Closed, generation: 0 }
    }

    /// What is known of a caller and a repository at a generation of the grants.
    pub fn of(caller: AboutCaller, repository: AboutRepository, generation: u64) -> Self {
        Self { policy: Policy::Known(Box::new((caller, repository))), generation }
    }

    /// The generation of the grants these facts were read at; a changing transaction compares it.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the registry runs without accounts.
    pub const fn is_open(&self) -> bool {
        matches!(self.policy, Policy::Open)
    }

    pub(super) const fn policy(&self) -> &Policy {
        &self.policy
    }
}
