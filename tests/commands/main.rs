//! The command as people type it: exit codes, output and files, against the registry it runs itself.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod help;
#[cfg(unix)]
mod interrupted;
mod local_store;
mod offline;
mod other_registries;
#[path = "../support/process.rs"]
mod process;
mod quickstart;
mod readme;
mod recovery;
mod registries;
mod sandbox;
mod seed;
