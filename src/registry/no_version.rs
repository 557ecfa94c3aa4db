//! That a package has no version such as was asked for, and which ones it has near that.

use std::fmt;

use crate::index::resolve::Near;
use crate::oci::RepositoryName;

/// What was asked for, and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A tag or a whole version.
    Name(String),
    /// Versions in a range.
    Range(String),
    /// `latest`, and no version is stable and was not taken back.
    Latest,
    /// Anything that was not taken back.
    All,
}

/// Why a package has nothing to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NoVersion {
    /// The package.
    pub repository: RepositoryName,
    /// What was asked for.
    pub missing: Missing,
    /// The versions that come nearest to it, the highest first.
    pub nearest: Vec<Near>,
}

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repository = &self.repository;
        match &self.missing {
            Missing::Name(text) => write!(f, "{repository} has no tag or version `{text}`")?,
            Missing::Range(text) => write!(f, "no version of {repository} matches `{text}`")?,
            Missing::Latest => write!(f, "{repository} has neither the tag `latest` nor a stable version")?,
            Missing::All => write!(f, "every version of {repository} was yanked")?,
        }
        let nearest: Vec<_> = self.nearest.iter().map(shown).collect();
        match nearest.as_slice() {
            [] => f.write_str("; it has no versions"),
            [one] => write!(f, "; the nearest is {one}"),
            several => write!(f, "; the nearest are {}", several.join(", ")),
        }
    }
}

fn shown(near: &Near) -> String {
    let version = &near.version;
    match (near.is_yanked, version.is_stable()) {
        (true, _) => format!("{version} (yanked)"),
        (false, false) => format!("{version} (a pre-release)"),
        (false, true) => version.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_versions_are_named_with_why_they_do_not_count() {
        let near = |text: &str, is_yanked| Near { version: text.parse().unwrap(), is_yanked };
        let told = |missing, nearest| NoVersion { repository: "a/b".parse().unwrap(), missing, nearest }.to_string();
        let nearest = vec![near("2.0.0", false), near("1.2.0-rc.1", false), near("1.1.0", true)];
        assert_eq!(
            told(Missing::Range("^1.1".to_owned()), nearest),
            "no version of a/b matches `^1.1`; the nearest are 2.0.0, 1.2.0-rc.1 (a pre-release), 1.1.0 (yanked)"
        );
        assert_eq!(told(Missing::Name("x".to_owned()), vec![]), "a/b has no tag or version `x`; it has no versions");
        let one = vec![near("1.0.0-a", true)];
        assert_eq!(told(Missing::All, one), "every version of a/b was yanked; the nearest is 1.0.0-a (yanked)");
    }
}
