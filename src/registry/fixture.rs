//! A registry with people in it, and short ways to let them act.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use bytes::Bytes;

use super::{Error, Lifetime, Mode, NewManifest, NewToken, NewUser, Pushed, Registry};
use crate::auth::{
    AccountName, ActionKind, Admin, Caller, CredentialKind, Delete, Grantee, Identity, Level, Origin, Pull, Push,
    Reach, Role, TagRule, TagRuleKind, TokenId,
};
use crate::index::Sqlite;
use crate::index::audit::{Filter, Outcome};
use crate::oci::{Algorithm, Conditions, Digest, Page, RepositoryName, Tag, Target, known};
use crate::storage::MemoryStore;

/// A registry whose administrator is `root`; `acme` has the owner `olga` and the member `max`; `ada` is a stranger.
pub(super) struct World {
    pub(super) registry: Registry,
    pub(super) directory: tempfile::TempDir,
}

pub(super) fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

pub(super) fn repository(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

pub(super) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// Somebody who signed in by password; nobody's name is empty.
pub(super) fn by(text: &str) -> Caller {
    text.parse().map_or_else(
        |_| Caller::anonymous(Origin::none()),
        |name| Caller::new(Identity::User(name), Reach::unlimited(), CredentialKind::Password, Origin::none()),
    )
}

impl World {
    pub(super) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
        let registry = Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Accounts);
        registry.make_first_administrator(&name("root"), [0; 32], None).await.unwrap().unwrap();
        let world = Self { registry, directory };
        for user in ["olga", "max", "ada"] {
            let new = NewUser { name: name(user), password: None, is_administrator: false };
            world.registry.create_user(&by("root"), new).await.unwrap();
        }
        world.registry.create_organisation(&by("olga"), &name("acme"), None).await.unwrap();
        world.registry.set_member(&by("olga"), &name("acme"), &name("max"), Role::Member).await.unwrap();
        world
    }

    pub(super) fn may(&self, who: &Caller, action: ActionKind, text: &str) -> bool {
        let name = repository(text);
        let decided = match action {
            ActionKind::Pull => self.registry.authorise(who, Pull, &name).map(drop),
            ActionKind::Push => self.registry.authorise(who, Push, &name).map(drop),
            ActionKind::Delete => self.registry.authorise(who, Delete, &name).map(drop),
            ActionKind::Admin => self.registry.authorise(who, Admin, &name).map(drop),
        };
        match decided {
            Ok(()) => true,
            Err(Error::Denied(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn store(&self, who: &Caller, text: &str, content: &[u8]) -> Digest {
        let permit = self.registry.authorise(who, Push, &repository(text)).unwrap();
        let mut upload = self.registry.receive_blob(&permit, Algorithm::Sha256).await.unwrap();
        upload.write(Bytes::copy_from_slice(content)).await.unwrap();
        let digest = Digest::sha256(content);
        upload.finish(&digest).await.unwrap();
        digest
    }

    pub(super) async fn push(&self, who: &Caller, text: &str, note: &str, tags: &[&str]) -> Result<Pushed, Error> {
        let permit = self.registry.authorise(who, Push, &repository(text))?;
        self.put(&permit, note, tags).await
    }

    pub(super) async fn put(
        &self,
        permit: &crate::auth::Permit<Push>,
        note: &str,
        tags: &[&str],
    ) -> Result<Pushed, Error> {
        let (bytes, digest) = artifact(note);
        let tags: Vec<Tag> = tags.iter().map(|text| tag(text)).collect();
        let (target, conditions) = (Target::Digest(digest), Conditions::default());
        let new = NewManifest { bytes, media_type: None, target: &target, tags: &tags, conditions: &conditions };
        self.registry.put_manifest(permit, new).await
    }

    pub(super) async fn at(&self, text: &str, at: &str) -> Digest {
        let permit = self.registry.authorise(&by("root"), Pull, &repository(text)).unwrap();
        self.registry.manifest(&permit, &Target::Tag(tag(at))).await.unwrap().digest
    }

    pub(super) async fn grant(&self, text: &str, grantee: Grantee, level: Level) {
        let permit = self.registry.authorise(&by("root"), Admin, &repository(text)).unwrap();
        self.registry.grant(&permit, &grantee, level, None).await.unwrap();
    }

    pub(super) async fn revoke(&self, text: &str, grantee: Grantee) {
        let permit = self.registry.authorise(&by("root"), Admin, &repository(text)).unwrap();
        self.registry.revoke_grant(&permit, &grantee).await.unwrap();
    }

    pub(super) async fn rule(&self, text: &str, pattern: &str, kind: TagRuleKind) {
        let permit = self.registry.authorise(&by("root"), Admin, &repository(text)).unwrap();
        let rules = [TagRule::new(pattern.parse().unwrap(), kind).unwrap()];
        self.registry.set_tag_rules(&permit, &rules).await.unwrap();
        assert_eq!(self.registry.tag_rules(&permit_to_pull(self, text)).await.unwrap(), rules);
    }

    pub(super) async fn token(&self, user: &str, hash: u8, reach: Reach) -> TokenId {
        let new = NewToken {
            user: name(user),
            name: "test".to_owned(),
            reach,
            lifetime: Lifetime::Default,
            hash: [hash; 32],
            is_given: false,
        };
        self.registry.create_token(&by(user), new).await.unwrap().id
    }

    pub(super) async fn at_is_missing(&self, text: &str) -> bool {
        let permit = permit_to_pull(self, text);
        matches!(self.registry.tags(&permit, &Page::default()).await, Err(Error::RepositoryUnknown(_)))
    }

    pub(super) async fn audited(&self, filter: Filter) -> Vec<(String, String, String, Outcome)> {
        let listed = self.registry.audit(&by("root"), &filter, 100).await.unwrap();
        listed.items.into_iter().map(|(_, entry)| (entry.actor, entry.action, entry.object, entry.outcome)).collect()
    }
}

pub(super) fn permit_to_pull(world: &World, text: &str) -> crate::auth::Permit<Pull> {
    world.registry.authorise(&by("root"), Pull, &repository(text)).unwrap()
}

/// A manifest without blobs of its own.
pub(super) fn artifact(note: &str) -> (Bytes, Digest) {
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": known::OCI_INDEX, "artifactType": "application/vnd.example.thing",
        "manifests": [], "annotations": { "note": note },
    });
    let bytes = Bytes::from(serde_json::to_vec(&document).unwrap());
    let digest = Digest::sha256(&bytes);
    (bytes, digest)
}

pub(super) fn ada() -> Grantee {
    Grantee::User(name("ada"))
}
