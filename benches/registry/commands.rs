//! The whole command as people wait for it: a tree of four hundred files, by `agent` and by `oras`, same server.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use tempfile::TempDir;

use crate::bench::{Bench, folder};
use crate::figure::{Aim, Figure};
use crate::server::Server;
use crate::{programs, tree};

/// How often each is done in a round: one takes less than a second.
const TIMES: usize = 3;

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    let (server, oras, tree) = (Server::ours(None)?, programs::pinned("oras")?, tree::make()?);
    let clients = [Client { program: None, server: &server }, Client { program: Some(&oras), server: &server }];
    let works = ["push of 400 files", "unchanged push", "pull of 400 files"];
    let mut found: [[Vec<f64>; 3]; 2] = Default::default();
    // Kept to the end, since some file systems do not use the place of a file again for minutes, and search.
    let mut used = vec![];
    for round in 0..bench.options.rounds * TIMES {
        for turn in 0..clients.len() {
            let place = (turn + round) % clients.len();
            // Each pushes what nobody has pushed before.
            tree::change(tree.path())?;
            for (values, value) in found[place].iter_mut().zip(clients[place].round(tree.path(), &mut used)?) {
                values.push(value);
            }
        }
    }
    let [ours, oras] = found;
    for ((work, ours), oras) in works.into_iter().zip(ours).zip(oras) {
        let (work, peer) = (format!("command: {work}"), Some(("oras", oras)));
        bench.add(Figure { work, unit: "s", ours, peer, aim: Aim::AtMostTimes(0.8) });
    }
    Ok(())
}

struct Client<'a> {
    /// oras, or our own command.
    program: Option<&'a Path>,
    server: &'a Server,
}

impl Client<'_> {
    /// Push, the same push again, pull into an empty folder by a client that has nothing.
    fn round(&self, tree: &Path, used: &mut Vec<TempDir>) -> Result<[f64; 3]> {
        let [home, empty, place] = [folder()?, folder()?, folder()?];
        let [push, again] = [self.push(tree, home.path())?, self.push(tree, home.path())?];
        let pull = self.pull(place.path(), empty.path())?;
        used.extend([home, empty, place]);
        Ok([push, again, pull])
    }

    fn push(&self, tree: &Path, home: &Path) -> Result<f64> {
        let mut command = self.command(home);
        if self.program.is_some() {
            // The folder by its name in it, since oras keeps the path as it is written.
            command.current_dir(tree).args(["push", "--plain-http", &self.reference("oras-tree"), "."]);
        } else {
            command.args(["push", &self.reference("tree"), "--force", "--path"]).arg(tree);
        }
        timed(&mut command)
    }

    fn pull(&self, into: &Path, home: &Path) -> Result<f64> {
        let mut command = self.command(home);
        if self.program.is_some() {
            command.args(["pull", "--plain-http", &self.reference("oras-tree"), "-o"]).arg(into);
        } else {
            command.args(["pull", &self.reference("tree"), "--directory"]).arg(into);
        }
        timed(&mut command)
    }

    fn command(&self, home: &Path) -> Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_agent"));
        let mut command = Command::new(self.program.unwrap_or(ours));
        command.env_clear().env("HOME", home);
        command
    }

    fn reference(&self, name: &str) -> String {
        format!("{}/bench/{name}:1.0.0", self.server.address)
    }
}

fn timed(command: &mut Command) -> Result<f64> {
    let began = Instant::now();
    programs::ok(command)?;
    Ok(began.elapsed().as_secs_f64())
}
