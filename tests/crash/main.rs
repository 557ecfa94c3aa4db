//! Crashes, power failures and races: what was acknowledged stays, and nothing is ever half there.
//!
//! `CRASH_ROUNDS` says how often the server is killed, `RACE_ROUNDS` how often clients race; 10 times each where nobody
//! says.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod client;
mod disk;
mod inspect;
mod journal;
mod kill;
mod power;
mod race;
mod server;
