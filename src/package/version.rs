//! A package's version, and the tag that carries it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::oci::{MAX_TAG_LENGTH, Tag};

/// Why a text is no version.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Not semantic versioning 2.0.0.
    #[error("`{text}` is no semantic version such as `1.2.3`, `1.2.3-beta.1` or `1.2.3+build.5`")]
    NotSemver {
        /// The text, cut where it gets long.
        text: String,
        /// What the parser stumbled over.
        source: semver::Error,
    },
    /// Legal, but its tag would not be.
    #[error("version of {0} characters is too long: a tag has at most {MAX_TAG_LENGTH}")]
    TooLong(usize),
}

/// A semantic version that fits a tag. Ordered by precedence; build metadata only breaks ties.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    semver: semver::Version,
    tag: Tag,
}

impl Version {
    /// The version a tag stands for; `None` for tags such as `latest`.
    ///
    /// `_` reads as `+`, which a tag cannot have; semantic versions never contain `_`, so the way back is exact.
    pub fn from_tag(tag: &Tag) -> Option<Self> {
        tag.as_str().replace('_', "+").parse().ok()
    }

    /// The tag that stands for this version.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// The parts, for comparing and matching.
    pub fn semver(&self) -> &semver::Version {
        &self.semver
    }

    /// Whether nothing marks it as a pre-release.
    pub fn is_stable(&self) -> bool {
        self.semver.pre.is_empty()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let cut = || text.chars().take(MAX_TAG_LENGTH).collect();
        let semver = semver::Version::parse(text).map_err(|source| VersionError::NotSemver { text: cut(), source })?;
        let tag = text.replace('+', "_").parse().map_err(|_| VersionError::TooLong(text.len()))?;
        Ok(Self { semver, tag })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.semver, f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_version_and_its_tag_are_the_same_thing() {
        for (text, tag) in [("1.2.3", "1.2.3"), ("1.0.0-rc.1+b.5", "1.0.0-rc.1_b.5"), ("0.0.0+x-y", "0.0.0_x-y")] {
            let version: Version = text.parse().unwrap();
            assert_eq!(version.tag().as_str(), tag);
            assert_eq!(Version::from_tag(version.tag()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_tags_are_no_versions() {
        for tag in ["latest", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3_", "1.2.3_a_b"] {
            assert_eq!(Version::from_tag(&tag.parse().unwrap()), None, "{tag}");
        }
        assert!("1.2.3_x".parse::<Version>().is_err(), "the tag's spelling is no version");
        assert!(matches!(format!("1.0.0-{}", "a".repeat(130)).parse::<Version>(), Err(VersionError::TooLong(136))));
    }

    #[test]
    fn pre_releases_come_first_and_are_not_stable() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.0.0-beta") < version("1.0.0") && version("1.9.0") < version("1.10.0"));
        assert!(!version("1.0.0-beta").is_stable() && version("1.0.0+b").is_stable());
    }
}
