//! Where a page ended, as a text that callers give back: with all that decided the order, so that later pages go on in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Error;
use super::concept::Reading;
use super::plan::MAX_CONCEPTS;
use super::weights::Statistics;
use crate::api::{Condition, Query, Sort};
use crate::oci::MAX_NAME_LENGTH;

/// Bytes of the digest that binds a cursor to its query, order and content. It keeps nobody from making one: that only
/// moves where a page begins.
const SEAL: usize = 8;
/// Longest cursor, as text.
const MAX_LENGTH: usize = 1_024;

/// The end of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cursor {
    /// The key of the last package, and its name.
    pub(super) key: u64,
    pub(super) name: String,
    /// How many concepts were enough; 0 where all were asked for.
    pub(super) least: u8,
    /// The number of the popularity that counted.
    pub(super) popularity: u32,
    pub(super) statistics: Statistics,
    pub(super) readings: Vec<Reading>,
}

impl Cursor {
    /// The text for a query in an order.
    pub(super) fn write(&self, query: &Query, sort: Sort) -> String {
        let mut bytes = vec![];
        bytes.extend(self.key.to_le_bytes());
        bytes.push(self.least);
        let numbers = [self.popularity, self.statistics.documents];
        let lengths = [self.statistics.head, self.statistics.body].map(f32::to_bits);
        numbers.iter().chain(&lengths).for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(u8::try_from(self.readings.len()));
        for (reading, frequency) in self.readings.iter().zip(&self.statistics.frequencies) {
            bytes.push(*reading as u8);
            bytes.extend(frequency.to_le_bytes());
        }
        bytes.extend(self.name.as_bytes());
        bytes.extend(seal(query, sort, &bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text; one of another query or order is refused.
    pub(super) fn read(text: &str, query: &Query, sort: Sort) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::Cursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Cursor)?;
        let split = bytes.len().checked_sub(SEAL).ok_or(Error::Cursor)?;
        let (content, found) = bytes.split_at(split);
        if found != seal(query, sort, content) {
            return Err(Error::Cursor);
        }
        Self::parse(content).ok_or(Error::Cursor)
    }

    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let key = u64::from_le_bytes(take(&mut bytes)?);
        let [least] = take(&mut bytes)?;
        let mut number = || Some(u32::from_le_bytes(take(&mut bytes)?));
        let (popularity, documents) = (number()?, number()?);
        let (head, body) = (f32::from_bits(number()?), f32::from_bits(number()?));
        let [concepts] = take(&mut bytes)?;
        let mut readings = vec![];
        let mut frequencies = vec![];
        for _ in 0..concepts {
            let [reading] = take(&mut bytes)?;
            readings.push(*Reading::ALL.get(usize::from(reading))?);
            frequencies.push(u32::from_le_bytes(take(&mut bytes)?));
        }
        let name = std::str::from_utf8(bytes).ok()?.to_owned();
        let is_right = name.len() <= MAX_NAME_LENGTH && readings.len() <= MAX_CONCEPTS;
        let is_finite = head.is_finite() && body.is_finite();
        let statistics = Statistics { documents, head, body, frequencies };
        let cursor = Self { key, name, least, popularity, statistics, readings };
        (is_right && is_finite).then_some(cursor)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn seal(query: &Query, sort: Sort, content: &[u8]) -> [u8; SEAL] {
    let mut hash = Sha256::new();
    for term in &query.terms {
        // An age counts back from now, which is later when the next page is asked for.
        match term.condition {
            Condition::Updated(_) => hash.update(format!("{} updated ", term.negated)),
            _ => hash.update(format!("{term:?} ")),
        }
    }
    hash.update(format!("{sort} "));
    hash.update(content);
    let digest = hash.finalize();
    std::array::from_fn(|index| digest[index])
}
