//! The decision itself: may this caller do this to that repository?

use super::facts::Policy;
use super::reach::Narrowing;
use super::rule::{Question, TRIALS};
use super::{Action, ActionKind, Caller, Facts, Identity, Level, Permit, Rule};
use crate::oci::RepositoryName;

/// Why the answer is no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No rule allows it, whatever the credential.
    Rights,
    /// The caller might, but not with this access token.
    Token,
    /// The caller might with this credential, but not with this short token: another one helps.
    Claims,
}

/// The answer no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{identity} may not {action} {repository}{}", match reason {
    Reason::Rights => "",
    Reason::Token => " with this access token, whose scopes or repositories do not include it",
    Reason::Claims => " with this short token, which was made for something else",
})]
pub struct Denied {
    /// Who asked.
    pub identity: Identity,
    /// For what.
    pub action: ActionKind,
    /// Where.
    pub repository: RepositoryName,
    /// Why not.
    pub reason: Reason,
}

/// Decides from the facts alone. What no rule allows is denied; what one allows, the credential may still not reach.
pub fn decide<A: Action>(
    facts: &Facts,
    caller: &Caller,
    action: A,
    repository: &RepositoryName,
) -> Result<Permit<A>, Denied> {
    let _ = action;
    match judge(facts, caller, A::KIND, repository) {
        Ok(rule) => Ok(Permit::grant(repository.clone(), caller, rule, facts.generation())),
        Err(reason) => {
            let (identity, repository) = (caller.identity().clone(), repository.clone());
            Err(Denied { identity, action: A::KIND, repository, reason })
        }
    }
}

/// What somebody may do with a repository at most, whatever the credential reaches: what a rule about tags asks.
pub fn level(facts: &Facts, identity: &Identity, repository: &RepositoryName) -> Option<Level> {
    let levels = [(Level::Admin, ActionKind::Admin), (Level::Write, ActionKind::Push), (Level::Read, ActionKind::Pull)];
    let found = levels.into_iter().find(|(_, action)| allowing(facts, identity, *action, repository).is_some());
    found.map(|(level, _)| level)
}

/// Which rule allows, and that the credential reaches.
pub(super) fn judge(
    facts: &Facts,
    caller: &Caller,
    action: ActionKind,
    repository: &RepositoryName,
) -> Result<Rule, Reason> {
    let rule = allowing(facts, caller.identity(), action, repository).ok_or(Reason::Rights)?;
    match caller.reach().narrows(action, repository) {
        None => Ok(rule),
        Some(Narrowing::Token) => Err(Reason::Token),
        Some(Narrowing::Claims) => Err(Reason::Claims),
    }
}

fn allowing(facts: &Facts, identity: &Identity, action: ActionKind, repository: &RepositoryName) -> Option<Rule> {
    match facts.policy() {
        Policy::Open => Some(Rule::Open),
        Policy::Closed => None,
        Policy::Known(known) => {
            let (caller, about) = (&known.0, &known.1);
            let question = Question { identity, action, repository, caller, about };
            let is_from_nowhere = question.is_from_nowhere();
            TRIALS.iter().filter(|_| !is_from_nowhere).find_map(|trial| (trial.allows)(&question))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{Admin, CredentialKind, Delete, Origin, Pull, Push};
    use super::*;

    fn callers() -> [Caller; 2] {
        [Caller::anonymous(Origin::none()), Caller::user("ada".parse().unwrap())]
    }

    #[test]
    fn open_facts_allow_everything_and_name_the_rule() {
        let repository: RepositoryName = "ai-team/agent".parse().unwrap();
        for caller in callers() {
            let pull = decide(&Facts::open(), &caller, Pull, &repository).unwrap();
            assert_eq!((pull.repository(), pull.identity()), (&repository, Some(caller.identity())));
            assert_eq!((pull.rule().to_string(), pull.kind(), pull.generation()), ("open".into(), ActionKind::Pull, 0));
            assert_eq!(pull.actor(), caller.identity().to_string());
            assert_eq!(decide(&Facts::open(), &caller, Push, &repository).unwrap().kind(), ActionKind::Push);
            assert_eq!(decide(&Facts::open(), &caller, Delete, &repository).unwrap().kind(), ActionKind::Delete);
            assert_eq!(decide(&Facts::open(), &caller, Admin, &repository).unwrap().kind(), ActionKind::Admin);
        }
    }

    #[test]
    fn without_a_rule_everything_is_denied() {
        let repository: RepositoryName = "ai-team/agent".parse().unwrap();
        for caller in callers() {
            assert!(decide(&Facts::closed(), &caller, Pull, &repository).is_err());
            assert!(decide(&Facts::closed(), &caller, Push, &repository).is_err());
            assert!(decide(&Facts::closed(), &caller, Delete, &repository).is_err());
            let denied = decide(&Facts::closed(), &caller, Admin, &repository).unwrap_err();
            assert_eq!(denied.to_string(), format!("{} may not admin ai-team/agent", caller.identity()));
            assert_eq!(denied.reason, Reason::Rights);
        }
    }

    #[test]
    fn system_permits_name_their_reason_and_no_identity() {
        let permit = Permit::<Delete>::system("collect garbage", "a/b".parse().unwrap());
        assert_eq!((permit.identity(), permit.actor().as_str()), (None, "(system)"));
        assert_eq!((permit.credential(), permit.origin()), (CredentialKind::None, Origin::none()));
        assert_eq!(permit.rule().to_string(), "system: collect garbage");
    }

    #[test]
    fn a_permit_says_where_the_request_came_from() {
        let origin = Origin { address: Some([192, 0, 2, 7].into()), request: None };
        let permit = decide(&Facts::open(), &Caller::anonymous(origin), Pull, &"a/b".parse().unwrap()).unwrap();
        assert_eq!(permit.origin(), origin);
        assert_eq!(permit.with_origin(Origin::none()).origin(), Origin::none());
    }
}
