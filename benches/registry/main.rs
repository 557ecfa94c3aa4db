//! How fast the registry is beside the reference registry, nginx and oras, on this machine, in one run. `make bench`.
//!
//! Every server is driven with the same bounded load by the same small client. They take turns, round by round, and
//! what counts is the ratio: a machine that others use as well slows both. Nothing here fails because of a time.
#![expect(clippy::print_stdout, reason = "the measured numbers are what this program is run for")]

mod agents;
mod bench;
mod blob_get;
mod blob_put;
mod catalogue;
mod chart;
mod commands;
mod digesting;
mod figure;
mod http;
mod load;
mod machine;
mod manifests;
mod memory;
mod million;
mod package;
mod permits;
mod ping;
mod process;
mod programs;
mod push;
mod report;
mod retag;
mod search_chart;
mod server;
mod tags_page;
mod tree;

use anyhow::Result;
use clap::Parser as _;

use bench::{Bench, Options};

fn main() -> Result<()> {
    let options = Options::parse();
    // One thread, so that the load takes no more than one core from the servers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(run(options)))
}

async fn run(options: Options) -> Result<()> {
    let before = machine::Machine::look();
    println!("{before}");
    let mut bench = Bench::new(options);
    // First, since they make many files, and the others delete more: see there.
    if bench.wants("commands") {
        commands::measure(&mut bench)?;
    }
    if bench.wants("push") {
        push::measure(&mut bench).await?;
    }
    if bench.wants("agents") {
        agents::measure(&mut bench).await?;
    }
    if bench.wants("retag") {
        retag::measure(&mut bench).await?;
    }
    if bench.wants("manifests") {
        manifests::measure(&mut bench).await?;
    }
    if bench.wants("permits") {
        permits::measure(&mut bench).await?;
    }
    if bench.wants("ping") {
        ping::measure(&mut bench).await?;
    }
    if bench.wants("blob-get") {
        blob_get::measure(&mut bench).await?;
    }
    if bench.wants("blob-put") {
        blob_put::measure(&mut bench).await?;
    }
    if bench.wants("tags-page") {
        tags_page::measure(&mut bench).await?;
    }
    if bench.wants("memory") {
        memory::measure(&mut bench).await?;
    }
    if bench.wants("catalogue") {
        catalogue::measure(&mut bench).await?;
    }
    if bench.wants_million() {
        million::measure(&mut bench).await?;
    }
    report::write(&bench, &before)
}
