//! Work no request waits for.

mod downloads;
mod journal;
mod retention;
mod search;

pub use downloads::keep_downloads;
pub use journal::{JOURNAL_DELAY, keep_journal};
pub use retention::keep_retention;
pub use search::{SEARCH_PACE, keep_search};
