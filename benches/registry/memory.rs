//! Memory of a server that has just started, at its most under load, and after it.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::load;
use crate::package::{Blob, noise, push_blob};
use crate::server::Server;

const TIME: Duration = Duration::from_secs(2);
const READERS: usize = 16;
const LARGE: usize = 100 << 20;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let mut found: [[Vec<f64>; 3]; 2] = Default::default();
    let mut names = [""; 2];
    for _ in 0..bench.options.rounds {
        // Fresh ones every round: only the first start is one.
        let servers = [Server::ours(None)?, Server::distribution().await?];
        for ((server, values), name) in servers.iter().zip(&mut found).zip(&mut names) {
            *name = server.name;
            for (values, value) in values.iter_mut().zip(drive(server).await?) {
                values.push(value);
            }
        }
    }
    let [ours, peer] = found;
    let works = [("memory, idle", 16.0), ("memory, at most under load", 48.0), ("memory, after the load", 48.0)];
    for (((work, most), ours), peer) in works.into_iter().zip(ours).zip(peer) {
        let (peer, aim) = (Some((names[1], peer)), Aim::AtMost(most));
        bench.add(Figure { work: work.to_owned(), unit: "MiB", ours, peer, aim });
    }
    Ok(())
}

/// Pushes, reads, and a large blob up and down.
async fn drive(server: &Server) -> Result<[f64; 3]> {
    let mut connection = Connection::open(server.address).await?;
    connection.send(&head("GET", "/v2/", &[]), &[]).await?.expect(200)?;
    let idle = server.memory("VmRSS")?;
    crate::push::load(server, 10, TIME).await?;
    let large = Blob::new(noise(LARGE));
    push_blob(&mut connection, "bench/large", &large).await?;
    let path = format!("/v2/bench/large/blobs/{}", large.digest);
    load::run(server.address, READERS, (TIME, usize::MAX), |_| {
        let request = head("GET", &path, &[]);
        async move |connection| {
            connection.send(&request, &[]).await?.expect(200)?;
            Ok(())
        }
    })
    .await?;
    Ok([idle, server.memory("VmHWM")?, server.memory("VmRSS")?])
}
