//! Queries as people type them: several texts as one, and a mistake shown where it is.

use jiff::Timestamp;

use super::error::Error;
use super::text::safe;
use crate::api::{Query, QueryError};

/// Characters of a query that are shown on each side of a mistake.
const SHOWN: usize = 30;

/// All texts as one query: what matches each of them. Each is read alone, so that its quotes are closed and it can stand
/// beside the others.
pub(super) fn read<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Query, Error> {
    let now = Timestamp::now();
    texts.into_iter().try_fold(Query::default(), |query, text| {
        let parsed = Query::parse(text, now);
        Ok(query.and(parsed.map_err(|source| Error::Query { shown: shown(text, &source), source })?))
    })
}

/// A value for a field, whatever is in it.
pub(super) fn field(name: &str, value: &str) -> Result<String, Error> {
    // Quotes take the meaning from everything but themselves.
    if value.contains('"') {
        return Err(Error::Quoted { field: name.to_owned() });
    }
    Ok(format!("{name}:\"{value}\""))
}

/// The query with a mark below the mistake, as further lines of a message; a long one only around it.
fn shown(text: &str, error: &QueryError) -> String {
    let characters: Vec<char> = safe(text).chars().collect();
    let Some(at) = error.column().map(|column| column.saturating_sub(1).min(characters.len())) else {
        return String::new();
    };
    let (first, end) = (at.saturating_sub(SHOWN), (at + SHOWN).min(characters.len()));
    let (before, after) = (if first > 0 { "…" } else { "" }, if end < characters.len() { "…" } else { "" });
    let part: String = characters[first..end].iter().collect();
    let gap = " ".repeat(before.chars().count() + at - first);
    format!("\n    {before}{part}{after}\n    {gap}^")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let error = Query::parse(text, Timestamp::now()).unwrap_err();
        shown(text, &error)
    }

    #[test]
    fn a_mark_stands_below_the_mistake() {
        assert_eq!(wrong("good colour:red"), "\n    good colour:red\n         ^");
        assert_eq!(wrong("rating:many"), "\n    rating:many\n           ^");
        assert_eq!(wrong("über groesse:1"), "\n    über groesse:1\n         ^");
        assert_eq!(wrong("a\tb \"open"), "\n    a b \"open\n        ^");
        let long = format!("{} colour:red {}", "word ".repeat(20), "more ".repeat(20));
        let shown = wrong(&long);
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[1].starts_with("    …") && lines[1].ends_with('…') && lines[1].chars().count() < 70, "{shown}");
        let mark = lines[2].find('^').unwrap();
        assert!(lines[1].chars().skip(mark).collect::<String>().starts_with("colour:red"), "{shown}");
        assert_eq!(wrong(&"x".repeat(2_000)), "");
    }

    #[test]
    fn texts_are_read_alone_and_meant_together() {
        let texts = ["a b".to_owned(), "name:x".to_owned()];
        assert_eq!(read(&texts).unwrap(), Query::parse("a b name:x", Timestamp::now()).unwrap());
        assert!(matches!(read(&["\"a".to_owned(), "b\"".to_owned()]), Err(Error::Query { .. })));
        assert_eq!(field("author", "Ada <a@b>:*").unwrap(), "author:\"Ada <a@b>:*\"");
        assert!(field("author", "\"").is_err());
    }
}
