//! Searches by themselves: hostile input, cursors, damage on disk, who searches while somebody feeds.
#![expect(
    clippy::unwrap_used,
    clippy::cast_sign_loss,
    reason = "a failing test may panic, and rounds are no less than 0"
)]

use std::fs;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Answer, Change, Document, Error, Request, Search, Viewer};
use crate::api::{Query, Rating, Sort, Standing};
use crate::auth::Visibility;
use crate::oci::Digest;
use crate::package::Summary;

fn document(repository_id: i64, name: &str, description: &str) -> Document {
    let summary = Summary {
        repository: name.parse().unwrap(),
        version: Some("1.0.0".to_owned()),
        digest: Digest::sha256(name.as_bytes()),
        description: description.to_owned(),
        author: String::new(),
        capabilities: vec![],
        tags: vec![],
        model: String::new(),
        runtime: String::new(),
        license: String::new(),
        kind: "agent".to_owned(),
        updated_at: Timestamp::UNIX_EPOCH,
    };
    Document {
        repository_id,
        summary,
        readme: String::new(),
        versions: vec!["1.0.0".parse().unwrap()],
        signed: false,
        visibility: Visibility::Public,
        as_of: 1,
    }
}

fn put(document: Document) -> Change {
    Change::Put(Box::new(document))
}

/// A search over packages with a name and a description.
fn over(packages: &[(&str, &str)]) -> Search {
    let search = Search::in_memory().unwrap();
    let documents = (1..).zip(packages).map(|(id, (name, description))| put(document(id, name, description)));
    search.apply(documents.collect(), 1).unwrap();
    search
}

fn page(search: &Search, query: &str, after: Option<&str>, limit: usize) -> Result<Answer, Error> {
    let query = Query::parse(query, Timestamp::UNIX_EPOCH).unwrap();
    let sort = query.sort.unwrap_or(Sort::Relevance);
    search.search(&Request { query: &query, sort, viewer: &Viewer::everything(), after, limit, facets: true })
}

fn names(search: &Search, query: &str) -> Vec<String> {
    page(search, query, None, 100).unwrap().found.iter().map(|found| found.repository.to_string()).collect()
}

#[test]
fn names_come_before_descriptions_and_what_is_liked_before_the_rest() {
    let search = over(&[
        ("a/notes", "Formats text. Sometimes terraform."),
        ("a/terraform-helper", "Plans and applies."),
        ("a/zz-lint", "Lints all code"),
        ("a/aa-lint", "Lints all code"),
    ]);
    assert_eq!(names(&search, "terraform"), ["a/terraform-helper", "a/notes"]);
    assert_eq!(names(&search, "lint"), ["a/aa-lint", "a/zz-lint"]);
    search.set_standings(&[(3, Standing { downloads: 5_000, rating: Rating::of(4, 20), signed: false })]);
    assert_eq!(names(&search, "lint"), ["a/zz-lint", "a/aa-lint"]);
    assert_eq!(names(&search, "terraform"), ["a/terraform-helper", "a/notes"]);
}

#[test]
fn words_for_the_same_thing_find_each_other_and_quotes_say_as_written() {
    let search =
        over(&[("a/one", "Reviews pull requests"), ("a/two", "Answers any PR"), ("a/three", "Requests to pull")]);
    assert_eq!(names(&search, "pr"), ["a/two", "a/one"]);
    assert_eq!(names(&search, "\"pr\""), ["a/two"]);
    assert_eq!(names(&search, "\"pull request\""), ["a/one"]);
    let mut found = names(&search, "pull request");
    found.sort();
    assert_eq!(found, ["a/one", "a/three", "a/two"]);
    assert_eq!(names(&search, "-pr"), ["a/one", "a/three"]);
}

