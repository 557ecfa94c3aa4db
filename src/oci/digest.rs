//! A content digest: an algorithm and the exact bytes it produced.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The digest algorithms a registry must know (image-spec, "Registered algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, 32 bytes; the default everywhere.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Algorithm {
    /// Every algorithm, in order of preference.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The name used before the colon of a digest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the raw digest in bytes.
    pub const fn length_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| DigestError::UnsupportedAlgorithm(text.chars().take(MAX_SHOWN).collect()))
    }
}

/// Characters of a rejected digest that are repeated in its error.
const MAX_SHOWN: usize = 160;

/// Why a text is no digest this project accepts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No colon between algorithm and value.
    #[error("digest `{0}` is not of the form `algorithm:hex`")]
    Malformed(String),
    /// An algorithm other than sha256 and sha512.
    #[error("digest algorithm `{0}` is not supported, only sha256 and sha512 are")]
    UnsupportedAlgorithm(String),
    /// The hexadecimal part has the wrong length or characters.
    #[error("digest `{0}` does not have {1} lowercase hexadecimal digits")]
    WrongValue(String, usize),
}

/// A content digest, `sha256:<64 hex>` or `sha512:<128 hex>`.
///
/// Kept as bytes: a digest turned into a path or a key can hold nothing but hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    // Zero beyond the algorithm's length, so that the derived comparisons hold.
    bytes: [u8; 64],
}

impl Digest {
    /// Wraps the raw output of a hash; `None` when the length is not the algorithm's.
    pub fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        if raw.len() != algorithm.length_bytes() {
            return None;
        }
        let mut bytes = [0; 64];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { algorithm, bytes })
    }

    /// Hashes a whole value with SHA-256.
    pub fn sha256(content: &[u8]) -> Self {
        Self::of(Algorithm::Sha256, content)
    }

    /// Hashes a whole value.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut hasher = super::Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// The algorithm that made it.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw hash.
    pub fn raw(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length_bytes()]
    }

    /// The hexadecimal part, lowercase.
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = String::with_capacity(2 * self.raw().len());
        for byte in self.raw() {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        hex
    }

    /// The first twelve hexadecimal digits, as people are shown them.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let shown = || text.chars().take(MAX_SHOWN).collect::<String>();
        let (algorithm, hex) = text.split_once(':').ok_or_else(|| DigestError::Malformed(shown()))?;
        let algorithm = Algorithm::from_str(algorithm)?;
        let raw = decode_hex(hex, algorithm.length_bytes());
        raw.and_then(|raw| Self::from_raw(algorithm, &raw))
            .ok_or_else(|| DigestError::WrongValue(shown(), algorithm.length_bytes() * 2))
    }
}

fn decode_hex(hex: &str, length_bytes: usize) -> Option<Vec<u8>> {
    if hex.len() != length_bytes * 2 {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    hex.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
