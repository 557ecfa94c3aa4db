//! YAML as a tree that remembers where every value stands, so that a check can say it of each problem.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Spanned};

use super::problem::{Place, Problem};

/// Most YAML nodes of one document, aliases expanded: stops a small file from growing without end.
pub const MAX_YAML_NODES: usize = 50_000;

/// Deepest nesting of lists and maps.
pub const MAX_YAML_DEPTH: usize = 32;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Where the value begins.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A YAML value. Numbers and booleans are kept as written: `1.10` is a version to somebody.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// An unquoted number or boolean, as written.
    Plain(String),
    /// Any other scalar.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written; keys may repeat.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Parses one document whose first line is line `first_line` of its file.
    pub(super) fn parse(text: &str, first_line: u64) -> Result<Self, Problem> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: MAX_YAML_NODES, max_depth: MAX_YAML_DEPTH, max_documents: 1 },
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_YAML_NODES },
            // Told by the check, with all other problems, instead of ending the parse.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            strict_booleans: true,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
            with_snippet: false,
        };
        let place = |at: Location| Place { line: at.line().max(1) + first_line - 1, column: at.column().max(1) };
        serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options).map(|raw| build(raw, text, &place)).map_err(
            |error| {
                let at = error.location().unwrap_or(Location::UNKNOWN);
                Problem::error(place(at), "", format!("not readable as YAML: {}", reason(&error, at)))
            },
        )
    }

    /// The scalar as written; `None` for null, lists and maps.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Plain(text) | Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The value under keys one inside the other.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// What the value is, as a person would call it.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Plain(_) => "a number or boolean",
            Value::Text(_) => "text",
            Value::List(ref items) if items.is_empty() => "an empty list",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Why a document cannot be read, without the place, which is told beside it, and without the parser's own counters.
fn reason(error: &serde_saphyr::Error, at: Location) -> String {
    let text = error.without_snippet().to_string();
    if ["budget breached", "recursion limit", "alias replay limit"].iter().any(|limit| text.starts_with(limit)) {
        return format!(
            "more than {MAX_YAML_NODES} values, aliases expanded, or nested deeper than {MAX_YAML_DEPTH} levels"
        );
    }
    let place = format!(" at line {}, column {}", at.line(), at.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The tree as the deserializer hands it out: scalars other than text lose how they were written.
enum Raw {
    Null,
    Plain(String),
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

fn build(raw: Spanned<Raw>, source: &str, place: &impl Fn(Location) -> Place) -> Node {
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Plain(parsed) => Value::Plain(written(source, raw.defined).map_or(parsed, str::to_owned)),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| build(item, source, place)).collect()),
        Raw::Map(entries) => {
            let entry = |(key, value)| (build(key, source, place), build(value, source, place));
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { place: place(raw.referenced), value }
}

/// The characters a scalar has in the file.
fn written(source: &str, at: Location) -> Option<&str> {
    let start = usize::try_from(at.span().byte_offset()?).ok()?;
    let length = usize::try_from(at.span().byte_len()?).ok()?;
    source.get(start..start.checked_add(length)?).map(str::trim).filter(|text| !text.is_empty())
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Plain(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = vec![];
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = vec![];
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn scalars_stay_as_written_and_know_their_place() {
        let tree = Node::parse("a: 1.10\nb:\n  - 0x1F\n  - \"7\"\n  - yes\n  - ~\n  - 1e999\n", 1).unwrap();
        assert_eq!(tree.get("a").unwrap().value, Value::Plain("1.10".into()));
        assert_eq!(tree.get("a").unwrap().place, Place { line: 1, column: 4 });
        let values: Vec<_> = tree.get("b").unwrap().items().iter().map(|item| item.value.clone()).collect();
        let text = |text: &str| Value::Text(text.into());
        let plain = |text: &str| Value::Plain(text.into());
        assert_eq!(values, [plain("0x1F"), text("7"), text("yes"), Value::Null, plain("1e999")]);
        assert_eq!(tree.get("b").unwrap().items()[1].place, Place { line: 4, column: 5 });
    }

    #[test]
    fn aliases_stand_where_they_are_used() {
        let tree = Node::parse("a: &x 1.50\nb: *x\n", 10).unwrap();
        let alias = tree.get("b").unwrap();
        assert_eq!((alias.text(), alias.place), (Some("1.50"), Place { line: 11, column: 4 }));
    }

    #[test]
    fn broken_documents_say_where() {
        let problem = Node::parse("a: 1\nb: [\n", 1).unwrap_err();
        assert!(problem.place.line >= 2, "{problem}");
        assert!(problem.message.starts_with("not readable as YAML"), "{problem}");
        let problem = Node::parse("a:\n  b: 1\n\tc: 2\n", 1).unwrap_err();
        assert!(problem.message.contains("tab") && !problem.message.contains(" line 3"), "{problem}");
    }

    #[test]
    fn bombs_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            writeln!(text, "a{level}: &a{level} [{}]", vec![alias; 10].join(", ")).unwrap();
        }
        let deep = |open: &str, close: &str| open.repeat(MAX_YAML_DEPTH * 4) + &close.repeat(MAX_YAML_DEPTH * 4);
        for bomb in [text, deep("[", "]"), deep("{a: ", "}")] {
            let problem = Node::parse(&bomb, 1).unwrap_err();
            assert!(problem.message.contains("more than 50000 values"), "{problem}");
        }
    }
}
