//! The id of an upload session: a canonical UUID, safe as a file name.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text that is no upload id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("upload id is not a UUID in canonical form")]
pub struct UploadIdError;

/// An upload session's id: a random UUID (RFC 9562, version 4), written in lowercase with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(Uuid);

impl UploadId {
    /// Makes an unguessable id (122 random bits).
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl FromStr for UploadId {
    type Err = UploadIdError;

    fn from_str(text: &str) -> Result<Self, UploadIdError> {
        let id = Uuid::try_parse(text).map_err(|_| UploadIdError)?;
        // Other spellings (upper case, braces, URN) would give one session several names.
        if id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text {
            Ok(Self(id))
        } else {
            Err(UploadIdError)
        }
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}
