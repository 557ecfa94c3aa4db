//! Everybody who asks: with nothing, as users, with tokens that reach less, with short tokens, as a publisher.

use std::collections::BTreeSet;

use super::people::{Level, USERS, Visibility, reaches};
use super::shelf::REPOSITORIES;
use super::world::World;

/// The repository that has a publisher.
pub(crate) const PUBLISHED: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    Administrator,
    User(usize),
    Publisher,
}

/// Somebody with a credential.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    /// What its token reaches; everything without one.
    pub(crate) patterns: &'static [&'static str],
    /// The repositories its short token is for, and whether it is for lists.
    pub(crate) claims: Option<(BTreeSet<usize>, bool)>,
    pub(crate) authorization: Option<String>,
}

impl Caller {
    pub(crate) fn new(who: Who, patterns: &'static [&'static str], token: Option<&str>) -> Self {
        Self { who, patterns, claims: None, authorization: token.map(|token| format!("Bearer {token}")) }
    }

    /// Who counts as one client.
    pub(crate) fn identity(&self) -> String {
        format!("{:?}", self.who)
    }

    /// What it is called where something is wrong.
    pub(crate) fn named(&self) -> String {
        format!("{:?} with {:?} for {:?}", self.who, self.patterns, self.claims)
    }
}

impl World {
    /// Whether a caller's credential is worth nothing any more.
    pub(crate) fn is_gone(&self, caller: &Caller) -> bool {
        match caller.who {
            Who::User(user) => self.people.removed.contains(&user),
            Who::Publisher => !self.has_publisher,
            Who::Nobody | Who::Administrator => false,
        }
    }

    /// Whether a caller may do something in a repository, apart from claims.
    fn may(&self, caller: &Caller, repository: usize, level: Level) -> bool {
        let (name, access) = (REPOSITORIES[repository], self.shelves[repository].access.as_ref());
        let is_public = access.is_some_and(|access| access.visibility == Visibility::Public) && level == Level::Read;
        let has_right = match caller.who {
            Who::Nobody => is_public,
            Who::Administrator => true,
            Who::User(user) => self.people.allows(user, name, access, level),
            Who::Publisher => self.has_publisher && repository == PUBLISHED && level <= Level::Write,
        };
        has_right && (caller.patterns.is_empty() || caller.patterns.iter().any(|pattern| reaches(pattern, name)))
    }

    /// Whether lists name a repository to a caller.
    pub(crate) fn sees(&self, caller: &Caller, repository: usize) -> bool {
        let claimed = caller.claims.as_ref().is_none_or(|(claims, lists)| *lists || claims.contains(&repository));
        claimed && self.may(caller, repository, Level::Read)
    }

    /// Whether a caller may read what is in a repository.
    pub(crate) fn pulls(&self, caller: &Caller, repository: usize) -> bool {
        let claimed = caller.claims.as_ref().is_none_or(|(claims, _)| claims.contains(&repository));
        claimed && self.may(caller, repository, Level::Read)
    }

    /// Everybody there is from the start; `tokens` are those of the users, then the narrowed ones, then the publisher's.
    pub(crate) fn everybody(administrator: &str, tokens: &[String]) -> Vec<Caller> {
        let mut all =
            vec![Caller::new(Who::Nobody, &[], None), Caller::new(Who::Administrator, &[], Some(administrator))];
        let users = USERS.iter().enumerate().map(|(user, _)| Caller::new(Who::User(user), &[], Some(&tokens[user])));
        all.extend(users);
        let narrowed = NARROWED.iter().zip(&tokens[USERS.len()..]);
        all.extend(narrowed.map(|(narrow, token)| Caller::new(narrow.who(), narrow.patterns, Some(token))));
        all.push(Caller::new(Who::Publisher, &["acme/quokka"], tokens.last().map(String::as_str)));
        all
    }
}

/// An access token that reaches less than its owner.
pub(crate) struct Narrow {
    pub(crate) user: &'static str,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) patterns: &'static [&'static str],
}

/// The narrowed tokens of every world.
pub(crate) const NARROWED: [Narrow; 5] = [
    Narrow { user: "ada", scopes: &["read"], patterns: &["acme/*", "**/kumquat"] },
    Narrow { user: "ben", scopes: &["write"], patterns: &["**/quokka*", "umbra/**"] },
    Narrow { user: "cyd", scopes: &["delete"], patterns: &[] },
    Narrow { user: "dan", scopes: &["admin", "read"], patterns: &["*"] },
    Narrow { user: "admin", scopes: &["read"], patterns: &["ada/*", "kumquat", "*/deep/**"] },
];

impl Narrow {
    fn who(&self) -> Who {
        USERS.iter().position(|user| *user == self.user).map_or(Who::Administrator, Who::User)
    }
}
