//! From the name people read to the name a repository can have.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest slug in bytes: half of a repository name, so that any namespace and host find room beside it.
pub const MAX_SLUG_LENGTH: usize = 128;

/// The repository component for a display name; `None` when no letter or digit of it can be kept.
///
/// The rule: accents are taken off (NFKD without combining marks), letters become lowercase, every run of anything
/// else becomes one `-`, except that `.`, `_`, `__` and runs of `-` stay where a component may have them. Ends are
/// trimmed, and what is over [`MAX_SLUG_LENGTH`] is cut. A name that is a component already is its own slug, so the rule is stable.
pub fn slug(display_name: &str) -> Option<String> {
    let mut slug = String::new();
    let mut between = String::new();
    for character in display_name.nfkd().filter(|character| !is_combining_mark(*character)) {
        if !character.is_ascii_alphanumeric() {
            between.push(character);
            continue;
        }
        let separator = if slug.is_empty() { "" } else { separator(&between) };
        if slug.len() + separator.len() >= MAX_SLUG_LENGTH {
            break;
        }
        slug.push_str(separator);
        slug.push(character.to_ascii_lowercase());
        between.clear();
    }
    (!slug.is_empty()).then_some(slug)
}

/// What stands for a run of characters that are neither letter nor digit.
fn separator(run: &str) -> &str {
    match run {
        "" | "." | "_" | "__" => run,
        dashes if dashes.bytes().all(|byte| byte == b'-') => run,
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oci::RepositoryName;

    #[test]
    fn display_names_become_components() {
        for (display, expected) in [
            ("My Agent", "my-agent"),
            ("Übersetzer (v2)", "ubersetzer-v2"),
            ("data_analyzer", "data_analyzer"),
            ("a..b", "a-b"),
            ("  --x--  ", "x"),
            ("GPT‑4 / helper", "gpt-4-helper"),
            ("a--b", "a--b"),
        ] {
            assert_eq!(slug(display).as_deref(), Some(expected), "{display}");
        }
        assert_eq!(slug("日本"), None);
        assert_eq!(slug("--"), None);
    }

    proptest! {
        #[test]
        fn a_slug_is_a_component_and_its_own_slug(display in ".{0,200}") {
            if let Some(once) = slug(&display) {
                prop_assert!(RepositoryName::is_component(&once), "{once}");
                prop_assert!(once.len() <= MAX_SLUG_LENGTH);
                let twice = slug(&once);
                prop_assert_eq!(twice.as_deref(), Some(once.as_str()));
            }
        }

        #[test]
        fn a_component_is_its_own_slug(name in "[a-z0-9]{1,9}((\\.|_|__|-{1,3})[a-z0-9]{1,9}){0,4}") {
            let slug = slug(&name);
            prop_assert_eq!(slug.as_deref(), Some(name.as_str()));
        }
    }
}
