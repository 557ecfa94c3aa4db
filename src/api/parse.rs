//! Reading a query: words, phrases, `field:value` terms, a leading `-` for "not"; mistakes with their column.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::parse_value::{comparison, day_or_time, number, period};
use super::{Condition, Field, MAX_STARS, Pattern, Period, Query, SignedIs, Sort, Term};
use crate::package::VersionRange;

/// Longest query in bytes.
pub const MAX_QUERY_LENGTH: usize = 1024;
/// Most terms in a query.
pub const MAX_QUERY_TERMS: usize = 32;
/// Fields whose values may be compared.
const COMPARED: [&str; 4] = ["updated", "downloads", "rating", "version"];
/// Most characters of a wrong word or value that an error repeats.
const MAX_SHOWN_CHARACTERS: usize = 40;

/// What is wrong with a query; columns count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Over [`MAX_QUERY_LENGTH`].
    #[error("query has {0} bytes, at most {MAX_QUERY_LENGTH} are allowed")]
    TooLong(usize),
    /// Over [`MAX_QUERY_TERMS`].
    #[error("column {column}: query has more than {MAX_QUERY_TERMS} terms")]
    TooManyTerms {
        /// Where the first one too many begins.
        column: usize,
    },
    /// A quote without its end.
    #[error("column {column}: the quote is not closed")]
    OpenQuote {
        /// Where the quote begins.
        column: usize,
    },
    /// A field nobody knows.
    #[error(
        "column {column}: unknown field `{field}`, known are {}; put the term in quotes to search for it as text",
        known_fields()
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
    /// A value that its field does not know.
    #[error("column {column}: `{value}` is no {what}: write {allowed}")]
    Value {
        /// Where the value begins.
        column: usize,
        /// The value as written.
        value: String,
        /// What it should be.
        what: &'static str,
        /// What there is to write.
        allowed: &'static str,
    },
    /// `sort:` for the second time.
    #[error("column {column}: the order is said twice")]
    SecondSort {
        /// Where the second one begins.
        column: usize,
    },
    /// `-sort:`.
    #[error("column {column}: an order has no opposite: write it without `-`")]
    NegatedSort {
        /// Where the term begins.
        column: usize,
    },
}

impl QueryError {
    /// Where it is wrong, in characters from 1; nowhere in particular where it is too long.
    pub const fn column(&self) -> Option<usize> {
        match self {
            Self::TooLong(_) => None,
            Self::TooManyTerms { column }
            | Self::OpenQuote { column }
            | Self::UnknownField { column, .. }
            | Self::Empty { column }
            | Self::Value { column, .. }
            | Self::SecondSort { column }
            | Self::NegatedSort { column } => Some(*column),
        }
    }
}

/// A term as cut out of the text.
#[derive(Default)]
struct Raw {
    /// Where it begins.
    column: usize,
    negated: bool,
    field: Option<String>,
    /// Where the value begins.
    value_column: usize,
    /// Each character with whether it was in quotes.
    value: Vec<(char, bool)>,
    /// Whether the value begins with a quote.
    is_quoted: bool,
}

impl Raw {
    fn text(&self) -> String {
        self.value.iter().map(|(c, _)| c).collect()
    }

    /// Whether what was taken so far looks like a field: `12:30` and `1=1` are text.
    fn may_be_field(&self) -> bool {
        let fits = |(c, quoted): &(char, bool)| !quoted && (c.is_ascii_alphabetic() || matches!(c, '-' | '_'));
        self.field.is_none() && !self.value.is_empty() && self.value.iter().all(fits)
    }

    /// That the value is no such thing.
    fn wrong(&self, what: &'static str, allowed: &'static str) -> QueryError {
        QueryError::Value { column: self.value_column, value: shown(&self.text()), what, allowed }
    }
}

impl Query {
    /// Reads a query. Ages such as `7d` count back from `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        if text.len() > MAX_QUERY_LENGTH {
            return Err(QueryError::TooLong(text.len()));
        }
        let mut query = Self::default();
        for (index, raw) in split(text)?.into_iter().enumerate() {
            if index == MAX_QUERY_TERMS {
                return Err(QueryError::TooManyTerms { column: raw.column });
            }
            query.take(&raw, now)?;
        }
        Ok(query)
    }

    /// Joins two queries: what matches both, in the order of the first that says one.
    pub fn and(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self.sort = self.sort.or(other.sort);
        self
    }

    fn take(&mut self, raw: &Raw, now: Timestamp) -> Result<(), QueryError> {
        if raw.value.is_empty() {
            return Err(QueryError::Empty { column: raw.column });
        }
        if raw.field.as_deref() != Some("sort") {
            self.terms.push(Term { negated: raw.negated, condition: condition(raw, now)? });
            return Ok(());
        }
        if raw.negated {
            return Err(QueryError::NegatedSort { column: raw.column });
        }
        let sort: Result<Sort, _> = raw.text().parse();
        let sort = sort.map_err(|_| raw.wrong("order", "relevance, updated, downloads, rating or name"))?;
        match self.sort.replace(sort) {
            Some(_) => Err(QueryError::SecondSort { column: raw.column }),
            None => Ok(()),
        }
    }
}

