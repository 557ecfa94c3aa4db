//! Independent clients drive our server, and our command drives another server: real programs on both ends.

#[path = "../support/contents.rs"]
mod contents;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/programs.rs"]
mod programs;

mod agent;
mod conformance;
mod crane;
mod distribution;
mod layout;
mod oras;
mod packages;
