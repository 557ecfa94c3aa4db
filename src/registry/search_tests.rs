//! Searching through the registry: what is found, by whom, and when.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::fixture::{World, ada, artifact, by, name, repository};
use super::{Error, Mode, NewManifest, Registry, SearchRequest};
use crate::api::{Query, SearchPage, Sort};
use crate::auth::{
    AccountName, Admin, Caller, CredentialKind, Delete, Grantee, Identity, Level, Origin, Push, Reach, Visibility,
};
use crate::index::Sqlite;
use crate::oci::{Algorithm, Conditions, Digest, Manifest, Target, known};
use crate::package::{Artifact, BlobContent, Overrides, Source};
use crate::storage::MemoryStore;

/// Packs an agent.
pub(super) fn agent(name: &str, version: &str, files: &[(&str, &str)]) -> Artifact {
    let place = tempfile::tempdir().unwrap();
    let yaml = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {{name: {name}, version: {version}, \
         description: Describes {name}}}\nspec: {{runtime: python, model: {{provider: openai, name: gpt-4}}, \
         capabilities: [review]}}\n"
    );
    for (path, text) in files.iter().copied().chain([("agent.yaml", yaml.as_str())]) {
        std::fs::write(place.path().join(path), text).unwrap();
    }
    Source::open(place.path()).unwrap().draft(&Overrides::default()).unwrap().pack().unwrap()
}

impl World {
    pub(super) async fn push_agent(&self, who: &Caller, text: &str, tags: &[&str], artifact: &Artifact) -> Digest {
        for blob in artifact.blobs() {
            let content = match &blob.content {
                BlobContent::Bytes(bytes) => bytes.to_vec(),
                BlobContent::File(path) => std::fs::read(path).unwrap(),
            };
            self.store(who, text, &content).await;
        }
        self.push_manifest(who, text, tags, artifact.manifest()).await
    }

    async fn push_manifest(&self, who: &Caller, text: &str, tags: &[&str], manifest: &Manifest) -> Digest {
        let permit = self.registry.authorise(who, Push, &repository(text)).unwrap();
        let (target, tags) = (Target::Digest(manifest.digest()), tags.iter().map(|tag| tag.parse().unwrap()));
        let tags: Vec<_> = tags.collect();
        let conditions = Conditions::default();
        let bytes = manifest.bytes().clone();
        let new = NewManifest { bytes, media_type: None, target: &target, tags: &tags, conditions: &conditions };
        self.registry.put_manifest(&permit, new).await.unwrap().digest
    }

    pub(super) async fn delete(&self, text: &str, target: &str) {
        let permit = self.registry.authorise(&by("root"), Delete, &repository(text)).unwrap();
        let target = target.parse().map_or_else(|_| Target::Tag(target.parse().unwrap()), Target::Digest);
        self.registry.delete_manifest(&permit, &target).await.unwrap();
    }

    async fn show_to(&self, text: &str, visibility: Visibility) {
        let permit = self.registry.authorise(&by("root"), Admin, &repository(text)).unwrap();
        self.registry.set_visibility(&permit, visibility).await.unwrap();
    }

    async fn page(&self, who: &Caller, query: &str, fresh: bool) -> SearchPage {
        search(&self.registry, who, query, fresh).await.unwrap()
    }

    /// What somebody finds of all that is committed.
    pub(super) async fn finds(&self, who: &str, query: &str) -> Vec<String> {
        named(&self.page(&by(who), query, true).await)
    }

    /// What they find of what search knows already.
    pub(super) async fn finds_now(&self, who: &str) -> Vec<String> {
        named(&self.page(&by(who), "", false).await)
    }
}

async fn search(registry: &Registry, who: &Caller, query: &str, fresh: bool) -> Result<SearchPage, Error> {
    let query = Query::parse(query, Timestamp::now()).unwrap();
    let (sort, limit) = (Some(Sort::Name), 100);
    registry
        .search(&registry.sight(who).unwrap(), SearchRequest { query, sort, limit, fresh, ..Default::default() })
        .await
}

