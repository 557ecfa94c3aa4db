//! What is wrong with a package's documents: every problem at once, each with its place.

use std::fmt;

/// Where in a file, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// Probably a mistake; nothing is refused for it.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {severity}: {}{message}", prefix(path))]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// How bad.
    pub severity: Severity,
    /// The value it is about, such as `spec.ports[0].container`; empty for the document.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem that makes the document unusable.
    pub fn error(place: Place, path: &str, message: impl Into<String>) -> Self {
        Self { place, severity: Severity::Error, path: path.to_owned(), message: message.into() }
    }

    /// A problem to be told, no more.
    pub fn warning(place: Place, path: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, path, message) }
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`: ") }
}

/// A document that cannot be used, with everything wrong about it, warnings included, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts a finished list: `Err` when one of them is an error, else the warnings.
    pub fn settle(mut found: Vec<Problem>) -> Result<Vec<Problem>, Self> {
        found.sort_by_key(|problem| problem.place);
        if found.iter().any(|problem| problem.severity == Severity::Error) { Err(Self(found)) } else { Ok(found) }
    }

    /// All of them; at least one is an error.
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
