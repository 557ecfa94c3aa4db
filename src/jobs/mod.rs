//! Work no request waits for.

mod journal;

pub use journal::{JOURNAL_DELAY, keep_journal};
