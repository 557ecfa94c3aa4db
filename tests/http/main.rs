//! The server over real sockets: every endpoint, what bad input gets, and what survives a restart.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod app;
mod blobs;
mod catalogue;
mod hostile;
mod manifests;
mod operations;
mod read_path;
mod uploads;
