//! Packages and their versions as tags come, move and go.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::fixture::{Fixture, caller, manifest, name, tag, time};
use super::manifests;
use super::packages::{self, NewPackage};
use super::tags::{self, Change};
use super::versions::{self, Listed};
use crate::auth::Sight;
use crate::oci::{Digest, Manifest, RepositoryName};
use crate::package::Summary;

const KIND: &str = "application/vnd.agentpkg.agent.v1";

fn package(repository: &RepositoryName, digest: Digest) -> NewPackage {
    let summary = Summary {
        repository: repository.clone(),
        version: None,
        digest,
        description: "Sorts issues".to_owned(),
        author: "ada".to_owned(),
        capabilities: vec!["triage".to_owned(), "chat".to_owned()],
        tags: vec!["chat".to_owned()],
        model: "openai/gpt-4".to_owned(),
        runtime: String::new(),
        license: String::new(),
        kind: "agent".to_owned(),
        updated_at: time(0),
    };
    NewPackage { summary, size: 7, checked: true, license: Some("MIT".to_owned()) }
}

pub(super) fn push(
    index: &mut Fixture,
    repository: &RepositoryName,
    note: &str,
    tags: &[&str],
    second: i64,
) -> Manifest {
    let change = Change { id: index.repository(repository.as_str()), repository, actor: "ada", at: time(second) };
    let pushed = manifest(KIND, note, None);
    let tags: Vec<_> = tags.iter().map(|text| tag(text)).collect();
    let put = manifests::put(index.session(), &change, &pushed, &tags).unwrap();
    packages::record(index.session(), put.id, &package(repository, pushed.digest())).unwrap();
    versions::follow_tags(index.session(), &change, &put.moved, Some(put.id)).unwrap();
    pushed
}

fn list(index: &mut Fixture) -> Vec<Listed> {
    versions::list(index.session(), &Sight::system(), time(1), None, 100).unwrap()
}

fn lines(index: &mut Fixture) -> Vec<String> {
    let line = |row: Listed| format!("{} {}", row.summary.repository, row.summary.version.unwrap_or_default());
    list(index).into_iter().map(line).collect()
}

#[test]
fn versions_are_listed_newest_first_and_in_pages() {
    let (mut index, here, other) = (Fixture::new(), name("a/b"), name("a/a"));
    for (second, version) in (1..).zip(["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]) {
        push(&mut index, &here, version, &[version], second);
    }
    push(&mut index, &other, "x", &["latest"], 9);
    let expected = ["a/a ", "a/b 2.0.0-rc.1", "a/b 1.10.0", "a/b 1.9.0", "a/b 1.0.0"];
    assert_eq!(lines(&mut index), expected);
    let mut after = None;
    for line in expected {
        let page = versions::list(index.session(), &Sight::system(), time(1), after.as_ref(), 1).unwrap();
        assert_eq!(
            format!("{} {}", page[0].summary.repository, page[0].summary.version.as_deref().unwrap_or("")),
            line
        );
        after = Some(page[0].cursor.clone());
    }
    assert!(versions::list(index.session(), &Sight::system(), time(1), after.as_ref(), 1).unwrap().is_empty());
    let nothing = Sight::of(&caller(""), false);
    assert!(versions::list(index.session(), &nothing, time(1), None, 9).unwrap().is_empty());
    let id = index.repository("a/b");
    let rows = versions::of_repository(index.session(), id, None, 9).unwrap();
    assert_eq!(rows.iter().map(|row| row.summary.version.as_deref().unwrap()).collect::<Vec<_>>().len(), 4);
    let stable = manifest(KIND, "1.10.0", None).digest();
    assert_eq!(versions::head(index.session(), &here).unwrap(), Some(stable), "not the release candidate");
    assert_eq!(versions::head(index.session(), &name("a/none")).unwrap(), None);
}

#[test]
fn a_package_with_other_tags_only_has_one_row_until_it_is_a_version() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    push(&mut index, &here, "one", &["edge"], 1);
    assert_eq!(lines(&mut index), ["a/b "]);
    push(&mut index, &here, "two", &["latest"], 2);
    push(&mut index, &here, "three", &["edge"], 3);
    let two = manifest(KIND, "two", None).digest();
    let digest = |index: &mut Fixture| {
        let head = versions::head(index.session(), &name("a/b")).unwrap();
        (list(index).len(), head.unwrap())
    };
    assert_eq!(digest(&mut index), (1, two), "`latest` before all others");
    push(&mut index, &here, "two", &["1.0.0"], 4);
    assert_eq!(lines(&mut index), ["a/b 1.0.0"], "`latest` is that version");
    push(&mut index, &here, "four", &["latest"], 5);
    assert_eq!(lines(&mut index), ["a/b 1.0.0", "a/b "]);
    let change = Change { id: index.repository("a/b"), repository: &here, actor: "ada", at: time(6) };
    tags::delete(index.session(), &change, &tag("1.0.0")).unwrap();
    assert_eq!(lines(&mut index), ["a/b "]);
    manifests::delete(index.session(), &change, &manifest(KIND, "four", None).digest()).unwrap();
    let three = manifest(KIND, "three", None).digest();
    assert_eq!(digest(&mut index), (1, three), "what `edge` points at is left");
    assert_eq!(index.count("SELECT count(*) FROM package"), 3, "one, two, three are still stored");
}

