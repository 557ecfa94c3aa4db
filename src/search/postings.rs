//! Reading the index of words: which documents have a word, how often, and several words beside one another.

use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, TERMINATED, Term};

use super::Error;
use super::language::Phrase;
use super::schema::Fields;
use super::segments::Segment;

/// Tells of each document of a part that has a stem, in order, and how often. Documents that are gone are among them.
pub(super) fn each(
    segment: &Segment,
    fields: &Fields,
    stem: &str,
    mut tell: impl FnMut(u32, u32),
) -> Result<(), Error> {
    let term = Term::from_field_text(fields.body, stem);
    let Some(mut block) = segment.body.read_block_postings(&term, IndexRecordOption::WithFreqs)? else { return Ok(()) };
    while block.block_len() > 0 {
        for (document, times) in block.docs().iter().zip(block.freqs()) {
            tell(*document, *times);
        }
        block.advance();
    }
    Ok(())
}

/// How many documents of a part have a stem, gone ones included.
pub(super) fn frequency(segment: &Segment, fields: &Fields, stem: &str) -> Result<u32, Error> {
    Ok(segment.body.doc_freq(&Term::from_field_text(fields.body, stem))?)
}

/// Where a stem is in one part of the index; seeks forward only.
pub(super) struct Occurrences {
    postings: SegmentPostings,
}

impl Occurrences {
    /// Those in the body, with places if wanted.
    pub(super) fn in_body(segment: &Segment, fields: &Fields, stem: &str, places: bool) -> Result<Option<Self>, Error> {
        let wanted = if places { IndexRecordOption::WithFreqsAndPositions } else { IndexRecordOption::WithFreqs };
        let term = Term::from_field_text(fields.body, stem);
        Ok(segment.body.read_postings(&term, wanted)?.map(|postings| Self { postings }))
    }

    /// Those in the head.
    pub(super) fn in_head(segment: &Segment, fields: &Fields, stem: &str) -> Result<Option<Self>, Error> {
        let term = Term::from_field_text(fields.head, stem);
        let postings = segment.head.read_postings(&term, IndexRecordOption::WithFreqs)?;
        Ok(postings.map(|postings| Self { postings }))
    }

    /// How often the stem is in a document; none of the next calls may ask for one before it.
    pub(super) fn times(&mut self, document: u32) -> u32 {
        if self.seek(document) == document { self.postings.term_freq() } else { 0 }
    }

    /// The first document that has the stem and is not before one.
    pub(super) fn seek(&mut self, document: u32) -> u32 {
        let current = self.postings.doc();
        if current < document { self.postings.seek(document) } else { current }
    }

    pub(super) fn len(&self) -> u32 {
        self.postings.doc_freq()
    }
}

/// Several stems that documents must all have.
pub(super) struct Together {
    /// The rarest first, each with its place in the phrase.
    words: Vec<(Occurrences, u32)>,
    /// Whether they must stand as in the phrase.
    is_adjacent: bool,
    places: Vec<u32>,
    left: Vec<u32>,
}

impl Together {
    /// Nothing where a stem is nowhere in the part.
    pub(super) fn open(
        segment: &Segment,
        fields: &Fields,
        phrase: &Phrase,
        is_adjacent: bool,
    ) -> Result<Option<Self>, Error> {
        let mut words = vec![];
        for (stem, place) in phrase {
            let Some(found) = Occurrences::in_body(segment, fields, stem, is_adjacent)? else { return Ok(None) };
            words.push((found, *place));
        }
        words.sort_by_key(|(found, _)| found.len());
        Ok(Some(Self { words, is_adjacent, places: vec![], left: vec![] }))
    }

    /// Tells of each document that has them, and how often. `wanted` is asked before places are looked at.
    pub(super) fn each(&mut self, wanted: impl Fn(u32) -> bool, mut tell: impl FnMut(u32, u32)) {
        let mut document = 0;
        while let Some((rarest, _)) = self.words.first_mut() {
            document = rarest.seek(document);
            if document == TERMINATED {
                return;
            }
            if wanted(document) {
                let times = self.times(document);
                if times > 0 {
                    tell(document, times);
                }
            }
            document += 1;
        }
    }

    /// How often they are in a document; none of the next calls may ask for one before it.
    pub(super) fn times(&mut self, document: u32) -> u32 {
        if self.words.iter_mut().any(|(word, _)| word.seek(document) != document) {
            return 0;
        }
        if self.is_adjacent { self.count_places() } else { 1 }
    }

    /// In how many places of the current document they stand as in the phrase.
    #[expect(clippy::cast_possible_truncation, reason = "a document has far less than 2^32 words")]
    fn count_places(&mut self) -> u32 {
        self.left.clear();
        for (number, (word, place)) in self.words.iter_mut().enumerate() {
            word.postings.positions(&mut self.places);
            // Where the phrase would begin. A word may stand before the place it has in the phrase.
            let begins = self.places.iter().filter_map(|found| found.checked_sub(*place));
            if number == 0 {
                self.left.extend(begins);
            } else {
                let begins: Vec<u32> = begins.collect();
                self.left.retain(|begin| begins.binary_search(begin).is_ok());
            }
        }
        self.left.len() as u32
    }
}
