//! The query language: what people type finds what they mean, and a mistake is shown where it is.

use agent_registry::api::{MAX_QUERY_TERMS, Query, QueryError};
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

fn matches(query: &str) -> bool {
    Query::parse(query, now()).expect("a query").matches(&summary())
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
        "version:1.2",
        "version:^2",
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
    let found = |query| Query::parse(query, now()).expect("a query").matches(&summary);
    assert!(!found("version:>=0.0.0"));
    assert!(found("-version:>=0.0.0"));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let error = |query: &str| Query::parse(query, now()).expect_err("a mistake");
    assert_eq!(error("a colour:red"), QueryError::UnknownField { column: 3, field: "colour".to_owned() });
    assert_eq!(error("a \"b c"), QueryError::OpenQuote { column: 3 });
    assert_eq!(error("ä tag:"), QueryError::Empty { column: 3 });
    assert_eq!(error("-"), QueryError::Empty { column: 1 });
    assert_eq!(error("since:soon"), QueryError::Date { column: 1, value: "soon".to_owned() });
    assert_eq!(error("version:^x.y"), QueryError::Version { column: 1, value: "^x.y".to_owned() });
    assert_eq!(error(&"a ".repeat(MAX_QUERY_TERMS + 1)), QueryError::TooManyTerms);
    assert_eq!(error(&"a".repeat(1025)), QueryError::TooLong(1025));
}

#[test]
fn joined_queries_match_both() {
    let query = |text| Query::parse(text, now()).expect("a query");
    assert!(query("tag:nlp").and(query("sentiment*")).matches(&summary()));
    assert!(!query("tag:nlp").and(query("tag:vision")).matches(&summary()));
}

proptest! {
    #[test]
    fn no_query_panics(text in "\\PC{0,80}", other in "(since|version|tag|-)?[:=]?[0-9a-z<>^~*?\" -]{0,40}") {
        for text in [text, other] {
            let _ = Query::parse(&text, now()).map(|query| query.matches(&summary()));
        }
    }
}
