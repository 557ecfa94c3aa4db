//! Ranges resolved by the database mean what the crate `semver` says of the same versions.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use semver::{Comparator, Op, VersionReq};

use super::fixture::{Fixture, name, tag};
use super::repositories::RepositoryId;
use super::resolve::{self, Found};
use super::{Session as _, Value};
use crate::oci::Digest;
use crate::package::{Version, VersionRange};

/// A repository whose versions are these, each with whether it was taken back, all of one manifest.
fn fill(index: &mut Fixture, repository: &str, versions: &[(Version, bool)]) -> RepositoryId {
    let id = index.repository(repository);
    let sql = "INSERT INTO manifest (repository_id, digest, media_type, content_bytes, created_at, bytes) \
               VALUES (?1, ?2, 'a/b', 0, 0, x'') RETURNING id";
    let row = index.query(sql, &[id.into(), (&Digest::sha256(b"x")).into()]).unwrap().remove(0);
    let manifest = row.integer(0).unwrap();
    let sql = "INSERT INTO package (manifest_id, summary, size, checked) VALUES (?1, x'', 0, 1)";
    index.execute(sql, &[manifest.into()]).unwrap();
    for (version, is_yanked) in versions {
        let sql = "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, updated_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)";
        let rank = if version.is_stable() { 0 } else { 2 } + if *is_yanked { 4 } else { 0 };
        let text = version.to_string();
        let parameters =
            [id.into(), text.as_str().into(), version.sort_key().into(), Value::Integer(rank), manifest.into()];
        index.execute(sql, &parameters).unwrap();
    }
    id
}

fn versions(texts: &[&str]) -> Vec<(Version, bool)> {
    // A `!` is written before what was taken back.
    texts.iter().map(|text| (text.trim_start_matches('!').parse().unwrap(), text.starts_with('!'))).collect()
}

fn resolved(index: &mut Fixture, repository: &str, range: &str, pre: bool) -> Option<Version> {
    let found = resolve::in_range(index.session(), &name(repository), &range.parse().unwrap(), pre).unwrap();
    found.map(|found| found.version.unwrap())
}

#[test]
fn the_highest_version_in_a_range_is_found_and_none_that_was_taken_back() {
    let mut index = Fixture::new();
    let all =
        ["1.2.0", "1.10.0", "1.9.9", "!1.11.0", "1.11.0-rc.1", "2.0.0-rc.1", "2.0.0-rc.2", "1.10.0+b.2", "!0.9.0"];
    fill(&mut index, "a/b", &versions(&all));
    fill(&mut index, "a/c", &versions(&["9.0.0"]));
    for (range, pre, expected) in [
        ("^1.2", false, "1.10.0+b.2"),
        ("~1.9", false, "1.9.9"),
        (">=1, <1.10", false, "1.9.9"),
        ("1.10.0", false, "1.10.0+b.2"),
        ("*", false, "1.10.0+b.2"),
        ("*", true, "2.0.0-rc.2"),
        ("^1.11.0-rc", false, "1.11.0-rc.1"),
        ("^1", true, "1.11.0-rc.1"),
        ("<2.0.0-rc.2", false, "2.0.0-rc.1"),
    ] {
        let found = resolved(&mut index, "a/b", range, pre);
        assert_eq!(found.map(|version| version.to_string()).as_deref(), Some(expected), "{range}");
    }
    for range in ["^3", "=1.11.0", "<1", ">1.10, <2", "=9.0.0"] {
        assert_eq!(resolved(&mut index, "a/b", range, false), None, "{range}");
    }
    assert_eq!(resolved(&mut index, "a/none", "*", true), None);
}

#[test]
fn what_is_near_a_range_is_told_from_above_to_below() {
    let mut index = Fixture::new();
    let all = ["0.8.0", "0.9.0", "1.0.0", "!1.1.0", "1.2.0-rc.1", "2.0.0", "2.1.0", "3.0.0"];
    let id = fill(&mut index, "a/b", &versions(&all));
    let mut near = |range: &str| {
        let range: VersionRange = range.parse().unwrap();
        let found = resolve::nearest(index.session(), id, Some(&range)).unwrap();
        found
            .iter()
            .map(|near| format!("{}{}", near.version, if near.is_yanked { "!" } else { "" }))
            .collect::<Vec<_>>()
    };
    assert_eq!(near("^1.1"), ["2.1.0", "2.0.0", "1.2.0-rc.1", "1.1.0!", "1.0.0", "0.9.0"]);
    assert_eq!(near("^9"), ["3.0.0", "2.1.0"]);
    assert_eq!(near("^0.1"), ["0.9.0", "0.8.0"]);
    assert_eq!(near(">2, <1"), ["3.0.0", "2.1.0", "2.0.0", "1.2.0-rc.1"]);
    let none = fill(&mut index, "a/none", &[]);
    assert_eq!(resolve::nearest(index.session(), none, None).unwrap(), []);
}

