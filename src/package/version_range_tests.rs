//! Ranges are those of the crate `semver`, as what they match and as spans of sort keys.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use proptest::prelude::*;
use semver::VersionReq;

use super::{MAX_RANGE_LENGTH, Version, VersionRange, VersionRangeError};

fn range(text: &str) -> VersionRange {
    text.parse().unwrap()
}

fn is_in(version: &str, text: &str, pre: bool) -> bool {
    let (version, range): (Version, VersionRange) = (version.parse().unwrap(), range(text));
    let matches = range.matches(&version, pre);
    let is_spanned = range.spans(pre).iter().any(|span| span.contains(&version.sort_key()));
    assert_eq!(matches, is_spanned, "{version} in {range}");
    matches
}

#[test]
fn a_whole_version_means_that_one() {
    assert!(is_in("1.2.0", "1.2.0", false) && !is_in("1.2.1", "1.2.0", true));
    assert!(is_in("1.2.0+b", "1.2.0+a", false), "build metadata plays no part");
    assert!(is_in("1.2.0-rc.1", "1.2.0-rc.1", false) && !is_in("1.2.0", "1.2.0-rc.1", true));
    assert!(is_in("1.9.0", "1.2", false), "a part of one is a range as Cargo's");
    for text in ["1.2.0-rc.1", "=1.2.0", "^1.2", ">=1.0.0, <2.0.0", "*"] {
        assert_eq!(range(text).to_string(), text);
    }
}

#[test]
fn pre_releases_count_where_named_or_asked_for() {
    for (version, text, named, asked) in [
        ("1.3.0-rc.1", "^1.2", false, true),
        ("1.2.0-rc.1", "^1.2", false, true),
        ("1.2.0-rc.1", "~1.2", false, true),
        ("1.2.0-rc.1", "1.2.*", false, true),
        ("1.2.0-rc.1", "^1.2.0", false, false),
        ("2.0.0-rc.1", "^1.2", false, false),
        ("2.0.0-rc.1", "<2", false, false),
        ("2.0.0-rc.1", "<2.0.0", false, true),
        ("2.0.0-rc.1", "*", false, true),
        ("2.0.0-rc.2", ">=2.0.0-rc.1", true, true),
        ("2.0.1-rc.2", ">=2.0.0-rc.1", false, true),
        ("2.0.0-rc.1", ">2.0.0-rc.1", false, false),
        ("2.0.0-rc.1+b", ">2.0.0-rc.1", false, false),
        ("1.2.5-a", ">=1.2, <1.2.5-b", false, true),
        ("1.2.5-a", ">=1.1, <1.2.5-b", true, true),
    ] {
        assert_eq!(is_in(version, text, false), named, "{version} in {text}");
        assert_eq!(is_in(version, text, true), asked, "{version} in {text} with pre-releases");
    }
}

#[test]
fn bounds_do_not_overflow() {
    const MAX: &str = "18446744073709551615";
    for (version, text, expected) in [
        (format!("{MAX}.{MAX}.{MAX}"), format!(">={MAX}"), true),
        (format!("{MAX}.{MAX}.{MAX}"), format!(">{MAX}"), false),
        (format!("{MAX}.{MAX}.{MAX}"), format!("^{MAX}.1"), true),
        (format!("1.{MAX}.{MAX}"), format!("~1.{MAX}"), true),
        ("2.0.0".to_owned(), format!("~1.{MAX}"), false),
        ("2.0.0".to_owned(), format!(">1.{MAX}"), true),
        (format!("0.0.{MAX}"), format!("^0.0.{MAX}"), true),
        ("0.1.0".to_owned(), format!("^0.0.{MAX}"), false),
    ] {
        assert_eq!(is_in(&version, &text, false), expected, "{version} in {text}");
    }
}

#[test]
fn what_is_no_range_is_refused() {
    for text in
        ["", "latest", "1.2.3.4", "^", ">=1 <2", "1 || 2", "=>1", "01", "1.x.3", &format!("{}1", ">0,".repeat(32))]
    {
        let error = text.parse::<VersionRange>().unwrap_err();
        assert!(matches!(error, VersionRangeError::Syntax { .. }), "{text}: {error}");
    }
    let long = format!("1.0.0-{}", "1".repeat(MAX_RANGE_LENGTH));
    assert!(matches!(long.parse::<VersionRange>(), Err(VersionRangeError::TooLong(261))));
    assert_eq!(range("1.x").to_string(), "1.*");
}

/// Few numbers and identifiers, so that bounds are met often.
fn version_text() -> impl Strategy<Value = String> {
    "[0-2]\\.[0-2]\\.[0-2](-(0|1|10|a|b|a-b|rc)(\\.(0|9|11|a|B))?)?(\\+[ab1])?"
}

fn range_text() -> impl Strategy<Value = String> {
    let part =
        "(=|>|>=|<|<=|~|\\^|)[0-2](|\\.[x0-2]|\\.[0-2]\\.[x*]|\\.[0-2]\\.[0-2](-(0|1|10|a|b|rc)(\\.(0|9|11|a))?)?)";
    prop_oneof![
        1 => Just("*".to_owned()),
        30 => proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(", ")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn ranges_and_spans_agree_with_the_crate(text in range_text(), version in version_text()) {
        let (range, version): (VersionRange, Version) = (range(&text), version.parse().unwrap());
        let is_in = |pre| range.spans(pre).iter().any(|span| span.contains(&version.sort_key()));
        prop_assert_eq!(is_in(true), range.matches(&version, true), "{} in {} with pre", version, text);
        prop_assert_eq!(is_in(false), range.matches(&version, false), "{} in {}", version, text);
        prop_assert!(!is_in(false) || is_in(true), "letting more count leaves none out");
        // A whole version alone means itself, not what the crate takes it for.
        if semver::Version::parse(&text).is_err() {
            prop_assert_eq!(is_in(false), VersionReq::parse(&text).unwrap().matches(version.semver()), "{}", text);
        }
    }

    #[test]
    fn no_text_panics(text in "[0-9x*^~<>=., a-z+-]{0,60}", version in version_text()) {
        if let (Ok(range), Ok(version)) = (text.parse::<VersionRange>(), version.parse()) {
            for pre in [false, true] {
                let is_in = range.spans(pre).iter().any(|span| span.contains(&Version::sort_key(&version)));
                prop_assert_eq!(is_in, range.matches(&version, pre));
            }
        }
    }
}
