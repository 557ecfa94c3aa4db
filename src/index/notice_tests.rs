//! What is said of versions, and what becomes of it as tags come, move and go.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use super::events::{self, EventKind};
use super::fixture::{Fixture, manifest, name, tag, time};
use super::manifests;
use super::notices::{self, About, NoticeKind};
use super::tags::{self, Change};
use super::version_tests::push;
use super::versions;
use crate::api::{NewNotice, VersionState};
use crate::oci::{Digest, RepositoryName, Target};
use crate::package::Version;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn notice(message: &str) -> NewNotice {
    NewNotice { message: message.to_owned(), superseded_by: None }
}

fn change<'a>(index: &mut Fixture, repository: &'a RepositoryName, second: i64) -> Change<'a> {
    Change { id: index.repository(repository.as_str()), repository, actor: "ada", at: time(second) }
}

/// Says something of a version; nothing takes it back.
fn say(index: &mut Fixture, here: &RepositoryName, text: &str, kind: NoticeKind, said: Option<&str>) -> Option<bool> {
    let (version, said) = (version(text), said.map(notice));
    let change = change(index, here, 50);
    notices::set(index.session(), &change, About::Version(&version, kind), said.as_ref()).unwrap()
}

fn state(index: &mut Fixture, here: &RepositoryName, text: &str) -> VersionState {
    let id = index.repository(here.as_str());
    notices::of_version(index.session(), id, Some(&version(text))).unwrap()
}

/// Whether a pull of this is to be followed by a look at what is said.
fn is_flagged(index: &mut Fixture, here: &RepositoryName, digest: Digest) -> bool {
    manifests::get(index.session(), here, &Target::Digest(digest)).unwrap().unwrap().has_notice
}

#[test]
fn what_is_said_is_kept_announced_once_and_taken_back() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let digest = push(&mut index, &here, "one", &["1.0.0_b.1"], 1).digest();
    let before = events::last(index.session()).unwrap();
    assert!(!is_flagged(&mut index, &here, digest));
    for (said, is_news) in
        [(Some("bad"), true), (Some("bad"), false), (Some("worse"), true), (None, true), (None, false)]
    {
        assert_eq!(say(&mut index, &here, "1.0.0+b.1", NoticeKind::Yanked, said), Some(is_news), "{said:?}");
        let state = state(&mut index, &here, "1.0.0+b.1");
        assert_eq!(
            state.yanked.map(|notice| (notice.message, notice.at)),
            said.map(|said| (said.to_owned(), time(50)))
        );
        assert_eq!(is_flagged(&mut index, &here, digest), said.is_some());
    }
    assert_eq!(say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("x")), None, "there is no such version");
    let superseding = NewNotice { message: String::new(), superseded_by: Some("a/c:2.0.0".to_owned()) };
    let here_again = change(&mut index, &here, 60);
    let one = version("1.0.0+b.1");
    let deprecation = About::Version(&one, NoticeKind::Deprecated);
    assert_eq!(notices::set(index.session(), &here_again, deprecation, Some(&superseding)).unwrap(), Some(true));
    let told: Vec<_> = events::since(index.session(), before, 100).unwrap();
    let told: Vec<_> = told.iter().map(|(_, event)| (event.kind, event.detail.as_deref(), event.digest)).collect();
    let expected = [
        (EventKind::VersionYanked, Some("bad"), Some(digest)),
        (EventKind::VersionYanked, Some("worse"), Some(digest)),
        (EventKind::VersionUnyanked, None, Some(digest)),
        (EventKind::VersionDeprecated, Some(r#"{"superseded_by":"a/c:2.0.0"}"#), Some(digest)),
    ];
    assert_eq!(told, expected);
    let last = events::since(index.session(), before, 100).unwrap().pop().unwrap().1;
    assert_eq!((last.tag, last.actor.as_str()), (Some(tag("1.0.0_b.1")), "ada"));
}

#[test]
fn what_stands_for_a_package_is_never_yanked() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let one = push(&mut index, &here, "one", &["1.0.0"], 1).digest();
    let two = push(&mut index, &here, "two", &["2.0.0"], 2).digest();
    let pre = push(&mut index, &here, "pre", &["3.0.0-rc.1"], 3).digest();
    let head = |index: &mut Fixture| versions::head(index.session(), &name("a/b")).unwrap();
    assert_eq!(head(&mut index), Some(two));
    say(&mut index, &here, "2.0.0", NoticeKind::Deprecated, Some("old"));
    assert_eq!(head(&mut index), Some(two), "deprecated is not yanked");
    for (text, next) in [("2.0.0", Some(one)), ("1.0.0", Some(pre)), ("3.0.0-rc.1", None)] {
        say(&mut index, &here, text, NoticeKind::Yanked, Some(""));
        assert_eq!(head(&mut index), next, "{text}");
    }
    push(&mut index, &here, "two", &["2.0.0"], 4);
    assert_eq!(head(&mut index), None, "pushing it again says nothing else");
    say(&mut index, &here, "3.0.0-rc.1", NoticeKind::Yanked, None);
    assert_eq!(head(&mut index), Some(pre));
    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, None);
    assert_eq!(head(&mut index), Some(one));
}

