//! Credentials: remembered while they are good, and forgotten at once when something they hang on changes.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use jiff::Timestamp;

use super::{Error, Mode, NewUser, Purpose, Registry, Rejected, Shown};
use crate::auth::{
    AccessToken, AccountAction, AccountName, Caller, Origin, Password, TokenId, parse_scope, write_scope,
};
use crate::index::Sqlite;
use crate::storage::MemoryStore;

const SERVICE: &str = "registry.example.com";

struct Opened {
    registry: Registry,
    token: AccessToken,
    id: TokenId,
    _folder: tempfile::TempDir,
}

impl Opened {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Sqlite::open(&folder.path().join("index.sqlite")).unwrap();
        let registry = Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Accounts);
        registry.ensure_signing_key().await.unwrap();
        let token = AccessToken::generate().unwrap();
        let name = "admin".parse().unwrap();
        let id = registry.make_first_administrator(&name, token.hash(), None).await.unwrap().unwrap();
        Self { registry, token, id, _folder: folder }
    }

    fn authenticate(&self, shown: Shown<'_>) -> Result<Caller, Error> {
        self.registry.authenticate(shown, SERVICE, Purpose::Any, Origin::none())
    }

    fn recall(&self, shown: Shown<'_>) -> Option<Caller> {
        self.registry.recall(shown, SERVICE, Purpose::Any, Origin::none())
    }

    fn admin(&self) -> Caller {
        self.authenticate(Shown::Bearer(self.token.expose())).unwrap()
    }

    fn short(&self, caller: &Caller, scope: &str) -> String {
        self.registry.sign_in(caller, &parse_scope(scope), SERVICE).unwrap().token
    }
}

