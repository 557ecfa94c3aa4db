//! How the verbs about people print: lists as tables or JSON, and what was done, or would be.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::table::table;
use super::text::{age, safe};

/// A list: a table with headings, names alone with `--quiet`, or JSON.
pub(super) fn list<T: Serialize, const N: usize>(
    context: &Context,
    items: &[T],
    headings: [&str; N],
    row: impl Fn(&T) -> [String; N],
) -> Result<(), Error> {
    let printer = context.printer;
    if printer.format != Format::Table {
        return printer.json_list(items);
    }
    if printer.quiet {
        // The first column is what the list is of.
        return items.iter().try_for_each(|item| Printer::data(&safe(&row(item)[0])));
    }
    if items.is_empty() {
        printer.note("there are none");
        return Ok(());
    }
    Printer::data(&table(headings, items.iter().map(row)))
}

/// Something that was done: what it was done to on stdout, the rest for people.
pub(super) fn done(context: &Context, what: &impl Serialize, name: &str, text: &str) -> Result<(), Error> {
    if context.printer.format != Format::Table {
        return context.printer.json(what);
    }
    context.printer.done(text);
    Printer::data(&safe(name))
}

/// Something that would be done without `--dry-run`.
pub(super) fn dry(context: &Context, name: &str, text: &str) -> Result<(), Error> {
    if context.printer.format != Format::Table {
        return context.printer.json(&json!({"would": text, "object": name, "dry_run": true}));
    }
    context.printer.note(&format!("would {text}; nothing was done"));
    Printer::data(&safe(name))
}

/// How long ago something was; nothing for what never was.
pub(super) fn ago(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| age(time, Timestamp::now()))
}

/// The day on which something ends.
pub(super) fn ends(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| time.to_string().chars().take(10).collect())
}
