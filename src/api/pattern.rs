//! A text to look for, without regard to case, in which `*` stands for anything and `?` for one character.

use std::borrow::Cow;

/// A word or a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the `*`, in lower case; one without any.
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    /// With `?`, which is `None`.
    Gaps(Vec<Option<char>>),
}

impl Pattern {
    /// Takes a word or a glob; every text is one.
    pub fn new(text: &str) -> Self {
        Self::of(text.chars().map(|c| (c, false)))
    }

    /// Takes a text in which `*` and `?` stand for themselves.
    pub fn literal(text: &str) -> Self {
        Self::of(text.chars().map(|c| (c, true)))
    }

    /// Takes characters, each with whether it stands for itself.
    pub(super) fn of(characters: impl Iterator<Item = (char, bool)>) -> Self {
        let mut segments = vec![vec![]];
        for (c, is_literal) in characters {
            match (c, segments.last_mut()) {
                ('*', _) if !is_literal => segments.push(vec![]),
                ('?', Some(segment)) if !is_literal => segment.push(None),
                (c, Some(segment)) => segment.extend(c.to_lowercase().map(Some)),
                (_, None) => {}
            }
        }
        Self { segments: segments.into_iter().map(Segment::of).collect() }
    }

    /// The text in lower case, where it is no glob.
    pub fn text(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the pattern has a `*` or `?` that does not stand for itself.
    pub fn is_glob(&self) -> bool {
        self.text().is_none()
    }

    /// What every text that it matches begins with, in lower case; may be empty.
    pub fn prefix(&self) -> String {
        match self.segments.first() {
            Some(Segment::Text(text)) => text.clone(),
            Some(Segment::Gaps(gaps)) => gaps.iter().map_while(|c| *c).collect(),
            None => String::new(),
        }
    }

    /// Whether it is a text and then a single `*`, so that [`Self::prefix`] says all of it.
    pub fn is_prefix(&self) -> bool {
        matches!(self.segments.as_slice(), [Segment::Text(_), Segment::Text(rest)] if rest.is_empty())
    }

    /// The text of a glob that is a text with a `*` before it, behind it, or both.
    pub fn core(&self) -> Option<&str> {
        let texts = self.segments.iter().map(|segment| match segment {
            Segment::Text(text) => Some(text.as_str()),
            Segment::Gaps(_) => None,
        });
        match texts.collect::<Option<Vec<_>>>()?.as_slice() {
            ["", text] | [text, ""] | ["", text, ""] => Some(text),
            _ => None,
        }
    }

    /// Whether the pattern is the whole of a text.
    pub fn matches(&self, text: &str) -> bool {
        self.matches_lower(&lower(text))
    }

    /// [`Self::matches`] of a text that is in lower case already.
    ///
    /// Every segment is taken where it first fits, so that the cost is at most the product of the lengths.
    pub fn matches_lower(&self, text: &str) -> bool {
        let Some((first, others)) = self.segments.split_first() else { return text.is_empty() };
        let Some(mut rest) = first.strip_from(text) else { return false };
        let Some((last, middle)) = others.split_last() else { return rest.is_empty() };
        for segment in middle {
            match segment.find_in(rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        last.ends(rest)
    }

    /// Whether a word occurs in a text; a glob must match one of its words, or all of it.
    pub fn occurs_in(&self, text: &str) -> bool {
        let text = lower(text);
        match self.text() {
            Some(word) => text.contains(word),
            None => self.matches_lower(&text) || text.split_whitespace().any(|word| self.matches_lower(word)),
        }
    }
}

/// The text in lower case, copied only if it is not.
fn lower(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

impl Segment {
    fn of(characters: Vec<Option<char>>) -> Self {
        match characters.iter().copied().collect() {
            Some(text) => Self::Text(text),
            None => Self::Gaps(characters),
        }
    }

    /// What follows the segment in a text that begins with it.
    fn strip_from<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Text(wanted) => text.strip_prefix(wanted.as_str()),
            Self::Gaps(gaps) => {
                let mut characters = text.chars();
                let fits = gaps.iter().all(|gap| characters.next().is_some_and(|c| gap.is_none_or(|gap| gap == c)));
                fits.then_some(characters.as_str())
            }
        }
    }

    /// What follows the segment where it first occurs in a text.
    fn find_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Text(wanted) => text.find(wanted.as_str()).map(|at| &text[at + wanted.len()..]),
            Self::Gaps(_) => text.char_indices().find_map(|(at, _)| self.strip_from(&text[at..])),
        }
    }

    /// Whether a text ends with the segment.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text.ends_with(wanted.as_str()),
            Self::Gaps(gaps) => {
                let mut characters = text.chars().rev();
                gaps.iter().rev().all(|gap| characters.next().is_some_and(|c| gap.is_none_or(|gap| gap == c)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    #[test]
    fn globs_match_whole_texts_without_regard_to_case() {
        for (pattern, text) in [
            ("sentiment*", "Sentiment-Analysis"),
            ("*", ""),
            ("**", "x"),
            ("a?c", "abc"),
            ("*b*b", "abcb"),
            ("?*?", "äö"),
            ("*a?c*", "xxaabcx"),
        ] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("sentiment", "sentiment-analysis"),
            ("a?c", "ac"),
            ("*b", "abc"),
            ("", "a"),
            ("ab*ba", "aba"),
            ("?*?", "ä"),
            ("*b*b", "ab"),
        ] {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_stands_for_itself_is_no_glob() {
        let literal = Pattern::literal("A*");
        assert!(literal.matches("a*") && !literal.matches("ab") && literal.text() == Some("a*"));
        assert!(Pattern::new("sent*").is_prefix() && Pattern::new("sent*").prefix() == "sent");
        assert!(!Pattern::new("se?t*").is_prefix() && Pattern::new("se?t*").prefix() == "se");
        assert!(!Pattern::new("sent").is_prefix() && !Pattern::new("*sent*").is_prefix());
        for text in ["sent*", "*sent", "*sent*"] {
            assert_eq!(Pattern::new(text).core(), Some("sent"), "{text}");
        }
        assert!(["sent", "s*t", "*s*t*", "s?nt*"].iter().all(|text| Pattern::new(text).core().is_none()));
    }

    #[test]
    fn many_stars_cost_no_exponential_time() {
        let pattern = Pattern::new(&format!("{}b", "*a?".repeat(300)));
        assert!(!pattern.matches(&"a".repeat(4_000)));
    }

    #[test]
    fn words_occur_inside_and_globs_match_words() {
        assert!(Pattern::new("review").occurs_in("Reviews pull requests"));
        assert!(Pattern::new("pull*").occurs_in("reviews pull-requests well"));
        assert!(!Pattern::new("pull").occurs_in("push"));
        assert!(!Pattern::new("ull*").occurs_in("reviews pull-requests"));
    }

    /// What a glob means, without regard to cost.
    fn means(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some(('*', rest)), None) => means(rest, text),
            (Some(('*', rest)), Some((_, tail))) => means(rest, text) || means(pattern, tail),
            (Some(_), None) => false,
            (Some((c, rest)), Some((seen, tail))) => (*c == '?' || c == seen) && means(rest, tail),
        }
    }

    proptest! {
        #[test]
        fn globs_match_what_they_mean(pattern in "[ab*?ä]{0,6}", text in "[abä]{0,8}") {
            let (characters, seen): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), means(&characters, &seen));
        }
    }
}
