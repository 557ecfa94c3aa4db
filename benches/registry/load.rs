//! A bounded load: some workers, each with one connection, for some time.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::spawn_local;

use crate::http::Connection;

/// What a load did.
pub(crate) struct Load {
    seconds: f64,
    /// Sorted, in seconds.
    latencies: Vec<f64>,
}

impl Load {
    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }

    /// How many a second.
    pub(crate) fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.seconds
    }

    /// The milliseconds that 99 in 100 took at most.
    pub(crate) fn p99(&self) -> f64 {
        let place = self.latencies.len() * 99 / 100;
        self.latencies.get(place).or(self.latencies.last()).map_or(f64::NAN, |seconds| seconds * 1000.0)
    }
}

/// A count as a number to divide; it is far below 2^52.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Runs `work` again and again on each of `workers` connections until the time is over, or it was done `limit` times.
/// `make` makes the work of a worker from its number.
pub(crate) async fn run<W>(
    address: SocketAddr,
    workers: usize,
    (time, limit): (Duration, usize),
    make: impl Fn(usize) -> W,
) -> Result<Load>
where
    W: AsyncFnMut(&mut Connection) -> Result<()> + 'static,
{
    let mut connections = vec![];
    for _ in 0..workers {
        connections.push(Connection::open(address).await?);
    }
    let (started, left) = (Instant::now(), Rc::new(Cell::new(limit)));
    let tasks: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(number, connection)| spawn_local(one(connection, make(number), started + time, Rc::clone(&left))))
        .collect();
    let mut latencies = vec![];
    for task in tasks {
        latencies.extend(task.await??);
    }
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    Ok(Load { seconds, latencies })
}

async fn one<W>(mut connection: Connection, mut work: W, end: Instant, left: Rc<Cell<usize>>) -> Result<Vec<f64>>
where
    W: AsyncFnMut(&mut Connection) -> Result<()>,
{
    let (mut latencies, mut began) = (vec![], Instant::now());
    while began < end
        && let Some(rest) = left.get().checked_sub(1)
    {
        left.set(rest);
        work(&mut connection).await?;
        let now = Instant::now();
        latencies.push((now - began).as_secs_f64());
        began = now;
    }
    Ok(latencies)
}