#[test]
fn most_words_do_where_nothing_has_all_and_only_then() {
    let search = over(&[("a/one", "alpha beta gamma"), ("a/two", "alpha delta"), ("a/three", "omega")]);
    let answer = page(&search, "alpha beta delta", None, 10).unwrap();
    assert!(answer.relaxed && answer.total == 2, "{answer:?}");
    let answer = page(&search, "alpha beta", None, 10).unwrap();
    assert!(!answer.relaxed && answer.total == 1, "{answer:?}");
    let answer = page(&search, "alpha beta delta kind:agent", None, 10).unwrap();
    assert!(!answer.relaxed && answer.total == 0, "what is no word must always hold: {answer:?}");
    assert!(names(&search, "nothing of this").is_empty() && names(&search, "!!!").is_empty());
}

#[test]
fn a_cursor_of_another_query_or_order_or_a_changed_one_is_refused() {
    let search = over(&[("a/one", "alpha"), ("a/two", "alpha"), ("a/three", "alpha")]);
    let next = page(&search, "alpha", None, 1).unwrap().next.unwrap();
    assert_eq!(page(&search, "alpha", Some(&next), 1).unwrap().found.len(), 1);
    let is_refused = |query: &str, after: &str| matches!(page(&search, query, Some(after), 1), Err(Error::Cursor));
    assert!(is_refused("beta", &next) && is_refused("alpha sort:name", &next) && is_refused("", &next));
    for at in 0..next.len() {
        let letter = if next.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{letter}{}", &next[..at], &next[at + 1..]);
        assert!(is_refused("alpha", &changed), "{changed}");
        assert!(is_refused("alpha", &next[..at]));
    }
    for text in ["", "0", "-", "ä", "AAAA", &"A".repeat(100_000), "' OR 1=1"] {
        assert!(is_refused("alpha", text), "{text:.20}");
    }
}

#[test]
fn hostile_documents_are_found_and_hostile_queries_end_soon() {
    let hostile = "\u{202e}evil\u{0}\u{7}\r\n<script>alert(1)</script> '; DROP TABLE x;-- \u{1f980} ﷽ 审查 ";
    let mut documents: Vec<_> = (1..=300i64).map(|id| document(id, &format!("a/e{id}t"), hostile)).collect();
    documents[0].readme = format!("{}{}", "x".repeat(2_000_000), hostile.repeat(20_000));
    documents[1].summary.description = "word ".repeat(500_000);
    documents[2].summary.capabilities = (0..20_000).map(|number| format!("c{number}-{}", "y".repeat(600))).collect();
    documents[3].summary.tags = vec![String::new(), "\u{0}".to_owned(), "ä".repeat(300_000), hostile.to_owned()];
    documents[4].summary.author = "z".repeat(1_000_000);
    documents[5].versions = (0..5_000).map(|patch| format!("1.0.{patch}").parse().unwrap()).collect();
    let search = Search::in_memory().unwrap();
    search.apply(documents.into_iter().map(put).collect(), 1).unwrap();
    for (query, least) in
        [("script alert", 290), ("\"drop table\"", 290), ("审查", 290), ("evil", 290), ("\"审查\"", 290)]
    {
        assert!(page(&search, query, None, 10).unwrap().total >= least, "{query}");
    }
    let words = (0..170).map(|number| format!("w{number}")).collect::<Vec<_>>();
    let queries = [
        "*e* ".repeat(32),
        "*e*t?* ".repeat(32),
        "-*e* ".repeat(32),
        format!("*{}*", "e*".repeat(400)),
        "x".repeat(1_000),
        words.join("-"),
        words.join(" ")[..100].to_owned(),
        format!("\"{}\"", "evil script ".repeat(60)),
        "evil ".repeat(32),
        "' OR 1=1; -- \" NEAR(a b) \"".to_owned(),
        "\u{202e}\u{0} 🦀 ﷽".to_owned(),
        "version:>=0 ".repeat(32),
        "capability:*y*y*y*y*c ".repeat(32),
    ];
    for query in queries {
        let began = Instant::now();
        let Ok(answer) = page(&search, &query, None, 10) else { panic!("{query}") };
        assert!(answer.total <= 300 && began.elapsed() < Duration::from_secs(5), "{query} {:?}", began.elapsed());
    }
}

