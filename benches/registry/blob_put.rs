//! Large blobs pushed whole: the time of each, and what it costs the server beside one SHA-256 pass.

use std::time::Instant;

use anyhow::Result;

use crate::bench::Bench;
use crate::digesting;
use crate::figure::{Aim, Figure};
use crate::http::Connection;
use crate::package::{Blob, noise, push_blob};
use crate::server::Server;

const MIB: usize = 1 << 20;
const SIZE: usize = 100 * MIB;
/// Pushes in one round, one after the other.
const PUSHES: u32 = 3;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let put = async |server: &Server| {
        let mut connection = Connection::open(server.address).await?;
        let (mut seconds, before) = (0.0, server.cpu_seconds()?);
        for _ in 0..PUSHES {
            let blob = Blob::new(noise(SIZE));
            let began = Instant::now();
            push_blob(&mut connection, "bench/large", &blob).await?;
            seconds += began.elapsed().as_secs_f64();
        }
        let cpu = (server.cpu_seconds()? - before) / f64::from(PUSHES);
        Ok([100.0 * f64::from(PUSHES) / seconds, cpu])
    };
    let [[rate, cpu], [peer_rate, peer_cpu]] = bench.alternate([&ours, &peer], put).await?;
    let bytes = noise(SIZE);
    let passes = cpu.iter().map(|_| digesting::seconds(&bytes, PUSHES)).collect::<Result<Vec<f64>>>()?;
    let figure =
        |work: &str, unit, ours, peer, aim| Figure { work: work.to_owned(), unit, ours, peer: Some(peer), aim };
    let times = Aim::AtLeastTimes(1.5);
    bench.add(figure("PUT blob of 100 MiB", "MiB/s", rate, (peer.name, peer_rate), times));
    let cost = "PUT blob of 100 MiB, server CPU";
    bench.add(figure(cost, "s", cpu.clone(), (peer.name, peer_cpu), Aim::None));
    bench.add(figure(cost, "s", cpu, ("one SHA-256 pass", passes), Aim::AtMostTimes(1.3)));
    Ok(())
}
