//! What a document may hold, as a value, and the check that finds everything that differs from it.

use super::problem::{Place, Problem};
use super::yaml::{Node, Value};

/// Most problems reported of one document; after so many the rest says nothing new.
pub const MAX_PROBLEMS: usize = 200;

/// The shape of a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// A scalar; numbers and booleans count, as written.
    Text,
    /// A scalar that is not empty.
    Filled,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in a range, ends included.
    Number(u64, u64),
    /// `true` or `false`.
    Bool,
    /// A scalar another reader understands: what it is called, and whether it does.
    Parsed(&'static str, fn(&str) -> bool),
    /// Anything at all: not ours to judge.
    Free,
    /// A map of scalars.
    Labels,
    /// A list.
    List(&'static Self),
    /// A list with at least one item.
    FilledList(&'static Self),
    /// A map with these keys.
    Map(&'static [Field]),
    /// A map with these keys and any others.
    Open(&'static [Field]),
}

/// A key of a map.
#[derive(Debug)]
pub(super) struct Field {
    key: &'static str,
    shape: Shape,
    required: bool,
}

/// A key that may be absent or null.
pub(super) const fn may(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, required: false }
}

/// A key that must be there.
pub(super) const fn must(key: &'static str, shape: Shape) -> Field {
    Field { key, shape, required: true }
}

/// Everything in which `node` is not of `shape`.
pub(super) fn check(node: &Node, shape: &Shape) -> Vec<Problem> {
    let mut problems = vec![];
    visit(node, shape, "", &mut problems);
    problems.truncate(MAX_PROBLEMS);
    problems
}

fn visit(node: &Node, shape: &Shape, path: &str, problems: &mut Vec<Problem>) {
    match shape {
        Shape::Free => {}
        Shape::List(item) | Shape::FilledList(item) => {
            visit_list(node, shape, item, path, problems);
        }
        Shape::Labels => visit_labels(node, path, problems),
        Shape::Map(fields) | Shape::Open(fields) => visit_map(node, shape, fields, path, problems),
        Shape::Text | Shape::Filled | Shape::OneOf(_) | Shape::Number(..) | Shape::Bool | Shape::Parsed(..) => {
            if !node.text().is_some_and(|text| fits(text, shape)) {
                problems.push(mismatch(node, shape, path));
            }
        }
    }
}

fn fits(text: &str, shape: &Shape) -> bool {
    match shape {
        Shape::Filled => !text.trim().is_empty(),
        Shape::OneOf(words) => words.contains(&text),
        Shape::Number(low, high) => text.parse().is_ok_and(|number: u64| (*low..=*high).contains(&number)),
        Shape::Bool => matches!(text, "true" | "false"),
        Shape::Parsed(_, understands) => understands(text),
        _ => true,
    }
}

fn mismatch(node: &Node, shape: &Shape, path: &str) -> Problem {
    let found = match node.text() {
        Some(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
        None => node.kind().to_owned(),
    };
    Problem::error(node.place, path, format!("expected {}, found {found}", describe(shape)))
}

fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Filled => "text that is not empty".to_owned(),
        Shape::OneOf([word]) => format!("`{word}`"),
        Shape::OneOf(words) => format!("one of `{}`", words.join("`, `")),
        Shape::Number(low, high) => format!("a whole number from {low} to {high}"),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Parsed(what, _) => (*what).to_owned(),
        Shape::Free => "anything".to_owned(),
        Shape::Labels | Shape::Map(_) | Shape::Open(_) => "a map".to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::FilledList(_) => "a list with at least one item".to_owned(),
    }
}

fn visit_list(node: &Node, shape: &Shape, item: &Shape, path: &str, problems: &mut Vec<Problem>) {
    match (&node.value, shape) {
        (Value::List(items), Shape::FilledList(_)) if items.is_empty() => problems.push(mismatch(node, shape, path)),
        (Value::List(items), _) => {
            for (index, entry) in items.iter().enumerate() {
                visit(entry, item, &format!("{path}[{index}]"), problems);
            }
        }
        _ => problems.push(mismatch(node, shape, path)),
    }
}

fn visit_labels(node: &Node, path: &str, problems: &mut Vec<Problem>) {
    let Value::Map(entries) = &node.value else {
        return problems.push(mismatch(node, &Shape::Labels, path));
    };
    for (key, value) in unique(entries, path, problems) {
        visit(value, &Shape::Text, &join(path, key), problems);
    }
}

fn visit_map(node: &Node, shape: &Shape, fields: &[Field], path: &str, problems: &mut Vec<Problem>) {
    let Value::Map(entries) = &node.value else {
        return problems.push(mismatch(node, shape, path));
    };
    for (key, value) in unique(entries, path, problems) {
        match fields.iter().find(|field| field.key == key) {
            Some(field) if !field.required && value.value == Value::Null => {}
            Some(field) => visit(value, &field.shape, &join(path, key), problems),
            None if matches!(shape, Shape::Open(_)) => {}
            None => problems.push(unknown(entries, key, fields, path)),
        }
    }
    for field in fields.iter().filter(|field| field.required && node.get(field.key).is_none()) {
        let message = format!("`{}` is missing: expected {}", field.key, describe(&field.shape));
        problems.push(Problem::error(node.place, path, message));
    }
}

/// The entries with a readable key of their own; the others become problems.
fn unique<'a>(entries: &'a [(Node, Node)], path: &str, problems: &mut Vec<Problem>) -> Vec<(&'a str, &'a Node)> {
    let mut seen: std::collections::BTreeMap<&str, Place> = std::collections::BTreeMap::new();
    let mut readable = vec![];
    for (key, value) in entries {
        let Some(name) = key.text() else {
            problems.push(Problem::error(key.place, path, format!("a key must be text, found {}", key.kind())));
            continue;
        };
        if let Some(first) = seen.get(name) {
            let message = format!("set twice, first at {first}");
            problems.push(Problem::error(key.place, &join(path, name), message));
            continue;
        }
        seen.insert(name, key.place);
        readable.push((name, value));
    }
    readable
}

fn unknown(entries: &[(Node, Node)], key: &str, fields: &[Field], path: &str) -> Problem {
    let origin = Place { line: 1, column: 1 };
    let place = entries.iter().find(|(name, _)| name.text() == Some(key)).map_or(origin, |(name, _)| name.place);
    let known: Vec<_> = fields.iter().map(|field| field.key).collect();
    Problem::warning(place, &join(path, key), format!("unknown key, ignored; known here: {}", known.join(", ")))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
