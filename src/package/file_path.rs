//! A file's path inside a package: relative, portable, and never out of the tree.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// Longest path in bytes.
pub const MAX_PATH_BYTES: usize = 1024;

/// Most components of a path.
pub const MAX_PATH_DEPTH: usize = 32;

/// Longest component in bytes: what common file systems take.
const MAX_COMPONENT_BYTES: usize = 255;

/// Why a text is no path of a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilePathError {
    /// Empty, absolute, or with an empty, `.` or `..` component.
    #[error("path {0:?} is not a plain relative path")]
    NotRelative(String),
    /// A character some system reads as something else.
    #[error("path {0:?} has a control character or a backslash")]
    Character(String),
    /// Too long or too deep.
    #[error(
        "path {0:?} is over a limit: {MAX_PATH_BYTES} bytes, {MAX_PATH_DEPTH} levels, \
         {MAX_COMPONENT_BYTES} bytes a level"
    )]
    TooLong(String),
}

/// A relative path with `/` between its components, in Unicode NFC. Ordered by bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(String);

impl FilePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders the path lies in, outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    /// The path as a file system that ignores case sees it.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for FilePath {
    type Err = FilePathError;

    fn from_str(text: &str) -> Result<Self, FilePathError> {
        let shown = || text.chars().take(100).collect();
        if text.len() > MAX_PATH_BYTES {
            return Err(FilePathError::TooLong(shown()));
        }
        // Composed first: the checks must see what will be written.
        let path: String = text.nfc().collect();
        if path.chars().any(|character| character.is_control() || character == '\\') {
            return Err(FilePathError::Character(shown()));
        }
        if path.split('/').any(|component| matches!(component, "" | "." | "..")) {
            return Err(FilePathError::NotRelative(shown()));
        }
        let too_long = |component: &str| component.len() > MAX_COMPONENT_BYTES;
        if path.len() > MAX_PATH_BYTES || path.split('/').count() > MAX_PATH_DEPTH || path.split('/').any(too_long) {
            return Err(FilePathError::TooLong(shown()));
        }
        Ok(Self(path))
    }
}

impl std::borrow::Borrow<str> for FilePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FilePath {
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
    fn paths_stay_inside() {
        for bad in ["", "/", "/a", "a/", "a//b", ".", "a/./b", "..", "a/../b", "a\\b", "a\0", "a\nb", "C:\\x"] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad:?}");
        }
        assert!("a/".repeat(MAX_PATH_DEPTH).trim_end_matches('/').parse::<FilePath>().is_ok());
        assert!(("a/".repeat(MAX_PATH_DEPTH) + "a").parse::<FilePath>().is_err());
        assert!("a".repeat(256).parse::<FilePath>().is_err());
    }

    #[test]
    fn paths_are_composed_and_know_their_folders() {
        let path: FilePath = "docs/u\u{308}ber/a.md".parse().unwrap();
        assert_eq!(path.as_str(), "docs/über/a.md");
        assert_eq!(path.folders().collect::<Vec<_>>(), ["docs", "docs/über"]);
    }
}
