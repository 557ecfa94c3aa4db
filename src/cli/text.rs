//! Text from the network or a package, made safe for a terminal; sizes and ages for people.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;

/// Whether a character can move the cursor, change colours, or turn the direction of what follows.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One line without control or direction characters: line breaks and tabs become spaces, the rest `�`.
pub(super) fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let replace = |character: char| match character {
        '\n' | '\r' | '\t' => ' ',
        other if is_treacherous(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    Cow::Owned(text.chars().map(replace).collect())
}

/// Several lines, each made safe.
pub(super) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

/// JSON whose strings hold treacherous characters only as escapes: outside strings JSON has none but line breaks.
pub(super) fn safe_json(json: &str) -> Cow<'_, str> {
    let is_escaped = |character: char| is_treacherous(character) && character != '\n';
    if !json.contains(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_escaped(character) {
            // All of them are below U+10000. Writing to a string cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// The first line of a text, at most `most` characters of it.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = safe(text.lines().next().unwrap_or_default()).into_owned();
    if line.chars().count() <= most { line } else { line.chars().take(most.saturating_sub(1)).chain(['…']).collect() }
}

/// A size as people read it, in steps of 1000 as registries and disks count: `512B`, `1.5kB`, `20MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut scaled, mut unit) = (bytes, 0);
    let mut tenths = 0;
    while scaled >= 1000 && unit + 1 < UNITS.len() {
        tenths = scaled % 1000 / 100;
        scaled /= 1000;
        unit += 1;
    }
    if unit == 0 || scaled >= 10 || tenths == 0 {
        format!("{scaled}{}", UNITS[unit])
    } else {
        format!("{scaled}.{tenths}{}", UNITS[unit])
    }
}

/// How long ago a moment was, in its largest unit.
pub(super) fn age(moment: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(moment.as_second());
    if seconds < 60 {
        return "just now".to_owned();
    }
    let steps = [(60, "minute"), (3_600, "hour"), (86_400, "day"), (604_800, "week"), (2_592_000, "month")];
    let (length, unit) = steps.into_iter().rev().find(|(length, _)| seconds >= *length).unwrap_or(steps[0]);
    let (length, unit) = if seconds >= 31_536_000 { (31_536_000, "year") } else { (length, unit) };
    let count = seconds / length;
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// A count with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

/// A number with its thousands apart: `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        assert_eq!(safe("\u{1b}[2Jgone\nnext\u{202e}txt.exe\u{9b}"), "�[2Jgone next�txt.exe�");
        assert!(matches!(safe("Übersetzer – 日本"), Cow::Borrowed(_)));
        assert_eq!(safe_lines("a\u{7}\nb"), "a�\nb");
    }

    #[test]
    fn escaped_json_says_the_same() {
        let value = serde_json::json!({"a": "x\u{9b}\u{202e}\n\u{1b}", "b": ["ü"]});
        let pretty = serde_json::to_string_pretty(&value).expect("serialises");
        let escaped = safe_json(&pretty);
        assert!(!escaped.contains(|c: char| is_treacherous(c) && c != '\n'), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).expect("is JSON"), value);
    }

    #[test]
    fn sizes_and_ages_are_short() {
        for (bytes, expected) in
            [(0, "0B"), (999, "999B"), (1_500, "1.5kB"), (12_345, "12kB"), (2_000_000, "2MB"), (u64::MAX, "18446744TB")]
        {
            assert_eq!(size(bytes), expected);
        }
        let now = Timestamp::from_second(1_000_000_000).expect("is a time");
        let before = |seconds: i64| Timestamp::from_second(1_000_000_000 - seconds).expect("is a time");
        for (seconds, expected) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (700_000, "1 week ago"),
            (5_200_000, "2 months ago"),
            (70_000_000, "2 years ago"),
        ] {
            assert_eq!(age(before(seconds), now), expected);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!((counted(1, "tag"), counted(2_000, "tag")), ("1 tag".to_owned(), "2,000 tags".to_owned()));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(shortened("äöü\nrest", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
    }
}
