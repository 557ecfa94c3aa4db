//! Whether a package is what a query asks for.

use super::{Condition, Field, Pattern, Query, SignedIs, Standing};
use crate::package::{Summary, Version};

impl Query {
    /// Whether every term holds for a package version, of which its registry knows what `standing` says.
    pub fn matches(&self, summary: &Summary, standing: &Standing) -> bool {
        self.terms.iter().all(|term| term.condition.matches(summary, standing) != term.negated)
    }
}

impl Condition {
    /// Whether it holds for a package version, of which its registry knows what `standing` says.
    pub fn matches(&self, summary: &Summary, standing: &Standing) -> bool {
        match self {
            Self::Word(pattern) => texts(summary).any(|text| pattern.occurs_in(text)),
            Self::Phrase(phrase) => {
                let phrase = Pattern::literal(phrase);
                texts(summary).any(|text| phrase.occurs_in(text))
            }
            Self::Field(field, pattern) => field.matches(pattern, summary),
            Self::Version(range) => version(summary).is_some_and(|version| range.matches(&version, false)),
            Self::Updated(period) => period.contains(summary.updated_at),
            Self::Downloads(comparison) => comparison.holds(&standing.downloads),
            Self::Rating(comparison) => standing.rating.average.is_some_and(|average| comparison.holds(&average)),
            Self::Signed(answer) => standing.signed == (*answer == SignedIs::Yes),
        }
    }
}

impl Field {
    /// Whether a package version has this field so.
    pub fn matches(self, pattern: &Pattern, summary: &Summary) -> bool {
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
            // `MIT` is meant in `MIT OR Apache-2.0`, too.
            Self::License => {
                let mut parts = summary.license.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '/'));
                pattern.matches(&summary.license) || parts.any(|part| !part.is_empty() && pattern.matches(part))
            }
            Self::Kind => pattern.matches(&summary.kind),
        }
    }
}

/// Where words are looked for.
fn texts(summary: &Summary) -> impl Iterator<Item = &str> {
    [summary.repository.package(), &summary.description]
        .into_iter()
        .chain(summary.capabilities.iter().chain(&summary.tags).map(String::as_str))
}

fn version(summary: &Summary) -> Option<Version> {
    summary.version.as_deref()?.parse().ok()
}
