//! Pushes of small packages no two of which are the same, by eight workers into ten repositories and into one.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Aim;
use crate::load::{self, Load};
use crate::package::{Package, push};
use crate::server::Server;

pub(crate) const WORKERS: usize = 8;
const TIME: Duration = Duration::from_secs(3);

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    for repositories in [10, 1] {
        let work = format!("push of 4 KiB, {WORKERS} workers, {repositories} repositories");
        let rate = async |server: &Server| Ok(load(server, repositories, TIME).await?.rate());
        bench.versus((work, "/s", Aim::AtLeastTimes(12.0)), (&ours, &peer), rate).await?;
    }
    Ok(())
}

/// Pushes for some time.
pub(crate) async fn load(server: &Server, repositories: usize, time: Duration) -> Result<Load> {
    load::run(server.address, WORKERS, (time, usize::MAX), |worker| {
        let mut number = worker;
        async move |connection| {
            let (repository, package) = (format!("bench/r{}", number % repositories), Package::unique());
            number += 1;
            // A tag of its own for each package: its name is the layer's digest.
            let tag = &package.blobs[1].digest[7..];
            push(connection, &repository, &package, tag).await
        }
    })
    .await
}