fn named(page: &SearchPage) -> Vec<String> {
    let hits = page.items.iter().map(|hit| {
        let summary = &hit.summary;
        summary
            .version
            .as_ref()
            .map_or_else(|| summary.repository.to_string(), |v| format!("{}:{v}", summary.repository))
    });
    let named: Vec<_> = hits.collect();
    assert!(named.len() as u64 == page.total, "{named:?} of {}", page.total);
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_one_hit_with_its_current_version() {
    let world = World::new().await;
    let root = by("root");
    for version in ["1.0.0", "1.2.0", "2.0.0-rc.1"] {
        world.push_agent(&root, "acme/writer", &[version], &agent("writer", version, &[])).await;
    }
    let readme = [("README.md", "---\ntitle: x\n---\nKnows zebras.")];
    world.push_agent(&root, "acme/reader", &["latest"], &agent("reader", "0.1.0", &readme)).await;
    assert_eq!(world.finds("root", "").await, ["acme/reader:0.1.0", "acme/writer:1.2.0"]);
    let page = world.page(&root, "name:writer", true).await;
    let hit = &page.items[0];
    assert_eq!(hit.summary.description, "Describes writer");
    assert_eq!(hit.registry_tags, ["1.2.0".parse().unwrap()]);
    assert!(hit.checked && hit.size > 0 && !hit.standing.signed && hit.state.is_plain());

    world.delete("acme/writer", "1.2.0").await;
    assert_eq!(world.finds("root", "name:writer").await, ["acme/writer:1.0.0"]);
    world.delete("acme/writer", "1.0.0").await;
    assert_eq!(world.finds("root", "name:writer").await, ["acme/writer:2.0.0-rc.1"]);
    world.delete("acme/writer", "2.0.0-rc.1").await;
    assert_eq!(world.finds("root", "").await, ["acme/reader:0.1.0"], "only tags make versions");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_package_is_found_by_its_name_and_signatures_are_not() {
    let world = World::new().await;
    let root = by("root");
    world.push(&root, "acme/things", "first", &["v1"]).await.unwrap();
    world.push(&root, "acme/things", "second", &["v2"]).await.unwrap();
    world.push(&root, "acme/untagged", "x", &[]).await.unwrap();
    let signed = world.push_agent(&root, "acme/signed", &["1.0.0"], &agent("signed", "1.0.0", &[])).await;
    let signature = |subject: Option<Digest>, kind: &str| {
        let mut document = serde_json::json!({
            "schemaVersion": 2, "mediaType": known::OCI_INDEX, "artifactType": kind, "manifests": [],
        });
        if let Some(subject) = subject {
            document["subject"] = serde_json::json!({ "mediaType": known::OCI_MANIFEST, "digest": subject, "size": 9 });
        }
        Manifest::parse(document.to_string().into(), None, Algorithm::Sha256).unwrap()
    };
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let alone = signature(None, bundle);
    world.push_manifest(&root, "acme/signatures", &["sha256-abc.sig", "other"], &alone).await;
    let about = signature(Some(signed), "application/vnd.example.sbom");
    world.push_manifest(&root, "acme/signed", &[], &about).await;
    world.push_manifest(&root, "acme/about", &["latest"], &about).await;

    let page = world.page(&root, "", true).await;
    assert_eq!(named(&page), ["acme/signed:1.0.0", "acme/things"]);
    let things = &page.items[1];
    assert_eq!((things.summary.kind.as_str(), things.checked), ("other", false));
    assert_eq!(things.summary.digest, artifact("second").1, "the newest of its tags");
    assert!(!page.items[0].standing.signed, "an inventory is no signature");

    world.push_manifest(&root, "acme/signed", &[], &signature(Some(signed), bundle)).await;
    assert!(world.page(&root, "name:signed", true).await.items[0].standing.signed);
    assert_eq!(world.finds("root", "signed:yes").await, ["acme/signed:1.0.0"]);
    let old = world.push_agent(&root, "acme/old", &["1.0.0"], &agent("old", "1.0.0", &[])).await;
    let tag = format!("sha256-{}.sig", old.hex());
    world.push_manifest(&root, "acme/old", &[&tag], &signature(None, "application/vnd.oci.image.config.v1+json")).await;
    assert_eq!(world.finds("root", "signed:yes").await, ["acme/old:1.0.0", "acme/signed:1.0.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_what_is_never_stale() {
    let world = World::new().await;
    let root = by("root");
    for text in ["acme/a", "acme/b", "ada/own"] {
        world.push(&root, text, text, &["latest"]).await.unwrap();
    }
    let (everything, nothing): (&[&str], [&str; 0]) = (&["acme/a", "acme/b", "ada/own"], []);
    assert_eq!(world.finds("root", "").await, everything);
    // From here on search is not fed: what it knows of who sees what follows the database all the same.
    assert_eq!(world.finds_now("").await, nothing);
    assert_eq!(world.finds_now("olga").await, ["acme/a", "acme/b"]);
    assert_eq!(world.finds_now("max").await, nothing);
    assert_eq!(world.finds_now("ada").await, ["ada/own"]);
    world.show_to("acme/a", Visibility::Org).await;
    assert_eq!(world.finds_now("max").await, ["acme/a"]);
    assert_eq!(world.finds_now("ada").await, ["ada/own"]);
    world.show_to("acme/a", Visibility::Public).await;
    for who in ["", "ada", "max"] {
        assert!(world.finds_now(who).await.contains(&"acme/a".to_owned()), "{who}");
    }
    world.show_to("acme/a", Visibility::Private).await;
    assert_eq!(world.finds_now("").await, nothing);
    world.grant("acme/b", ada(), Level::Read).await;
    assert_eq!(world.finds_now("ada").await, ["acme/b", "ada/own"]);
    world.revoke("acme/b", ada()).await;
    assert_eq!(world.finds_now("ada").await, ["ada/own"]);
    world.grant("acme/b", Grantee::Organisation(name("acme")), Level::Read).await;
    assert_eq!(world.finds_now("max").await, ["acme/b"]);
    world.registry.remove_member(&root, &name("acme"), &name("max")).await.unwrap();
    assert_eq!(world.finds_now("max").await, nothing);
    world.registry.remove_user(&root, &name("ada")).await.unwrap();
    assert_eq!(world.finds_now("ada").await, nothing, "the account is gone");
    assert_eq!(world.finds_now("root").await, everything);
    let before = world.page(&root, "", false).await.as_of;
    world.show_to("acme/a", Visibility::Public).await;
    assert_eq!(
        (world.finds_now("").await, world.page(&root, "", false).await.as_of),
        (vec!["acme/a".to_owned()], before)
    );
    assert_eq!(world.finds("", "").await, ["acme/a"], "nor does feeding it later change that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_ends_by_itself_and_a_narrow_credential_narrows() {
    let world = World::new().await;
    let root = by("root");
    for text in ["acme/a", "acme/b"] {
        world.push(&root, text, text, &["latest"]).await.unwrap();
        world.show_to(text, Visibility::Public).await;
    }
    let reach = Reach::new("read".parse().unwrap(), vec!["acme/b".parse().unwrap()]);
    for user in ["root", "olga", "ada"] {
        let user: AccountName = user.parse().unwrap();
        let narrow = Caller::new(Identity::User(user), reach.clone(), CredentialKind::Password, Origin::none());
        assert_eq!(named(&world.page(&narrow, "", true).await), ["acme/b"]);
    }
    world.show_to("acme/a", Visibility::Private).await;
    let permit = world.registry.authorise(&root, Admin, &repository("acme/a")).unwrap();
    let soon = Timestamp::now() + jiff::SignedDuration::from_millis(300);
    world.registry.grant(&permit, &ada(), Level::Read, Some(soon)).await.unwrap();
    assert_eq!(world.finds("ada", "").await, ["acme/a", "acme/b"]);
    while Timestamp::now() <= soon {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.finds_now("ada").await, ["acme/b"]);
    assert!(world.registry.searching.viewers.count() < 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_search_knows_what_was_pushed_and_another_may_not() {
    let world = World::new().await;
    let root = by("root");
    assert!(world.finds_now("root").await.is_empty());
    world.push(&root, "acme/a", "a", &["latest"]).await.unwrap();
    assert!(world.finds_now("root").await.is_empty(), "nobody has fed it");
    assert_eq!(world.finds("root", "").await, ["acme/a"]);
    assert!(!world.registry.feed_search().await.unwrap());
    world.push(&root, "acme/b", "b", &["latest"]).await.unwrap();
    world.push(&root, "acme/c", "c", &["latest"]).await.unwrap();
    assert_eq!(world.finds_now("root").await, ["acme/a"]);
    while world.registry.feed_search().await.unwrap() {}
    assert_eq!(world.finds_now("root").await, ["acme/a", "acme/b", "acme/c"]);
    let many = (0..20).map(|_| world.page(&root, "", true));
    for page in futures_util::future::join_all(many).await {
        assert_eq!(page.total, 3);
    }
}

/// A registry over the same files as another one that was closed.
fn reopened(directory: &Path) -> Registry {
    let index = Sqlite::open(&directory.join("index.sqlite")).unwrap();
    Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Accounts).searching_in(&directory.join("search"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_followed_is_left_for_a_new_one() {
    let World { registry, directory } = World::new().await;
    let world = World { registry: registry.searching_in(&directory.path().join("search")), directory };
    for text in ["acme/a", "acme/b"] {
        world.push(&by("root"), text, text, &["latest"]).await.unwrap();
    }
    assert_eq!(world.finds("root", "").await, ["acme/a", "acme/b"]);
    let World { registry, directory } = world;
    let position = registry.search_position();
    registry.settle_search().await;
    drop(registry);

    let registry = reopened(directory.path());
    let found = search(&registry, &by("root"), "", false).await.unwrap();
    assert_eq!((found.total, found.as_of), (2, position), "it need not be filled again");
    registry.settle_search().await;
    // Events that search has not seen, and nobody has any more.
    let forget = |session: &mut dyn crate::index::Session| {
        session.execute("UPDATE repository SET visibility = 3", &[])?;
        session
            .execute("INSERT INTO event (kind, repository, actor, at) VALUES ('tag.moved', 'acme/a', 'x', 0)", &[])?;
        let sql = "UPDATE event_floor SET value = (SELECT max(id) FROM event)";
        session.execute(sql, &[]).map(|_| ())
    };
    registry.index.write(forget).await.unwrap();
    drop(registry);
    let registry = reopened(directory.path());
    assert_eq!(search(&registry, &by(""), "", false).await.unwrap().total, 2);
    assert!(directory.path().join("search/2").exists() && !directory.path().join("search/1").exists());
    registry.settle_search().await;
    drop(registry);
    // Another database, which has fewer events.
    for file in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = std::fs::remove_file(directory.path().join(file));
    }
    let registry = reopened(directory.path());
    assert_eq!(search(&registry, &by(""), "", true).await.unwrap().total, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_nowhere_is_refused() {
    let world = World::new().await;
    let sight = world.registry.sight(&by("root")).unwrap();
    let request = SearchRequest { after: Some("\u{0}nonsense".to_owned()), limit: 1, ..SearchRequest::default() };
    assert!(matches!(world.registry.search(&sight, request).await, Err(Error::Cursor)));
}
