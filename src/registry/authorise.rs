//! Whether somebody may do something: facts from the index, remembered while they are true, judged by `auth`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::{Error, Registry};
use crate::auth::{Action, Caller, Denied, Facts, Identity, Permit, Reason, Sight, decide};
use crate::index::Session;
use crate::index::access::{self, Known};
use crate::oci::RepositoryName;

/// Pairs of a caller and a repository whose facts are remembered; each takes about 500 bytes.
const MAX_REMEMBERED: usize = 50_000;

/// Whether the registry knows people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everyone may do everything; nothing about accounts is read or written.
    Open,
    /// Accounts, grants and visibility decide.
    Accounts,
}

/// Facts by who asks and about what. Each holds while the access generation it was read at does.
#[derive(Debug)]
pub(super) struct Remembered(Cache<Pair, Arc<Known>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pair {
    identity: Identity,
    repository: RepositoryName,
}

/// A pair that need not be copied to be looked up.
struct Borrowed<'a> {
    identity: &'a Identity,
    repository: &'a RepositoryName,
}

impl Hash for Borrowed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As derived for `Pair`.
        self.identity.hash(state);
        self.repository.hash(state);
    }
}

impl Equivalent<Pair> for Borrowed<'_> {
    fn equivalent(&self, pair: &Pair) -> bool {
        *self.identity == pair.identity && *self.repository == pair.repository
    }
}

impl Default for Remembered {
    fn default() -> Self {
        Self(Cache::new(MAX_REMEMBERED))
    }
}

impl Remembered {
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

impl Registry {
    /// Decides whether somebody may do something to a repository, which need not exist. A denial is noted for the audit.
    pub fn authorise<A: Action>(
        &self,
        caller: &Caller,
        action: A,
        repository: &RepositoryName,
    ) -> Result<Permit<A>, Error> {
        let decided = self.decide(caller, action, repository)?;
        Ok(decided.inspect_err(|denied| self.note_denied(caller, denied))?)
    }

    /// Like [`Self::authorise`], where nobody asked for this repository: that it is denied is no news.
    pub(super) fn permit_quietly<A: Action>(
        &self,
        caller: &Caller,
        action: A,
        repository: &RepositoryName,
    ) -> Result<Option<Permit<A>>, Error> {
        Ok(self.decide(caller, action, repository)?.ok())
    }

    /// What somebody may see in lists.
    pub fn sight(&self, caller: &Caller) -> Result<Sight, Error> {
        self.read(|session| sight(session, self.mode, caller))
    }

    /// Whether the registry knows people.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    fn decide<A: Action>(
        &self,
        caller: &Caller,
        action: A,
        repository: &RepositoryName,
    ) -> Result<Result<Permit<A>, Denied>, Error> {
        if self.mode == Mode::Open {
            return Ok(decide(&Facts::open(), caller, action, repository));
        }
        let identity = caller.identity();
        if let Some(known) = self.remembered(identity, repository) {
            return Ok(decide(&known.facts, caller, action, repository));
        }
        let known = self.read(|session| Ok(access::facts(session, identity, repository, Timestamp::now())?))?;
        let decided = decide(&known.facts, caller, action, repository);
        // What is hidden from somebody is looked up each time, as what is missing is: else they could tell the two apart.
        // And a repository comes into being without moving the generation: that it is missing is not remembered either.
        if decided.is_ok() && known.exists {
            let pair = Pair { identity: identity.clone(), repository: repository.clone() };
            self.remembered.0.insert(pair, Arc::new(known));
        }
        Ok(decided)
    }

    /// Facts that are still true.
    fn remembered(&self, identity: &Identity, repository: &RepositoryName) -> Option<Arc<Known>> {
        let known = self.remembered.0.get(&Borrowed { identity, repository })?;
        let is_true = known.facts.generation() == self.index.access_generation()
            && known.until.is_none_or(|until| until > Timestamp::now());
        is_true.then_some(known)
    }

    pub(super) fn note_denied(&self, caller: &Caller, denied: &Denied) {
        self.denials.push(caller, denied.action.as_str(), denied.repository.as_str(), reason(denied.reason));
    }
}

/// What somebody may see in lists, as it is in the session's view.
pub(super) fn sight(session: &mut dyn Session, mode: Mode, caller: &Caller) -> Result<Sight, Error> {
    if mode == Mode::Open {
        return Ok(Sight::everything());
    }
    let is_user = caller.identity().user().is_some();
    Ok(Sight::of(caller, is_user && access::is_administrator(session, caller.identity())?))
}

/// Why something was denied, as the audit says it.
pub(super) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Rights => "no rule allows it",
        Reason::Token => "the access token does not reach it",
        Reason::Claims => "the short token was made for something else",
    }
}
