//! Why a decision is as it is, for people who ask: which rules were tried, and what each of them lacked.

use super::decide::judge;
use super::facts::Policy;
use super::rule::{Question, TRIALS};
use super::{ActionKind, Caller, Facts, Reason, Rule};
use crate::oci::RepositoryName;

/// A decision with its grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The answer [`super::decide`] gives.
    pub allowed: bool,
    /// The rule that allows; there is one too where only the credential does not reach.
    pub rule: Option<Rule>,
    /// What was tried before that, by name, with the reason why it does not allow.
    pub tried: Vec<(&'static str, String)>,
}

/// Explains the decision about a caller, an action and a repository.
///
/// The reasons tell what the facts tell, such as the visibility of a repository: they are for who may know that.
pub fn explain(facts: &Facts, caller: &Caller, action: ActionKind, repository: &RepositoryName) -> Explanation {
    let (rule, mut tried) = rules(facts, caller, action, repository);
    let answer = judge(facts, caller, action, repository);
    match answer {
        Err(Reason::Token) => {
            tried.push(("access token", format!("its scopes or repositories do not include {action} on {repository}")));
        }
        Err(Reason::Claims) => tried.push(("short token", "it was made for something else".to_owned())),
        Err(Reason::Rights) | Ok(_) => {}
    }
    Explanation { allowed: answer.is_ok(), rule, tried }
}

fn rules(
    facts: &Facts,
    caller: &Caller,
    action: ActionKind,
    repository: &RepositoryName,
) -> (Option<Rule>, Vec<(&'static str, String)>) {
    let known = match facts.policy() {
        Policy::Open => return (Some(Rule::Open), vec![]),
        Policy::Closed => return (None, vec![]),
        Policy::Known(known) => known,
    };
    let identity = caller.identity();
    let question = Question { identity, action, repository, caller: &known.0, about: &known.1 };
    if question.is_from_nowhere() {
        return (None, vec![("account", format!("there is no account {identity}"))]);
    }
    let mut tried = vec![];
    for trial in &TRIALS {
        if let Some(rule) = (trial.allows)(&question) {
            return (Some(rule), tried);
        }
        tried.push((trial.name, (trial.why_not)(&question)));
    }
    (None, tried)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::{
        AboutCaller, AboutRepository, CredentialKind, Grantee, Identity, Level, Namespace, Origin, Reach, Role,
        TokenId, Visibility,
    };
    use super::*;

    fn facts() -> Facts {
        let about = AboutRepository {
            exists: true,
            visibility: Visibility::Org,
            namespace: Namespace::Organisation("acme".parse().unwrap()),
            membership: Some(Role::Member),
            team_roles: vec![("acme/devs".parse().unwrap(), Level::Read)],
            grants: vec![(Grantee::User("ada".parse().unwrap()), Level::Write)],
            publisher: false,
        };
        Facts::of(AboutCaller { is_administrator: false, is_active: true }, about, 1)
    }

    fn texts(explanation: &Explanation) -> Vec<String> {
        explanation.tried.iter().map(|(name, reason)| format!("{name}: {reason}")).collect()
    }

    #[test]
    fn the_rule_is_named_and_so_is_what_did_not_allow() {
        let (ada, repository) = (Caller::user("ada".parse().unwrap()), "acme/agent".parse().unwrap());
        let push = explain(&facts(), &ada, ActionKind::Push, &repository);
        assert_eq!((push.allowed, push.rule.as_ref().unwrap().to_string()), (true, "grant to user ada".to_owned()));
        assert_eq!(
            texts(&push),
            [
                "administrator: ada is no administrator",
                "namespace-owner: ada is a member of organisation acme, no owner",
                "publisher: the caller is no publisher",
                "team-role: team acme/devs may only read",
            ]
        );
        let delete = explain(&facts(), &ada, ActionKind::Delete, &repository);
        assert_eq!((delete.allowed, delete.rule.as_ref()), (false, None));
        assert_eq!(
            texts(&delete)[4..],
            [
                "grant: user ada may only write",
                "organisation-member: visibility only lets pull",
                "public: the repository is org",
            ]
        );
    }

    #[test]
    fn a_credential_that_does_not_reach_is_named_beside_the_rule() {
        let (identity, origin) = (Identity::User("ada".parse().unwrap()), Origin::none());
        let (reach, token) = (Reach::new("read".parse().unwrap(), vec![]), CredentialKind::Token(TokenId::new(7)));
        let caller = Caller::new(identity, reach, token, origin);
        let push = explain(&facts(), &caller, ActionKind::Push, &"acme/agent".parse().unwrap());
        assert!(!push.allowed && push.rule.is_some());
        let last = "access token: its scopes or repositories do not include push on acme/agent";
        assert_eq!(texts(&push).last().unwrap(), last);
    }

    #[test]
    fn an_account_that_is_gone_is_said_to_be() {
        let about = AboutRepository { visibility: Visibility::Public, exists: true, ..AboutRepository::unknown() };
        let facts = Facts::of(AboutCaller::default(), about, 1);
        let gone = explain(&facts, &Caller::user("ada".parse().unwrap()), ActionKind::Pull, &"a/b".parse().unwrap());
        assert_eq!((gone.allowed, texts(&gone)), (false, vec!["account: there is no account ada".to_owned()]));
    }
}
