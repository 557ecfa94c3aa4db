//! Every requirement of the distribution specification has a test of ours that exists, or says why it has none.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The sentences of the specification that require or recommend something, counted by hand.
const LEAST_ENTRIES: usize = 170;
/// The mistakes of others that were collected.
const EDGE_CASES: u32 = 21;
/// What is recommended and not done yet; this number only goes down.
const MOST_OPEN: usize = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    requirement: Vec<Requirement>,
    #[serde(rename = "edge-case")]
    edge_case: Vec<EdgeCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Requirement {
    id: String,
    section: String,
    level: String,
    party: String,
    says: String,
    #[serde(default)]
    tests: Vec<String>,
    not_applicable: Option<String>,
    open: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeCase {
    number: u32,
    says: String,
    tests: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn requirements() -> Requirements {
    let text = fs::read_to_string(root().join("spec-conformance/requirements.toml")).expect("the file is there");
    toml::from_str(&text).expect("the file is right")
}

/// The file that a test's path names: `http::uploads::x` is in tests/http/uploads.rs, `vocabulary::x` in
/// tests/vocabulary.rs, `lib::oci::tag::tests::x` in src/oci/tag.rs.
fn file_of(test: &str) -> Option<(PathBuf, &str)> {
    let (place, name) = test.rsplit_once("::")?;
    let (folder, place) = match place.strip_prefix("lib::") {
        Some(place) => ("src", place),
        None => ("tests", place),
    };
    // A test module inside a file has no file of its own.
    let candidates = [Some(place), place.strip_suffix("::tests")];
    let paths = candidates.into_iter().flatten().map(|place| place.replace("::", "/"));
    let mut paths = paths.map(|place| root().join(folder).join(place).with_extension("rs"));
    paths.find(|path| path.is_file()).map(|path| (path, name))
}

/// The names of the functions under a test attribute.
fn tests_in(text: &str) -> BTreeSet<&str> {
    let (mut found, mut is_marked) = (BTreeSet::new(), false);
    for line in text.lines().map(str::trim) {
        let function = ["async fn ", "fn "].iter().find_map(|start| line.strip_prefix(start));
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_marked = true;
        } else if let Some(rest) = function {
            if is_marked {
                found.insert(rest.split('(').next().unwrap_or_default());
            }
            is_marked = false;
        }
    }
    found
}

/// The tests among these that do not exist.
fn missing<'a>(tests: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let mut read = HashMap::new();
    let mut exists = |test: &str| {
        let Some((path, name)) = file_of(test) else { return false };
        let text = read.entry(path).or_insert_with_key(|path| fs::read_to_string(path).unwrap_or_default());
        tests_in(text).contains(name)
    };
    tests.into_iter().map(String::as_str).filter(|test| !exists(test)).collect()
}

#[test]
fn every_requirement_has_a_test_or_a_reason() {
    let mut wrong = vec![];
    for entry in &requirements().requirement {
        let reasons = [&entry.not_applicable, &entry.open].into_iter().flatten();
        let said = usize::from(!entry.tests.is_empty()) + reasons.clone().count();
        if said != 1 || reasons.clone().any(|reason| reason.trim().is_empty()) {
            wrong.push(format!("{}: needs tests or one reason", entry.id));
        }
        if entry.open.is_some() && entry.level.starts_with("MUST") {
            wrong.push(format!("{}: a MUST cannot stay open", entry.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_named_test_exists() {
    let all = requirements();
    let tests = all.requirement.iter().flat_map(|entry| &entry.tests);
    let missing = missing(tests.chain(all.edge_case.iter().flat_map(|case| &case.tests)));
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn entries_are_many_well_formed_and_told_apart() {
    let all = requirements().requirement;
    assert!(all.len() >= LEAST_ENTRIES, "{} entries", all.len());
    assert!(all.iter().filter(|entry| entry.open.is_some()).count() <= MOST_OPEN);
    let ids: BTreeSet<_> = all.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "an id is there twice");
    for entry in &all {
        let is_word = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(!entry.id.is_empty() && entry.id.bytes().all(is_word), "{}", entry.id);
        assert!(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT"].contains(&entry.level.as_str()), "{}", entry.id);
        assert!(["registry", "client"].contains(&entry.party.as_str()), "{}", entry.id);
        assert!(!entry.section.is_empty() && entry.says.ends_with('.'), "{}", entry.id);
    }
}

#[test]
fn every_edge_case_has_a_test() {
    let cases = requirements().edge_case;
    let numbers: Vec<_> = cases.iter().map(|case| case.number).collect();
    assert_eq!(numbers, (1..=EDGE_CASES).collect::<Vec<_>>());
    for case in &cases {
        assert!(!case.tests.is_empty() && case.says.ends_with('.'), "{}", case.number);
    }
}

#[test]
fn a_test_that_does_not_exist_is_noticed() {
    let names = [
        "http::uploads::chunks_join_and_the_session_ends",
        "lib::oci::condition::tests::conditions_follow_the_table_of_the_rfc",
        // A function that is no test, a test that is no more, a file that is not there, and no path at all.
        "http::uploads::finish",
        "http::uploads::gone",
        "http::nowhere::x",
        "lib::oci::nowhere::tests::x",
        "x",
    ]
    .map(str::to_owned);
    assert_eq!(missing(&names), names[2..].iter().map(String::as_str).collect::<Vec<_>>());
}
