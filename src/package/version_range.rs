//! A range of versions such as `^1.2`: what it matches, and the few spans of sort keys that one index scan each finds.
//!
//! Ranges are those of the crate `semver`, which are Cargo's. Two things are said here: a whole version such as `1.2.0`
//! means exactly that one, and not `^1.2.0`; and a caller may let pre-releases count. Otherwise a pre-release is in a
//! range only where the range names a pre-release of the same three numbers: `2.0.0-rc.2` is in `>=2.0.0-rc.1`, but not
//! in `>=1`. Where they count, every pre-release between the bounds is in: `~1.2` begins with the first pre-release of
//! 1.2.0, and ends before the first one of 1.3.0. Build metadata plays no part.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use semver::{Comparator, Op, Prerelease, VersionReq};

use super::Version;
use super::sort_key::{NUMBERS_LENGTH, STABLE, above, key_of_numbers, precedence};

/// Longest range in bytes.
pub const MAX_RANGE_LENGTH: usize = 255;

/// Why a text is no range of versions.
#[derive(Debug, thiserror::Error)]
pub enum VersionRangeError {
    /// Over [`MAX_RANGE_LENGTH`].
    #[error("range of versions has {0} bytes, at most {MAX_RANGE_LENGTH} are allowed")]
    TooLong(usize),
    /// Not as the crate `semver` reads ranges.
    #[error("`{text}` is no version range: write 1.2.0, ^1.2, ~1, >=1.0.0, 1.x, or several with commas as in >=1, <2")]
    Syntax {
        /// The text.
        text: String,
        /// What the parser stumbled over.
        source: semver::Error,
    },
}

/// Which versions are meant.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VersionRange {
    requirement: VersionReq,
    /// Whether it was written as a whole version, without `=`.
    is_whole: bool,
}

/// Sort keys that lie beside one another, of either stable versions or pre-releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionSpan {
    /// Which of both.
    pub is_stable: bool,
    /// The first key.
    pub from: Bytes,
    /// The first key after it; `None` where nothing follows.
    pub before: Option<Bytes>,
}

impl VersionSpan {
    /// Whether it holds the version with this [`Version::sort_key`].
    pub fn contains(&self, sort_key: &[u8]) -> bool {
        (sort_key.get(NUMBERS_LENGTH) == Some(&STABLE)) == self.is_stable
            && sort_key >= self.from.as_ref()
            && self.before.as_ref().is_none_or(|before| sort_key < before.as_ref())
    }

    fn is_empty(&self) -> bool {
        self.before.as_ref().is_some_and(|before| *before <= self.from)
    }
}

impl VersionRange {
    /// Every version; written `*`.
    pub const ANY: Self = Self { requirement: VersionReq::STAR, is_whole: false };

    /// Whether a version is in it; `pre` lets pre-releases count.
    pub fn matches(&self, version: &Version, pre: bool) -> bool {
        if pre && !version.is_stable() {
            return self.bounds().contains(&version.sort_key());
        }
        self.requirement.matches(version.semver())
    }

    /// The spans of sort keys that hold exactly what [`Self::matches`]: at most one of stable versions, and one of
    /// pre-releases for each version that the range names, or for all where `pre` lets them count.
    pub fn spans(&self, pre: bool) -> Vec<VersionSpan> {
        let bounds = self.bounds();
        let mut spans = vec![bounds.span(true)];
        if pre {
            spans.push(bounds.span(false));
        } else {
            spans.extend(self.named().into_iter().filter_map(|numbers| self.pre_releases_of(numbers, &bounds)));
        }
        spans.retain(|span| !span.is_empty());
        spans
    }

    fn bounds(&self) -> Bounds {
        self.requirement.comparators.iter().map(Bounds::of).fold(Bounds::default(), Bounds::and)
    }

