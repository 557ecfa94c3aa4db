//! A permit: the proof that an action on a repository was allowed, and by what.

use std::marker::PhantomData;

use super::{Action, ActionKind, Caller, CredentialKind, Identity, Origin, Rule};
use crate::oci::RepositoryName;

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
    credential: CredentialKind,
    origin: Origin,
    rule: Rule,
    generation: u64,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// Leave for the registry's own work, such as collecting garbage; the reason goes into the audit.
    pub fn system(reason: &'static str, repository: RepositoryName) -> Self {
        Self {
            repository,
            identity: None,
            credential: CredentialKind::None,
            origin: Origin::none(),
            rule: Rule::System(reason),
            generation: 0,
            action: PhantomData,
        }
    }

    pub(super) fn grant(repository: RepositoryName, caller: &Caller, rule: Rule, generation: u64) -> Self {
        Self {
            repository,
            identity: Some(caller.identity().clone()),
            credential: caller.credential(),
            origin: caller.origin(),
            rule,
            generation,
            action: PhantomData,
        }
    }

    /// The same leave in another request of the same caller, as one that was remembered needs it.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The repository it is for.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Who was allowed; none for the registry itself.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What the caller showed.
    pub fn credential(&self) -> CredentialKind {
        self.credential
    }

    /// Where the request came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What allowed it.
    pub fn rule(&self) -> &Rule {
        &self.rule
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
