//! Work no request waits for.

mod downloads;
mod journal;
mod search;

pub use downloads::keep_downloads;
pub use journal::{JOURNAL_DELAY, keep_journal};
pub use search::{SEARCH_PACE, keep_search};
