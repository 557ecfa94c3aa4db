//! One moment of everything that is searched: it does not change while somebody searches, but for downloads and ratings.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Error;
use super::bits::Bits;
use super::columns::Columns;
use super::language::{LANGUAGE, Phrase};
use super::popularity::Popularities;
use super::postings::{Together, each, frequency};
use super::schema::Fields;
use super::segments::{Segment, Segments};
use super::text::Stems;

/// Documents after which counting ends.
const MANY: usize = 1_000;

/// The columns with the words of the same documents.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) columns: Columns,
    pub(super) segments: Segments,
    pub(super) fields: Arc<Fields>,
    pub(super) popularities: Popularities,
    /// The last event that was applied.
    pub(super) position: u64,
}

impl Snapshot {
    /// The documents that have the words of a text, as they stand there.
    pub(super) fn having(&self, text: &str) -> Result<Bits, Error> {
        let phrase = LANGUAGE.phrase(text, &mut Stems::default());
        let mut found = Bits::with_room(self.columns.room());
        for segment in self.segments.iter() {
            self.each_having(segment, &phrase, |slot| found.insert(slot))?;
        }
        Ok(found)
    }

    /// How many of a set of documents have the words of a phrase; at most [`MANY`] are counted.
    pub(super) fn count_seen(&self, phrase: &Phrase, visible: &Bits) -> Result<usize, Error> {
        let mut count = 0;
        for segment in self.segments.iter() {
            if count < MANY {
                self.each_having(segment, phrase, |slot| count += usize::from(visible.contains(slot)))?;
            }
        }
        Ok(count.min(MANY))
    }

    fn each_having(&self, segment: &Segment, phrase: &Phrase, mut tell: impl FnMut(u32)) -> Result<(), Error> {
        let mut tell = |document: u32, _| {
            if let Some(slot) = segment.slot(document) {
                tell(slot);
            }
        };
        match phrase.as_slice() {
            [] => {}
            [(stem, _)] => each(segment, &self.fields, stem, tell)?,
            _ => {
                if let Some(mut words) = Together::open(segment, &self.fields, phrase, true)? {
                    words.each(|document| segment.slot(document).is_some(), &mut tell);
                }
            }
        }
        Ok(())
    }

    /// Stems that begin so, of any text; at most so many.
    pub(super) fn starting(&self, prefix: &str, most: usize) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        for segment in self.segments.iter() {
            let mut stream = segment.body.terms().range().ge(prefix).into_stream()?;
            let mut left = most;
            while left > 0 && stream.advance() && stream.key().starts_with(prefix.as_bytes()) {
                found.extend(std::str::from_utf8(stream.key()).ok().map(str::to_owned));
                left -= 1;
            }
        }
        while found.len() > most {
            found.pop_last();
        }
        Ok(found)
    }

    /// How many documents have a phrase, at most; gone ones are among them.
    pub(super) fn frequency(&self, phrase: &Phrase) -> Result<u64, Error> {
        let mut documents = 0;
        for segment in self.segments.iter() {
            let mut least = u32::MAX;
            for (stem, _) in phrase {
                least = least.min(frequency(segment, &self.fields, stem)?);
            }
            documents += u64::from(least);
        }
        Ok(documents)
    }
}
