//! From the words of a query to what is looked for.

use super::Error;
use super::bits::Bits;
use super::concept::{Alternative, Concept, Reading, WEIGHT};
use super::language::LANGUAGE;
use super::snapshot::Snapshot;
use super::text::{Stems, words};
use crate::api::{Condition, Query};

/// Most things looked for at once; words behind them are not looked at.
pub(super) const MAX_CONCEPTS: usize = 32;
/// Most words that one beginning or mistyped word is taken for.
const MAX_READINGS: usize = 64;
/// Shortest beginning of a word that is taken for one, in bytes.
const MIN_BEGINNING: usize = 2;
/// Shortest beginning of a word that need not be one in a name, capability or tag.
const MIN_BEGINNING_OF_ANY: usize = 3;
/// Shortest word in which a mistake is forgiven, in bytes.
const MIN_MISTYPED: usize = 4;
/// A word is taken for a mistyped one only where that is in more than so many times the names it is in documents.
const MISTYPED: usize = 20;

/// How much other words count beside those of the query, in hundredths.
const SAME: u32 = 80;
const NARROWER: u32 = 50;
const BEGINNING: u32 = 60;
const MISTYPED_WEIGHT: u32 = 50;

/// What a query's words look for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) concepts: Vec<Concept>,
    /// Whether most of the words may do.
    pub(super) may_relax: bool,
    /// Whether words are asked for of which nothing is a word.
    pub(super) is_hopeless: bool,
}

impl Plan {
    /// How many of the concepts do, where no document has all, and where none has so many.
    pub(super) fn least(&self) -> Vec<u8> {
        let required = self.concepts.iter().filter(|concept| !concept.is_optional).count();
        let mut least: Vec<u8> = [required.div_ceil(2), 1].into_iter().filter_map(|it| it.try_into().ok()).collect();
        least.retain(|least| usize::from(*least) < required);
        least.dedup();
        least
    }
}

/// A word of the query.
#[derive(Debug)]
struct Asked {
    folded: String,
    stem: String,
    is_stop: bool,
}

/// Reads the words; `readings` are those of the first page.
pub(super) fn plan(
    query: &Query,
    snapshot: &Snapshot,
    visible: &Bits,
    readings: Option<&[Reading]>,
) -> Result<Plan, Error> {
    let mut stems = Stems::default();
    let mut asked = asked(query, &mut stems);
    if asked.iter().any(|word| !word.is_stop) {
        asked.retain(|word| !word.is_stop);
    }
    let mut concepts = grouped(&asked);
    for term in query.terms.iter().filter(|term| !term.negated) {
        if let Condition::Phrase(text) = &term.condition {
            let phrase = LANGUAGE.phrase(text, &mut stems);
            concepts.extend((!phrase.is_empty()).then(|| (Concept::exactly(phrase), None)));
        }
    }
    concepts.truncate(MAX_CONCEPTS);
    if concepts.iter().all(|(concept, _)| concept.is_optional) {
        for (concept, _) in &mut concepts {
            concept.is_optional = false;
        }
    }
    let mut reader = Reader { snapshot, visible, stems };
    for (number, (concept, word)) in concepts.iter_mut().enumerate() {
        let Some(word) = word else { continue };
        match readings {
            None => reader.decide(concept, word)?,
            Some(readings) => reader.read(concept, word, readings.get(number).copied().unwrap_or(Reading::Plain))?,
        }
    }
    let mut positive = query.terms.iter().filter(|term| !term.negated).map(|term| &term.condition);
    let is_word = |condition: &Condition| matches!(condition, Condition::Word(pattern) if !pattern.is_glob());
    Ok(Plan {
        may_relax: query.terms.iter().all(|term| !term.negated && is_word(&term.condition)),
        is_hopeless: concepts.is_empty() && positive.any(|it| is_word(it) || matches!(it, Condition::Phrase(_))),
        concepts: concepts.into_iter().map(|(concept, _)| concept).collect(),
    })
}

/// The words asked for, in order.
fn asked(query: &Query, stems: &mut Stems) -> Vec<Asked> {
    let mut asked = vec![];
    for term in query.terms.iter().filter(|term| !term.negated) {
        if let Condition::Word(pattern) = &term.condition {
            words(pattern.text().unwrap_or_default(), |word| {
                asked.push(Asked { folded: word.to_owned(), stem: stems.stem(word), is_stop: LANGUAGE.is_stop(word) });
            });
        }
    }
    asked
}