    /// The numbers of the pre-releases that it names, each once.
    fn named(&self) -> Vec<[u64; 3]> {
        let named = self.requirement.comparators.iter().filter(|comparator| !comparator.pre.is_empty());
        let mut numbers: Vec<[u64; 3]> = named.map(first).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The pre-releases with these numbers that are in it. The crate lets none of 1.2 into `=1.2`, `1.2.*`, `~1.2`,
    /// `>=1.2` and `<=1.2`.
    fn pre_releases_of(&self, numbers: [u64; 3], bounds: &Bounds) -> Option<VersionSpan> {
        let leaves_out = |comparator: &Comparator| {
            comparator.patch.is_none()
                && match comparator.op {
                    Op::Exact | Op::Wildcard | Op::Tilde => true,
                    Op::GreaterEq | Op::LessEq => {
                        comparator.major == numbers[0] && comparator.minor.is_none_or(|minor| minor == numbers[1])
                    }
                    _ => false,
                }
        };
        if self.requirement.comparators.iter().any(leaves_out) {
            return None;
        }
        let of_numbers =
            Bounds { from: key_of_numbers(numbers), before: Some(precedence(numbers, &Prerelease::EMPTY)) };
        Some(of_numbers.and(bounds.clone()).span(false))
    }
}

/// A half-open stretch of sort keys.
#[derive(Clone, Debug, Default)]
struct Bounds {
    from: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Bounds {
    fn of(comparator: &Comparator) -> Self {
        let (from, after) = (lowest(comparator), after(comparator));
        match comparator.op {
            Op::Greater => after.map_or_else(Self::nothing, |from| Self { from, before: None }),
            Op::GreaterEq => Self { from, before: None },
            Op::Less => Self { from: vec![], before: Some(from) },
            Op::LessEq => Self { from: vec![], before: after },
            Op::Tilde => Self { from, before: next(comparator, usize::from(comparator.minor.is_some())) },
            Op::Caret => Self { from, before: next(comparator, caret_place(comparator)) },
            // Exact and Wildcard; the enum is open, and the crate adds an operator only where it parses one.
            _ => Self { from, before: after },
        }
    }

    fn nothing() -> Self {
        Self { from: vec![], before: Some(vec![]) }
    }

    fn and(self, other: Self) -> Self {
        let before = match (self.before, other.before) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { from: self.from.max(other.from), before }
    }

    fn contains(&self, sort_key: &[u8]) -> bool {
        sort_key >= self.from.as_slice() && self.before.as_ref().is_none_or(|before| sort_key < before.as_slice())
    }

    fn span(&self, is_stable: bool) -> VersionSpan {
        VersionSpan { is_stable, from: self.from.clone().into(), before: self.before.clone().map(Bytes::from) }
    }
}

/// The numbers, with zeros for those that are not said.
fn first(comparator: &Comparator) -> [u64; 3] {
    [comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0)]
}

/// The least key that is as much as is said.
fn lowest(comparator: &Comparator) -> Vec<u8> {
    match comparator.patch {
        Some(_) => precedence(first(comparator), &comparator.pre),
        None => key_of_numbers(first(comparator)),
    }
}

/// The least key that is more than what is said; `None` where there is none.
fn after(comparator: &Comparator) -> Option<Vec<u8>> {
    match (comparator.minor, comparator.patch) {
        (_, Some(_)) => Some(above(first(comparator), &comparator.pre)),
        (Some(_), None) => next(comparator, 1),
        (None, None) => next(comparator, 0),
    }
}

/// Which number `^` holds on to: the first that is not zero, of those that are said.
fn caret_place(comparator: &Comparator) -> usize {
    match (comparator.major, comparator.minor, comparator.patch) {
        (0, Some(0), Some(_)) => 2,
        (0, Some(_), _) => 1,
        _ => 0,
    }
}

/// Where the versions end that have the same numbers up to a place; `None` where they are the last.
fn next(comparator: &Comparator, place: usize) -> Option<Vec<u8>> {
    let mut numbers = first(comparator);
    for place in (0..=place).rev() {
        numbers[place + 1..].fill(0);
        if let Some(number) = numbers[place].checked_add(1) {
            numbers[place] = number;
            return Some(key_of_numbers(numbers));
        }
    }
    None
}

impl FromStr for VersionRange {
    type Err = VersionRangeError;

    fn from_str(text: &str) -> Result<Self, VersionRangeError> {
        if text.len() > MAX_RANGE_LENGTH {
            return Err(VersionRangeError::TooLong(text.len()));
        }
        let text = text.trim();
        if let Ok(version) = semver::Version::parse(text) {
            return Ok(Self { requirement: VersionReq { comparators: vec![exactly(version)] }, is_whole: true });
        }
        let wrong = |source| VersionRangeError::Syntax { text: text.to_owned(), source };
        Ok(Self { requirement: VersionReq::parse(text).map_err(wrong)?, is_whole: false })
    }
}

fn exactly(version: semver::Version) -> Comparator {
    let semver::Version { major, minor, patch, pre, .. } = version;
    Comparator { op: Op::Exact, major, minor: Some(minor), patch: Some(patch), pre }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.requirement.to_string();
        f.write_str(if self.is_whole { text.trim_start_matches('=') } else { &text })
    }
}

impl fmt::Debug for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
