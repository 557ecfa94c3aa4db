//! The query as a value: terms that all must hold.

use std::fmt;

use jiff::Timestamp;
use semver::VersionReq;

use super::Pattern;

/// A parsed query; an empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The terms, all of which must hold.
    pub terms: Vec<Term>,
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
    /// A bare word: found in the name, the description, a capability or a tag.
    Word(Pattern),
    /// `field:pattern`.
    Field(Field, Pattern),
    /// `version:^1.2`: a semantic version range.
    Version(VersionReq),
    /// `since:` or `updated:`: when the package last changed.
    Updated(Since),
}

/// A bound on the time of the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// At this time or later.
    From(Timestamp),
    /// Before this time.
    Before(Timestamp),
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
    Version,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Namespace,
        Self::Capability,
        Self::Tag,
        Self::Author,
        Self::Model,
        Self::Runtime,
        Self::Version,
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
            Self::Version => "version",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
