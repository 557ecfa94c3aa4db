//! Reading a query: words and `field:value` terms, quotes, a leading `-` for "not".

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use semver::VersionReq;

use super::{Condition, Field, Pattern, Query, Since, Term};

/// Longest query in bytes.
pub const MAX_QUERY_LENGTH: usize = 1024;
/// Most terms in a query.
pub const MAX_QUERY_TERMS: usize = 32;

/// What is wrong with a query; columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Over [`MAX_QUERY_LENGTH`].
    #[error("query has {0} bytes, at most {MAX_QUERY_LENGTH} are allowed")]
    TooLong(usize),
    /// Over [`MAX_QUERY_TERMS`].
    #[error("query has more than {MAX_QUERY_TERMS} terms")]
    TooManyTerms,
    /// A quote without its end.
    #[error("column {column}: the quote is not closed")]
    OpenQuote {
        /// Where the quote begins.
        column: usize,
    },
    /// A field nobody knows.
    #[error(
        "column {column}: unknown field `{field}`, known are name, namespace, capability, tag, author, model, runtime, \
         version, since and updated; put the term in quotes to search for it as text"
    )]
    UnknownField {
        /// Where the term begins.
        column: usize,
        /// The field as written.
        field: String,
    },
    /// A field or a `-` with nothing behind it.
    #[error("column {column}: the term has no value")]
    Empty {
        /// Where the term begins.
        column: usize,
    },
    /// A date or an age that is none.
    #[error(
        "column {column}: `{value}` is no date: write 2026-01-31, 2026-01-31T12:00:00Z, or an age like 12h, 7d, 2w"
    )]
    Date {
        /// Where the term begins.
        column: usize,
        /// The value as written.
        value: String,
    },
    /// A version range that is none.
    #[error("column {column}: `{value}` is no version range: write 1.2.0, ^1.2, ~1, >=1.0.0 or 1.*")]
    Version {
        /// Where the term begins.
        column: usize,
        /// The value as written.
        value: String,
    },
}

/// A term as cut out of the text.
struct Raw {
    column: usize,
    negated: bool,
    field: Option<String>,
    value: String,
}

impl Query {
    /// Reads a query. Ages such as `7d` count back from `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY_LENGTH {
            return Err(QueryError::TooLong(text.len()));
        }
        let raw = split(text)?;
        if raw.len() > MAX_QUERY_TERMS {
            return Err(QueryError::TooManyTerms);
        }
        let terms = raw.into_iter().map(|raw| term(raw, now)).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Joins two queries: what matches both.
    pub fn and(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }
}

fn split(text: &str) -> Result<Vec<Raw>, QueryError> {
    let mut terms = Vec::new();
    let mut characters = text.chars().enumerate().map(|(index, c)| (index + 1, c)).peekable();
    while let Some((column, first)) = characters.next_if(|_| true) {
        if first.is_whitespace() {
            continue;
        }
        let mut raw = Raw { column, negated: first == '-', field: None, value: String::new() };
        let (mut quote, mut quoted) = (None, false);
        let mut take = |raw: &mut Raw, at: usize, c: char, quote: &mut Option<usize>| match (c, *quote) {
            ('"', None) => (*quote, quoted) = (Some(at), true),
            ('"', Some(_)) => *quote = None,
            (':' | '=', None) if raw.field.is_none() && !quoted => {
                raw.field = Some(std::mem::take(&mut raw.value));
            }
            _ => raw.value.push(c),
        };
        if !raw.negated {
            take(&mut raw, column, first, &mut quote);
        }
        while let Some((at, c)) = characters.next_if(|(_, c)| quote.is_some() || !c.is_whitespace()) {
            take(&mut raw, at, c, &mut quote);
        }
        if let Some(column) = quote {
            return Err(QueryError::OpenQuote { column });
        }
        terms.push(raw);
    }
    Ok(terms)
}

fn term(raw: Raw, now: Timestamp) -> Result<Term, QueryError> {
    let Raw { column, negated, field, value } = raw;
    if value.is_empty() {
        return Err(QueryError::Empty { column });
    }
    let condition = match field.as_deref() {
        None => Condition::Word(Pattern::new(&value)),
        Some("since" | "updated") => Condition::Updated(updated(column, &value, now)?),
        Some("version") if value.starts_with(['^', '~', '>', '<', '=']) => {
            Condition::Version(VersionReq::parse(&value).map_err(|_| QueryError::Version { column, value })?)
        }
        Some(name) => match Field::ALL.into_iter().find(|field| field.as_str() == name) {
            Some(field) => Condition::Field(field, Pattern::new(&value)),
            None => return Err(QueryError::UnknownField { column, field: name.to_owned() }),
        },
    };
    Ok(Term { negated, condition })
}

fn updated(column: usize, value: &str, now: Timestamp) -> Result<Since, QueryError> {
    let (before, text) = match value.strip_prefix('<') {
        Some(rest) => (true, rest),
        None => (false, value.strip_prefix(">=").or_else(|| value.strip_prefix('>')).unwrap_or(value)),
    };
    let time = instant(text, now).ok_or_else(|| QueryError::Date { column, value: value.to_owned() })?;
    Ok(if before { Since::Before(time) } else { Since::From(time) })
}

fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(date) = text.parse::<civil::Date>() {
        return date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    let unit = text.chars().last()?;
    let hours_per_unit = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 24 * 7,
        _ => return None,
    };
    // Four digits: up to 9,999 weeks, far within what a timestamp holds.
    let count = text.strip_suffix(unit).filter(|count| count.len() <= 4 && !count.starts_with(['+', '-']))?;
    let hours = count.parse::<i64>().ok()? * hours_per_unit;
    now.checked_sub(SignedDuration::from_hours(hours)).ok()
}
