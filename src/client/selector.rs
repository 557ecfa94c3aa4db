//! Which version of a package is meant: nothing said, a tag, a digest, or a range of versions.

use std::str::FromStr;

use super::Error;
use crate::oci::{Digest, RepositoryName, Tag};
use crate::package::{Version, VersionRange, VersionRangeError};

/// What is asked for of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// `latest`, else the highest stable version.
    #[default]
    Default,
    /// What a tag points at.
    Tag(Tag),
    /// Exactly these bytes.
    Digest(Digest),
    /// The highest version in a range.
    Range(Ranged),
}

/// A range, and what counts in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranged {
    /// The range.
    pub range: VersionRange,
    /// Whether pre-releases count; otherwise only those of which the range names one.
    pub pre: bool,
}

impl FromStr for Ranged {
    type Err = VersionRangeError;

    fn from_str(text: &str) -> Result<Self, VersionRangeError> {
        Ok(Self { range: text.parse()?, pre: false })
    }
}

/// The tag of the highest version in a range.
pub(super) fn highest_in(wanted: &Ranged, repository: &RepositoryName, tags: Vec<Tag>) -> Result<Tag, Error> {
    match highest(&tags, |version| wanted.range.matches(version, wanted.pre)) {
        Some(tag) => Ok(tag),
        None => Err(Error::NoMatch { repository: repository.clone(), range: Box::new(wanted.range.clone()), tags }),
    }
}

/// The tag of the highest stable version.
pub(super) fn highest_stable(repository: &RepositoryName, tags: Vec<Tag>) -> Result<Tag, Error> {
    let stable = highest(&tags, Version::is_stable);
    stable.ok_or_else(|| Error::NoDefault { repository: repository.clone(), tags })
}

fn highest(tags: &[Tag], fits: impl Fn(&Version) -> bool) -> Option<Tag> {
    // As a registry with a catalogue orders them, build metadata included.
    let fitting = tags.iter().filter_map(Version::from_tag).filter(fits);
    fitting.max_by_key(Version::sort_key).map(|version| version.tag().clone())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn tags(texts: &[&str]) -> Vec<Tag> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn name() -> RepositoryName {
        "team/demo".parse().unwrap()
    }

    #[test]
    fn the_highest_version_of_a_range_wins_and_pre_releases_only_when_named() {
        let all = tags(&["latest", "1.2.0", "1.10.0", "1.9.9", "1.11.0-rc.1", "2.0.0", "v9.0.0", "1.10.0_b.2", "1.0"]);
        for (range, expected) in [
            ("^1.2", "1.10.0_b.2"),
            ("~1.9", "1.9.9"),
            (">=1, <1.10", "1.9.9"),
            ("^1.11.0-rc", "1.11.0-rc.1"),
            ("*", "2.0.0"),
        ] {
            let wanted = range.parse().unwrap();
            assert_eq!(highest_in(&wanted, &name(), all.clone()).unwrap().as_str(), expected, "{range}");
        }
        let any = Ranged { pre: true, ..">1.10.0, <2".parse().unwrap() };
        assert_eq!(highest_in(&any, &name(), all.clone()).unwrap().as_str(), "1.11.0-rc.1");
        for range in ["^3", ">1.10.0, <2", "=1.11.0"] {
            let error = highest_in(&range.parse().unwrap(), &name(), all.clone()).unwrap_err();
            assert!(matches!(&error, Error::NoMatch { tags, .. } if tags.len() == 9), "{range}: {error}");
        }
    }

    #[test]
    fn without_latest_the_highest_stable_version_is_meant() {
        let chosen = highest_stable(&name(), tags(&["dev", "0.9.0", "1.0.0-rc.1", "0.10.0"])).unwrap();
        assert_eq!(chosen.as_str(), "0.10.0");
        let error = highest_stable(&name(), tags(&["dev", "1.0.0-rc.1"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`team/demo` has neither the tag `latest` nor a stable version; there are dev, 1.0.0-rc.1"
        );
    }
}
