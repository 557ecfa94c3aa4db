//! An agent's way to and from a registry: push, pull, the local store and the cache.

mod artifact_kind;
mod blob_folder;
mod error;
mod layout_index;
mod store;

pub use artifact_kind::{ArtifactKind, kind_of};
pub use error::Error;
pub use store::{Removed, Store, StoreEntry};
