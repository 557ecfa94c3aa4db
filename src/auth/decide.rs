//! The decision itself: may this identity do this to that repository?

use super::facts::Policy;
use super::{Action, ActionKind, Facts, Identity, Permit, Rule};
use crate::oci::RepositoryName;

/// The answer no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{identity} may not {action} {repository}")]
pub struct Denied {
    /// Who asked.
    pub identity: Identity,
    /// For what.
    pub action: ActionKind,
    /// Where.
    pub repository: RepositoryName,
}

/// Decides from the facts alone. What no rule allows is denied.
pub fn decide<A: Action>(
    facts: &Facts,
    identity: &Identity,
    action: A,
    repository: &RepositoryName,
) -> Result<Permit<A>, Denied> {
    let _ = action;
    match facts.policy() {
        Policy::Open => Ok(Permit::grant(repository.clone(), identity.clone(), Rule::Open, facts.generation())),
        Policy::Closed => Err(Denied { identity: identity.clone(), action: A::KIND, repository: repository.clone() }),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{Admin, Delete, Pull, Push, Sight};
    use super::*;

    fn identities() -> [Identity; 2] {
        [Identity::Anonymous, Identity::User("ada".parse().unwrap())]
    }

    #[test]
    fn open_facts_allow_everything_and_name_the_rule() {
        let repository: RepositoryName = "ai-team/agent".parse().unwrap();
        for identity in identities() {
            let pull = decide(&Facts::open(), &identity, Pull, &repository).unwrap();
            assert_eq!((pull.repository(), pull.identity()), (&repository, Some(&identity)));
            assert_eq!((pull.rule().to_string(), pull.kind(), pull.generation()), ("open".into(), ActionKind::Pull, 0));
            assert_eq!(pull.actor(), identity.to_string());
            assert_eq!(decide(&Facts::open(), &identity, Push, &repository).unwrap().kind(), ActionKind::Push);
            assert_eq!(decide(&Facts::open(), &identity, Delete, &repository).unwrap().kind(), ActionKind::Delete);
            assert_eq!(decide(&Facts::open(), &identity, Admin, &repository).unwrap().kind(), ActionKind::Admin);
            assert!(Sight::of(&Facts::open(), &identity).is_everything());
        }
    }

    #[test]
    fn without_a_rule_everything_is_denied() {
        let repository: RepositoryName = "ai-team/agent".parse().unwrap();
        for identity in identities() {
            assert!(decide(&Facts::closed(), &identity, Pull, &repository).is_err());
            assert!(decide(&Facts::closed(), &identity, Push, &repository).is_err());
            assert!(decide(&Facts::closed(), &identity, Delete, &repository).is_err());
            let denied = decide(&Facts::closed(), &identity, Admin, &repository).unwrap_err();
            assert_eq!(denied.to_string(), format!("{identity} may not admin ai-team/agent"));
            assert!(!Sight::of(&Facts::closed(), &identity).is_everything());
        }
    }

    #[test]
    fn system_permits_name_their_reason_and_no_identity() {
        let permit = Permit::<Delete>::system("collect garbage", "a/b".parse().unwrap());
        assert_eq!((permit.identity(), permit.actor().as_str()), (None, "(system)"));
        assert_eq!(permit.rule().to_string(), "system: collect garbage");
    }

    #[test]
    fn user_names_are_namespaces() {
        use super::super::UserName;
        for good in ["ada", "a-1", &"a".repeat(64)] {
            assert_eq!(good.parse::<UserName>().unwrap().as_str(), good);
        }
        for bad in ["", "Ada", "a/b", "(system)", "-a", &"a".repeat(65)] {
            assert!(bad.parse::<UserName>().is_err(), "{bad}");
        }
    }
}
