//! The query language: what people type finds what they mean, and a mistake is shown where it is.

use agent_registry::api::{
    Comparison, Condition, MAX_QUERY_TERMS, Query, QueryError, Rating, Relation, Sort, Standing,
};
use agent_registry::oci::Digest;
use agent_registry::package::Summary;
use jiff::Timestamp;
use proptest::prelude::*;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn now() -> Timestamp {
    time("2026-06-15T12:00:00Z")
}

fn summary() -> Summary {
    Summary {
        repository: "ai-team/sentiment-analyzer".parse().expect("a name"),
        version: Some("1.2.3".to_owned()),
        digest: Digest::sha256(b"x"),
        description: "Advanced text generation agent".to_owned(),
        author: "AI Team <ai-team@example.com>".to_owned(),
        capabilities: vec!["text-generation".to_owned(), "sentiment-analysis".to_owned()],
        tags: vec!["nlp".to_owned()],
        model: "openai/gpt-4".to_owned(),
        runtime: "python".to_owned(),
        license: "Apache-2.0".to_owned(),
        kind: "agent".to_owned(),
        updated_at: time("2026-06-10T00:00:00Z"),
    }
}

fn standing() -> Standing {
    Standing { downloads: 120, rating: Rating::of(2, 9), signed: true }
}

fn parse(query: &str) -> Query {
    Query::parse(query, now()).expect("a query")
}

fn matches(query: &str) -> bool {
    parse(query).matches(&summary(), &standing())
}

#[test]
fn what_is_asked_is_found() {
    for query in [
        "",
        "text-generation",
        "sentiment*",
        "author:ai-team",
        "name:sentiment-analyzer",
        "name=sentiment*",
        "name:ai-team/*",
        "namespace:ai-team",
        "capability:text-generation",
        "tag:NLP",
        "model:gpt-4",
        "model:openai/*",
        "runtime:python",
        "version:1.2.3",
        "version:1.*",
        "version:^1.2",
        "version:>=1.0.0",
        "since:7d",
        "since:2026-06-10",
        "updated:>2026-01-01",
        "updated:<2026-07-01",
        "-tag:vision",
        "sentiment tag:nlp since:1w",
        "\"text generation\"",
        "author:\"AI Team\"",
        "version:1.*",
        "version:1.x",
        "version:1.2",
        "version:\">=1, <2\"",
        "version>=1,<2",
        "updated:2026-06-10",
        "updated:>=2026-06-10",
        "updated:<=2026-06-10",
        "updated:>2026-06-09",
        "updated:7d",
        "updated:<4d",
        "updated:>2026-06-09T23:59:59Z",
        "downloads:120",
        "downloads:>100",
        "downloads>100",
        "downloads:<=120",
        "downloads=120",
        "rating:>=4",
        "rating>=4.5",
        "rating:4.5",
        "signed:yes",
        "-signed:no",
        "kind:agent",
        "license:apache-*",
        "license:Apache-2.0",
        "sort:downloads",
        "Tag:nlp",
        "-\"no such text\"",
        "\"TEXT gen\"",
        "name:*ment-an*",
    ] {
        assert!(matches(query), "{query}");
    }
}

#[test]
fn what_is_not_asked_is_not_found() {
    for query in [
        "vision",
        "senti?",
        "author:nobody",
        "name:sentiment",
        "namespace:ai",
        "capability:text",
        "tag:n",
        "model:gpt",
        "runtime:py",
        "version:1.2.2",
        "version:^2",
        "version:1.3.x",
        "updated:2026-06-09",
        "updated:>2026-06-10",
        "updated:<=2026-06-09",
        "updated:<7d",
        "downloads:>120",
        "downloads:<120",
        "downloads:12",
        "rating:<4.5",
        "rating:>4.5",
        "-rating:>1",
        "signed:no",
        "kind:skill",
        "license:MIT",
        "license:Apache",
        "-\"text generation\"",
        "\"sentiment*\"",
        "name:\"sentiment*\"",
        "\"-tag:nlp\"",
        "version:<1.2.3",
        "since:4d",
        "since:2026-06-11",
        "updated:<2026-06-10",
        "-tag:nlp",
        "sentiment tag:vision",
        "\"generation text\"",
    ] {
        assert!(!matches(query), "{query}");
    }
}

#[test]
fn a_package_without_version_is_in_no_range() {
    let summary = Summary { version: None, ..summary() };
    let found = |query| parse(query).matches(&summary, &standing());
    assert!(!found("version:>=0.0.0"));
    assert!(found("-version:>=0.0.0"));
}

#[test]
fn what_nobody_has_rated_is_in_no_comparison() {
    let found = |query: &str| parse(query).matches(&summary(), &Standing::default());
    assert!(!found("rating:>=0") && !found("rating:<=5") && found("-rating:>=0"));
    assert!(found("downloads:0") && found("signed:no"));
}

#[test]
fn pre_releases_are_found_where_they_are_named() {
    let summary = Summary { version: Some("2.0.0-rc.1".to_owned()), ..summary() };
    let found = |query| parse(query).matches(&summary, &standing());
    assert!(found("version:2.0.0-rc.1") && found("version:>=2.0.0-alpha") && found("version:2.0.0-rc.1+b"));
    assert!(!found("version:*") && !found("version:>=1") && !found("version:2.x"));
}

#[test]
fn one_licence_of_several_is_found() {
    let summary = Summary { license: "(MIT OR Apache-2.0)".to_owned(), ..summary() };
    let found = |query| parse(query).matches(&summary, &standing());
    assert!(found("license:mit") && found("license:apache-2.0") && found("license:\"(mit or apache-2.0)\""));
    assert!(!found("license:apache") && !found("license:\"\\*\""));
}

