//! A permit: the proof that an action on a repository was allowed, and by what.

use std::fmt;
use std::marker::PhantomData;

use super::{Action, ActionKind, Identity};
use crate::oci::RepositoryName;

/// What allowed an action; audit rows carry its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The registry runs without accounts.
    Open,
    /// The registry's own work, with its reason.
    System(&'static str),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::System(reason) => write!(f, "system: {reason}"),
        }
    }
}

/// Leave to do `A` to one repository. Its fields are private: only this room makes one.
///
/// ```compile_fail
/// # use agent_registry::auth::{Permit, Pull, Push};
/// fn store(_: &Permit<Push>) {}
/// fn cheat(pull: &Permit<Pull>) { store(pull) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit<A> {
    repository: RepositoryName,
    identity: Option<Identity>,
    rule: Rule,
    generation: u64,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// Leave for the registry's own work, such as collecting garbage; the reason goes into the audit.
    pub fn system(reason: &'static str, repository: RepositoryName) -> Self {
        Self { repository, identity: None, rule: Rule::System(reason), generation: 0, action: PhantomData }
    }

    pub(super) fn grant(repository: RepositoryName, identity: Identity, rule: Rule, generation: u64) -> Self {
        Self { repository, identity: Some(identity), rule, generation, action: PhantomData }
    }

    /// The repository it is for.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Who was allowed; none for the registry itself.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What allowed it.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The generation of the grants it was decided at.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The action as a value.
    pub fn kind(&self) -> ActionKind {
        A::KIND
    }

    /// Who acts, as audit rows and events name it.
    pub fn actor(&self) -> String {
        self.identity.as_ref().map_or_else(|| "(system)".to_owned(), ToString::to_string)
    }
}