/// Cuts a text into terms. Blanks end a term, except in quotes; `:` and `=` end its field, where it has none yet.
fn split(text: &str) -> Result<Vec<Raw>, QueryError> {
    let mut terms = Vec::new();
    let mut characters = text.chars().enumerate().map(|(index, c)| (index + 1, c)).peekable();
    while let Some((column, first)) = characters.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut raw = Raw { column, negated: first == '-', value_column: column, ..Raw::default() };
        let mut quote = None;
        if !raw.negated {
            take(&mut raw, (column, first), &mut quote);
        }
        while let Some(next) = characters.next_if(|(_, c)| quote.is_some() || !c.is_whitespace()) {
            take(&mut raw, next, &mut quote);
        }
        if let Some(column) = quote {
            return Err(QueryError::OpenQuote { column });
        }
        terms.push(raw);
    }
    Ok(terms)
}

/// Takes one more character into a term; `quote` is where the open quote begins.
fn take(raw: &mut Raw, (column, c): (usize, char), quote: &mut Option<usize>) {
    match (c, *quote) {
        ('"', None) => {
            raw.is_quoted |= raw.value.is_empty();
            *quote = Some(column);
        }
        ('"', Some(_)) => *quote = None,
        (':' | '=', None) if raw.may_be_field() => {
            raw.field = Some(raw.text().to_lowercase());
            raw.value.clear();
            raw.value_column = column + 1;
        }
        // `downloads>100` is meant as `downloads:>100`.
        ('<' | '>', None) if raw.field.is_none() && COMPARED.contains(&raw.text().as_str()) => {
            raw.field = Some(raw.text());
            raw.value = vec![(c, false)];
            raw.value_column = column;
        }
        _ => raw.value.push((c, quote.is_some())),
    }
}

fn condition(raw: &Raw, now: Timestamp) -> Result<Condition, QueryError> {
    let pattern = || Pattern::of(raw.value.iter().copied());
    let Some(name) = raw.field.as_deref() else {
        let is_phrase = raw.is_quoted && raw.value.iter().all(|(_, quoted)| *quoted);
        return Ok(if is_phrase { Condition::Phrase(raw.text()) } else { Condition::Word(pattern()) });
    };
    let text = raw.text();
    Ok(match name {
        "version" => Condition::Version(range(raw, &text)?),
        "since" => {
            let time = day_or_time(&text, now).ok_or_else(|| raw.wrong("date", SINCE))?;
            Condition::Updated(Period { from: time.from, before: None })
        }
        "updated" => Condition::Updated(period(&text, now).ok_or_else(|| raw.wrong("date", UPDATED))?),
        "downloads" => Condition::Downloads(comparison(&text, number).ok_or_else(|| raw.wrong("number", DOWNLOADS))?),
        "rating" => {
            let stars = |text: &str| text.parse().ok().filter(|stars| (0.0..=f64::from(MAX_STARS)).contains(stars));
            Condition::Rating(comparison(&text, stars).ok_or_else(|| raw.wrong("rating", RATING))?)
        }
        "signed" => {
            let answer: Result<SignedIs, _> = text.to_lowercase().parse();
            Condition::Signed(answer.map_err(|_| raw.wrong("answer", "yes or no"))?)
        }
        _ => match Field::ALL.into_iter().find(|field| field.as_str() == name) {
            Some(field) => Condition::Field(field, pattern()),
            None => return Err(QueryError::UnknownField { column: raw.column, field: shown(name) }),
        },
    })
}

const SINCE: &str = "2026-01-31, 2026-01-31T12:00:00Z, or an age like 12h, 7d, 2w";
const UPDATED: &str = "2026-01-31, 2026-01-31T12:00:00Z, or an age like 12h, 7d, 2w, with >, >=, < or <= before it";
const DOWNLOADS: &str = "100, >100, >=100, <100 or <=100";
const RATING: &str = "a number from 0 to 5, with >, >=, < or <= before it";

fn range(raw: &Raw, text: &str) -> Result<VersionRange, QueryError> {
    text.parse().map_err(|_| raw.wrong("version range", "1.2.0, ^1.2, ~1, >=1.0.0, 1.x or \">=1, <2\""))
}

/// The fields there are, for people.
fn known_fields() -> String {
    let mut known = String::new();
    for field in Field::ALL {
        let _ = write!(known, "{field}, ");
    }
    known + "version, since, updated, downloads, rating, signed and sort"
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARACTERS).collect()
}