#[test]
fn a_version_that_moves_keeps_its_birthday_and_another_artifact_ends_it() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    push(&mut index, &here, "one", &["1.0.0"], 1);
    push(&mut index, &here, "two", &["1.0.0"], 5);
    let row = list(&mut index).remove(0);
    assert_eq!((row.created_at, row.summary.updated_at), (time(1), time(5)));
    let found = packages::find(index.session(), &here, &row.summary.digest).unwrap().unwrap();
    assert_eq!((found.size, found.checked, found.version), (7, true, Some("1.0.0".parse().unwrap())));
    assert_eq!((found.created_at, found.updated_at), (time(5), time(5)));
    assert_eq!(packages::find(index.session(), &name("a/c"), &row.summary.digest).unwrap(), None);
    let change = Change { id: index.repository("a/b"), repository: &here, actor: "ada", at: time(6) };
    let image = manifest("application/vnd.example.image", "x", None);
    let put = manifests::put(index.session(), &change, &image, &[tag("1.0.0")]).unwrap();
    versions::follow_tags(index.session(), &change, &put.moved, None).unwrap();
    assert!(list(&mut index).is_empty());
}

fn push_image(index: &mut Fixture, repository: &RepositoryName, tags: &[&str], second: i64) {
    let change = Change { id: index.repository(repository.as_str()), repository, actor: "ada", at: time(second) };
    let image = manifest("application/vnd.example.image", &second.to_string(), None);
    let tags: Vec<_> = tags.iter().map(|text| tag(text)).collect();
    let put = manifests::put(index.session(), &change, &image, &tags).unwrap();
    versions::follow_tags(index.session(), &change, &put.moved, None).unwrap();
}

#[test]
fn a_package_that_is_no_version_any_more_has_the_row_of_its_other_tags() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let one = push(&mut index, &here, "one", &["1.0.0", "stable"], 1).digest();
    assert_eq!(lines(&mut index), ["a/b 1.0.0"]);
    push(&mut index, &here, "two", &["1.0.0"], 2);
    assert_eq!(lines(&mut index), ["a/b 1.0.0", "a/b "]);
    assert_eq!(list(&mut index)[1].summary.digest, one);
    push(&mut index, &here, "one", &["1.1.0"], 3);
    assert_eq!(lines(&mut index), ["a/b 1.1.0", "a/b 1.0.0"]);
    push_image(&mut index, &here, &["1.1.0"], 4);
    assert_eq!(lines(&mut index), ["a/b 1.0.0", "a/b "]);
    push_image(&mut index, &here, &["stable"], 5);
    assert_eq!(lines(&mut index), ["a/b 1.0.0"]);
}

#[test]
fn the_tag_moved_last_counts_until_another_artifact_takes_it() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    push_image(&mut index, &here, &["signature"], 1);
    push(&mut index, &here, "one", &["edge"], 2);
    let two = push(&mut index, &here, "two", &["nightly"], 3).digest();
    let row = |index: &mut Fixture| list(index).iter().map(|row| row.summary.digest).collect::<Vec<_>>();
    assert_eq!(row(&mut index), [two]);
    push_image(&mut index, &here, &["other"], 4);
    assert_eq!(row(&mut index), [two]);
    push_image(&mut index, &here, &["nightly"], 5);
    let one = manifest(KIND, "one", None).digest();
    assert_eq!(row(&mut index), [one]);
    push(&mut index, &here, "three", &["1.0.0", "latest"], 6);
    assert_eq!(lines(&mut index), ["a/b 1.0.0"], "`latest` is that version");
    push_image(&mut index, &here, &["latest"], 7);
    assert_eq!(lines(&mut index), ["a/b 1.0.0", "a/b "], "what `edge` points at is seen again");
    push_image(&mut index, &here, &["edge"], 8);
    assert_eq!(lines(&mut index), ["a/b 1.0.0"]);
}
