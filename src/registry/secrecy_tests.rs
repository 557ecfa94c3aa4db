//! What somebody may not see costs as much as what is not there: as many statements, the first time and later.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::fixture::{World, by, name, repository};
use super::{Error, Registry};
use crate::auth::{Action, ActionKind, Admin, Caller, Delete, Pull, Push};
use crate::index::statements;
use crate::oci::Digest;

/// Who can see nothing private of `acme`: nobody known, a stranger, and a member without a grant.
const OUTSIDERS: [&str; 3] = ["", "ada", "max"];

/// What a question is told, and how many statements that took.
fn cost<T>(ask: impl FnOnce() -> Result<T, Error>) -> (String, usize) {
    let before = statements();
    let told = ask().map_or_else(|error| error.to_string(), |_| "allowed".to_owned());
    (told, statements() - before)
}

/// The same for what is no more than reading although it waits: it is ready at once, on this thread.
async fn cost_of<T>(ask: impl Future<Output = Result<T, Error>>) -> (String, usize) {
    let before = statements();
    let told = ask.await.map_or_else(|error| error.to_string(), |_| "allowed".to_owned());
    (told, statements() - before)
}

fn authorise<A: Action>(registry: &Registry, who: &Caller, action: A, text: &str) -> (String, usize) {
    let (told, statements) = cost(|| registry.authorise(who, action, &repository(text)));
    (told.replace(text, "it"), statements)
}

#[tokio::test]
async fn a_hidden_repository_costs_what_a_missing_one_does() {
    let world = World::new().await;
    world.push(&by("olga"), "acme/private", "one", &["latest"]).await.unwrap();
    for who in OUTSIDERS.map(by) {
        for round in 0..3 {
            for action in ActionKind::ALL {
                let ask = |text: &str| match action {
                    ActionKind::Pull => authorise(&world.registry, &who, Pull, text),
                    ActionKind::Push => authorise(&world.registry, &who, Push, text),
                    ActionKind::Delete => authorise(&world.registry, &who, Delete, text),
                    ActionKind::Admin => authorise(&world.registry, &who, Admin, text),
                };
                let (hidden, missing) = (ask("acme/private"), ask("acme/missing"));
                assert_eq!(hidden, missing, "{} asks for {action} the {round}. time", who.identity());
                assert!(hidden.0 != "allowed" && hidden.1 > 0, "{hidden:?}");
            }
        }
    }
    let seen = authorise(&world.registry, &by("olga"), Pull, "acme/private");
    assert_eq!(seen.0, "allowed", "who may see it does");
}

#[tokio::test]
async fn a_hidden_account_costs_what_a_missing_one_does() {
    let world = World::new().await;
    let registry = &world.registry;
    for who in ["", "ada"].map(by) {
        for _ in 0..2 {
            let organisation = async |text: &str| {
                let (told, count) = cost_of(registry.organisation(&who, &name(text))).await;
                (told.replace(text, "it"), count)
            };
            assert_eq!(organisation("acme").await, organisation("nope").await);
            let members = async |text: &str| cost_of(registry.members(&who, &name(text), None, 10)).await.1;
            assert_eq!(members("acme").await, members("nope").await);
            let user = async |text: &str| {
                let (told, count) = cost_of(registry.user(&who, &name(text))).await;
                (told.replace(text, "it"), count)
            };
            assert_eq!(user("olga").await, user("none").await);
            let tokens = async |text: &str| cost_of(registry.tokens(&who, &name(text), None, 10)).await.1;
            assert_eq!(tokens("olga").await, tokens("none").await);
            assert!(user("olga").await.1 > 0);
        }
    }
    assert_eq!(cost_of(registry.organisation(&by("max"), &name("acme"))).await.0, "allowed");
}

#[tokio::test]
async fn a_blob_that_only_a_hidden_repository_has_is_nowhere() {
    let world = World::new().await;
    let hidden = world.store(&by("olga"), "acme/private", b"secret").await;
    let nowhere = Digest::sha256(b"nowhere");
    for who in ["ada", "max"] {
        let (caller, into) = (by(who), repository(&format!("{who}/copy")));
        let permit = world.registry.authorise(&caller, Push, &into).unwrap();
        let (first, second) = (
            cost_of(world.registry.mount_any(&permit, &caller, &hidden)).await,
            cost_of(world.registry.mount_any(&permit, &caller, &nowhere)).await,
        );
        assert_eq!(first, second);
        assert!(first.1 > 0);
        assert!(!world.registry.mount_any(&permit, &caller, &hidden).await.unwrap());
    }
}
