//! Finding documents by words: one part of the index after the other, the rarest concept first.

use super::Error;
use super::bits::Bits;
use super::concept::{Alternative, Concept};
use super::postings::{Occurrences, Together, each};
use super::schema::Fields;
use super::segments::Segment;
use super::weights::Weights;

/// Documents of one part that were found so far, in order.
#[derive(Default)]
struct Hits {
    documents: Vec<u32>,
    scores: Vec<u32>,
}

/// What all parts are searched for.
pub(super) struct Evaluation<'a> {
    pub(super) fields: &'a Fields,
    pub(super) concepts: &'a [Concept],
    /// The order in which they are looked for: the first must not be optional.
    pub(super) order: Vec<usize>,
    pub(super) weights: Option<&'a Weights>,
    /// What may be found.
    pub(super) wanted: &'a Bits,
}

impl<'a> Evaluation<'a> {
    /// To search for concepts that so many documents have.
    pub(super) fn new(
        fields: &'a Fields,
        concepts: &'a [Concept],
        frequencies: &[u32],
        weights: Option<&'a Weights>,
        wanted: &'a Bits,
    ) -> Self {
        let mut order: Vec<usize> = (0..concepts.len()).collect();
        order.sort_by_key(|number| (concepts[*number].is_optional, frequencies[*number]));
        Self { fields, concepts, order, weights, wanted }
    }

    /// Tells of every slot that has all concepts, with its score.
    pub(super) fn all(&self, segment: &Segment, mut tell: impl FnMut(u32, u32)) -> Result<(), Error> {
        let Some((first, others)) = self.order.split_first() else { return Ok(()) };
        let mut hits = self.begin(segment, *first)?;
        for number in others {
            if hits.documents.is_empty() {
                return Ok(());
            }
            // An optional one only adds to scores.
            if self.weights.is_some() || !self.concepts[*number].is_optional {
                self.narrow(segment, *number, &mut hits)?;
            }
        }
        for (document, score) in hits.documents.iter().zip(&hits.scores) {
            tell(segment.slots[*document as usize], *score);
        }
        Ok(())
    }

