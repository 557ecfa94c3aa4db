//! Values that go into statements and come out of rows, and how the vocabulary's types are written as such.

use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;

use super::Error;
use crate::oci::{Algorithm, Digest, MediaType, RepositoryName, Tag, UploadId};

/// A parameter or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number; also times, as milliseconds since 1970.
    Integer(i64),
    /// Text, compared bytewise.
    Text(String),
    /// Bytes; also digests, as one byte for the algorithm and the raw hash.
    Bytes(Bytes),
}

impl Value {
    /// A size, which must fit 63 bits.
    pub fn size(size: u64) -> Result<Self, Error> {
        i64::try_from(size).map(Self::Integer).map_err(|_| Error::TooLarge(size))
    }

    /// The value, or null for none.
    pub fn optional<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.as_millisecond())
    }
}

impl From<&Digest> for Value {
    fn from(digest: &Digest) -> Self {
        let mut bytes = vec![algorithm_byte(digest.algorithm())];
        bytes.extend_from_slice(digest.raw());
        Self::Bytes(bytes.into())
    }
}

impl From<&RepositoryName> for Value {
    fn from(name: &RepositoryName) -> Self {
        name.as_str().into()
    }
}

impl From<&Tag> for Value {
    fn from(tag: &Tag) -> Self {
        tag.as_str().into()
    }
}

impl From<&MediaType> for Value {
    fn from(media_type: &MediaType) -> Self {
        media_type.as_str().into()
    }
}

impl From<&UploadId> for Value {
    fn from(id: &UploadId) -> Self {
        Self::Text(id.to_string())
    }
}

/// Part of the file format: never change a number.
const fn algorithm_byte(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 1,
        Algorithm::Sha512 => 2,
    }
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    /// A number.
    pub fn integer(&self, column: usize) -> Result<i64, Error> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(Error::Column { column, wanted: "a number" }),
        }
    }

    /// A size.
    pub fn size(&self, column: usize) -> Result<u64, Error> {
        u64::try_from(self.integer(column)?).map_err(|_| Error::Column { column, wanted: "a size" })
    }

    /// A time.
    pub fn time(&self, column: usize) -> Result<Timestamp, Error> {
        let number = self.integer(column)?;
        Timestamp::from_millisecond(number).map_err(|_| Error::Column { column, wanted: "a time" })
    }

    /// Text.
    pub fn text(&self, column: usize) -> Result<&str, Error> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(Error::Column { column, wanted: "text" }),
        }
    }

    /// Text read into one of the vocabulary's types.
    pub fn parsed<T: FromStr>(&self, column: usize) -> Result<T, Error> {
        self.text(column)?.parse().map_err(|_| Error::Column { column, wanted: "a valid name" })
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<Bytes, Error> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err(Error::Column { column, wanted: "bytes" }),
        }
    }

    /// A digest.
    pub fn digest(&self, column: usize) -> Result<Digest, Error> {
        let bytes = self.bytes(column)?;
        let read = bytes.split_first().and_then(|(first, raw)| {
            let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm_byte(*algorithm) == *first)?;
            Digest::from_raw(algorithm, raw)
        });
        read.ok_or(Error::Column { column, wanted: "a digest" })
    }

    /// Reads a column that may be null.
    pub fn optional<T>(
        &self,
        column: usize,
        read: impl FnOnce(&Self, usize) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => read(self, column).map(Some),
        }
    }
}
