//! Permits over a real index with people in it: what is revoked is revoked at once, and nothing is known of what is hidden.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use bytes::Bytes;
use jiff::Timestamp;

use super::fixture::{World, ada, artifact, by, name, permit_to_pull, repository, tag};
use super::{Content, Error, Refusal};
use crate::auth::{
    ActionKind, Admin, Caller, CredentialKind, Delete, Grantee, Identity, Level, Movers, Origin, Pull, Push, Reach,
    Reason, TagRuleKind, Visibility,
};
use crate::oci::{Algorithm, Digest, Page, Target};

#[tokio::test]
async fn what_was_revoked_is_refused_from_the_answer_on_whatever_was_remembered() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let (ada_, pull) = (by("ada"), ActionKind::Pull);
    for _ in 0..3 {
        assert!(!world.may(&ada_, pull, "acme/agent"));
        world.grant("acme/agent", ada(), Level::Read).await;
        for _ in 0..3 {
            assert!(world.may(&ada_, pull, "acme/agent"), "remembered or not");
            assert!(!world.may(&ada_, ActionKind::Push, "acme/agent"));
        }
        world.revoke("acme/agent", ada()).await;
    }
    assert!(!world.may(&by("max"), pull, "acme/agent"));
    let admin = world.registry.authorise(&by("olga"), Admin, &repository("acme/agent")).unwrap();
    world.registry.set_visibility(&admin, Visibility::Org).await.unwrap();
    assert!(world.may(&by("max"), pull, "acme/agent") && !world.may(&ada_, pull, "acme/agent"));
    world.registry.set_visibility(&admin, Visibility::Public).await.unwrap();
    assert!(world.may(&by(""), pull, "acme/agent") && world.may(&ada_, pull, "acme/agent"));
    world.registry.set_visibility(&admin, Visibility::Private).await.unwrap();
    assert!(!world.may(&by(""), pull, "acme/agent") && !world.may(&by("max"), pull, "acme/agent"));
}

#[tokio::test]
async fn a_grant_that_ends_is_not_remembered_longer() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let permit = world.registry.authorise(&by("root"), Admin, &repository("acme/agent")).unwrap();
    let past = Timestamp::now();
    let refused = world.registry.grant(&permit, &ada(), Level::Read, Some(past)).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::InThePast)));
    let soon = Timestamp::now() + jiff::SignedDuration::from_millis(40);
    world.registry.grant(&permit, &ada(), Level::Read, Some(soon)).await.unwrap();
    while Timestamp::now() < soon {
        // It ends while this asks again and again: what is remembered of it must end, too.
        let _ = world.may(&by("ada"), ActionKind::Pull, "acme/agent");
        tokio::task::yield_now().await;
    }
    assert!(!world.may(&by("ada"), ActionKind::Pull, "acme/agent"));
}

