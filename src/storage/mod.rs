//! Bytes by digest: one interface over files and memory, which never shows bytes it has not verified.
//!
//! A store knows digests and upload ids; what the bytes mean, who owns them and when they are garbage is decided above.

mod claims;
#[cfg(test)]
mod contract;
mod disk;
mod error;
mod files;
mod journal;
#[cfg(test)]
mod journal_tests;
mod memory;
mod quota;
mod store;

pub use disk::{Step, Witness, create_folder_durably, sync_folder};
pub use error::Error;
pub use files::FileStore;
pub use journal::{Damage, Journal, JournalReader, JournalRecord, MAX_RECORD_BYTES};
pub use memory::MemoryStore;
pub use store::{BlobInfo, BlobReader, BlobStore, BlobWriter, Checkpoint, MAX_CHUNK_BYTES, MAX_LIST_PAGE};
