//! People, their tokens and the audit, over a real index.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::fixture::{World, artifact, by, name, repository};
use super::{Creation, Error, Lifetime, Mode, NewPublisher, NewToken, NewUser, Refusal, Registry};
use crate::auth::{
    ActionKind, Admin, Caller, CredentialKind, Identity, Origin, Pull, Push, Reach, Reason, Role, TagRuleKind, TokenId,
    Visibility,
};
use crate::index::Sqlite;
use crate::index::audit::{Filter, Outcome};
use crate::oci::Page;
use crate::storage::{Journal, MemoryStore};

#[tokio::test]
async fn the_last_owner_and_the_last_administrator_stay() {
    let world = World::new().await;
    let (registry, acme, olga) = (&world.registry, name("acme"), name("olga"));
    let last = |error: Error| matches!(error, Error::Refused(Refusal::LastOwner(found)) if found == name("acme"));
    assert!(last(registry.remove_member(&by("olga"), &acme, &olga).await.unwrap_err()));
    assert!(last(registry.set_member(&by("olga"), &acme, &olga, Role::Member).await.unwrap_err()));
    assert!(last(registry.remove_user(&by("root"), &olga).await.unwrap_err()));
    registry.set_member(&by("olga"), &acme, &name("max"), Role::Owner).await.unwrap();
    // Both at once: one of them must stay.
    let (max, first) = (by("max"), by("olga"));
    let (max_name, leaving) = (name("max"), name("olga"));
    let (left, right) =
        tokio::join!(registry.remove_member(&first, &acme, &leaving), registry.remove_member(&max, &acme, &max_name));
    assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
    let root = registry.remove_user(&by("root"), &name("root")).await.unwrap_err();
    assert!(matches!(root, Error::Refused(Refusal::LastAdministrator(_))));
    let demoted = registry.set_administrator(&by("root"), &name("root"), false).await.unwrap_err();
    assert!(matches!(demoted, Error::Refused(Refusal::LastAdministrator(_))));
}

#[tokio::test]
async fn a_removed_user_leaves_packages_with_an_owner_and_a_name_that_stays_taken() {
    let world = World::new().await;
    let registry = &world.registry;
    world.push(&by("ada"), "ada/agent", "one", &["latest"]).await.unwrap();
    let removed = registry.remove_user(&by("root"), &name("ada")).await.unwrap();
    assert_eq!((removed.repositories, removed.now_owned_by), (1, Some(name("root"))));
    for action in ActionKind::ALL {
        assert!(!world.may(&by("ada"), action, "ada/agent"));
        assert!(world.may(&by("root"), action, "ada/agent"));
    }
    assert_eq!(world.at("ada/agent", "latest").await, artifact("one").1);
    let new = |text: &str| NewUser { name: name(text), password: None, is_administrator: false };
    let taken = registry.create_user(&by("root"), new("ada")).await.unwrap_err();
    assert!(matches!(taken, Error::Refused(Refusal::NameTaken(_))));
    let removed = registry.remove_user(&by("root"), &name("max")).await.unwrap();
    assert_eq!((removed.repositories, removed.now_owned_by), (0, None));
    let taken = registry.create_user(&by("root"), new("max")).await.unwrap_err();
    assert!(matches!(taken, Error::Refused(Refusal::NameTaken(_))));
    registry.free_name(&by("root"), &name("max")).await.unwrap();
    registry.create_user(&by("root"), new("max")).await.unwrap();
    assert!(registry.members(&by("olga"), &name("acme"), None, 10).await.unwrap().items.len() == 1, "another max");
    let reserved = registry.create_user(&by("root"), new("admin")).await.unwrap_err();
    assert!(matches!(reserved, Error::Refused(Refusal::NameReserved(_))));
}

#[tokio::test]
async fn a_token_makes_none_that_reaches_further_and_others_are_unknown() {
    let world = World::new().await;
    let registry = &world.registry;
    let narrow = Reach::new("read,admin".parse().unwrap(), vec!["ada/*".parse().unwrap()]);
    let id = world.token("ada", 1, narrow.clone()).await;
    let caller = Caller::new(Identity::User(name("ada")), narrow.clone(), CredentialKind::Token(id), Origin::none());
    let new = |reach: Reach, lifetime, hash| NewToken {
        user: name("ada"),
        name: "x".to_owned(),
        reach,
        lifetime,
        hash: [hash; 32],
        is_given: false,
    };
    let wide = registry.create_token(&caller, new(Reach::unlimited(), Lifetime::Default, 2)).await.unwrap_err();
    assert!(matches!(wide, Error::AccountDenied(denied) if denied.reason == Reason::Token));
    let read = Reach::new("read".parse().unwrap(), vec!["ada/*".parse().unwrap()]);
    registry.create_token(&caller, new(read.clone(), Lifetime::Default, 3)).await.unwrap();
    let forever = registry.create_token(&by("ada"), new(read.clone(), Lifetime::Forever, 4)).await.unwrap_err();
    assert!(matches!(forever, Error::AccountDenied(_)));
    let far = Timestamp::now() + jiff::SignedDuration::from_hours(400 * 24);
    let far = registry.create_token(&by("ada"), new(read.clone(), Lifetime::Until(far), 4)).await.unwrap_err();
    assert!(matches!(far, Error::Refused(Refusal::TooLong(366))));
    let known = registry.create_token(&by("ada"), new(read, Lifetime::Default, 1)).await.unwrap_err();
    assert!(matches!(known, Error::Refused(Refusal::TokenKnown)));

    for unknown in [id, TokenId::new(999)] {
        let hidden = registry.revoke_token(&by("max"), unknown).await.unwrap_err();
        assert!(matches!(hidden, Error::Refused(Refusal::UnknownToken(_))), "{hidden:?}");
    }
    let rotated = registry.rotate_token(&caller, id, [9; 32], std::time::Duration::from_mins(1)).await.unwrap();
    assert_eq!((rotated.scopes, rotated.patterns.len()), (narrow.scopes(), 1));
    let listed = registry.tokens(&by("ada"), &name("ada"), None, 10).await.unwrap().items;
    let old = listed.iter().find(|token| token.id == id).unwrap();
    assert!(old.expires_at.unwrap() < rotated.expires_at.unwrap());
    assert!(listed.len() == 3);
}