#[tokio::test]
async fn a_permit_from_before_a_revocation_changes_nothing_after_it() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let blob = world.store(&by("olga"), "acme/agent", b"bytes").await;
    world.grant("acme/agent", ada(), Level::Admin).await;
    let (ada_, name) = (by("ada"), repository("acme/agent"));
    let push = world.registry.authorise(&ada_, Push, &name).unwrap();
    let delete = world.registry.authorise(&ada_, Delete, &name).unwrap();
    let admin = world.registry.authorise(&ada_, Admin, &name).unwrap();
    let pull = world.registry.authorise(&ada_, Pull, &name).unwrap();
    let own = world.registry.authorise(&ada_, Push, &repository("ada/copy")).unwrap();
    let mut upload = world.registry.receive_blob(&push, Algorithm::Sha256).await.unwrap();
    upload.write(Bytes::from_static(b"late")).await.unwrap();
    let waiting = world.registry.receive_blob(&push, Algorithm::Sha256).await.unwrap();

    // Something else moves the generation first: that alone refuses nothing.
    world.registry.create_organisation(&ada_, &"other".parse().unwrap(), None).await.unwrap();
    world.put(&push, "two", &["next"]).await.unwrap();

    world.revoke("acme/agent", ada()).await;
    let late = Digest::sha256(b"late");
    let denied = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Denied(_))), "{result:?}");
    denied(world.put(&push, "three", &["latest"]).await.map(drop));
    denied(upload.finish(&late).await);
    let mut waiting = waiting;
    waiting.write(Bytes::from_static(b"half")).await.unwrap();
    denied(waiting.pause().await.map(drop));
    denied(world.registry.delete_manifest(&delete, &Target::Tag(tag("latest"))).await);
    denied(world.registry.delete_blob(&delete, &blob).await);
    denied(world.registry.mount(&own, &pull, &blob).await.map(drop));
    denied(world.registry.set_visibility(&admin, Visibility::Public).await);
    denied(world.registry.grant(&admin, &ada(), Level::Admin, None).await);
    denied(world.registry.set_tag_rules(&admin, &[]).await);
    denied(world.registry.create_repository(&push, Visibility::Public).await.map(drop));

    assert_eq!(world.at("acme/agent", "latest").await, artifact("one").1);
    let pull = permit_to_pull(&world, "acme/agent");
    assert!(matches!(world.registry.blob_size(&pull, &late).await, Err(Error::BlobUnknown { .. })));
    assert_eq!(world.registry.visibility(&pull).await.unwrap(), Visibility::Private);
    assert!(!world.may(&by("root"), ActionKind::Pull, "ada/copy") || world.at_is_missing("ada/copy").await);
}

#[tokio::test]
async fn a_revoked_token_ends_what_was_begun_with_it() {
    let world = World::new().await;
    let reach = Reach::new("write".parse().unwrap(), vec![]);
    let token = world.token("ada", 7, reach.clone()).await;
    for credential in [CredentialKind::Token(token), CredentialKind::ShortToken { token: Some(token) }] {
        let caller = Caller::new(Identity::User(name("ada")), reach.clone(), credential, Origin::none());
        assert!(world.may(&caller, ActionKind::Push, "ada/agent"));
    }
    let with_token = CredentialKind::ShortToken { token: Some(token) };
    let caller = Caller::new(Identity::User(name("ada")), reach, with_token, Origin::none());
    let permit = world.registry.authorise(&caller, Push, &repository("ada/agent")).unwrap();
    world.put(&permit, "one", &["latest"]).await.unwrap();
    world.registry.revoke_token(&by("ada"), token).await.unwrap();
    let refused = world.put(&permit, "two", &["latest"]).await.unwrap_err();
    assert!(matches!(refused, Error::Denied(denied) if denied.reason == Reason::Token));
    assert_eq!(world.at("ada/agent", "latest").await, artifact("one").1);
    let again = world.registry.revoke_token(&by("ada"), token).await.unwrap_err();
    assert!(matches!(again, Error::Refused(Refusal::UnknownToken(id)) if id == token));
}

#[tokio::test]
async fn of_two_pushes_to_an_immutable_tag_exactly_one_wins() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "base", &["latest"]).await.unwrap();
    world.rule("acme/agent", "v*", TagRuleKind::Immutable).await;
    for round in 0..20 {
        let version = format!("v1.0.{round}");
        let notes = [format!("left {round}"), format!("right {round}")];
        let tags = [version.as_str()];
        let olga = by("olga");
        let pushes = notes.each_ref().map(|note| world.push(&olga, "acme/agent", note, &tags));
        let [left, right] = pushes;
        let (left, right) = tokio::join!(left, right);
        let winner = match (&left, &right) {
            (Ok(winner), Err(Error::TagRefused(_))) | (Err(Error::TagRefused(_)), Ok(winner)) => winner.digest,
            _ => panic!("{left:?} {right:?}"),
        };
        assert_eq!(world.at("acme/agent", &version).await, winner);
    }
    let permit = world.registry.authorise(&by("root"), Delete, &repository("acme/agent")).unwrap();
    let taken = world.registry.delete_manifest(&permit, &Target::Tag(tag("v1.0.0"))).await;
    assert!(matches!(taken, Err(Error::TagRefused(_))), "{taken:?}");
    let digest = world.at("acme/agent", "v1.0.0").await;
    let taken = world.registry.delete_manifest(&permit, &Target::Digest(digest)).await;
    assert!(matches!(taken, Err(Error::TagRefused(_))), "nor with its manifest: {taken:?}");
    assert_eq!(world.at("acme/agent", "v1.0.0").await, digest);
    world.registry.delete_manifest(&permit, &Target::Tag(tag("latest"))).await.unwrap();
}

