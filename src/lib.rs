//! Agent Registry: store, find, trust and ship AI agents as OCI artifacts.
//!
//! Rooms stand on floors and import only from floors below their own; `ARCHITECTURE.md` draws the house,
//! `tests/architecture.rs` guards it.

pub mod api;
pub mod auth;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod client;
#[cfg(feature = "server")]
pub mod index;
#[cfg(all(test, feature = "server"))]
#[path = "../tests/support/issuer.rs"]
mod issuer;
#[cfg(feature = "server")]
pub mod jobs;
#[cfg(all(test, feature = "server"))]
#[path = "../tests/support/minter.rs"]
mod minter;
pub mod oci;
pub mod package;
#[cfg(feature = "server")]
pub mod registry;
#[cfg(feature = "cli")]
pub mod remote;
#[cfg(feature = "server")]
pub mod search;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod storage;

/// The README's examples, run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