/// Words that are one thing become one, with what means the same; single words keep how they are written.
fn grouped(asked: &[Asked]) -> Vec<(Concept, Option<String>)> {
    let stems: Vec<String> = asked.iter().map(|word| word.stem.clone()).collect();
    let (mut concepts, mut at) = (Vec::<(Concept, Option<String>)>::new(), 0);
    while let Some(word) = asked.get(at) {
        let (length, meanings) = match LANGUAGE.meanings(&stems[at..]) {
            Some((length, meanings)) => (length, Some(meanings)),
            None => (1, None),
        };
        let phrase = (0u32..).zip(&stems[at..at + length]).map(|(place, stem)| (stem.clone(), place)).collect();
        let itself = Alternative { phrase, is_adjacent: false, weight: WEIGHT };
        let is_optional = length == 1 && LANGUAGE.is_filler(&word.stem);
        let mut concept = Concept { alternatives: vec![itself], is_optional, reading: Reading::Plain };
        if let Some(meanings) = meanings {
            meanings.same.iter().for_each(|phrase| concept.add(phrase.clone(), SAME));
            meanings.narrower.iter().for_each(|phrase| concept.add(phrase.clone(), NARROWER));
        }
        let is_new = concepts.iter().all(|(known, _)| known.alternatives[0].phrase != concept.alternatives[0].phrase);
        if is_new {
            concepts.push((concept, (length == 1).then(|| word.folded.clone())));
        }
        at += length;
    }
    concepts
}

/// Finds what single words may stand for, by what the viewer sees alone.
struct Reader<'a> {
    snapshot: &'a Snapshot,
    visible: &'a Bits,
    stems: Stems,
}

impl Reader<'_> {
    /// Reads a word as what it most likely is.
    fn decide(&mut self, concept: &mut Concept, word: &str) -> Result<(), Error> {
        let columns = &self.snapshot.columns;
        let known = columns.vocabulary.find(word);
        if known.is_some_and(|known| columns.vocabulary.is_seen(known, &columns.values, self.visible)) {
            return Ok(());
        }
        self.read(concept, word, Reading::Beginning)?;
        if concept.alternatives.len() > 1 {
            return Ok(());
        }
        let documents = self.snapshot.count_seen(&concept.alternatives[0].phrase, self.visible)?;
        if documents == 0 {
            self.read(concept, word, Reading::BeginningOfAny)?;
        }
        if concept.alternatives.len() == 1 && self.mistyped(word).1 > documents * MISTYPED {
            self.read(concept, word, Reading::Mistyped)?;
        }
        Ok(())
    }

    /// The words of names that a word may be mistyped for, and in how many names the most frequent one is.
    fn mistyped(&self, word: &str) -> (Vec<u32>, usize) {
        let vocabulary = &self.snapshot.columns.vocabulary;
        let mut meant = if word.len() < MIN_MISTYPED { vec![] } else { vocabulary.similar(word) };
        let mut most = 0;
        meant.retain(|it| {
            let names = vocabulary.named(*it).count_in(self.visible);
            most = most.max(names);
            names > 0
        });
        meant.truncate(MAX_READINGS);
        (meant, most)
    }

    /// Reads a word in one way.
    fn read(&mut self, concept: &mut Concept, word: &str, reading: Reading) -> Result<(), Error> {
        concept.reading = reading;
        match reading {
            Reading::Plain => {}
            Reading::Beginning if word.len() < MIN_BEGINNING => {}
            Reading::Beginning => {
                let columns = &self.snapshot.columns;
                let known = columns.vocabulary.starting(word).iter();
                let seen = known.filter(|it| columns.vocabulary.is_seen(**it, &columns.values, self.visible));
                let seen: Vec<u32> = seen.copied().take(MAX_READINGS).collect();
                self.add(concept, &seen, BEGINNING);
            }
            Reading::BeginningOfAny if word.len() < MIN_BEGINNING_OF_ANY => {}
            Reading::BeginningOfAny => {
                for stem in self.snapshot.starting(word, MAX_READINGS)? {
                    concept.add(vec![(stem, 0)], BEGINNING);
                }
            }
            Reading::Mistyped => self.add(concept, &self.mistyped(word).0, MISTYPED_WEIGHT),
        }
        Ok(())
    }

    fn add(&mut self, concept: &mut Concept, words: &[u32], weight: u32) {
        for word in words {
            let stem = self.stems.stem(self.snapshot.columns.vocabulary.text(*word));
            concept.add(vec![(stem, 0)], weight);
        }
    }
}
