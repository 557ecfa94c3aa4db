//! Makes text that a server sent fit to be shown: no control characters, no endless lines.

/// Most characters of a server's text that are shown.
const MAX_SHOWN: usize = 300;

/// Cuts a server's text and replaces whatever could steer a terminal or reorder a line.
pub(super) fn clean(text: &str) -> String {
    let mut characters = text.chars().map(|character| if is_steering(character) { ' ' } else { character });
    let shown: String = characters.by_ref().skip_while(|character| *character == ' ').take(MAX_SHOWN).collect();
    let mut shown = shown.trim_end().to_owned();
    if characters.any(|character| character != ' ') {
        shown.push('…');
    }
    shown
}

/// Control characters of both sets, and the marks that change the direction of text or hide it.
fn is_steering(character: char) -> bool {
    let hidden = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    character.is_control() || hidden.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_steers_a_terminal_is_disarmed() {
        assert_eq!(clean("\u{1b}[2Jgone\r\nhome\u{202e}drow\u{9b}1m"), "[2Jgone  home drow 1m");
        assert_eq!(clean("für alle — 世界"), "für alle — 世界", "other languages are left alone");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let cut = clean(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), MAX_SHOWN + 1);
        assert!(cut.ends_with('…'));
        assert!(!clean(&"é".repeat(MAX_SHOWN)).ends_with('…'));
    }
}