#[test]
fn notices_stay_with_a_version_that_moves_and_go_with_one_that_goes() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let one = push(&mut index, &here, "one", &["1.0.0"], 1).digest();
    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("bad"));
    let two = push(&mut index, &here, "two", &["1.0.0"], 2).digest();
    assert_eq!((is_flagged(&mut index, &here, one), is_flagged(&mut index, &here, two)), (false, true));
    assert_eq!(versions::head(index.session(), &here).unwrap(), None, "it is yanked still");

    let here_now = change(&mut index, &here, 3);
    tags::delete(index.session(), &here_now, &tag("1.0.0")).unwrap();
    assert_eq!(index.count("SELECT count(*) FROM notice"), 0);
    assert!(!is_flagged(&mut index, &here, two));
    push(&mut index, &here, "two", &["1.0.0"], 4);
    assert!(state(&mut index, &here, "1.0.0").is_plain(), "it is another one of the same name");
    assert_eq!(versions::head(index.session(), &here).unwrap(), Some(two));

    for kind in [NoticeKind::Yanked, NoticeKind::Deprecated] {
        say(&mut index, &here, "1.0.0", kind, Some("bad"));
    }
    manifests::delete(index.session(), &here_now, &two).unwrap();
    assert_eq!(index.count("SELECT count(*) FROM notice"), 0);
    push(&mut index, &here, "two", &["1.0.0"], 5);
    assert!(state(&mut index, &here, "1.0.0").is_plain() && !is_flagged(&mut index, &here, two));

    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("bad"));
    let image = manifest("application/vnd.example.image", "x", None);
    let put = manifests::put(index.session(), &here_now, &image, &[tag("1.0.0")]).unwrap();
    versions::follow_tags(index.session(), &here_now, &put.moved, None).unwrap();
    assert_eq!(index.count("SELECT count(*) FROM notice"), 0, "what is no package is no version");
    assert!(!is_flagged(&mut index, &here, two) && !is_flagged(&mut index, &here, image.digest()));
}

