//! Manifests, tags and referrers together: what one push and one deletion change, and what they leave alone.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::events::{self, EventKind};
use super::fixture::{Fixture, manifest, name, tag, time};
use super::tags::Change;
use super::{manifests, referrers, tags};
use crate::oci::{Digest, MediaType, RepositoryName, Target};

const KIND: &str = "application/vnd.example.thing";

fn change<'a>(index: &mut Fixture, repository: &'a RepositoryName, second: i64) -> Change<'a> {
    Change { id: index.repository(repository.as_str()), repository, actor: "ada", at: time(second) }
}

fn kinds(index: &mut Fixture) -> Vec<EventKind> {
    events::since(index.session(), 0, 100).unwrap().into_iter().map(|(_, event)| event.kind).collect()
}

#[test]
fn a_push_is_read_back_by_tag_and_digest_in_its_repository_only() {
    let (mut index, here, other) = (Fixture::new(), name("a/b"), name("a/c"));
    let change = change(&mut index, &here, 1);
    index.repository("a/c");
    let pushed = manifest(KIND, "one", None);
    let put = manifests::put(index.session(), &change, &pushed, &[tag("latest"), tag("1.0.0")]).unwrap();
    assert_eq!((put.created, put.moved), (true, vec![tag("latest"), tag("1.0.0")]));
    for target in [Target::Tag(tag("latest")), Target::Tag(tag("1.0.0")), Target::Digest(pushed.digest())] {
        let stored = manifests::get(index.session(), &here, &target).unwrap().unwrap();
        assert_eq!((stored.digest, &stored.bytes), (pushed.digest(), pushed.bytes()));
        assert_eq!(&stored.media_type, pushed.media_type());
        assert_eq!(manifests::get(index.session(), &other, &target).unwrap(), None);
    }
    for missing in [Target::Tag(tag("Latest")), Target::Digest(Digest::sha256(b"other"))] {
        assert_eq!(manifests::get(index.session(), &here, &missing).unwrap(), None);
    }
    assert_eq!(index.count("SELECT count(*) FROM edge"), 2);
    assert_eq!(kinds(&mut index), [EventKind::ManifestPushed, EventKind::TagMoved, EventKind::TagMoved]);
}

#[test]
fn pushing_again_changes_nothing_and_moving_a_tag_is_remembered() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let (one, two) = (manifest(KIND, "one", None), manifest(KIND, "two", None));
    for (second, pushed, moves) in [(1, &one, true), (2, &one, false), (3, &two, true), (4, &one, true)] {
        let change = change(&mut index, &here, second);
        let put = manifests::put(index.session(), &change, pushed, &[tag("latest")]).unwrap();
        assert_eq!(put.created, second == 1 || second == 3);
        assert_eq!(put.moved, if moves { vec![tag("latest")] } else { vec![] });
    }
    let id = index.repository("a/b");
    let history = tags::history(index.session(), id, &tag("latest"), 10).unwrap();
    let seen: Vec<_> = history.iter().map(|entry| (entry.digest, entry.at, entry.actor.as_str())).collect();
    let (one, two) = (Some(one.digest()), Some(two.digest()));
    assert_eq!(seen, [(one, time(4), "ada"), (two, time(3), "ada"), (one, time(1), "ada")]);
    assert_eq!(kinds(&mut index).len(), 5);
}

#[test]
fn tags_come_bytewise_in_pages() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let change = change(&mut index, &here, 1);
    let all = ["b", "B", "a", "_x", "1.10", "1.9"].map(tag);
    manifests::put(index.session(), &change, &manifest(KIND, "one", None), &all).unwrap();
    let mut page = |after, limit| {
        let tags = tags::list(index.session(), change.id, after, limit).unwrap();
        tags.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 100), ["1.10", "1.9", "B", "_x", "a", "b"]);
    assert_eq!(page(Some("1.9"), 2), ["B", "_x"]);
    assert_eq!(page(Some("C"), 1), ["_x"]);
    assert!(page(Some("b"), 10).is_empty());
}

#[test]
fn deleting_a_tag_leaves_the_manifest() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let change = change(&mut index, &here, 1);
    let pushed = manifest(KIND, "one", None);
    manifests::put(index.session(), &change, &pushed, &[tag("x"), tag("y")]).unwrap();
    assert!(tags::delete(index.session(), &change, &tag("x")).unwrap());
    assert!(!tags::delete(index.session(), &change, &tag("x")).unwrap());
    assert_eq!(tags::list(index.session(), change.id, None, 10).unwrap(), [tag("y")]);
    assert!(manifests::get(index.session(), &here, &Target::Digest(pushed.digest())).unwrap().is_some());
    assert_eq!(tags::history(index.session(), change.id, &tag("x"), 1).unwrap()[0].digest, None);
}

#[test]
fn deleting_a_manifest_takes_its_tags_edges_and_referrer_entry() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let change = change(&mut index, &here, 1);
    let subject = manifest(KIND, "subject", None);
    let about = manifest(KIND, "about", Some(&subject));
    manifests::put(index.session(), &change, &subject, &[tag("keep")]).unwrap();
    manifests::put(index.session(), &change, &about, &[tag("x"), tag("y")]).unwrap();
    assert!(manifests::delete(index.session(), &change, &about.digest()).unwrap());
    assert!(!manifests::delete(index.session(), &change, &about.digest()).unwrap());
    assert_eq!(tags::list(index.session(), change.id, None, 10).unwrap(), [tag("keep")]);
    assert_eq!(index.count("SELECT count(*) FROM referrer"), 0);
    assert_eq!(index.count("SELECT count(*) FROM edge"), 2);
    let last = kinds(&mut index).split_off(5);
    assert_eq!(last, [EventKind::TagDeleted, EventKind::TagDeleted, EventKind::ManifestDeleted]);
}

#[test]
fn referrers_are_listed_by_type_in_pages_even_before_their_subject() {
    let (mut index, here, other) = (Fixture::new(), name("a/b"), name("a/c"));
    let change = change(&mut index, &here, 1);
    let subject = manifest(KIND, "subject", None);
    let mut all = ["1", "2", "3"].map(|note| manifest(KIND, note, Some(&subject)));
    let strange = manifest("application/vnd.example.other", "4", Some(&subject));
    for pushed in all.iter().chain([&strange]) {
        manifests::put(index.session(), &change, pushed, &[]).unwrap();
    }
    all.sort_by_key(crate::oci::Manifest::digest);
    let kind: MediaType = KIND.parse().unwrap();
    let mut list = |kind, after: Option<&Digest>, limit| {
        referrers::list(index.session(), change.id, &subject.digest(), kind, after, limit).unwrap()
    };
    assert_eq!(list(None, None, 10).len(), 4);
    assert_eq!(list(Some(&kind), None, 2), [all[0].descriptor(), all[1].descriptor()]);
    assert_eq!(list(Some(&kind), Some(&all[1].digest()), 2), [all[2].descriptor()]);
    let elsewhere = index.repository(other.as_str());
    assert!(referrers::list(index.session(), elsewhere, &subject.digest(), None, None, 10).unwrap().is_empty());
}
