//! Tables: plain columns, as wide as they need to be, that survive a pipe.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::text::{safe, shortened};

/// Columns a terminal must have for lines to be cut; some say they have none.
const MIN_WIDTH: usize = 40;
/// Columns that a text must have to be broken into lines.
const MIN_TEXT: usize = 20;
/// Columns between columns.
const PADDING: usize = 3;

/// Columns with headings.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = plain();
    table.set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| safe(&cell).into_owned()));
    }
    trimmed(&table)
}

/// Columns with headings of which the last is a text: on a terminal it goes on in a second line rather than being cut
/// short. Columns that are empty throughout are left out.
pub(super) fn texts<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let used: Vec<usize> = (0..N).filter(|column| rows.iter().any(|row| !row[*column].is_empty())).collect();
    let cells = |row: &[String; N]| used.iter().map(|column| safe(&row[*column]).into_owned()).collect::<Vec<_>>();
    let headings: Vec<_> = used.iter().map(|column| headings[*column]).collect();
    let mut rows: Vec<_> = rows.iter().map(cells).collect();
    let mut table = plain();
    let width = table.width().map(usize::from).filter(|width| *width >= MIN_WIDTH);
    let before = used.len().saturating_sub(1);
    let widest = |column: usize| rows.iter().map(move |row: &Vec<String>| row[column].chars().count());
    let taken: usize = (0..before).map(|at| widest(at).max().unwrap_or(0).max(headings[at].len()) + PADDING).sum();
    if let Some(room) = width.and_then(|width| width.checked_sub(taken)).filter(|room| *room >= MIN_TEXT) {
        for text in rows.iter_mut().filter_map(|row| row.last_mut()) {
            *text = in_two_lines(text, room);
        }
    }
    table.set_header(headings);
    table.add_rows(rows);
    trimmed(&table)
}

/// The text in at most two lines of so many characters, broken between words.
fn in_two_lines(text: &str, room: usize) -> String {
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    if end == text.len() {
        return text.to_owned();
    }
    let is_between = text[end..].starts_with(' ');
    let at = if is_between { end } else { text[..end].rfind(' ').filter(|at| *at > end / 2).unwrap_or(end) };
    format!("{}\n{}", &text[..at], shortened(text[at..].trim_start(), room))
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
        column.set_padding((0, u16::try_from(PADDING).unwrap_or_default()));
        column.set_cell_alignment(CellAlignment::Left);
    }
    let width = table.width().map(usize::from).filter(|width| *width >= MIN_WIDTH);
    let most = width.unwrap_or(usize::MAX);
    table.lines().map(|line| shortened(line.trim_end(), most)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words_and_cut_after_two_lines() {
        for (text, expected) in [
            ("short", "short"),
            ("exactly 10", "exactly 10"),
            ("a word and another", "a word and\nanother"),
            ("one two three four five six", "one two\nthree fou…"),
            ("unbreakablelongword", "unbreakabl\nelongword"),
            ("äöüäöüäöüä öü", "äöüäöüäöüä\nöü"),
        ] {
            assert_eq!(in_two_lines(text, 10), expected);
        }
    }

    #[test]
    fn empty_columns_are_left_out() {
        let rows = [["a".to_owned(), String::new(), "x".to_owned()], ["b".to_owned(), String::new(), String::new()]];
        assert_eq!(texts(["NAME", "NONE", "TEXT"], &rows), "NAME   TEXT\na      x\nb");
    }
}
