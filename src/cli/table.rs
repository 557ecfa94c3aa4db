//! Tables: plain columns, as wide as they need to be, that survive a pipe.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::text::{safe, shortened};

/// Columns a terminal must have for lines to be cut; some say they have none.
const MIN_WIDTH: usize = 40;

/// Columns with headings.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = plain();
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| safe(&cell).into_owned()));
    }
    trimmed(&table)
}

/// Labels with values, without headings; values that are empty are left out.
pub(super) fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = plain();
    for (label, value) in rows {
        if !value.is_empty() {
            table.add_row([label.to_owned(), safe(&value).into_owned()]);
        }
    }
    trimmed(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Without the space a last column is filled up with, and on a terminal no wider than it: the last column is cut.
fn trimmed(table: &Table) -> String {
    let mut table = table.clone();
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
        column.set_cell_alignment(CellAlignment::Left);
    }
    let width = table.width().map(usize::from).filter(|width| *width >= MIN_WIDTH);
    let most = width.unwrap_or(usize::MAX);
    table.lines().map(|line| shortened(line.trim_end(), most)).collect::<Vec<_>>().join("\n")
}
