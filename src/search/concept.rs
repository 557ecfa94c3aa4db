//! What a query's words mean: each word, or several that are one thing, with all that is taken for the same.

use super::language::Phrase;

/// One thing that is looked for.
#[derive(Clone, Debug)]
pub(super) struct Concept {
    /// Any of these is it.
    pub(super) alternatives: Vec<Alternative>,
    /// Whether documents without it are found, too.
    pub(super) is_optional: bool,
    /// How it was come to.
    pub(super) reading: Reading,
}

/// One way to say it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alternative {
    pub(super) phrase: Phrase,
    /// Whether the words must stand as in the phrase; otherwise anywhere.
    pub(super) is_adjacent: bool,
    /// How much it counts, in hundredths.
    pub(super) weight: u32,
}

/// How a word was read. Later pages read it as the first one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is, with words that mean the same.
    Plain,
    /// Also as the beginning of words in names, capabilities and tags.
    Beginning,
    /// Also as the beginning of any word.
    BeginningOfAny,
    /// Also as a mistyped word of a name.
    Mistyped,
}

impl Reading {
    pub(super) const ALL: [Self; 4] = [Self::Plain, Self::Beginning, Self::BeginningOfAny, Self::Mistyped];
}

impl Concept {
    /// A word or phrase that is only itself.
    pub(super) fn exactly(phrase: Phrase) -> Self {
        let itself = Alternative { phrase, is_adjacent: true, weight: WEIGHT };
        Self { alternatives: vec![itself], is_optional: false, reading: Reading::Plain }
    }

    /// Adds a way to say it, where it is not there yet.
    pub(super) fn add(&mut self, phrase: Phrase, weight: u32) {
        if !self.alternatives.iter().any(|known| known.phrase == phrase) {
            self.alternatives.push(Alternative { phrase, is_adjacent: true, weight });
        }
    }
}

/// What the words of the query count themselves.
pub(super) const WEIGHT: u32 = 100;