#[tokio::test]
async fn a_restricted_tag_moves_for_those_it_names_only() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "base", &["latest"]).await.unwrap();
    world.grant("acme/agent", ada(), Level::Write).await;
    world.grant("acme/agent", Grantee::User(name("max")), Level::Write).await;
    world.rule("acme/agent", "latest", TagRuleKind::Restricted(Movers::Level(Level::Admin))).await;
    assert!(matches!(world.push(&by("ada"), "acme/agent", "a", &["latest"]).await, Err(Error::TagRefused(_))));
    world.push(&by("ada"), "acme/agent", "a", &["edge"]).await.unwrap();
    world.push(&by("ada"), "acme/agent", "base", &["latest"]).await.unwrap();
    world.push(&by("olga"), "acme/agent", "b", &["latest"]).await.unwrap();
    let members = Movers::Grantees(vec![Grantee::Organisation(name("acme"))]);
    world.rule("acme/agent", "latest", TagRuleKind::Restricted(members)).await;
    assert!(matches!(world.push(&by("ada"), "acme/agent", "c", &["latest"]).await, Err(Error::TagRefused(_))));
    world.push(&by("max"), "acme/agent", "c", &["latest"]).await.unwrap();
    world.registry.remove_member(&by("max"), &name("acme"), &name("max")).await.unwrap();
    assert!(matches!(world.push(&by("max"), "acme/agent", "d", &["latest"]).await, Err(Error::TagRefused(_))));
}

#[tokio::test]
async fn missing_and_hidden_are_denied_alike_and_lists_are_silent() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/agent", "one", &["latest"]).await.unwrap();
    let blob = world.store(&by("olga"), "acme/agent", b"secret").await;
    assert!(world.may(&by("olga"), ActionKind::Pull, "acme/agent"));
    let remembered = world.registry.remembered.count();
    assert!(remembered > 0);
    for who in ["", "ada", "max"] {
        let told = |text: &str| {
            let denied = world.registry.authorise(&by(who), Pull, &repository(text)).unwrap_err();
            denied.to_string().replace(text, "NAME")
        };
        assert_eq!(told("acme/agent"), told("acme/missing"));
        assert_eq!(told("acme/agent"), told("nobody/missing"));
        // Remembered, what is hidden would take fewer queries than what is missing.
        assert_eq!(world.registry.remembered.count(), remembered);
        let sight = world.registry.sight(&by(who)).unwrap();
        assert!(world.registry.catalogue(&sight, &Page::default()).await.unwrap().items.is_empty());
        if !who.is_empty() {
            let into = world.registry.authorise(&by("ada"), Push, &repository("ada/x")).unwrap();
            assert!(!world.registry.mount_any(&into, &by(who), &blob).await.unwrap());
        }
    }
    let into = world.registry.authorise(&by("olga"), Push, &repository("acme/x")).unwrap();
    assert!(world.registry.mount_any(&into, &by("olga"), &blob).await.unwrap());
    let permit = world.registry.authorise(&by("olga"), Pull, &repository("acme/x")).unwrap();
    let content = world.registry.open_blob(&permit, &blob).await.unwrap().content;
    assert!(matches!(content, Content::Inline(bytes) if bytes == "secret"));
}
