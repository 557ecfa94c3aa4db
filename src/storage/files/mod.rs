//! A store in the file system: one file a blob, written beside its place and renamed into it once verified.

mod blocking;
mod layout;
mod reader;
mod session;
mod store;
mod writer;

pub use store::FileStore;
