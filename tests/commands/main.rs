//! The command as people type it: exit codes, output and files, against the registry it runs itself.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod accounts;
mod elsewhere;
mod help;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(unix)]
mod interrupted;
mod local_store;
mod notices;
mod offline;
mod other_registries;
mod peer;
mod people;
#[path = "../support/process.rs"]
mod process;
#[cfg(unix)]
mod profiles;
mod quickstart;
mod readme;
mod recovery;
mod registries;
mod sandbox;
mod search;
mod seed;
#[cfg(unix)]
mod sign_in;
mod versions;
#[cfg(unix)]
mod watch;
