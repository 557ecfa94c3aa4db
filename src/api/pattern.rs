//! A text to look for, without regard to case, in which `*` stands for anything and `?` for one character.

/// A word or a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Vec<char>,
}

impl Pattern {
    /// Takes a word or a glob; every text is one.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_lowercase().chars().collect() }
    }

    /// Whether the pattern has a `*` or `?`.
    pub fn is_glob(&self) -> bool {
        self.text.iter().any(|c| matches!(c, '*' | '?'))
    }

    /// Whether the pattern is the whole of a text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.to_lowercase().chars().collect();
        glob(&self.text, &text)
    }

    /// Whether a word occurs in a text; a glob must match one of its words, or all of it.
    pub fn occurs_in(&self, text: &str) -> bool {
        if self.is_glob() {
            return self.matches(text) || text.split_whitespace().any(|word| self.matches(word));
        }
        let word: String = self.text.iter().collect();
        text.to_lowercase().contains(&word)
    }
}

/// Matches in time proportional to the product of the lengths: only the last `*` is ever tried again.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((star_at, star_seen)) = star else { return false };
                star = Some((star_at, star_seen + 1));
                at = star_at + 1;
                seen = star_seen + 1;
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn globs_match_whole_texts_without_regard_to_case() {
        for (pattern, text) in [("sentiment*", "Sentiment-Analysis"), ("*", ""), ("a?c", "abc"), ("*b*b", "abcb")] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [("sentiment", "sentiment-analysis"), ("a?c", "ac"), ("*b", "abc"), ("", "a")] {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_cost_no_exponential_time() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(100)));
        assert!(!pattern.matches(&"a".repeat(2_000)));
    }

    #[test]
    fn words_occur_inside_and_globs_match_words() {
        assert!(Pattern::new("review").occurs_in("Reviews pull requests"));
        assert!(Pattern::new("pull*").occurs_in("reviews pull-requests well"));
        assert!(!Pattern::new("pull").occurs_in("push"));
        assert!(!Pattern::new("ull*").occurs_in("reviews pull-requests"));
    }
}
