//! Facts in SQL: repositories with all that is in them, people with what they may, and the audit, as plain functions
//! over a [`Session`].
//!
//! Every function takes `&mut dyn Session`, so it runs on any driver and inside any transaction. [`Sqlite`] is the
//! driver: one writing thread that groups waiting closures into one commit, and read-only connections beside it.

pub mod access;
#[cfg(test)]
mod access_tests;
pub mod accounts;
pub mod audit;
pub mod blobs;
mod codes;
#[cfg(test)]
mod contract;
pub mod documents;
pub mod downloads;
mod error;
pub mod events;
pub mod feed;
#[cfg(test)]
mod fixture;
pub mod grants;
pub mod identities;
pub mod listings;
#[cfg(test)]
mod manifest_tests;
pub mod manifests;
mod migrations;
#[cfg(test)]
mod notice_tests;
pub mod notices;
pub mod organisations;
pub mod packages;
pub mod publishers;
pub mod ratings;
mod readers;
pub mod referrers;
pub mod repositories;
pub mod resolve;
#[cfg(test)]
mod resolve_tests;
pub mod retention;
#[cfg(test)]
mod scale_tests;
mod session;
mod sight;
pub mod signing_keys;
mod sqlite;
pub mod standings;
pub mod tag_rules;
pub mod tags;
pub mod teams;
pub mod tokens;
pub mod uploads;
mod value;
#[cfg(test)]
mod version_tests;
pub mod versions;
pub mod viewer;
#[cfg(test)]
mod viewer_tests;
mod writer;

pub use error::Error;
pub use session::Session;
#[cfg(test)]
pub(crate) use sqlite::statements;
pub use sqlite::{Reader, Sqlite};
pub use value::{Row, Value};
pub use writer::Commits;