#[tokio::test]
async fn whatever_changes_something_is_in_the_audit_with_its_change_or_not_at_all() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let digest = artifact("one").1;
    let pushes = world.audited(Filter { action: Some("push".to_owned()), ..Filter::default() }).await;
    let entry = ("olga".to_owned(), "push".to_owned(), format!("acme/agent@{digest}"), Outcome::Allowed);
    assert_eq!(pushes, [entry]);
    world.rule("acme/agent", "latest", TagRuleKind::Immutable).await;
    world.push(&by("olga"), "acme/agent", "two", &["latest"]).await.unwrap_err();
    let pushes = world.audited(Filter { action: Some("push".to_owned()), ..Filter::default() }).await;
    assert_eq!(pushes.len(), 1, "what was undone is not there");
    assert!(!world.may(&by("ada"), ActionKind::Pull, "acme/agent"));
    world.registry.remove_user(&by("ada"), &name("max")).await.unwrap_err();
    let denied = world.audited(Filter { actor: Some("ada".to_owned()), ..Filter::default() }).await;
    let expected = [
        ("ada".to_owned(), "user.remove".to_owned(), "max".to_owned(), Outcome::Denied),
        ("ada".to_owned(), "pull".to_owned(), "acme/agent".to_owned(), Outcome::Denied),
    ];
    assert_eq!(denied, expected);
    let reading = world.registry.audit(&by("olga"), &Filter::default(), 10).await.unwrap_err();
    assert!(matches!(reading, Error::AccountDenied(_)));
}

#[tokio::test]
async fn a_repository_is_made_as_visible_as_wanted_before_anything_is_in_it() {
    let world = World::new().await;
    let permit = world.registry.authorise(&by("olga"), Push, &repository("acme/new")).unwrap();
    let created = world.registry.create_repository(&permit, Visibility::Public).await.unwrap();
    assert_eq!(created, Creation::Created);
    assert!(world.may(&by(""), ActionKind::Pull, "acme/new"));
    let again = world.registry.create_repository(&permit, Visibility::Private).await.unwrap();
    assert_eq!(again, Creation::Existing(Visibility::Public));
    world.registry.set_default_visibility(&by("olga"), &name("acme"), Visibility::Org).await.unwrap();
    world.push(&by("olga"), "acme/later", "one", &[]).await.unwrap();
    assert!(world.may(&by("max"), ActionKind::Pull, "acme/later"));
    assert!(!world.may(&by("ada"), ActionKind::Pull, "acme/later"));
    assert!(!world.may(&by("max"), ActionKind::Push, "acme/another"));
    let later = repository("acme/later");
    let explained = world.registry.explain(&by("olga"), &name("max"), ActionKind::Pull, &later).await;
    assert_eq!(explained.unwrap().rule.unwrap().to_string(), "organisation-member");
    let nosy = world.registry.explain(&by("ada"), &name("max"), ActionKind::Pull, &later).await;
    assert!(matches!(nosy, Err(Error::AccountDenied(_))));
}

#[tokio::test]
async fn the_first_start_happens_once_and_gives_old_namespaces_an_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.sqlite");
    let open = Registry::new(Arc::new(MemoryStore::new(None)), Sqlite::open(&path).unwrap(), Mode::Open);
    let world = World { registry: open, directory };
    for text in ["old/agent", "default/agent", "single"] {
        world.push(&by(""), text, "one", &["latest"]).await.unwrap();
    }
    let refused = world.registry.users(&by("root"), None, 10).await.unwrap_err();
    assert!(matches!(refused, Error::NoAccounts));
    let World { registry, directory } = world;
    drop(registry);
    let registry = Registry::new(Arc::new(MemoryStore::new(None)), Sqlite::open(&path).unwrap(), Mode::Accounts);
    let first = registry.make_first_administrator(&name("admin"), [1; 32], None).await.unwrap();
    assert!(first.is_some());
    assert_eq!(registry.make_first_administrator(&name("other"), [2; 32], None).await.unwrap(), None);
    assert_eq!(registry.adopt_namespaces().await.unwrap(), 2);
    assert_eq!(registry.adopt_namespaces().await.unwrap(), 0);
    let world = World { registry, directory };
    assert!(!world.may(&by(""), ActionKind::Pull, "old/agent"));
    let owned = world.registry.organisations(&by("admin"), None, 10).await.unwrap().items;
    let owned: Vec<_> = owned.iter().map(|found| (found.account.name.as_str(), found.role)).collect();
    assert_eq!(owned, [("default", Some(Role::Owner)), ("old", Some(Role::Owner))]);
}

