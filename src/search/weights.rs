//! How much an occurrence of a word says: BM25 over two fields, from statistics that later pages keep.

use tantivy::fieldnorm::FieldNormReader;

use super::Error;
use super::concept::{Concept, WEIGHT};
use super::snapshot::Snapshot;

/// How fast more occurrences stop to say more.
const SATURATION: f32 = 1.2;
/// How much long heads and bodies count less, from 0 to 1.
const HEAD_LENGTH: f32 = 0.6;
const BODY_LENGTH: f32 = 0.5;
/// How much an occurrence in the head counts beside one in the body.
const HEAD: f32 = 2.0;
/// Parts into which one occurrence of average weight is divided: sums of whole numbers are the same in any order.
const PARTS: f32 = 1_024.0;
/// Parts into which a score of one is divided.
const SCORE: f32 = 4_096.0;

/// What scores are computed from beside the document itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statistics {
    /// All documents.
    pub(super) documents: u32,
    /// Words in an average head and body.
    pub(super) head: f32,
    pub(super) body: f32,
    /// The documents with each concept.
    pub(super) frequencies: Vec<u32>,
}

impl Statistics {
    #[expect(clippy::cast_possible_truncation, reason = "less than the documents, whose slots are u32")]
    pub(super) fn of(snapshot: &Snapshot, concepts: &[Concept]) -> Result<Self, Error> {
        let documents = snapshot.columns.slots.len() as u32;
        let mut frequencies = vec![];
        for concept in concepts {
            let mut sum = 0;
            for alternative in &concept.alternatives {
                sum += snapshot.frequency(&alternative.phrase)?;
            }
            frequencies.push(sum.min(u64::from(documents)) as u32);
        }
        let (head, body) = snapshot.segments.average_lengths();
        Ok(Self { documents, head, body, frequencies })
    }
}

/// What there is to weigh with.
pub(super) struct Weights {
    head: [f32; 256],
    body: [f32; 256],
    /// What the best document of each concept gets.
    most: Vec<f32>,
}

impl Weights {
    #[expect(clippy::cast_precision_loss, reason = "counts of documents")]
    pub(super) fn new(statistics: &Statistics) -> Self {
        let documents = statistics.documents as f32;
        let rarity = |frequency: &u32| {
            let frequency = (*frequency as f32).min(documents);
            (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln() * (1.0 + SATURATION) * SCORE
        };
        Self {
            head: factors(statistics.head, HEAD_LENGTH, HEAD),
            body: factors(statistics.body, BODY_LENGTH, 1.0),
            most: statistics.frequencies.iter().map(rarity).collect(),
        }
    }

    /// What occurrences in a body of this length class weigh, in parts.
    pub(super) fn body(&self, times: u32, length: u8, weight: u32) -> u32 {
        weigh(times, self.body[usize::from(length)], weight)
    }

    /// What occurrences in a head of this length class weigh, in parts.
    pub(super) fn head(&self, times: u32, length: u8, weight: u32) -> u32 {
        weigh(times, self.head[usize::from(length)], weight)
    }

    /// The score of all occurrences of a concept together.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    pub(super) fn score(&self, concept: usize, parts: u32) -> u32 {
        let occurrences = parts as f32 / PARTS;
        (self.most[concept] * occurrences / (occurrences + SATURATION)) as u32
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "saturates")]
fn weigh(times: u32, factor: f32, weight: u32) -> u32 {
    // A document that has the concept has a part of it, however long it is.
    ((times * weight) as f32 * factor).max(1.0) as u32
}

/// What one occurrence counts by the length class of its field.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "256 classes of lengths")]
fn factors(average: f32, by_length: f32, field: f32) -> [f32; 256] {
    std::array::from_fn(|class| {
        let length = FieldNormReader::id_to_fieldnorm(class as u8) as f32 / average.max(1.0);
        PARTS * field / WEIGHT as f32 / (1.0 - by_length + by_length * length)
    })
}
