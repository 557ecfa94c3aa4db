//! Which repositories an access token reaches: names with `*` for part of a component and `**` for any depth.

use std::fmt;
use std::str::FromStr;

use super::AccountName;
use super::glob::glob;
use super::words::MAX_SHOWN_CHARACTERS;
use crate::oci::RepositoryName;

/// Longest pattern in bytes.
pub const MAX_PATTERN_LENGTH: usize = 256;

/// Most patterns of one token.
pub const MAX_PATTERNS: usize = 64;

/// A text that is no repository pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "repository pattern `{text}` {problem}: write a repository name of at most {MAX_PATTERN_LENGTH} bytes in which `*` \
     stands for any part of one component and a component `**` for one or more components"
)]
pub struct PatternError {
    text: String,
    problem: &'static str,
}

/// A repository name with wildcards. `*` matches any characters of one component, a component `**` matches one
/// component or more: `a/*` matches `a/x`, and neither `a`, `a/x/y` nor `ab/x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryPattern(String);

impl RepositoryPattern {
    /// Every repository of a namespace.
    pub fn namespace(account: &AccountName) -> Self {
        Self(format!("{account}/**"))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a repository's name is as the pattern says.
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        self.matches_text(repository.as_str())
    }

    /// Whether every name that the other pattern matches is known to match this one too.
    ///
    /// May say no where it is so (`*` against `a*` and `b*` together), never yes where it is not.
    pub fn covers(&self, other: &Self) -> bool {
        // A wildcard is a character no name has, so only a wildcard takes it up, and takes up whatever it stands for.
        self.matches_text(&other.0)
    }

    fn matches_text(&self, text: &str) -> bool {
        let components: Vec<&str> = text.split('/').collect();
        // For each number of components whether the pattern so far matches just these.
        let mut ends = vec![false; components.len() + 1];
        ends[0] = true;
        for wanted in self.0.split('/') {
            let mut next = vec![false; ends.len()];
            for (index, component) in components.iter().enumerate() {
                next[index + 1] = match wanted {
                    "**" => ends[index] || next[index],
                    _ => ends[index] && *component != "**" && glob(wanted.as_bytes(), component.as_bytes()),
                };
            }
            ends = next;
        }
        ends.last().copied().unwrap_or(false)
    }
}

impl From<&RepositoryName> for RepositoryPattern {
    /// Just this repository.
    fn from(repository: &RepositoryName) -> Self {
        Self(repository.to_string())
    }
}

impl FromStr for RepositoryPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'*' | b'/')
        };
        let problem = if text.is_empty() {
            "is empty"
        } else if text.len() > MAX_PATTERN_LENGTH {
            "is too long"
        } else if !text.bytes().all(allowed) {
            "has a character no repository name has"
        } else if text.split('/').any(str::is_empty) {
            "has an empty component"
        } else if text.split('/').any(|component| component != "**" && component.contains("**")) {
            "has `**` beside other characters"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(PatternError { text: text.chars().take(MAX_SHOWN_CHARACTERS).collect(), problem })
    }
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<RepositoryPattern>().unwrap().matches(&name.parse().unwrap())
    }

    #[test]
    fn a_star_is_one_component_and_two_are_any_depth() {
        for (pattern, name) in [
            ("a/b", "a/b"),
            ("a/*", "a/x"),
            ("a/x-*", "a/x-1"),
            ("*/agent", "team/agent"),
            ("a/**", "a/x"),
            ("a/**", "a/x/y/z"),
            ("**", "a"),
            ("**", "a/b/c"),
            ("**/agent", "a/b/agent"),
            ("a/**/z", "a/x/y/z"),
            ("*", "agent"),
            ("a*b*/x", "a1b2/x"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a/*", "ab/x"),
            ("a/*", "a"),
            ("a/*", "a/x/y"),
            ("a/**", "a"),
            ("a/**", "ab/x"),
            ("**/agent", "agent"),
            ("*", "a/b"),
            ("a*", "a/b"),
            ("a/b", "a/bc"),
            ("a/**/z", "a/z"),
            ("*/x", "a/b/x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn texts_that_could_never_match_as_meant_are_refused() {
        for bad in ["", "/a", "a/", "a//b", "A/*", "a/b:latest", "a/***", "a/x**", "a b", "a/?", &"a".repeat(257)] {
            assert!(bad.parse::<RepositoryPattern>().is_err(), "{bad}");
        }
        assert!("a".repeat(256).parse::<RepositoryPattern>().is_ok());
    }

    #[test]
    fn many_wildcards_cost_no_exponential_time() {
        let stars = format!("{}b", "*a".repeat(120));
        assert!(!matches(&stars, &"a".repeat(255)));
        let depths = format!("{}b", "**/".repeat(60));
        assert!(!matches(&depths, &["a"; 128].join("/")));
    }

    #[test]
    fn a_pattern_covers_narrower_ones_only() {
        let covers = |wide: &str, narrow: &str| {
            wide.parse::<RepositoryPattern>().unwrap().covers(&narrow.parse::<RepositoryPattern>().unwrap())
        };
        for (wide, narrow) in
            [("**", "a/**"), ("a/*", "a/b-*"), ("a/**", "a/*"), ("a/**", "a/x/**"), ("a/*", "a/*"), ("*/b", "a*/b")]
        {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in
            [("a/*", "a/**"), ("a/*", "ab/*"), ("a/b", "a/*"), ("*", "**"), ("a/*/c", "a/**/c"), ("a*/x", "*/x")]
        {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }

    /// Few letters, so that patterns and names meet often.
    fn pattern() -> impl Strategy<Value = RepositoryPattern> {
        let component = prop_oneof![Just("**".to_owned()), "[ab]", "\\*", "[ab]\\*", "\\*[ab]", "[ab]\\*[ab]"];
        prop::collection::vec(component, 1..5).prop_map(|components| components.join("/").parse().unwrap())
    }

    fn name() -> impl Strategy<Value = RepositoryName> {
        prop::collection::vec("[ab]{1,3}", 1..6).prop_map(|components| components.join("/").parse().unwrap())
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in any::<String>(), name in name()) {
            if let Ok(pattern) = text.parse::<RepositoryPattern>() {
                let _ = pattern.matches(&name);
                prop_assert_eq!(pattern.to_string(), text);
            }
        }

        #[test]
        fn a_namespace_pattern_never_matches_another_namespace(namespace in "[ab]{1,3}", name in name()) {
            for rest in ["*", "**"] {
                let pattern: RepositoryPattern = format!("{namespace}/{rest}").parse().unwrap();
                prop_assert!(!pattern.matches(&name) || name.namespace() == Some(namespace.as_str()));
            }
        }

        #[test]
        fn what_a_covered_pattern_matches_the_covering_one_does(wide in pattern(), narrow in pattern(), name in name()) {
            if wide.covers(&narrow) && narrow.matches(&name) {
                prop_assert!(wide.matches(&name), "{wide} {narrow} {name}");
            }
        }

        #[test]
        fn every_name_matches_itself_and_any_depth(name in name()) {
            prop_assert!(name.as_str().parse::<RepositoryPattern>().unwrap().matches(&name));
            prop_assert!("**".parse::<RepositoryPattern>().unwrap().matches(&name));
        }
    }
}
