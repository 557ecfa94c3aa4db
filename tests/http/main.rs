//! The server over real sockets: every endpoint, what bad input gets, and what survives a restart.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod app;
mod blobs;
mod catalogue;
mod deletes;
mod documents;
mod errors;
mod expiry;
mod heads;
mod hostile;
mod lists;
mod manifests;
mod media_types;
mod names;
mod oidc;
mod operations;
mod people;
mod read_path;
mod recovery;
mod referrers;
mod sessions;
mod sha512;
mod sign_in;
mod slow;
mod tags;
mod uploads;
mod whole_uploads;
