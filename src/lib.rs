//! Agent Registry: store, find, trust and ship AI agents as OCI artifacts.
//!
//! The library behind the `agent` command. Rooms stand on floors and import only from floors below their own;
//! `ARCHITECTURE.md` draws the house, `tests/architecture.rs` guards it.

pub mod auth;
#[cfg(feature = "server")]
pub mod index;
pub mod oci;
