//! Work no request waits for.

mod journal;
mod search;

pub use journal::{JOURNAL_DELAY, keep_journal};
pub use search::{SEARCH_PACE, keep_search};
