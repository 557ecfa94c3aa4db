//! The words of our own API; so far the query that filters packages, the same for the command and the server.

mod matching;
mod parse;
mod pattern;
mod query;

pub use parse::{MAX_QUERY_LENGTH, MAX_QUERY_TERMS, QueryError};
pub use pattern::Pattern;
pub use query::{Condition, Field, Query, Since, Term};
