//! Text as words: cut, folded to lower-case ASCII where that is possible, and stemmed as English.

use std::collections::HashMap;

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TextAnalyzer, TokenStream as _};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Bytes of a word that count; what follows is cut off.
pub(super) const MAX_WORD_BYTES: usize = 48;
/// Links say little: their words are left out.
const LINKS: [&str; 2] = ["http://", "https://"];

/// The words of a text, in order, folded but not stemmed. `snake_case`, `kebab-case` and `dotted.names` are several
/// words; so is `camelCase`, which is one word beside, for the name of a brand is written so, too.
pub(super) fn words(text: &str, mut take: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_alphanumeric()) {
        rest = &rest[at..];
        if LINKS.iter().any(|link| rest.starts_with(link)) {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ')' | '>' | '"')).unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        }
        let end = word_end(rest);
        let (word, behind) = rest.split_at(end);
        take(&fold(word));
        humps(word, &mut take);
        rest = behind;
    }
}

/// Where the word at the beginning of a text ends. Signs of writing without blanks are words of their own; `c++` and
/// `c#` keep their signs.
fn word_end(text: &str) -> usize {
    let mut characters = text.char_indices();
    if let Some((_, first)) = characters.next()
        && is_ideograph(first)
    {
        return first.len_utf8();
    }
    let is_inside = |c: char| (c.is_alphanumeric() && !is_ideograph(c)) || is_combining_mark(c);
    let end = characters.find(|(_, c)| !is_inside(*c)).map_or(text.len(), |(at, _)| at);
    let rest = &text[end..];
    let sign = ["++", "#"].into_iter().find(|sign| rest.starts_with(sign)).map_or(0, str::len);
    let is_free = !rest[sign..].starts_with(|c: char| c.is_alphanumeric() || c == '#');
    if end <= 2 && is_free { end + sign } else { end }
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Lower case without accents, cut after [`MAX_WORD_BYTES`].
pub(super) fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    if word.is_ascii() {
        folded.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        let plain = word.nfkd().filter(|c| !is_combining_mark(*c));
        folded.extend(plain.flat_map(char::to_lowercase).take(MAX_WORD_BYTES));
    }
    folded.truncate(folded.floor_char_boundary(MAX_WORD_BYTES));
    folded
}

/// The parts of an identifier such as `getUserName`. A word that begins with a capital is most often a brand.
fn humps(word: &str, take: &mut impl FnMut(&str)) {
    let is_camel = word.starts_with(|c: char| c.is_ascii_lowercase()) && word.bytes().any(|b| b.is_ascii_uppercase());
    if !is_camel || !word.is_ascii() {
        return;
    }
    let mut begin = 0;
    for at in 1..=word.len() {
        if at == word.len() || word.as_bytes()[at].is_ascii_uppercase() {
            if at - begin > 1 {
                take(&fold(&word[begin..at]));
            }
            begin = at;
        }
    }
}

/// Most stems that are remembered.
const MAX_KNOWN: usize = 20_000;

/// Brings words to what their inflections have in common.
pub(super) struct Stems {
    analyzer: TextAnalyzer,
    known: HashMap<String, String>,
}

impl Default for Stems {
    fn default() -> Self {
        let analyzer = TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(Language::English)).build();
        Self { analyzer, known: HashMap::new() }
    }
}

impl Stems {
    /// The stem of a folded word. British and American spelling have the same.
    pub(super) fn stem(&mut self, word: &str) -> String {
        if !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return word.to_owned();
        }
        if let Some(stem) = self.known.get(word) {
            return stem.clone();
        }
        let stem = self.cut(word);
        if self.known.len() == MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(word.to_owned(), stem.clone());
        stem
    }

    fn cut(&mut self, word: &str) -> String {
        let spelled = american(word);
        let mut stream = self.analyzer.token_stream(&spelled);
        let mut stem = if stream.advance() { stream.token().text.clone() } else { spelled.clone() };
        // `modelling` and `modeling`: the stemmer leaves the second `l`.
        if stem.len() > 4 && stem.ends_with("ll") {
            stem.pop();
        }
        stem
    }
}

/// How British spelling becomes American: what, into what, after how many letters at least, before which endings. What
/// this makes wrong is wrong in all its inflections, and so still found.
const SPELLINGS: [(&str, &str, usize, &[&str]); 4] = [
    ("is", "iz", 4, &["e", "ed", "er", "ers", "es", "ing", "ation", "ations"]),
    ("ys", "yz", 4, &["e", "ed", "er", "ers", "es", "ing"]),
    ("our", "or", 3, &["", "s", "ed", "ing"]),
    ("tre", "ter", 3, &["", "s"]),
];

fn american(word: &str) -> String {
    for (british, american, letters, endings) in SPELLINGS {
        for ending in endings {
            let begin = word.strip_suffix(ending).and_then(|begin| begin.strip_suffix(british));
            if let Some(begin) = begin.filter(|begin| begin.len() >= letters) {
                return format!("{begin}{american}{ending}");
            }
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut found = vec![];
        words(text, |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn identifiers_are_cut_and_brands_are_not() {
        assert_eq!(cut("code-review_v2 node.js GitHub"), ["code", "review", "v2", "node", "js", "github"]);
        assert_eq!(cut("useEffectNow"), ["useeffectnow", "use", "effect", "now"]);
        assert_eq!(cut("C++, C# and c; (F#) a+b"), ["c++", "c#", "and", "c", "f#", "a", "b"]);
        assert_eq!(cut("Café ÜBER naïve ﬁle"), ["cafe", "uber", "naive", "file"]);
        assert_eq!(cut("审查pull代码"), ["审", "查", "pull", "代", "码"]);
        assert_eq!(cut("see [it](https://img.shields.io/badge) now"), ["see", "it", "now"]);
        assert_eq!(cut("\u{202e}a\u{0}b<script>"), ["a", "b", "script"]);
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        assert_eq!(cut(&"x".repeat(1_000)), ["x".repeat(MAX_WORD_BYTES)]);
        let long = cut(&"ж".repeat(1_000));
        assert!(long.len() == 1 && long[0].len() <= MAX_WORD_BYTES && long[0].starts_with('ж'));
    }

    #[test]
    fn inflections_and_spellings_have_one_stem() {
        let mut stems = Stems::default();
        let mut same = |words: &[&str]| {
            let found: Vec<_> = words.iter().map(|word| stems.stem(word)).collect();
            assert!(found.windows(2).all(|two| two[0] == two[1]), "{words:?}: {found:?}");
        };
        same(&["reviews", "reviewing", "review"]);
        same(&["summarise", "summarize", "summarising", "summarizes"]);
        same(&["modelling", "modeling", "models"]);
        same(&["colour", "colors"]);
        same(&["raise", "raising", "raised"]);
        same(&["analyse", "analyzing"]);
        assert_ne!(stems.stem("java"), stems.stem("javascript"));
        assert_eq!(stems.stem("k8s"), "k8s");
    }
}