#[test]
fn the_last_word_on_who_sees_a_repository_is_the_latest_event() {
    let search = Search::in_memory().unwrap();
    let nobody = Viewer::new(
        crate::auth::Sight::of(&crate::auth::Caller::user("ada".parse().unwrap()), false),
        vec![],
        vec![],
        vec![],
    );
    let query = Query::default();
    let total = || {
        let request =
            Request { query: &query, sort: Sort::Name, viewer: &nobody, after: None, limit: 1, facets: false };
        search.search(&request).unwrap().total
    };
    search.apply(vec![put(document(1, "a/one", ""))], 1).unwrap();
    assert_eq!(total(), 1);
    search.set_visibilities(&[(1, Visibility::Private)], 5);
    assert_eq!(total(), 0);
    search.set_visibilities(&[(1, Visibility::Public)], 4);
    assert_eq!(total(), 0, "an earlier event");
    search.apply(vec![put(Document { as_of: 3, ..document(1, "a/one", "") })], 6).unwrap();
    assert_eq!(total(), 0, "a document read before");
    search.apply(vec![put(Document { as_of: 6, ..document(1, "a/one", "") })], 7).unwrap();
    assert_eq!(total(), 1);
    search.apply(vec![Change::Remove(1)], 8).unwrap();
    assert_eq!((total(), search.documents()), (0, 0));
}

#[test]
fn what_is_damaged_or_of_another_format_is_thrown_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("search");
    let fill = || {
        let opened = Search::open(&path).unwrap();
        assert!(opened.is_new && opened.search.documents() == 0);
        opened.search.apply(vec![put(document(1, "a/one", "alpha"))], 9).unwrap();
    };
    fill();
    let opened = Search::open(&path).unwrap();
    assert!(!opened.is_new && opened.search.position() == 9 && names(&opened.search, "alpha") == ["a/one"]);
    drop(opened);
    let meta = path.join("meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, text.replace("\"1 9\"", "\"999 9\"")).unwrap();
    fill();
    let files = || fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    for ending in ["idx", "pos", "term", "fast"] {
        let part = files().find(|path| path.extension().is_some_and(|it| it == ending)).unwrap();
        let mut bytes = fs::read(&part).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(&part, bytes).unwrap();
        fill();
    }
    fs::write(&meta, "{").unwrap();
    fill();
    fs::remove_file(files().find(|file| file.extension().is_some_and(|it| it == "idx")).unwrap()).unwrap();
    fill();
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "no folder").unwrap();
    assert!(Search::open(&path).is_err(), "what is no folder is not ours to delete");
}

#[test]
fn searches_see_all_of_a_change_or_nothing_of_it() {
    let search = over(&[]);
    let pair = |round: i64| {
        let text = format!("round{round}");
        let one = document(round * 2, &format!("a/one-{round}"), &text);
        vec![
            put(one),
            put(document(round * 2 + 1, &format!("a/two-{round}"), &text)),
            Change::Remove(round * 2 - 2),
            Change::Remove(round * 2 - 1),
        ]
    };
    search.apply(pair(1), 2).unwrap();
    std::thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            for round in 2..60 {
                search.apply(pair(round), round as u64 + 1).unwrap();
            }
        });
        while !feeder.is_finished() {
            let answer = page(&search, "", None, 10).unwrap();
            assert_eq!((answer.total, answer.found.len()), (2, 2));
            let round = answer.as_of - 1;
            assert_eq!(answer.found[0].repository.as_str(), format!("a/one-{round}"));
            let answer = page(&search, &format!("\"round{round}\""), None, 10).unwrap();
            assert!(answer.total == 2 || (answer.total == 0 && answer.as_of > round + 1), "{answer:?}");
        }
    });
}