    /// Tells of every slot that has at least so many concepts, with its score.
    pub(super) fn most(&self, segment: &Segment, least: u8, mut tell: impl FnMut(u32, u32)) -> Result<(), Error> {
        let (mut scores, mut counts) = (vec![0u32; segment.slots.len()], vec![0u8; segment.slots.len()]);
        for number in &self.order {
            let hits = self.begin(segment, *number)?;
            for (document, score) in hits.documents.iter().zip(&hits.scores) {
                scores[*document as usize] += score;
                counts[*document as usize] += u8::from(!self.concepts[*number].is_optional);
            }
        }
        let all = self.concepts.iter().filter(|concept| !concept.is_optional).count().max(1) as u64;
        for ((slot, score), count) in segment.slots.iter().zip(scores).zip(counts) {
            if count >= least {
                let part = u64::from(count) * u64::from(count);
                tell(*slot, u32::try_from(u64::from(score) * part / (all * all)).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }

    fn is_wanted(&self, segment: &Segment, document: u32) -> bool {
        self.wanted.contains(segment.slots[document as usize])
    }

    /// The wanted documents that have a concept.
    fn begin(&self, segment: &Segment, number: usize) -> Result<Hits, Error> {
        let concept = &self.concepts[number];
        let (documents, mut parts) = match concept.alternatives.as_slice() {
            [one] => self.having(segment, one)?,
            several => {
                let mut sums = vec![0u32; segment.slots.len()];
                for alternative in several {
                    let (documents, parts) = self.having(segment, alternative)?;
                    documents.iter().zip(parts).for_each(|(document, parts)| sums[*document as usize] += parts);
                }
                (0u32..).zip(sums).filter(|(_, parts)| *parts > 0).unzip()
            }
        };
        if self.weights.is_some() {
            self.add_heads(segment, concept, &documents, &mut parts)?;
        }
        let scores = self.scores(number, &parts);
        Ok(Hits { documents, scores })
    }

    /// Keeps the documents that have a concept, too.
    fn narrow(&self, segment: &Segment, number: usize, hits: &mut Hits) -> Result<(), Error> {
        let concept = &self.concepts[number];
        let mut parts = vec![0u32; hits.documents.len()];
        for alternative in &concept.alternatives {
            let Some(mut words) = Words::open(segment, self.fields, alternative)? else { continue };
            for (document, parts) in hits.documents.iter().zip(&mut parts) {
                *parts += self.weigh(segment, *document, words.times(*document), alternative);
            }
        }
        if !concept.is_optional {
            let mut index = 0;
            let mut is_kept = |_: &u32| {
                index += 1;
                parts[index - 1] > 0
            };
            hits.documents.retain(&mut is_kept);
            let mut index = 0;
            hits.scores.retain(|_| {
                index += 1;
                parts[index - 1] > 0
            });
            parts.retain(|parts| *parts > 0);
        }
        if self.weights.is_some() {
            self.add_heads(segment, concept, &hits.documents, &mut parts)?;
            let scores = self.scores(number, &parts);
            hits.scores.iter_mut().zip(scores).for_each(|(score, more)| *score += more);
        }
        Ok(())
    }

    /// The wanted documents that have an alternative in the body, with what that weighs.
    fn having(&self, segment: &Segment, alternative: &Alternative) -> Result<(Vec<u32>, Vec<u32>), Error> {
        let (mut documents, mut parts) = (vec![], vec![]);
        let mut tell = |document: u32, times: u32| {
            documents.push(document);
            parts.push(self.weigh(segment, document, times, alternative));
        };
        if let [(stem, _)] = alternative.phrase.as_slice() {
            each(segment, self.fields, stem, |document, times| {
                if self.is_wanted(segment, document) {
                    tell(document, times);
                }
            })?;
        } else if let Some(mut words) =
            Together::open(segment, self.fields, &alternative.phrase, alternative.is_adjacent)?
        {
            words.each(|document| self.is_wanted(segment, document), tell);
        }
        Ok((documents, parts))
    }

    /// What occurrences in the body weigh; something, where there are any.
    fn weigh(&self, segment: &Segment, document: u32, times: u32, alternative: &Alternative) -> u32 {
        match self.weights {
            _ if times == 0 => 0,
            None => 1,
            Some(weights) => weights.body(times, segment.body_lengths.fieldnorm_id(document), alternative.weight),
        }
    }

    /// Adds what occurrences in the head weigh.
    fn add_heads(
        &self,
        segment: &Segment,
        concept: &Concept,
        documents: &[u32],
        parts: &mut [u32],
    ) -> Result<(), Error> {
        let Some(weights) = self.weights else { return Ok(()) };
        for alternative in &concept.alternatives {
            let mut words = vec![];
            for (stem, _) in &alternative.phrase {
                words.push(Occurrences::in_head(segment, self.fields, stem)?);
            }
            // In no head of the part are all of them.
            let Some(mut words) = words.into_iter().collect::<Option<Vec<_>>>() else { continue };
            for (document, parts) in documents.iter().zip(parts.iter_mut()) {
                let times = words.iter_mut().map(|word| word.times(*document)).min().unwrap_or(0);
                if times > 0 {
                    *parts += weights.head(times, segment.head_lengths.fieldnorm_id(*document), alternative.weight);
                }
            }
        }
        Ok(())
    }

    fn scores(&self, concept: usize, parts: &[u32]) -> Vec<u32> {
        match self.weights {
            Some(weights) => parts.iter().map(|parts| weights.score(concept, *parts)).collect(),
            None => vec![0; parts.len()],
        }
    }
}

/// The words of an alternative in one part of the index.
enum Words {
    One(Box<Occurrences>),
    Several(Together),
}

impl Words {
    fn open(segment: &Segment, fields: &Fields, alternative: &Alternative) -> Result<Option<Self>, Error> {
        Ok(match alternative.phrase.as_slice() {
            [(stem, _)] => Occurrences::in_body(segment, fields, stem, false)?.map(|word| Self::One(Box::new(word))),
            phrase => Together::open(segment, fields, &phrase.to_vec(), alternative.is_adjacent)?.map(Self::Several),
        })
    }

    fn times(&mut self, document: u32) -> u32 {
        match self {
            Self::One(word) => word.times(document),
            Self::Several(words) => words.times(document),
        }
    }
}