#[test]
fn terms_are_what_they_look_like() {
    let only = |text: &str| parse(text).terms.remove(0).condition;
    assert_eq!(only("\"a b\""), Condition::Phrase("a b".to_owned()));
    assert!(matches!(only("a\"b c\""), Condition::Word(pattern) if pattern.text() == Some("ab c")));
    assert!(matches!(only("\"a\"b"), Condition::Word(pattern) if pattern.text() == Some("ab")));
    assert!(matches!(only("\"a*\"*"), Condition::Word(pattern) if pattern.is_prefix() && pattern.prefix() == "a*"));
    assert!(matches!(only("\"http://x\""), Condition::Phrase(_)));
    let comparison = Comparison { relation: Relation::GreaterOrEqual, number: 4.5 };
    assert_eq!(only("rating:>=4.5"), Condition::Rating(comparison));
    for text in ["a AND b", "x' OR 1=1 --", "name NEAR(a b)", "{name}:a", ":a", "12:30", "col:*"] {
        // What looks like a field but is none is refused, all else is text; nothing is interpreted.
        match Query::parse(text, now()) {
            Ok(query) => assert!(query.terms.iter().all(|term| matches!(term.condition, Condition::Word(_))), "{text}"),
            Err(error) => {
                assert!(matches!(error, QueryError::UnknownField { .. }) && text == "col:*", "{text}: {error}");
            }
        }
    }
}

#[test]
fn an_order_is_said_once() {
    assert_eq!(parse("sort:downloads review").sort, Some(Sort::Downloads));
    assert_eq!(parse("a").sort, None);
    assert_eq!(parse("a").and(parse("sort:name")).and(parse("sort:rating")).sort, Some(Sort::Name));
    let error = |query: &str| Query::parse(query, now()).expect_err("a mistake");
    assert_eq!(error("sort:name sort:name"), QueryError::SecondSort { column: 11 });
    assert_eq!(error("a -sort:name"), QueryError::NegatedSort { column: 3 });
    assert_eq!(
        error("sort:best").to_string(),
        "column 6: `best` is no order: write relevance, updated, downloads, rating or name"
    );
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let error = |query: &str| Query::parse(query, now()).expect_err("a mistake");
    assert_eq!(error("a colour:red"), QueryError::UnknownField { column: 3, field: "colour".to_owned() });
    assert_eq!(error("a \"b c"), QueryError::OpenQuote { column: 3 });
    assert_eq!(error("ä tag:"), QueryError::Empty { column: 3 });
    assert_eq!(error("a \"\""), QueryError::Empty { column: 3 });
    assert_eq!(error("-"), QueryError::Empty { column: 1 });
    assert_eq!(error(&"a ".repeat(MAX_QUERY_TERMS + 1)), QueryError::TooManyTerms { column: 65 });
    assert_eq!(error(&"a".repeat(1025)), QueryError::TooLong(1025));
    for (query, place) in [
        ("since:soon", "column 7: `soon` is no date"),
        ("x since:>7d", "column 9: `>7d` is no date"),
        ("updated:2026-02-30", "column 9: `2026-02-30` is no date"),
        ("updated:>=", "column 9: `>=` is no date"),
        ("updated:99999d", "column 9: `99999d` is no date"),
        ("updated:2026-01-31T12:00", "column 9: `2026-01-31T12:00` is no date"),
        ("version:^x.y", "column 9: `^x.y` is no version range"),
        ("version:latest", "column 9: `latest` is no version range"),
        ("tag:nlp version:\">=1 <2\"", "column 17: `>=1 <2` is no version range"),
        ("downloads:many", "column 11: `many` is no number"),
        ("downloads>-1", "column 10: `>-1` is no number"),
        ("downloads:18446744073709551616", "column 11: `18446744073709551616` is no number"),
        ("rating:>=6", "column 8: `>=6` is no rating"),
        ("rating:nan", "column 8: `nan` is no rating"),
        ("signed:perhaps", "column 8: `perhaps` is no answer"),
    ] {
        let told = error(query).to_string();
        assert!(told.starts_with(place) && told.contains(": write "), "{query}: {told}");
    }
    let long = error(&format!("since:{}", "x".repeat(1_000))).to_string();
    assert!(long.len() < 200, "{long}");
}

#[test]
fn joined_queries_match_both() {
    assert!(parse("tag:nlp").and(parse("sentiment*")).matches(&summary(), &standing()));
    assert!(!parse("tag:nlp").and(parse("tag:vision")).matches(&summary(), &standing()));
}

proptest! {
    #[test]
    fn no_query_panics(
        text in "\\PC{0,80}",
        other in "-?(since|updated|version|tag|downloads|rating|signed|sort|-)?[:=]?[0-9a-z<>^~*?\", -]{0,40}",
    ) {
        for text in [text, other] {
            let _ = Query::parse(&text, now()).map(|query| query.matches(&summary(), &standing()));
        }
    }

    #[test]
    fn no_query_takes_long(text in "[*?a\"(<]{0,1024}", described in "[a*]{0,4096}") {
        let summary = Summary { description: described, ..summary() };
        let _ = Query::parse(&text, now()).map(|query| query.matches(&summary, &standing()));
    }

    #[test]
    fn quoted_text_is_found_as_it_stands(text in "[^\"\\PC]{1,60}") {
        let summary = Summary { description: format!("x {text} y"), ..summary() };
        let query = parse(&format!("\"{text}\""));
        prop_assert!(query.matches(&summary, &standing()));
    }
}
