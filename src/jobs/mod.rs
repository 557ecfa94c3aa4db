//! Work no request waits for.

mod journal;
mod retention;

pub use journal::{JOURNAL_DELAY, keep_journal};
pub use retention::keep_retention;
