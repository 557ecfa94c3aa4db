//! The table of how the questions went, as it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::documents::search;
use crate::questions::{MUST_PASS, Outcome, Question, TOP, questions};

/// Why a question is not answered as expected.
const REASONS: &[(&str, &str)] = &[
    ("write unit tests for my python code", "one package has all of the words, and hides those that have most of them"),
    ("summarise a long report", "its text says neither long nor report, and others have more of the words"),
    (
        "teach me programming by asking questions",
        "one package has all of the words, and hides those that have most of them",
    ),
];

#[test]
fn the_committed_table_is_what_was_found() {
    let search = search();
    let outcomes: Vec<_> = questions().into_iter().map(|question| (question.put(&search), question)).collect();
    let text = table(&outcomes);
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("SEARCH.md");
    fs::write(&new, &text).expect("the table is written");
    let passed = outcomes.iter().filter(|(outcome, _)| outcome.passes()).count();
    assert!(passed >= MUST_PASS, "{passed} of {} pass:\n{text}", outcomes.len());
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec-conformance/SEARCH.md");
    let is_same = fs::read_to_string(&committed).is_ok_and(|old| old == text);
    assert!(is_same, "{} is not what was found; look at {} and copy it there", committed.display(), new.display());
}

fn table(outcomes: &[(Outcome, Question)]) -> String {
    let count = |half: &str| {
        let of_half = outcomes.iter().filter(|(_, question)| question.half == half);
        let passed = of_half.clone().filter(|(outcome, _)| outcome.passes()).count();
        format!("{passed} of {}", of_half.count())
    };
    let mut text = format!(
        "# Questions a person would ask\n\nPut to a search over every real agent at hand, by `tests/search`, which also \
         writes this table. A question passes if one of the packages\nthat were named before there was a ranking is among \
         the first {TOP}; at least {MUST_PASS} have to. Weights and synonyms were chosen looking at the half\n`tune`: {} \
         pass; of `judge` {}.\n\n| question | kind | half | place | of | expected | |\n|---|---|---|---|---|---|---|\n",
        count("tune"),
        count("judge")
    );
    for (outcome, question) in outcomes {
        let place = outcome.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string());
        let total = if outcome.relaxed { "no package has all words".to_owned() } else { outcome.total.to_string() };
        // What a line without an answer is looked at for.
        let said = if outcome.passes() { "" } else { reason(&question.ask) };
        let (ask, expected) = (question.ask.replace('|', "\\|"), question.expect.join(", "));
        let _ = writeln!(
            text,
            "| `{ask}` | {} | {} | {place} | {total} | {expected} | {said} |",
            question.kind, question.half
        );
    }
    text
}

fn reason(ask: &str) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == ask).map_or("**missed, without a known reason**", |(_, reason)| reason)
}
