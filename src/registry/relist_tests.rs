//! The catalogue built again: nothing changes where it is right, and what was damaged comes back.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use jiff::Timestamp;

use super::fixture::{World, by, repository};
use super::search_tests::agent;
use super::{Error, Relisted};
use crate::api::NewNotice;
use crate::auth::{Admin, Push, Visibility};
use crate::index::Session;
use crate::package::Version;

const PACKAGES: &str = "SELECT manifest_id, summary, size, checked, license FROM package ORDER BY manifest_id";
const VERSIONS: &str = "SELECT repository_id, sort_key, version, rank, manifest_id, created_at, updated_at FROM version \
                        ORDER BY repository_id, sort_key";

/// Packages in every state, beside what is none.
async fn shelf() -> World {
    let world = World::new().await;
    let root = by("root");
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1", "1.1.0+b.7"] {
        let tag = version.replace('+', "_");
        world.push_agent(&root, "acme/writer", &[&tag, "latest"], &agent("writer", version, &[])).await;
    }
    // Moved on, so that its first push and its last are two times.
    world.push_agent(&root, "acme/writer", &["1.0.0"], &agent("writer", "1.0.0", &[("a.txt", "a")])).await;
    let notice = NewNotice { message: "broken".to_owned(), superseded_by: None };
    let version: Version = "1.1.0".parse().unwrap();
    let permit = world.registry.authorise(&root, Push, &repository("acme/writer")).unwrap();
    world.registry.yank(&permit, &version, notice).await.unwrap();
    for (tag, text) in [("dev", "one"), ("nightly", "two"), ("dev", "three")] {
        let artifact = agent("bare", "0.1.0", &[("note.txt", text)]);
        world.push_agent(&root, "acme/bare", &[tag], &artifact).await;
    }
    world.push_agent(&root, "acme/gone", &["1.0.0", "x"], &agent("gone", "1.0.0", &[])).await;
    world.delete("acme/gone", "1.0.0").await;
    world.push(&root, "acme/thing", "thing", &["1.0.0", "latest"]).await.unwrap();
    world.push_agent(&root, "ada/own", &["1.0.0"], &agent("own", "1.0.0", &[("README.md", "Reads.")])).await;
    let permit = world.registry.authorise(&root, Admin, &repository("acme/writer")).unwrap();
    world.registry.set_visibility(&permit, Visibility::Public).await.unwrap();
    world
}

impl World {
    /// Every row about packages and versions, and what people find.
    async fn everything(&self) -> (String, Vec<Vec<String>>) {
        let rows = self.registry.index.read(|session| {
            let rows = [session.query(PACKAGES, &[])?, session.query(VERSIONS, &[])?];
            Ok::<_, Error>(format!("{:#?}", rows.concat()))
        });
        let mut found = vec![];
        for who in ["", "root", "olga", "max", "ada"] {
            found.push(self.finds(who, "").await);
        }
        (rows.unwrap(), found)
    }

    async fn damage(&self, statements: &'static [&'static str]) {
        let write = self.registry.index.write(move |session: &mut dyn Session| {
            statements.iter().try_for_each(|sql| session.execute(sql, &[]).map(|_| ()))
        });
        write.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_stays_as_it_is() {
    let world = shelf().await;
    let before = world.everything().await;
    assert_eq!(before.1[0], ["acme/writer:1.1.0+b.7"]);
    assert_eq!(before.1[2].len(), 4, "{before:?}");
    let relisted = world.registry.relist().await.unwrap();
    let expected = Relisted { packages: relisted.packages, documents: 5, ..Relisted::default() };
    assert_eq!(relisted, expected);
    assert!(relisted.packages > 8);
    assert_eq!(world.everything().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_comes_back() {
    let world = shelf().await;
    let before = world.everything().await;
    for statements in [
        &["UPDATE version SET rank = 0, version = NULL, updated_at = 7, created_at = 9"][..],
        &["UPDATE version SET manifest_id = (SELECT min(manifest_id) FROM package)"],
        &["DELETE FROM version"],
        &["DELETE FROM version WHERE sort_key = x''", "UPDATE package SET size = 1, license = 'none', checked = 0"],
        &["DELETE FROM version", "DELETE FROM package"],
        &["UPDATE package SET summary = x'00'"],
        &[
            "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, updated_at) \
             SELECT id, '9.9.9', x'99', 0, (SELECT min(manifest_id) FROM package), 1, 1 FROM repository",
            "INSERT OR IGNORE INTO package SELECT id, x'7b7d', 1, 1, NULL FROM manifest",
        ],
    ] {
        world.damage(statements).await;
        let relisted = world.registry.relist().await.unwrap();
        assert!(relisted.corrected_packages + relisted.corrected_versions > 0, "{statements:?}");
        assert_eq!(relisted.problems, Vec::<String>::new(), "{statements:?}");
        assert_eq!(world.everything().await, before, "{statements:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_whose_parts_are_lost_keeps_its_row_and_is_named() {
    let world = shelf().await;
    let before = world.everything().await;
    world
        .damage(&["DELETE FROM repository_blob WHERE repository_id = \
                    (SELECT id FROM repository WHERE name = 'acme/bare')"])
        .await;
    let relisted = world.registry.relist().await.unwrap();
    assert_eq!(relisted.problems.len(), 3, "{relisted:?}");
    assert!(relisted.problems.iter().all(|problem| problem.starts_with("acme/bare@sha256:")), "{relisted:?}");
    assert_eq!(world.everything().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn searching_and_pushing_go_on_meanwhile() {
    let world = std::sync::Arc::new(shelf().await);
    let (relisting, begun) = (std::sync::Arc::clone(&world), Timestamp::now());
    let relisting = tokio::spawn(async move { relisting.registry.relist().await.unwrap() });
    let mut pushed = 0;
    while !relisting.is_finished() || pushed == 0 {
        let text = format!("acme/more-{pushed}");
        world.push_agent(&by("root"), &text, &["1.0.0"], &agent(&format!("more-{pushed}"), "1.0.0", &[])).await;
        pushed += 1;
        assert_eq!(world.finds("root", "").await.len(), 5 + pushed, "since {begun}");
        assert_eq!(world.finds_now("").await, ["acme/writer:1.1.0+b.7"]);
    }
    relisting.await.unwrap();
    assert_eq!(world.finds_now("root").await.len(), 5 + pushed, "the new one is not behind the old");
}
