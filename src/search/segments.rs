//! The parts of the index of words, each with the slots of its documents.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::SegmentId;
use tantivy::{InvertedIndexReader, Opstamp, Searcher, SegmentReader};

use super::Error;
use super::schema::{Fields, ID};
use super::slot_map::SlotMap;

/// The slot of a document that is gone.
pub(super) const GONE: u32 = u32::MAX;

/// One part: documents are numbered from 0 in it.
pub(super) struct Segment {
    pub(super) head: Arc<InvertedIndexReader>,
    pub(super) body: Arc<InvertedIndexReader>,
    pub(super) head_lengths: FieldNormReader,
    pub(super) body_lengths: FieldNormReader,
    /// The slot of each document.
    pub(super) slots: Vec<u32>,
}

/// What a part is, and which of its documents are gone.
type Key = (SegmentId, Option<Opstamp>);

/// Every part.
#[derive(Clone, Default)]
pub(super) struct Segments {
    parts: Vec<(Key, Arc<Segment>)>,
    /// Keeps the files of the parts.
    _searcher: Option<Searcher>,
}

impl Segments {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.parts.iter().map(|(_, segment)| &**segment)
    }

    /// How many words an average head has, and an average body.
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    pub(super) fn average_lengths(&self) -> (f32, f32) {
        let documents: usize = self.iter().map(|segment| segment.slots.len()).sum();
        let average = |words: u64| if documents == 0 { 1.0 } else { words as f32 / documents as f32 };
        let (heads, bodies) = self.iter().fold((0, 0), |(heads, bodies), segment| {
            (heads + segment.head.total_num_tokens(), bodies + segment.body.total_num_tokens())
        });
        (average(heads), average(bodies))
    }

    /// The parts of a searcher; those that did not change are taken from before.
    pub(super) fn of(searcher: Searcher, fields: &Fields, slots: &SlotMap, before: &Self) -> Result<Self, Error> {
        let known: HashMap<_, _> = before.parts.iter().map(|(key, segment)| (key, segment)).collect();
        let mut parts = vec![];
        for reader in searcher.segment_readers() {
            let key = (reader.segment_id(), reader.delete_opstamp());
            let segment = match known.get(&key) {
                Some(segment) => Arc::clone(segment),
                None => Arc::new(Segment::open(reader, fields, slots)?),
            };
            parts.push((key, segment));
        }
        Ok(Self { parts, _searcher: Some(searcher) })
    }
}

impl Segment {
    /// The slot of a document, where it is not gone.
    pub(super) fn slot(&self, document: u32) -> Option<u32> {
        self.slots.get(document as usize).copied().filter(|slot| *slot != GONE)
    }

    fn open(reader: &SegmentReader, fields: &Fields, slots: &SlotMap) -> Result<Self, Error> {
        let ids = ids(reader)?;
        let alive = reader.alive_bitset();
        let slot = |(document, id): (u32, &i64)| {
            let is_alive = alive.is_none_or(|alive| alive.is_alive(document));
            is_alive.then(|| slots.get(*id)).flatten().unwrap_or(GONE)
        };
        Ok(Self {
            head: reader.inverted_index(fields.head)?,
            body: reader.inverted_index(fields.body)?,
            head_lengths: reader.get_fieldnorms_reader(fields.head)?,
            body_lengths: reader.get_fieldnorms_reader(fields.body)?,
            slots: (0..).zip(&ids).map(slot).collect(),
        })
    }
}

/// The repositories' rows, by document.
pub(super) fn ids(reader: &SegmentReader) -> Result<Vec<i64>, Error> {
    let mut ids = vec![0; reader.max_doc() as usize];
    reader.fast_fields().i64(ID)?.values.get_range(0, &mut ids);
    Ok(ids)
}
