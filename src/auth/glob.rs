//! Texts with `*` and `?` in them, compared byte by byte.

/// Whether `*` for any bytes and `?` for one make the pattern the text.
///
/// Takes time proportional to the product of the lengths: only the last `*` is ever tried again.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[seen] => {
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
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn stars_are_any_bytes_and_question_marks_one() {
        for (pattern, text) in [("v*", "v1.2"), ("*", ""), ("?.?", "1.2"), ("*-rc*", "1-rc.2"), ("**", "a"), ("", "")] {
            assert!(glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in [("v*", "1v"), ("?", ""), ("a?c", "ac"), ("*b", "abc"), ("", "a"), ("V*", "v1")] {
            assert!(!glob(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }
}