#[test]
fn a_tag_that_is_a_version_is_that_one_and_others_are_the_highest_that_was_not_taken_back() {
    let mut index = Fixture::new();
    let id = fill(&mut index, "a/b", &versions(&["1.0.0", "1.1.0", "!1.2.0"]));
    for text in ["1.0.0", "1.2.0", "latest"] {
        let sql = "INSERT INTO tag (repository_id, name, manifest_id, updated_at) \
                   SELECT ?1, ?2, id, 0 FROM manifest WHERE repository_id = ?1";
        index.execute(sql, &[id.into(), text.into()]).unwrap();
    }
    let told = |found: Option<Found>| found.map(|found| (found.version.unwrap().to_string(), found.is_yanked));
    let mut at = |text: &str| told(resolve::at_tag(index.session(), &name("a/b"), &tag(text)).unwrap());
    assert_eq!(at("1.0.0"), Some(("1.0.0".to_owned(), false)));
    assert_eq!(at("1.2.0"), Some(("1.2.0".to_owned(), true)));
    assert_eq!(at("latest"), Some(("1.1.0".to_owned(), false)));
    assert_eq!(at("1.1.0"), None, "a version without its tag cannot be");
    let by_digest = resolve::at_digest(index.session(), &name("a/b"), &Digest::sha256(b"x")).unwrap();
    assert_eq!(told(by_digest), Some(("1.1.0".to_owned(), false)));
    assert_eq!(resolve::at_digest(index.session(), &name("a/b"), &Digest::sha256(b"y")).unwrap(), None);
    assert_eq!(told(resolve::head(index.session(), &name("a/b")).unwrap()), Some(("1.1.0".to_owned(), false)));
}

/// What the documentation says of pre-releases that count, without keys: `X.Y.Z-0` comes before every other one.
fn is_between_bounds(range: &VersionReq, version: &semver::Version) -> bool {
    range.comparators.iter().all(|comparator| is_between(comparator, version))
}

fn is_between(comparator: &Comparator, version: &semver::Version) -> bool {
    let Comparator { op, major, minor, patch, pre } = comparator;
    let first = |major: u64, minor: u64, patch: u64| semver::Version {
        pre: semver::Prerelease::new("0").unwrap(),
        ..semver::Version::new(major, minor, patch)
    };
    let low = match (minor, patch) {
        (Some(minor), Some(patch)) => {
            semver::Version { pre: pre.clone(), ..semver::Version::new(*major, *minor, *patch) }
        }
        _ => first(*major, minor.unwrap_or(0), 0),
    };
    // The first version with another number at these places.
    let (next_major, next_minor) = (first(major + 1, 0, 0), first(*major, minor.unwrap_or(0) + 1, 0));
    let next_patch = first(*major, minor.unwrap_or(0), patch.unwrap_or(0) + 1);
    let order = version.cmp_precedence(&low);
    let is_below = |end: &semver::Version| version.cmp_precedence(end) == Ordering::Less;
    let is_said = match (minor, patch) {
        (_, Some(_)) => order == Ordering::Equal,
        (Some(_), None) => order != Ordering::Less && is_below(&next_minor),
        (None, None) => order != Ordering::Less && is_below(&next_major),
    };
    let is_before = order == Ordering::Less;
    match op {
        Op::Exact | Op::Wildcard => is_said,
        Op::Greater => !is_before && !is_said,
        Op::GreaterEq => !is_before,
        Op::Less => is_before,
        Op::LessEq => is_before || is_said,
        Op::Tilde => !is_before && is_below(if minor.is_some() { &next_minor } else { &next_major }),
        Op::Caret => {
            !is_before
                && is_below(match (major, minor, patch) {
                    (0, Some(0), Some(_)) => &next_patch,
                    (0, Some(_), _) => &next_minor,
                    _ => &next_major,
                })
        }
        _ => panic!("the crate knows a new operator"),
    }
}

