//! What can go wrong in the index.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a statement, a transaction or the opening of the index failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database file cannot be opened or set up.
    #[error("cannot open the index {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: rusqlite::Error,
    },
    /// A newer program wrote this database.
    #[error("the index has schema {found}, this program knows only up to {known}")]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// A statement failed.
    #[error("a statement of the index failed")]
    Statement(#[from] rusqlite::Error),
    /// The transaction that several closures shared failed; none of them took effect.
    #[error("the index could not commit")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// The database took back the whole transaction, as on a full disk; none of its closures took effect.
    #[error("the index rolled the transaction back")]
    RolledBack,
    /// A row holds something else than its reader expects.
    #[error("column {column} of an index row is not {wanted}")]
    Column {
        /// Position in the row, from 0.
        column: usize,
        /// What was expected.
        wanted: &'static str,
    },
    /// A number does not fit the database's 64 signed bits.
    #[error("{0} is too large for the index")]
    TooLarge(u64),
    /// A stored descriptor is no JSON, or one cannot be written.
    #[error("a descriptor in the index is damaged")]
    Descriptor(#[from] serde_json::Error),
    /// A copy of the index cannot be made durable.
    #[error("cannot make the copy {path} durable")]
    Copy {
        /// The copy.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody else uses the file that a copy was to be made into.
    #[error("the copy of the index is in use")]
    CopyBusy,
    /// The writing thread has ended, or gave this closure up because it panicked.
    #[error("the index does not take writes any more")]
    WriterGone,
    /// The writing thread could not be started.
    #[error("the index's writing thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// Whether the disk is full; nothing of the write took effect then.
    pub fn is_out_of_space(&self) -> bool {
        let error = match self {
            Self::Statement(error) => error,
            Self::Commit(error) => error,
            _ => return false,
        };
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
    }
}
