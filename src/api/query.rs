//! The query as a value: terms that all must hold, and an order. How it is written:
#![doc = "\n```text"]
#![doc = include_str!("grammar.txt")]
#![doc = "```"]

use std::fmt;

use jiff::Timestamp;

use super::{Pattern, SignedIs, Sort};
use crate::package::VersionRange;

/// How queries are written, for people.
pub const QUERY_GRAMMAR: &str = include_str!("grammar.txt");

/// A parsed query; an empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The terms, all of which must hold.
    pub terms: Vec<Term>,
    /// In which order the answers are wanted, where the query says so.
    pub sort: Option<Sort>,
}

/// One condition or its opposite.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Whether the condition must not hold, written with a leading `-`.
    pub negated: bool,
    /// The condition.
    pub condition: Condition,
}

/// What a term asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A bare word or glob: in the name, the description, a capability or a tag.
    Word(Pattern),
    /// Text in quotes, as written: in the same places.
    Phrase(String),
    /// `field:pattern`.
    Field(Field, Pattern),
    /// `version:^1.2`.
    Version(VersionRange),
    /// `since:` or `updated:`: when the package last changed.
    Updated(Period),
    /// `downloads:>100`.
    Downloads(Comparison<u64>),
    /// `rating:>=4`.
    Rating(Comparison<f64>),
    /// `signed:yes`.
    Signed(SignedIs),
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Its first moment; `None`: the beginning of time.
    pub from: Option<Timestamp>,
    /// The first moment after it; `None`: no end.
    pub before: Option<Timestamp>,
}

impl Period {
    /// Whether a moment is in it.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.before.is_none_or(|before| time < before)
    }
}

/// A number and how another one must stand to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison<T> {
    /// How.
    pub relation: Relation,
    /// To what.
    pub number: T,
}

/// How one number stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the relations by their names")]
pub enum Relation {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl<T: PartialOrd> Comparison<T> {
    /// Whether a number stands so to this one.
    pub fn holds(&self, number: &T) -> bool {
        match self.relation {
            Relation::Less => *number < self.number,
            Relation::LessOrEqual => *number <= self.number,
            Relation::Equal => *number == self.number,
            Relation::GreaterOrEqual => *number >= self.number,
            Relation::Greater => *number > self.number,
        }
    }
}

/// The fields that hold text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of a package summary by their names")]
pub enum Field {
    Name,
    Namespace,
    Capability,
    Tag,
    Author,
    Model,
    Runtime,
    License,
    Kind,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Name,
        Self::Namespace,
        Self::Capability,
        Self::Tag,
        Self::Author,
        Self::Model,
        Self::Runtime,
        Self::License,
        Self::Kind,
    ];

    /// The field as written in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Namespace => "namespace",
            Self::Capability => "capability",
            Self::Tag => "tag",
            Self::Author => "author",
            Self::Model => "model",
            Self::Runtime => "runtime",
            Self::License => "license",
            Self::Kind => "kind",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
