//! Why a search was not answered, or a change not taken in.

/// What can go wrong in search.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cursor is none of ours, or of another query or order.
    #[error("the cursor does not belong to this query and order: begin again without `after`")]
    Cursor,
    /// The index of words failed.
    #[error("the search index cannot be used")]
    Index(#[from] tantivy::TantivyError),
    /// The directory of the index failed.
    #[error("the directory of the search index cannot be used")]
    Directory(#[from] std::io::Error),
}
