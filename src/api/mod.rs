//! The words of our own API: what it answers with, and the query that filters packages, the same for both ends.

mod matching;
mod parse;
mod pattern;
mod query;
mod records;

pub use parse::{MAX_QUERY_LENGTH, MAX_QUERY_TERMS, QueryError};
pub use pattern::Pattern;
pub use query::{Condition, Field, Query, Since, Term};
pub use records::{
    Backup, BackupContent, BackupState, DEFAULT_PAGE_LENGTH, Hit, MAX_PAGE_LENGTH, NewBackup, Package, Page,
    RegistryInfo, Repository,
};
