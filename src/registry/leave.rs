//! A permit inside a transaction: looked at again where anything has changed since, and noted in the audit.

use jiff::Timestamp;

use super::Error;
use crate::auth::{Action, Caller, CredentialKind, Denied, Identity, Origin, Permit, Reach, Reason, Rule, decide};
use crate::index::repositories::Creator;
use crate::index::{Session, access, audit};

/// What a changing transaction takes along of a permit.
#[derive(Clone, Debug)]
pub(super) struct Leave<A> {
    permit: Permit<A>,
    action: A,
}

impl<A: Action> Leave<A> {
    pub(super) fn of(permit: &Permit<A>, action: A) -> Self {
        Self { permit: permit.clone(), action }
    }

    /// The permit that is in force in this transaction: the same while nothing has moved since it was given, else one
    /// that the transaction's own facts give. Whatever changes something calls this first.
    pub(super) fn confirm(&self, session: &mut dyn Session, now: Timestamp) -> Result<Permit<A>, Error> {
        let permit = &self.permit;
        let (Some(identity), false) = (permit.identity(), *permit.rule() == Rule::Open) else {
            return Ok(permit.clone());
        };
        // A grant may have ended by itself, which moves nothing.
        let may_have_ended = matches!(permit.rule(), Rule::Grant(_));
        if access::generation(session)? == permit.generation() && !may_have_ended {
            return Ok(permit.clone());
        }
        if let Some(token) = permit.credential().token()
            && !access::is_unrevoked(session, token)?
        {
            return Err(self.refused(identity, Reason::Token));
        }
        let known = access::facts(session, identity, permit.repository(), now)?;
        // How far the credential reaches was seen when the permit was given, and never changes.
        let caller = Caller::new(identity.clone(), Reach::unlimited(), permit.credential(), permit.origin());
        Ok(decide(&known.facts, &caller, self.action, permit.repository())?)
    }

    fn refused(&self, identity: &Identity, reason: Reason) -> Error {
        let (identity, repository) = (identity.clone(), self.permit.repository().clone());
        Denied { identity, action: A::KIND, repository, reason }.into()
    }
}

/// Whose a repository becomes that comes into being under a permit.
pub(super) fn creator<A: Action>(permit: &Permit<A>) -> Creator<'_> {
    match (permit.rule(), permit.identity()) {
        (Rule::Open, _) => Creator::Open,
        (rule, Some(Identity::User(name))) => Creator::Account { name, is_administrator: *rule == Rule::Administrator },
        _ => Creator::System,
    }
}

/// Notes in the running transaction what was done under a permit. A registry without accounts keeps no audit.
pub(super) fn note<A: Action>(
    session: &mut dyn Session,
    permit: &Permit<A>,
    action: &str,
    object: String,
    at: Timestamp,
) -> Result<(), Error> {
    if *permit.rule() == Rule::Open {
        return Ok(());
    }
    let by = By { actor: permit.actor(), credential: permit.credential(), origin: permit.origin() };
    Ok(audit::append(session, &by.entry(action, object, permit.rule().to_string(), audit::Outcome::Allowed, at))?)
}

/// Who did something, with what, from where.
#[derive(Clone, Debug)]
pub(super) struct By {
    pub(super) actor: String,
    pub(super) credential: CredentialKind,
    pub(super) origin: Origin,
}

impl By {
    pub(super) fn caller(caller: &Caller) -> Self {
        Self { actor: caller.identity().to_string(), credential: caller.credential(), origin: caller.origin() }
    }

    pub(super) fn entry(
        self,
        action: &str,
        object: String,
        rule: String,
        outcome: audit::Outcome,
        at: Timestamp,
    ) -> audit::Entry {
        audit::Entry {
            at,
            actor: self.actor,
            credential: self.credential.to_string(),
            action: action.to_owned(),
            object,
            rule,
            outcome,
            address: self.origin.address,
            request: self.origin.request.map(|request| request.to_string()),
        }
    }
}