/// Few numbers and identifiers, so that bounds are met often.
fn version_text() -> impl Strategy<Value = String> {
    "[0-3]\\.[0-3]\\.[0-3](-(0|1|10|a|b|a-b|rc)(\\.(0|9|11|a|B))?)?(\\+[ab1])?"
}

fn range_text() -> impl Strategy<Value = String> {
    let part =
        "(=|>|>=|<|<=|~|\\^|)[0-3](|\\.[x0-3]|\\.[0-3]\\.[x*]|\\.[0-3]\\.[0-3](-(0|1|10|a|b|rc)(\\.(0|9|11|a))?)?)";
    prop_oneof![
        1 => Just("*".to_owned()),
        40 => proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(", ")),
    ]
}

fn pick<T>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// A range as the crate reads it: it takes a whole version for `^`, which here means that version.
fn as_crate(text: &str) -> VersionReq {
    let exact = if semver::Version::parse(text).is_ok() { format!("={text}") } else { text.to_owned() };
    VersionReq::parse(&exact).unwrap()
}

#[test]
fn a_hundred_thousand_pairs_agree_with_the_crate() {
    const REPOSITORIES: usize = 500;
    const PAIRS: usize = 100_000;
    let (mut index, mut runner) = (Fixture::new(), TestRunner::deterministic());
    let mut held = vec![];
    for number in 0..REPOSITORIES {
        let version: Version = pick(&version_text(), &mut runner).parse().unwrap();
        fill(&mut index, &format!("a/r{number}"), &[(version.clone(), false)]);
        held.push((name(&format!("a/r{number}")), version));
    }
    let mut matches = 0;
    for round in 0..PAIRS / REPOSITORIES {
        let text = pick(&range_text(), &mut runner);
        let (range, wanted, pre): (VersionRange, _, _) = (text.parse().unwrap(), as_crate(&text), round % 2 == 1);
        for (repository, version) in &held {
            let found = resolve::in_range(index.session(), repository, &range, pre).unwrap();
            let is_in = wanted.matches(version.semver())
                || (pre && !version.is_stable() && is_between_bounds(&wanted, version.semver()));
            assert_eq!(
                found.and_then(|found| found.version),
                is_in.then(|| version.clone()),
                "{version} in {text} {pre}"
            );
            matches += usize::from(is_in);
        }
    }
    assert!((PAIRS / 20..PAIRS).contains(&matches), "{matches} of {PAIRS}: nothing would be told by only one answer");
}

#[test]
fn among_many_versions_the_highest_by_precedence_is_found() {
    let (mut index, mut runner) = (Fixture::new(), TestRunner::deterministic());
    for number in 0..40 {
        let here = format!("a/r{number}");
        let mut all: Vec<(Version, bool)> = vec![];
        for _ in 0..60 {
            let version: Version = pick(&version_text(), &mut runner).parse().unwrap();
            if all.iter().all(|(known, _)| *known != version) {
                all.push((version, pick(&any::<u8>(), &mut runner) < 60));
            }
        }
        fill(&mut index, &here, &all);
        for round in 0..100 {
            let (text, pre) = (pick(&range_text(), &mut runner), round % 3 == 0);
            let wanted = as_crate(&text);
            let fits = |version: &semver::Version| {
                wanted.matches(version) || (pre && !version.pre.is_empty() && is_between_bounds(&wanted, version))
            };
            let fitting = all.iter().filter(|(version, is_yanked)| !is_yanked && fits(version.semver()));
            let highest = fitting.max_by(|(one, _), (other, _)| one.semver().cmp_precedence(other.semver()));
            let found = resolved(&mut index, &here, &text, pre);
            match (found, highest) {
                (Some(found), Some((highest, _))) => {
                    assert_eq!(found.semver().cmp_precedence(highest.semver()), Ordering::Equal, "{text} {pre}");
                    assert!(all.iter().any(|(version, is_yanked)| *version == found && !is_yanked), "{found}");
                }
                (found, highest) => assert_eq!(found, highest.map(|(version, _)| version.clone()), "{text} {pre}"),
            }
        }
    }
}
