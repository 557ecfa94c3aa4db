//! One run: what is wanted of it, the servers' turns, and the figures found so far.

use std::path::Path;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::figure::{Aim, Figure};
use crate::server::Server;

/// Compares this registry with other programs on this machine
#[derive(clap::Parser, Debug)]
pub(crate) struct Options {
    /// Rounds of every measurement; in each the servers take turns
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Only these works: commands, push, agents, retag, manifests, permits, ping, blob-get, blob-put, tags-page, memory,
    /// catalogue, million
    #[arg(long, value_name = "WORK")]
    pub(crate) only: Vec<String>,
    /// Also with a million manifests stored, and a million packages, which takes minutes and some gigabytes
    #[arg(long)]
    pub(crate) million: bool,
    /// How many manifests that are
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) stored: usize,
    /// Packages of the catalogue, with ten times as many versions, but at most a million
    #[arg(long, default_value_t = 100_000)]
    pub(crate) packages: usize,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// A run.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) figures: Vec<Figure>,
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, figures: vec![] }
    }

    /// Whether a work is to be done.
    pub(crate) fn wants(&self, work: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|only| only == work)
    }

    /// Whether the long work is to be done.
    pub(crate) fn wants_million(&self) -> bool {
        self.options.million && self.wants("million") || self.options.only.iter().any(|only| only == "million")
    }

    /// Keeps a figure, and shows it: a run is long.
    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{figure}");
        self.figures.push(figure);
    }

    /// Measures every server once a round, the first of one round being the last of the next. Answers, for each server
    /// and each number of a measurement, its values in the order of the rounds.
    pub(crate) async fn alternate<const S: usize, const N: usize>(
        &self,
        servers: [&Server; S],
        measure: impl AsyncFn(&Server) -> Result<[f64; N]>,
    ) -> Result<[[Vec<f64>; N]; S]> {
        let mut all = std::array::from_fn(|_| std::array::from_fn(|_| vec![]));
        for round in 0..self.options.rounds {
            let mut turns: Vec<usize> = (0..S).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for turn in turns {
                let server = servers[turn];
                let found = measure(server).await.with_context(|| format!("driving {}", server.name))?;
                let values: &mut [Vec<f64>; N] = &mut all[turn];
                for (values, value) in values.iter_mut().zip(found) {
                    values.push(value);
                }
            }
        }
        Ok(all)
    }

    /// Measures one number of our server and of another, and keeps the figure.
    pub(crate) async fn versus(
        &mut self,
        (work, unit, aim): (String, &'static str, Aim),
        (ours, peer): (&Server, &Server),
        measure: impl AsyncFn(&Server) -> Result<f64>,
    ) -> Result<()> {
        let [[ours], [other]] = self.alternate([ours, peer], async |server| Ok([measure(server).await?])).await?;
        self.add(Figure { work, unit, ours, peer: Some((peer.name, other)), aim });
        Ok(())
    }
}

/// A folder that goes when it is dropped, for all servers on the disk this program was built on: a temporary folder may
/// be memory, where nothing has to become durable.
pub(crate) fn folder() -> Result<TempDir> {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::tempdir_in(parent).with_context(|| format!("cannot make a folder in {}", parent.display()))
}
