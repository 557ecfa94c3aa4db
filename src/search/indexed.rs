//! The words of a document, as they are indexed: a few that weigh, and all of them where they stand.

use tantivy::tokenizer::Token;

use super::columns::MAX_VALUES;
use super::language::LANGUAGE;
use super::text::{Stems, words};
use super::{Document, MAX_README_BYTES};

/// Places between texts that do not follow one another, so that no phrase reaches over.
const GAP: usize = 16;
/// Bytes of a description that are searched.
const MAX_DESCRIPTION_BYTES: usize = 4_096;

/// How much a word in the name, a capability, a tag, the description, and the author's name weighs in the head.
const NAME: usize = 5;
const CAPABILITY: usize = 3;
const TAG: usize = 2;
const DESCRIPTION: usize = 1;
const AUTHOR: usize = 1;

/// The words of a document, by stems.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    /// The words of what a package says of itself in few words, each as often as it weighs.
    pub(super) head: Vec<Token>,
    /// Every word, where it stands.
    pub(super) body: Vec<Token>,
}

impl Indexed {
    pub(super) fn of(document: &Document, stems: &mut Stems) -> Self {
        let summary = &document.summary;
        let mut indexed = Self::default();
        indexed.add(summary.repository.package(), NAME, true, stems);
        summary.capabilities.iter().take(MAX_VALUES).for_each(|text| indexed.add(text, CAPABILITY, true, stems));
        summary.tags.iter().take(MAX_VALUES).for_each(|text| indexed.add(text, TAG, true, stems));
        indexed.add(&summary.author, AUTHOR, true, stems);
        indexed.add(beginning(&summary.description, MAX_DESCRIPTION_BYTES), DESCRIPTION, false, stems);
        indexed.add(beginning(&document.readme, MAX_README_BYTES), 0, false, stems);
        indexed
    }

    /// Adds a text. In names stop words are words like others.
    fn add(&mut self, text: &str, weight: usize, is_name: bool, stems: &mut Stems) {
        let mut place = self.body.last().map_or(0, |last| last.position + GAP);
        words(text, |word| {
            if is_name || !LANGUAGE.is_stop(word) {
                let stem = stems.stem(word);
                self.head.extend(std::iter::repeat_n(token(stem.clone(), 0), weight));
                self.body.push(token(stem, place));
            }
            place += 1;
        });
    }
}

fn token(text: String, position: usize) -> Token {
    Token { offset_from: 0, offset_to: 0, position, text, position_length: 1 }
}

/// At most so many bytes of a text; a word that is cut is left out.
fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let cut = &text[..text.floor_char_boundary(bytes)];
    cut.rfind(char::is_whitespace).map_or(cut, |at| &cut[..at])
}
