//! Facts in SQL: repositories, manifests, tags, referrers, blobs and uploads, as plain functions over a [`Session`].
//!
//! Every function takes `&mut dyn Session`, so it runs on any driver and inside any transaction. [`Sqlite`] is the
//! driver: one writing thread that groups waiting closures into one commit, and read-only connections beside it.

pub mod blobs;
#[cfg(test)]
mod contract;
mod error;
pub mod events;
pub mod feed;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod manifest_tests;
pub mod manifests;
mod migrations;
pub mod packages;
mod readers;
pub mod referrers;
pub mod repositories;
mod session;
mod sqlite;
pub mod tags;
pub mod uploads;
mod value;
#[cfg(test)]
mod version_tests;
pub mod versions;
mod writer;

pub use error::Error;
pub use session::Session;
pub use sqlite::{Reader, Sqlite};
pub use value::{Row, Value};
pub use writer::Commits;
