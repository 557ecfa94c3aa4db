//! What holds for every decision, whatever the facts: tried with random people, repositories and credentials.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use proptest::prelude::*;

use super::decide::judge;
use super::{
    AboutCaller, AboutRepository, Access, ActionKind, Caller, CredentialKind, Facts, Grantee, Identity, Level,
    Namespace, Origin, PublisherId, Pull, Reach, Reason, Role, Rule, Scope, Scopes, TeamName, TokenId, Visibility,
    decide, explain, level, parse_scope,
};
use crate::oci::RepositoryName;

/// Few names, so that they meet.
fn account() -> impl Strategy<Value = super::AccountName> {
    prop::sample::select(vec!["ada", "bob", "acme"]).prop_map(|name| name.parse().unwrap())
}

fn team() -> impl Strategy<Value = TeamName> {
    (account(), "[xy]").prop_map(|(organisation, team)| TeamName::new(organisation, &team).unwrap())
}

fn repository() -> impl Strategy<Value = RepositoryName> {
    prop::sample::select(vec!["ada/x", "acme/x", "acme/y/z", "x"]).prop_map(|name| name.parse().unwrap())
}

fn action() -> impl Strategy<Value = ActionKind> {
    prop::sample::select(ActionKind::ALL.to_vec())
}

fn grant_level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL)
}

fn grantee() -> impl Strategy<Value = Grantee> {
    prop_oneof![
        account().prop_map(Grantee::User),
        team().prop_map(Grantee::Team),
        account().prop_map(Grantee::Organisation)
    ]
}

fn identity() -> impl Strategy<Value = Identity> {
    prop_oneof![
        Just(Identity::Anonymous),
        account().prop_map(Identity::User),
        Just(Identity::Publisher(PublisherId::new(1)))
    ]
}

fn about_caller() -> impl Strategy<Value = AboutCaller> {
    (prop::bool::weighted(0.1), prop::bool::weighted(0.9))
        .prop_map(|(is_administrator, is_active)| AboutCaller { is_administrator, is_active })
}

fn about_repository() -> impl Strategy<Value = AboutRepository> {
    let namespace = prop_oneof![
        Just(Namespace::None),
        account().prop_map(Namespace::User),
        account().prop_map(Namespace::Organisation)
    ];
    let membership = prop::option::of(prop::sample::select(Role::ALL));
    let team_roles = prop::collection::vec((team(), grant_level()), 0..3);
    let grants = prop::collection::vec((grantee(), grant_level()), 0..3);
    let visibility = prop::sample::select(Visibility::ALL);
    (any::<bool>(), visibility, namespace, membership, team_roles, grants, any::<bool>()).prop_map(
        |(exists, visibility, namespace, membership, team_roles, grants, publisher)| AboutRepository {
            exists,
            visibility,
            namespace,
            membership,
            team_roles,
            grants,
            publisher,
        },
    )
}

fn access() -> impl Strategy<Value = Vec<Access>> {
    let entry = "(repository:(ada/x|acme/x|acme/y/z|x)|registry:catalog):(pull|push|delete|\\*)(,pull|,push)?";
    prop::collection::vec(entry, 0..3).prop_map(|entries| parse_scope(&entries.join(" ")))
}

fn reach() -> impl Strategy<Value = Reach> {
    let scopes = prop::sample::subsequence(Scope::ALL.to_vec(), 1..=4);
    let patterns = prop::sample::subsequence(vec!["ada/*", "acme/**", "*", "a*/x", "**"], 0..3);
    let claims = prop::collection::vec(access(), 0..3);
    (scopes, patterns, claims).prop_map(|(scopes, patterns, claims)| {
        let patterns = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        claims.into_iter().fold(Reach::new(Scopes::of(&scopes), patterns), Reach::narrowed_by_claims)
    })
}

fn caller(identity: Identity, reach: Reach) -> Caller {
    Caller::new(identity, reach, CredentialKind::Token(TokenId::new(7)), Origin::none())
}

/// Whether the identity, and nothing else, is let.
fn allowed(
    facts: &Facts,
    identity: &Identity,
    action: ActionKind,
    repository: &RepositoryName,
) -> Result<Rule, Reason> {
    judge(facts, &caller(identity.clone(), Reach::unlimited()), action, repository)
}

