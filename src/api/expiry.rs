//! When a token or a grant ends, as people write it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Days an access token lives when nobody says.
pub const DEFAULT_TOKEN_DAYS: u32 = 90;

/// Most days an access token may live, except for administrators, who may say `never`.
pub const MAX_TOKEN_DAYS: u32 = 366;

/// Most digits of a count of days, hours or weeks: far within what a timestamp holds.
const MAX_COUNT_DIGITS: usize = 4;

/// A text that says no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write 90d, 12h, 2w, 2026-12-31T00:00:00Z or never")]
pub struct ExpiryError(String);

/// When something ends: `90d`, `12h`, `2w` from now, at a time (RFC 3339), or `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many hours from when the registry reads it.
    Hours(u32),
    /// At this time.
    At(Timestamp),
    /// Not at all.
    Never,
}

impl Expiry {
    /// The time it means, counted from `now`; `None` for never.
    pub fn time(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            // A count is at most four digits of weeks; a clock near the end of time gets its end.
            Self::Hours(hours) => {
                Some(now.saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MAX))
            }
            Self::At(time) => Some(time),
            Self::Never => None,
        }
    }
}

impl FromStr for Expiry {
    type Err = ExpiryError;

    fn from_str(text: &str) -> Result<Self, ExpiryError> {
        let wrong = || ExpiryError(text.chars().take(40).collect());
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        let unit = text.chars().last().ok_or_else(wrong)?;
        let hours_per_unit = match unit {
            'h' => 1,
            'd' => 24,
            'w' => 24 * 7,
            _ => return Err(wrong()),
        };
        let count = text.strip_suffix(unit).filter(|count| {
            (1..=MAX_COUNT_DIGITS).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit())
        });
        let count: u32 = count.and_then(|count| count.parse().ok()).filter(|count| *count > 0).ok_or_else(wrong)?;
        Ok(Self::Hours(count * hours_per_unit))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) if hours % (24 * 7) == 0 => write!(f, "{}w", hours / (24 * 7)),
            Self::Hours(hours) if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            Self::Hours(hours) => write!(f, "{hours}h"),
            Self::At(time) => time.fmt(f),
            Self::Never => f.write_str("never"),
        }
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Expiry;

    #[test]
    fn times_are_read_and_written() {
        for (text, hours) in [("90d", 90 * 24), ("12h", 12), ("2w", 14 * 24), ("9999w", 9999 * 168)] {
            let expiry: Expiry = text.parse().expect("is a time");
            assert_eq!(expiry, Expiry::Hours(hours));
            assert_eq!(expiry.to_string().parse::<Expiry>().expect("is a time"), expiry);
            let now = Timestamp::from_second(1_000_000_000).expect("is a time");
            let time = expiry.time(now).expect("it ends");
            assert_eq!(time.as_second() - 1_000_000_000, i64::from(hours) * 3_600);
            assert_eq!(expiry.time(Timestamp::MAX), Some(Timestamp::MAX));
        }
        assert_eq!("never".parse::<Expiry>().expect("is a time").time(Timestamp::MIN), None);
        let at: Expiry = serde_json::from_str("\"2026-12-31T00:00:00Z\"").expect("is a time");
        assert_eq!(serde_json::to_string(&at).expect("serialises"), "\"2026-12-31T00:00:00Z\"");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "d", "0d", "-1d", "+1d", "1", "1y", "99999d", "1 d", "Never", "2026-12-31", "ü"] {
            assert!(text.parse::<Expiry>().is_err(), "{text}");
        }
    }
}
