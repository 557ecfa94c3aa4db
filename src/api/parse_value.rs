//! Reading the values of a query that are no text: comparisons, numbers, days, times and ages.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};

use super::{Comparison, Period, Relation};

/// Most digits of an age: up to 9,999 weeks, far within what a timestamp holds.
const MAX_AGE_DIGITS: usize = 4;

/// A number as `read` knows it, perhaps with a relation before it.
pub(super) fn comparison<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Comparison<T>> {
    let (relation, rest) = relation(text);
    Some(Comparison { relation: relation.unwrap_or(Relation::Equal), number: read(rest)? })
}

/// A whole number, in digits alone.
pub(super) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// When: on a day, since an age or a time, or how `>` and the like say.
pub(super) fn period(text: &str, now: Timestamp) -> Option<Period> {
    let (relation, rest) = relation(text);
    let Period { from, before } = day_or_time(rest, now)?;
    // What is no day is a moment: nothing lies between its beginning and its end.
    let end = before.or(from);
    Some(match relation {
        None | Some(Relation::Equal) => Period { from, before },
        Some(Relation::GreaterOrEqual) => Period { from, before: None },
        Some(Relation::Greater) => Period { from: end, before: None },
        Some(Relation::Less) => Period { from: None, before: from },
        Some(Relation::LessOrEqual) => Period { from: None, before: end },
    })
}

/// A day from its beginning to its end, or a time or the beginning of an age without one.
pub(super) fn day_or_time(text: &str, now: Timestamp) -> Option<Period> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(Period { from: Some(time), before: None });
    }
    // The crate reads times of day as dates, too, and would forget them.
    if text.len() <= "2026-01-31".len()
        && let Ok(date) = text.parse::<civil::Date>()
    {
        let start = |date: civil::Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
        return Some(Period { from: Some(start(date)?), before: date.tomorrow().ok().and_then(start) });
    }
    let unit = text.chars().last()?;
    let hours_per_unit = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 24 * 7,
        _ => return None,
    };
    let count = text.strip_suffix(unit).filter(|count| count.len() <= MAX_AGE_DIGITS)?;
    let hours = i64::try_from(number(count)?).ok()? * hours_per_unit;
    Some(Period { from: now.checked_sub(SignedDuration::from_hours(hours)).ok(), before: None })
}

fn relation(text: &str) -> (Option<Relation>, &str) {
    let relations = [
        (">=", Relation::GreaterOrEqual),
        ("<=", Relation::LessOrEqual),
        (">", Relation::Greater),
        ("<", Relation::Less),
        ("=", Relation::Equal),
    ];
    for (sign, relation) in relations {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(relation), rest.trim_start());
        }
    }
    (None, text)
}