proptest! {
    #[test]
    fn narrowing_never_widens(
        (about_caller, about, identity) in (about_caller(), about_repository(), identity()),
        (reach, claims) in (reach(), access()),
        (action, repository) in (action(), repository()),
    ) {
        let facts = Facts::of(about_caller, about, 1);
        let free = allowed(&facts, &identity, action, &repository);
        let token = judge(&facts, &caller(identity.clone(), reach.clone()), action, &repository);
        let short = judge(&facts, &caller(identity, reach.narrowed_by_claims(claims)), action, &repository);
        prop_assert!(token.is_err() || token == free, "{token:?} {free:?}");
        prop_assert!(short.is_err() || short == token, "{short:?} {token:?}");
        prop_assert_eq!(free.is_err(), token == Err(Reason::Rights), "rights are the first to be asked");
    }

    #[test]
    fn a_list_names_nothing_that_pulling_would_not_find_but_by_a_claim_on_the_catalogue(
        (reach, repository) in (reach(), repository()),
    ) {
        let pulls = reach.narrows(ActionKind::Pull, &repository).is_none();
        prop_assert!(!pulls || reach.sees(&repository));
        prop_assert!(!reach.sees(&repository) || pulls || (reach.claims().is_some() && reach.lists_all()));
    }

    #[test]
    fn more_given_is_never_less_allowed(
        (about_caller, about, identity) in (about_caller(), about_repository(), identity()),
        (grant, role) in ((grantee(), grant_level()), (team(), grant_level())),
        (action, repository) in (action(), repository()),
    ) {
        let may = |about: &AboutRepository| {
            allowed(&Facts::of(about_caller, about.clone(), 1), &identity, action, &repository).is_ok()
        };
        let before = may(&about);
        let mut granted = about.clone();
        granted.grants.push(grant);
        let mut in_team = about.clone();
        in_team.team_roles.push(role);
        let mut raised = about.clone();
        raised.grants.iter_mut().for_each(|(_, level)| *level = Level::Admin);
        let owner = AboutRepository { membership: Some(Role::Owner), ..about.clone() };
        let public = AboutRepository { visibility: Visibility::Public, ..about };
        // A repository that only its organisation sees is seen by all of them when it is public, too.
        for more in [granted, in_team, raised, owner, public] {
            prop_assert!(!before || may(&more), "{more:?}");
        }
    }

    #[test]
    fn a_private_repository_that_nothing_gives_is_denied(
        (identity, action, repository) in (identity(), action(), repository()),
        (exists, namespace) in (any::<bool>(), account()),
    ) {
        let not_theirs = identity.user() != Some(&namespace);
        prop_assume!(not_theirs);
        for namespace in [Namespace::None, Namespace::User(namespace.clone()), Namespace::Organisation(namespace)] {
            for membership in [None, Some(Role::Member)] {
                let about = AboutRepository { exists, namespace: namespace.clone(), membership, ..AboutRepository::unknown() };
                let facts = Facts::of(AboutCaller { is_administrator: false, is_active: true }, about, 1);
                prop_assert_eq!(allowed(&facts, &identity, action, &repository), Err(Reason::Rights));
            }
        }
    }

    #[test]
    fn who_is_not_known_only_pulls_what_is_public(
        (about_caller, about) in (about_caller(), about_repository()),
        (action, repository) in (action(), repository()),
    ) {
        let is_public = about.exists && about.visibility == Visibility::Public && action == ActionKind::Pull;
        let found = allowed(&Facts::of(about_caller, about, 1), &Identity::Anonymous, action, &repository);
        prop_assert_eq!(found, if is_public { Ok(Rule::Public) } else { Err(Reason::Rights) });
    }

    #[test]
    fn owning_one_namespace_is_nothing_in_another(
        (about, user, repository) in (about_repository(), account(), repository()),
    ) {
        let facts = Facts::of(AboutCaller { is_administrator: false, is_active: true }, about.clone(), 1);
        let found = allowed(&facts, &Identity::User(user), ActionKind::Admin, &repository);
        if let Ok(Rule::NamespaceOwner | Rule::TeamRole(_)) = found {
            let (Namespace::User(owner) | Namespace::Organisation(owner)) = about.namespace else {
                return Err(TestCaseError::fail("nobody's namespace has no owner"));
            };
            prop_assert!(owner.owns(&repository));
        }
    }

    #[test]
    fn what_is_granted_to_one_user_is_nothing_to_another(
        (about, user, repository) in (about_repository(), account(), repository()),
    ) {
        let facts = Facts::of(AboutCaller { is_administrator: false, is_active: true }, about, 1);
        let found = allowed(&facts, &Identity::User(user.clone()), ActionKind::Pull, &repository);
        if let Ok(Rule::Grant(Grantee::User(named))) = found {
            prop_assert_eq!(named, user);
        }
    }

    #[test]
    fn an_explanation_says_what_was_decided(
        (about_caller, about, identity) in (about_caller(), about_repository(), identity()),
        (reach, action, repository) in (reach(), action(), repository()),
    ) {
        let (facts, caller) = (Facts::of(about_caller, about, 1), caller(identity, reach));
        let (decided, explained) = (judge(&facts, &caller, action, &repository), explain(&facts, &caller, action, &repository));
        prop_assert_eq!(decided.is_ok(), explained.allowed);
        prop_assert_eq!(decided.as_ref().err() == Some(&Reason::Rights), explained.rule.is_none());
        prop_assert!(explained.allowed || !explained.tried.is_empty(), "who is refused learns why");
        if let Ok(rule) = decided {
            prop_assert_eq!(Some(rule), explained.rule);
        }
    }

    #[test]
    fn a_level_is_what_is_allowed(
        (about_caller, about, identity) in (about_caller(), about_repository(), identity()),
        (action, repository) in (action(), repository()),
    ) {
        let facts = Facts::of(about_caller, about, 1);
        let found = level(&facts, &identity, &repository).is_some_and(|level| level.allows(action));
        prop_assert_eq!(found, allowed(&facts, &identity, action, &repository).is_ok());
    }

    #[test]
    fn a_refusal_tells_nothing_of_who_else_has_access_nor_of_the_credential(
        (about, reach, repository) in (about_repository(), reach(), repository()),
    ) {
        let stranger = Identity::User("eve".parse().unwrap());
        let facts = Facts::of(AboutCaller { is_administrator: false, is_active: true }, about, 1);
        let denied = decide(&facts, &caller(stranger, reach), Pull, &repository);
        prop_assume!(denied.is_err());
        let denied = denied.unwrap_err();
        let text = denied.to_string();
        let told = text.strip_prefix(&format!("eve may not pull {repository}")).unwrap();
        let known = match denied.reason {
            Reason::Rights => "",
            Reason::Token => " with this access token, whose scopes or repositories do not include it",
            Reason::Claims => " with this short token, which was made for something else",
        };
        prop_assert_eq!(told, known);
    }
}
