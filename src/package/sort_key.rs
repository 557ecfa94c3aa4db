//! Bytes that sort as versions do, so that an index finds a range of versions in one scan.

use bytes::Bytes;
use semver::Prerelease;

use super::Version;

/// Bytes of the three numbers that every key begins with. Alone they sort below every version with these numbers.
pub(super) const NUMBERS_LENGTH: usize = 24;
/// Begins a numeric identifier of a pre-release.
const NUMBER: u8 = 1;
/// Begins any other identifier of a pre-release.
const WORD: u8 = 2;
/// Stands in place of identifiers in a stable version: above every pre-release.
pub(super) const STABLE: u8 = 3;
/// Ends the identifiers, below each of which it sorts, so that fewer of them come first.
const END: u8 = 0;

impl Version {
    /// Bytes that sort as versions do (semver.org, item 11); of versions that differ only in build metadata, which has
    /// no order there, by the bytes of that. Never empty.
    pub fn sort_key(&self) -> Bytes {
        let semver = self.semver();
        let mut key = precedence([semver.major, semver.minor, semver.patch], &semver.pre);
        key.extend_from_slice(semver.build.as_bytes());
        key.into()
    }
}

/// The key of a version without build metadata: the first of all that have its precedence.
pub(super) fn precedence(numbers: [u64; 3], pre: &Prerelease) -> Vec<u8> {
    let mut key = key_of_numbers(numbers);
    if pre.is_empty() {
        key.push(STABLE);
    } else {
        for identifier in pre.split('.') {
            if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
                // No leading zeros: a longer number is a larger one. Tags and ranges are shorter than 256 bytes.
                key.extend([NUMBER, u8::try_from(identifier.len()).unwrap_or(u8::MAX)]);
                key.extend_from_slice(identifier.as_bytes());
            } else {
                key.push(WORD);
                key.extend_from_slice(identifier.as_bytes());
                key.push(END);
            }
        }
    }
    key.push(END);
    key
}

/// The least key above all that have a version's precedence, whatever their build metadata.
pub(super) fn above(numbers: [u64; 3], pre: &Prerelease) -> Vec<u8> {
    let mut key = precedence(numbers, pre);
    key.pop();
    // The next identifier begins with NUMBER at least, and more identifiers sort higher.
    key.push(END + 1);
    key
}

/// What every key with these numbers begins with.
pub(super) fn key_of_numbers(numbers: [u64; 3]) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    for number in numbers {
        key.extend_from_slice(&number.to_be_bytes());
    }
    key
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_versions_do() {
        let sorted = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.2",
            "1.0.0-alpha.10",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0-rc.1+b",
            "1.0.0",
            "1.0.0+1",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0-0",
            "2.0.0",
            "10.0.0",
            "18446744073709551615.0.0",
        ]
        .map(|text| text.parse::<Version>().unwrap());
        let mut versions = sorted.to_vec();
        versions.reverse();
        versions.sort_by_key(Version::sort_key);
        assert_eq!(versions, sorted);
        for pair in sorted.windows(2) {
            let (low, high) = (pair[0].semver(), pair[1].sort_key());
            let is_above = above([low.major, low.minor, low.patch], &low.pre) <= high;
            assert_eq!(is_above, low.cmp_precedence(pair[1].semver()).is_lt(), "{pair:?}");
        }
    }
}
