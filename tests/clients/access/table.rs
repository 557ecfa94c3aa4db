//! The table of what was run, as it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

use super::{Column, ROWS, agent, cosign, crane, docker, helm, oci_client, oras, regctl, skopeo};
use crate::matrix::versions;

/// The columns.
static COLUMNS: [&Column; 9] = [
    &docker::COLUMN,
    &skopeo::COLUMN,
    &oras::COLUMN,
    &crane::COLUMN,
    &regctl::COLUMN,
    &helm::COLUMN,
    &cosign::COLUMN,
    &oci_client::COLUMN,
    &agent::COLUMN,
];

const HEAD: &str = "# Access\n\nWhat each client may do with what it shows, as `tests/clients/access` ran it against a \
registry with accounts: ✓ was run and its result looked at, ✗ was refused with the words of the note, – does not exist \
for that client. A version with `+` is that one or a newer. The test writes this file.\n\n| |";

fn table() -> String {
    let (versions, mut text, mut notes) = (versions(), HEAD.to_owned(), Vec::<String>::new());
    for column in COLUMNS {
        let version = versions.get(column.name).map(|(_, version)| format!(" {version}")).unwrap_or_default();
        let _ = write!(text, " {}{version} |", column.name);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(COLUMNS.len()));
    for (index, (row, title)) in ROWS.into_iter().enumerate() {
        let _ = write!(text, "\n| {title} |");
        for column in COLUMNS {
            let told = column.words(row).map(|words| format!("`{words}`"));
            let sign = match (column.reason(row), &told) {
                _ if column.outcomes()[index].is_err() => "FAILED",
                (Some(_), _) => "–",
                (None, Some(_)) => "✗",
                (None, None) => "✓",
            };
            let _ = write!(text, " {sign}");
            let more = column.reason(row).or_else(|| column.note(row)).map(str::to_owned);
            for note in told.into_iter().chain(more) {
                let known = notes.iter().position(|other| *other == note);
                let number = known.unwrap_or(notes.len());
                if known.is_none() {
                    notes.push(note);
                }
                let _ = write!(text, "[^{}]", number + 1);
            }
            text.push_str(" |");
        }
    }
    text.push('\n');
    for (number, note) in notes.iter().enumerate() {
        let _ = write!(text, "\n[^{}]: {note}.\n", number + 1);
    }
    text
}

#[test]
fn the_committed_table_is_what_was_run() {
    thread::scope(|scope| {
        for column in COLUMNS {
            scope.spawn(|| column.outcomes());
        }
    });
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ACCESS.md");
    let text = table();
    fs::write(&new, &text).expect("the table is written");
    let failures: Vec<_> = COLUMNS.iter().flat_map(|column| column.failures()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec-conformance/ACCESS.md");
    let is_same = fs::read_to_string(&committed).is_ok_and(|old| old == text);
    assert!(is_same, "{} is not what was run; look at {} and copy it there", committed.display(), new.display());
}

#[test]
fn a_row_that_a_client_lacks_has_no_other_outcome() {
    for column in COLUMNS {
        for (row, title) in ROWS {
            let is_lacking = column.reason(row).is_some();
            let is_told = column.words(row).is_some() || column.note(row).is_some();
            assert!(!(is_lacking && is_told), "{}: `{title}` is lacking and told of", column.name);
        }
    }
}