fn reason(result: Result<Caller, Error>) -> Rejected {
    match result {
        Err(Error::Unauthenticated(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_accepted_is_remembered_until_anything_changes() {
    let opened = Opened::new().await;
    let shown = Shown::Bearer(opened.token.expose());
    assert!(opened.recall(shown).is_none(), "nothing is remembered that was not looked at");
    let first = opened.authenticate(shown).unwrap();
    assert_eq!(opened.recall(shown).unwrap().serial(), first.serial(), "the same caller, so that permits are found");
    let other = Shown::Basic { user: Some("admin"), secret: opened.token.expose() };
    assert!(opened.recall(other).is_none(), "shown otherwise is another credential");
    opened.registry.rotate_signing_key(&first).await.unwrap();
    assert!(opened.recall(shown).is_none());
    assert_ne!(opened.authenticate(shown).unwrap().serial(), first.serial());
    opened.registry.revoke_token(&opened.admin(), opened.id).await.unwrap();
    assert!(opened.recall(shown).is_none());
    assert_eq!(reason(opened.authenticate(shown)), Rejected::Token);
}

#[tokio::test]
async fn a_short_token_ends_with_what_it_was_made_from() {
    let opened = Opened::new().await;
    let text = opened.short(&opened.admin(), "repository:a/b:pull");
    let shown = Shown::Bearer(&text);
    let caller = opened.authenticate(shown).unwrap();
    assert_eq!(write_scope(caller.reach().claims().unwrap()), "repository:a/b:pull");
    assert_eq!(opened.recall(shown).unwrap().serial(), caller.serial());
    assert!(opened.registry.recall(shown, "other.example.com", Purpose::Any, Origin::none()).is_none(), "another host");
    assert!(opened.registry.authenticate(shown, "other.example.com", Purpose::Any, Origin::none()).is_err());
    let again = opened.registry.sign_in(&caller, &[], SERVICE);
    assert!(matches!(again, Err(Error::Unauthenticated(Rejected::Kind))), "it buys no other");
    let refresh = opened.registry.make_refresh_token(&opened.admin()).await.unwrap();
    let refreshed = opened.registry.refresh(refresh.expose(), Origin::none()).unwrap();
    let from_refresh = opened.short(&refreshed, "");
    assert!(opened.authenticate(Shown::Bearer(&from_refresh)).is_ok());
    opened.registry.revoke_token(&opened.admin(), opened.id).await.unwrap();
    for text in [&text, &from_refresh] {
        assert!(opened.recall(Shown::Bearer(text)).is_none());
        assert_eq!(reason(opened.authenticate(Shown::Bearer(text))), Rejected::Origin);
    }
    assert_eq!(reason(opened.registry.refresh(refresh.expose(), Origin::none())), Rejected::Token);
}

#[tokio::test]
async fn passwords_are_checked_and_what_they_gave_ends_with_them() {
    let opened = Opened::new().await;
    let name: AccountName = "ada".parse().unwrap();
    let (action, password) = (AccountAction::SetPassword(&name), Password::parse("correct horse").unwrap());
    let strangers = opened.registry.hash_password(&Caller::anonymous(Origin::none()), action, password.clone()).await;
    assert!(matches!(strangers, Err(Error::AccountDenied(_))), "nobody is worked for unasked");
    let hash = opened.registry.hash_password(&opened.admin(), action, password).await.unwrap();
    let new = NewUser { name: name.clone(), password: Some(hash), is_administrator: false };
    opened.registry.create_user(&opened.admin(), new).await.unwrap();
    let check = async |user: &str, password: &str| opened.registry.check_password(user, password, Origin::none()).await;
    for (user, password) in [
        ("ada", "wrong horse"),
        ("ada", ""),
        ("admin", "correct horse"),
        ("nobody", "correct horse"),
        ("(system)", "correct horse"),
    ] {
        assert_eq!(reason(check(user, password).await), Rejected::Password, "{user} {password}");
    }
    let ada = check("ada", "correct horse").await.unwrap();
    let short = opened
        .short(&ada, "repository:ada/x:pull,push,delete repository:b/x:pull,push repository:x:* registry:catalog:*");
    let caller = opened.authenticate(Shown::Bearer(&short)).unwrap();
    let granted = write_scope(caller.reach().claims().unwrap());
    assert_eq!(granted, "repository:ada/x:pull,push,delete registry:catalog:*", "asked for and allowed");
    // A short token knows whole seconds only, and is believed for the rest of its own.
    let next = Timestamp::now().as_second();
    while Timestamp::now().as_second() == next {
        tokio::task::yield_now().await;
    }
    opened.registry.set_password(&opened.admin(), &name, None).await.unwrap();
    assert_eq!(reason(opened.authenticate(Shown::Bearer(&short))), Rejected::Origin);
    assert_eq!(reason(check("ada", "correct horse").await), Rejected::Password);
}

#[tokio::test]
async fn nobody_gets_a_token_for_nothing() {
    let opened = Opened::new().await;
    let anonymous = Caller::anonymous(Origin::none());
    let short = opened.short(&anonymous, "repository:a/b:pull registry:catalog:*");
    let caller = opened.authenticate(Shown::Bearer(&short)).unwrap();
    assert!(caller.identity().is_anonymous() && caller.reach().claims().unwrap().is_empty());
    assert!(opened.registry.make_refresh_token(&anonymous).await.is_err());
}

#[tokio::test]
async fn the_use_of_tokens_is_written_later() {
    let opened = Opened::new().await;
    let admin = opened.admin();
    for _ in 0..10 {
        opened.recall(Shown::Bearer(opened.token.expose())).unwrap();
    }
    let name: AccountName = "admin".parse().unwrap();
    let used = async || opened.registry.tokens(&admin, &name, None, 10).await.unwrap().items[0].last_used_at;
    assert_eq!(used().await, None);
    assert_eq!(opened.registry.write_last_used().await.unwrap(), 1);
    assert!(used().await.is_some());
    assert_eq!(opened.registry.write_last_used().await.unwrap(), 0, "once a minute");
    assert!(opened.recall(Shown::Bearer(opened.token.expose())).is_some(), "that forgets nobody");
}
