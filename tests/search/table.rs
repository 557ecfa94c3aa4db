//! The table of how the questions went, as it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::documents::search;
use crate::questions::{MUST_PASS, Outcome, Question, TOP, questions};

/// Why a question is not answered as expected.
const REASONS: &[(&str, &str)] = &[];

#[test]
fn the_committed_table_is_what_was_found() {
    let search = search();
    let outcomes: Vec<_> = questions().into_iter().map(|question| (question.put(&search), question)).collect();
    for (outcome, question) in
        outcomes.iter().filter(|(outcome, question)| !outcome.passes() && question.half == "tune")
    {
        let Outcome { rank, answers, total, relaxed } = outcome;
        eprintln!(
            "{} | {:?} of {total}, relaxed {relaxed}\n   {:?}\n   wanted {:?}",
            question.ask,
            rank,
            &answers[..answers.len().min(6)],
            question.expect
        );
    }
    for half in ["tune"] {
        let of_half: Vec<_> = outcomes.iter().filter(|(_, question)| question.half == half).collect();
        let passed = of_half.iter().filter(|(outcome, _)| outcome.passes()).count();
        eprintln!("{half}: {passed} of {}", of_half.len());
    }
    panic!();
}
