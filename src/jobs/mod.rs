//! Work no request waits for.

mod downloads;
mod journal;

pub use downloads::keep_downloads;
pub use journal::{JOURNAL_DELAY, keep_journal};
