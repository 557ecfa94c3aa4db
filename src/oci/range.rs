//! Byte ranges: of a download (RFC 9110, section 14) and of an uploaded chunk (distribution-spec, "Pushing in chunks").

use std::fmt;
use std::str::FromStr;

/// Why a range cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The text does not follow the grammar.
    #[error("range is malformed")]
    Malformed,
    /// The range lies outside the content, or ends before it starts.
    #[error("range lies outside the content")]
    Unsatisfiable,
}

/// One requested byte range, as in `Range: bytes=0-99`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `first-last`, both inclusive.
    Between(u64, u64),
    /// `first-`, to the end.
    From(u64),
    /// `-length`, the last bytes.
    Suffix(u64),
}

/// A stretch of content that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Offset of the first byte.
    pub offset: u64,
    /// Bytes in the stretch.
    pub length: u64,
}

impl Slice {
    /// All of the content.
    pub const fn whole(size: u64) -> Self {
        Self { offset: 0, length: size }
    }
}

impl ByteRange {
    /// Reads a `Range` header. `Ok(None)` asks to ignore it, as RFC 9110 allows: other units, or several ranges.
    pub fn from_header(value: &str) -> Result<Option<Self>, RangeError> {
        let Some(set) = value.trim().strip_prefix("bytes=") else { return Ok(None) };
        if set.contains(',') {
            return Ok(None);
        }
        let (first, last) = set.trim().split_once('-').ok_or(RangeError::Malformed)?;
        Ok(Some(match (first.trim(), last.trim()) {
            ("", "") => return Err(RangeError::Malformed),
            ("", length) => Self::Suffix(number(length)?),
            (first, "") => Self::From(number(first)?),
            (first, last) => Self::Between(number(first)?, number(last)?),
        }))
    }

    /// Fits the range to content of `size` bytes; an end beyond it is cut.
    pub fn resolve(self, size: u64) -> Result<Slice, RangeError> {
        let (first, end) = match self {
            Self::Between(first, last) if first <= last => (first, last.saturating_add(1).min(size)),
            Self::Between(..) => return Err(RangeError::Unsatisfiable),
            Self::From(first) => (first, size),
            Self::Suffix(length) => (size.saturating_sub(length), size),
        };
        if first < end { Ok(Slice { offset: first, length: end - first }) } else { Err(RangeError::Unsatisfiable) }
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => write!(f, "bytes={first}-{last}"),
            Self::From(first) => write!(f, "bytes={first}-"),
            Self::Suffix(length) => write!(f, "bytes=-{length}"),
        }
    }
}

/// The place of an uploaded chunk, as in `Content-Range: 0-99`: no unit, no total, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte, not before `first`.
    pub last: u64,
}

impl ChunkRange {
    /// Bytes in the chunk.
    pub const fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl FromStr for ChunkRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (first, last) = text.split_once('-').ok_or(RangeError::Malformed)?;
        let (first, last) = (number(first)?, number(last)?);
        if first <= last { Ok(Self { first, last }) } else { Err(RangeError::Malformed) }
    }
}

impl fmt::Display for ChunkRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

fn number(text: &str) -> Result<u64, RangeError> {
    // `u64::from_str` also takes a leading plus sign.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RangeError::Malformed);
    }
    text.parse().map_err(|_| RangeError::Unsatisfiable)
}
