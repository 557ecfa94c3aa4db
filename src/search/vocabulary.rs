//! The words of packages' names, capabilities and tags as written: what beginnings and mistyped words may mean.

use std::collections::HashMap;
use std::sync::Arc;

use super::bits::Bits;
use super::chunked::Chunked;
use super::slots::Slots;
use super::values::Values;

/// Every word that any name, capability or tag ever had; its number never changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    texts: Chunked<Arc<str>>,
    /// Who has the word in the package's name.
    names: Chunked<Arc<Slots>>,
    /// The capabilities and tags that have the word.
    labels: Chunked<Arc<Vec<u32>>>,
    /// The words in order.
    order: Arc<Vec<u32>>,
}

/// Numbers by words.
pub(super) type Postings = HashMap<String, Vec<u32>>;

impl Vocabulary {
    /// The vocabulary of names by slots, of `all` that there are, and of capabilities and tags by their values.
    pub(super) fn filled(mut named: Postings, mut labelled: Postings, all: usize) -> Self {
        let mut texts: Vec<String> = named.keys().chain(labelled.keys()).cloned().collect();
        texts.sort_unstable();
        texts.dedup();
        let mut vocabulary = Self::default();
        for text in &texts {
            let word = vocabulary.append(text) as usize;
            let (slots, values) = (named.remove(text).unwrap_or_default(), labelled.remove(text).unwrap_or_default());
            *vocabulary.names.get_mut(word) = Arc::new(Slots::of(slots, all));
            *vocabulary.labels.get_mut(word) = Arc::new(values);
        }
        vocabulary.order = Arc::new((0u32..).take(texts.len()).collect());
        vocabulary
    }

    pub(super) fn text(&self, word: u32) -> &Arc<str> {
        self.texts.get(word as usize)
    }

    /// The number of a word, if it is known.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let place = self.order.binary_search_by(|word| (**self.text(*word)).cmp(text)).ok()?;
        Some(self.order[place])
    }

    /// The number of a word, a new one where it was not known.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        match self.order.binary_search_by(|word| (**self.text(*word)).cmp(text)) {
            Ok(at) => self.order[at],
            Err(at) => {
                let number = self.append(text);
                Arc::make_mut(&mut self.order).insert(at, number);
                number
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 words")]
    fn append(&mut self, text: &str) -> u32 {
        self.texts.push(text.into());
        self.names.push(Arc::default());
        self.labels.push(Arc::default());
        (self.texts.len() - 1) as u32
    }

    /// Says that the name in a slot, of `all` that there are, has a word now.
    pub(super) fn insert(&mut self, word: u32, slot: u32, all: usize) {
        Arc::make_mut(self.names.get_mut(word as usize)).insert(slot, all);
    }

    /// Says that the name in a slot, of `all` that there are, has a word no more.
    pub(super) fn remove(&mut self, word: u32, slot: u32, all: usize) {
        Arc::make_mut(self.names.get_mut(word as usize)).remove(slot, all);
    }

    /// Says that a capability or tag has a word.
    pub(super) fn label(&mut self, word: u32, value: u32) {
        Arc::make_mut(self.labels.get_mut(word as usize)).push(value);
    }

    /// The slots with a word in their name.
    pub(super) fn named(&self, word: u32) -> &Slots {
        self.names.get(word as usize)
    }

    /// Adds the slots with a word in a capability or tag.
    pub(super) fn add_labelled(&self, word: u32, values: &Values, found: &mut Bits) {
        self.labels.get(word as usize).iter().for_each(|value| values.slots(*value).add_to(found));
    }

    /// Whether a package of the set has the word. Nothing else of a package may change what others find.
    pub(super) fn is_seen(&self, word: u32, values: &Values, visible: &Bits) -> bool {
        self.is_named(word, visible)
            || self.labels.get(word as usize).iter().any(|value| values.slots(*value).meets(visible))
    }

    /// Whether a package of the set has the word in its name.
    pub(super) fn is_named(&self, word: u32, visible: &Bits) -> bool {
        self.named(word).meets(visible)
    }

    /// The words that begin so.
    pub(super) fn starting(&self, prefix: &str) -> &[u32] {
        let begin = self.order.partition_point(|word| **self.text(*word) < *prefix);
        let length = self.order[begin..].partition_point(|word| self.text(*word).starts_with(prefix));
        &self.order[begin..begin + length]
    }

    /// The words that one mistake makes of a text. Names are ASCII, so that a character is a byte.
    pub(super) fn similar(&self, text: &str) -> Vec<u32> {
        let is_near =
            |word: &Arc<str>| word.len().abs_diff(text.len()) <= 1 && is_one_mistake(text.as_bytes(), word.as_bytes());
        (0u32..).zip(self.texts.iter()).filter(|(_, word)| is_near(word)).map(|(number, _)| number).collect()
    }
}

/// Whether one character too many, missing or wrong, or two neighbours exchanged, makes one of the other.
fn is_one_mistake(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (a, b) = (&short[same..], &long[same..]);
    if short.len() < long.len() {
        return a == &b[1..];
    }
    let is_swap = a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    !a.is_empty() && (a[1..] == b[1..] || is_swap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_is_forgiven_and_two_are_not() {
        let mut vocabulary = Vocabulary::default();
        for word in ["kubernetes", "terraform", "code", "coda"] {
            vocabulary.number(word);
        }
        let similar = |text: &str| -> Vec<_> {
            vocabulary.similar(text).iter().map(|it| vocabulary.text(*it).to_string()).collect()
        };
        for text in ["kubernets", "kubernettes", "kubernetas", "kuberentes", "ubernetes"] {
            assert_eq!(similar(text), ["kubernetes"], "{text}");
        }
        assert_eq!(similar("cod"), ["code", "coda"]);
        for text in ["kuberntse", "terraform", "trefaorm", ""] {
            assert!(similar(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn words_are_found_by_how_they_begin() {
        let mut vocabulary = Vocabulary::default();
        for word in ["sent", "sentiment", "send", "sentence", "set"] {
            vocabulary.number(word);
        }
        let starting: Vec<_> = vocabulary.starting("sent").iter().map(|it| &**vocabulary.text(*it)).collect();
        assert_eq!(starting, ["sent", "sentence", "sentiment"]);
        assert!(
            vocabulary.starting("x").is_empty() && vocabulary.find("send").is_some() && vocabulary.find("x").is_none()
        );
    }
}