#[test]
fn a_manifest_tells_of_each_of_its_versions_and_a_package_of_all() {
    let (mut index, here, other) = (Fixture::new(), name("a/b"), name("a/c"));
    let digest = push(&mut index, &here, "one", &["1.0.0", "1.0.1", "1.0.2", "latest"], 1).digest();
    push(&mut index, &other, "one", &["1.0.0"], 1);
    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("bad"));
    say(&mut index, &here, "1.0.0", NoticeKind::Deprecated, Some("old"));
    say(&mut index, &here, "1.0.2", NoticeKind::Deprecated, Some("odd"));
    let stored = manifests::get(index.session(), &here, &Target::Tag(tag("latest"))).unwrap().unwrap();
    let told = |index: &mut Fixture| {
        let told = notices::of_manifest(index.session(), stored.id).unwrap();
        let words = |state: VersionState| [state.yanked, state.deprecated].map(|said| said.map(|said| said.message));
        told.into_iter().map(|(version, state)| (version.to_string(), words(state))).collect::<Vec<_>>()
    };
    let word = |text: &str| Some(text.to_owned());
    let expected = [("1.0.2".to_owned(), [None, word("odd")]), ("1.0.0".to_owned(), [word("bad"), word("old")])];
    assert_eq!(told(&mut index), expected);
    assert!(is_flagged(&mut index, &here, digest) && !is_flagged(&mut index, &other, digest));

    let here_now = change(&mut index, &here, 3);
    let gone = notice("gone");
    assert_eq!(notices::set(index.session(), &here_now, About::Package, Some(&gone)).unwrap(), Some(true));
    assert_eq!(state(&mut index, &here, "1.0.1").deprecated.unwrap().message, "gone");
    assert_eq!(state(&mut index, &here, "1.0.2").deprecated.unwrap().message, "odd", "its own goes before");
    assert_eq!(notices::of_package(index.session(), here_now.id).unwrap().unwrap().message, "gone");
    assert_eq!(told(&mut index), expected, "that of the package is none of a version's");
    let three = push(&mut index, &here, "three", &["edge"], 4).digest();
    assert!(is_flagged(&mut index, &here, three), "every pull of it is to be told");
    assert_eq!(notices::set(index.session(), &here_now, About::Package, None).unwrap(), Some(true));
    assert!(!is_flagged(&mut index, &here, three));
    assert!(is_flagged(&mut index, &here, digest), "what is said of its versions stands");
}

#[test]
fn what_events_tell_can_be_done_again() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let fill = |index: &mut Fixture| {
        for (second, text) in (1..).zip(["1.0.0", "2.0.0", "3.0.0"]) {
            push(index, &name("a/b"), text, &[text], second);
        }
    };
    fill(&mut index);
    let before = events::last(index.session()).unwrap();
    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("bad"));
    say(&mut index, &here, "2.0.0", NoticeKind::Yanked, Some(""));
    say(&mut index, &here, "3.0.0", NoticeKind::Yanked, Some("no"));
    say(&mut index, &here, "3.0.0", NoticeKind::Yanked, None);
    say(&mut index, &here, "3.0.0", NoticeKind::Deprecated, Some("old"));
    let here_now = change(&mut index, &here, 60);
    let superseding = NewNotice { message: "all".to_owned(), superseded_by: Some("a/c".to_owned()) };
    notices::set(index.session(), &here_now, About::Package, Some(&superseding)).unwrap();
    let told = events::since(index.session(), before, 100).unwrap();
    assert_eq!(told.len(), 6);

    let mut again = Fixture::new();
    fill(&mut again);
    for (_, event) in &told {
        let change = Change { id: again.repository("a/b"), repository: &here, actor: &event.actor, at: event.at };
        assert!(notices::replay(again.session(), &change, event).unwrap());
    }
    let rows = |index: &mut Fixture| {
        let sql = "SELECT sort_key, kind, message, superseded_by, actor, at FROM notice ORDER BY sort_key, kind";
        let ranks = index.session().query("SELECT sort_key, rank FROM version ORDER BY sort_key", &[]).unwrap();
        (index.session().query(sql, &[]).unwrap(), ranks)
    };
    assert_eq!(rows(&mut again), rows(&mut index));
    assert_eq!(rows(&mut again).0.len(), 4);
    let mut lost = told[0].1.clone();
    lost.tag = Some(tag("9.9.9"));
    assert!(!notices::replay(again.session(), &here_now, &lost).unwrap(), "there is nothing to say it of");
}

#[test]
fn a_kind_is_not_forgotten_beside_the_other() {
    let (mut index, here) = (Fixture::new(), name("a/b"));
    let digest = push(&mut index, &here, "one", &["1.0.0"], 1).digest();
    say(&mut index, &here, "1.0.0", NoticeKind::Yanked, Some("bad"));
    say(&mut index, &here, "1.0.0", NoticeKind::Deprecated, Some("old"));
    say(&mut index, &here, "1.0.0", NoticeKind::Deprecated, None);
    assert_eq!(state(&mut index, &here, "1.0.0").yanked.unwrap().message, "bad");
    assert!(is_flagged(&mut index, &here, digest));
    assert_eq!(versions::head(index.session(), &here).unwrap(), None);
}
