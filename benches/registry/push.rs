//! Pushes of small packages no two of which are the same, by eight workers into ten repositories and into one.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::{Aim, Figure};
use crate::load::{self, Load, count};
use crate::package::{Package, push};
use crate::server::Server;

pub(crate) const WORKERS: usize = 8;
const TIME: Duration = Duration::from_secs(3);

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    for repositories in [10, 1] {
        let [[rate, cpu, kib], [peer_rate, peer_cpu, peer_kib]] =
            bench.alternate([&ours, &peer], async |server| costs(server, repositories).await).await?;
        let work = format!("push of 4 KiB, {WORKERS} workers, {repositories} repositories");
        let mut add = |work, unit, ours, values, aim| {
            bench.add(Figure { work, unit, ours, peer: Some((peer.name, values)), aim });
        };
        add(work, "/s", rate, peer_rate, Aim::AtLeastTimes(12.0));
        if repositories > 1 {
            add("push of 4 KiB, server CPU".to_owned(), "ms", cpu, peer_cpu, Aim::None);
            add("push of 4 KiB, written to the disk".to_owned(), "KiB", kib, peer_kib, Aim::None);
        }
    }
    Ok(())
}

/// Pushes a second; and for each, milliseconds of the server's processor time and KiB it wrote.
async fn costs(server: &Server, repositories: usize) -> Result<[f64; 3]> {
    let (cpu, kib) = (server.cpu_seconds()?, server.written_kib()?);
    let load = load(server, repositories, TIME).await?;
    let (cpu, kib, pushes) = (server.cpu_seconds()? - cpu, server.written_kib()? - kib, count(load.count()));
    Ok([load.rate(), 1000.0 * cpu / pushes, kib / pushes])
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