#[tokio::test]
async fn a_publisher_pushes_to_its_own_repository_even_to_make_it_and_is_taken_away_at_once() {
    let world = World::new().await;
    let registry = &world.registry;
    let permit = registry.authorise(&by("olga"), Admin, &repository("acme/pending")).unwrap();
    let new = NewPublisher {
        issuer: "https://ci.example".to_owned(),
        selector: "repository_id=7".to_owned(),
        rule: Bytes::from_static(b"{}"),
    };
    let added = registry.add_publisher(&permit, new).await.unwrap();
    let credential = CredentialKind::ShortToken { token: None };
    let ci = Caller::new(Identity::Publisher(added.id), Reach::unlimited(), credential, Origin::none());
    for other in ["acme/other", "ada/pending", "pending"] {
        assert!(!world.may(&ci, ActionKind::Push, other), "{other}");
    }
    assert!(!world.may(&ci, ActionKind::Delete, "acme/pending") && !world.may(&ci, ActionKind::Admin, "acme/pending"));
    world.push(&ci, "acme/pending", "one", &["latest"]).await.unwrap();
    let pull = registry.authorise(&by("olga"), Pull, &repository("acme/pending")).unwrap();
    assert_eq!(registry.visibility(&pull).await.unwrap(), Visibility::Private);
    let catalogue = registry.catalogue(&registry.sight(&ci).unwrap(), &Page::default()).await.unwrap();
    assert_eq!(catalogue.items, [repository("acme/pending")]);

    assert_eq!(registry.publishers(&permit, None, 10).await.unwrap().items, std::slice::from_ref(&added));
    let push = registry.authorise(&ci, Push, &repository("acme/pending")).unwrap();
    let elsewhere = registry.authorise(&by("ada"), Admin, &repository("ada/x")).unwrap();
    let foreign = registry.remove_publisher(&elsewhere, added.id).await.unwrap_err();
    assert!(matches!(foreign, Error::Refused(Refusal::UnknownPublisher(_))));
    registry.remove_publisher(&permit, added.id).await.unwrap();
    assert!(matches!(world.put(&push, "two", &["latest"]).await, Err(Error::Denied(_))));
    assert!(!world.may(&ci, ActionKind::Pull, "acme/pending"));
}

#[tokio::test]
async fn people_are_in_a_backup_and_what_is_rebuilt_without_them_is_private() {
    let world = World::new().await;
    let permit = world.registry.authorise(&by("olga"), Push, &repository("acme/agent")).unwrap();
    world.registry.create_repository(&permit, Visibility::Public).await.unwrap();
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let data = world.directory.path();
    let mut journal = Journal::open(&data.join("journal")).unwrap();
    while world.registry.extend_journal(&mut journal).unwrap() > 0 {}
    let (copies, path) = (tempfile::tempdir().unwrap(), |copies: &tempfile::TempDir, name| copies.path().join(name));
    let (copy, back) = (path(&copies, "copy"), path(&copies, "back"));
    world.registry.back_up(data, &copy).await.unwrap();
    std::fs::create_dir(&back).unwrap();
    super::restore(&copy, &back).await.unwrap();
    let open = |index: &std::path::Path| {
        let index = Sqlite::open(index).unwrap();
        Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Accounts)
    };
    let restored = World { registry: open(&back.join("index.sqlite")), directory: tempfile::tempdir().unwrap() };
    assert!(restored.may(&by("olga"), ActionKind::Admin, "acme/agent"));
    assert!(restored.may(&by(""), ActionKind::Pull, "acme/agent"));
    assert!(!restored.may(&by("ada"), ActionKind::Push, "acme/agent"));

    let rebuilt = World { registry: open(&path(&copies, "new.sqlite")), directory: tempfile::tempdir().unwrap() };
    rebuilt.registry.rebuild(&data.join("journal")).await.unwrap();
    for who in ["", "olga", "ada"] {
        assert!(!rebuilt.may(&by(who), ActionKind::Pull, "acme/agent"), "{who}");
    }
    rebuilt.registry.make_first_administrator(&name("root"), [0; 32], None).await.unwrap();
    assert_eq!(rebuilt.registry.adopt_namespaces().await.unwrap(), 1);
    assert_eq!(rebuilt.at("acme/agent", "latest").await, artifact("one").1);
    assert!(!rebuilt.may(&by(""), ActionKind::Pull, "acme/agent"));
}
