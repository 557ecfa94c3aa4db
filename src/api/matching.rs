//! Whether a package is what a query asks for.

use semver::Version;

use super::{Condition, Field, Pattern, Query, Since};
use crate::package::Summary;

impl Query {
    /// Whether every term holds for a package version.
    pub fn matches(&self, summary: &Summary) -> bool {
        self.terms.iter().all(|term| term.condition.matches(summary) != term.negated)
    }
}

impl Condition {
    fn matches(&self, summary: &Summary) -> bool {
        match self {
            Self::Word(pattern) => word(pattern, summary),
            Self::Field(field, pattern) => field.matches(pattern, summary),
            Self::Version(range) => version(summary).is_some_and(|version| range.matches(&version)),
            Self::Updated(Since::From(time)) => summary.updated_at >= *time,
            Self::Updated(Since::Before(time)) => summary.updated_at < *time,
        }
    }
}

impl Field {
    fn matches(self, pattern: &Pattern, summary: &Summary) -> bool {
        let any = |values: &[String]| values.iter().any(|value| pattern.matches(value));
        match self {
            Self::Name => pattern.matches(summary.repository.package()) || pattern.matches(summary.repository.as_str()),
            Self::Namespace => summary.repository.namespace().is_some_and(|name| pattern.matches(name)),
            Self::Capability => any(&summary.capabilities),
            Self::Tag => any(&summary.tags),
            // Authors are free text such as `Name <address>`.
            Self::Author => pattern.occurs_in(&summary.author),
            // `gpt-4` is meant as often as `openai/gpt-4`.
            Self::Model => {
                pattern.matches(&summary.model)
                    || summary.model.split_once('/').is_some_and(|(_, name)| pattern.matches(name))
            }
            Self::Runtime => pattern.matches(&summary.runtime),
            Self::Version => summary.version.as_deref().is_some_and(|version| pattern.matches(version)),
        }
    }
}

fn word(pattern: &Pattern, summary: &Summary) -> bool {
    pattern.occurs_in(summary.repository.package())
        || pattern.occurs_in(&summary.description)
        || summary.capabilities.iter().chain(&summary.tags).any(|value| pattern.occurs_in(value))
}

fn version(summary: &Summary) -> Option<Version> {
    Version::parse(summary.version.as_deref()?).ok()
}
