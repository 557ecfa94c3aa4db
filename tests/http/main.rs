//! The server over real sockets: every endpoint, what bad input gets, and what survives a restart.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod app;
mod blobs;
mod catalogue;
mod documents;
mod heads;
mod hostile;
mod manifests;
mod media_types;
mod operations;
mod referrers;
mod tags;
mod uploads;
