//! A registry that holds a million manifests: until it answers, and what pushes to it cost.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use agent_registry::index::blobs::{self, StoredBlob};
use agent_registry::index::repositories::{self, Creator};
use agent_registry::index::tags::Change;
use agent_registry::index::{Error, Session, Sqlite, manifests};
use agent_registry::oci::{Algorithm, Digest, Manifest};
use anyhow::Result;
use jiff::Timestamp;

use crate::bench::{Bench, folder};
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::package::Package;
use crate::programs::ok;
use crate::server::Server;

const TIME: Duration = Duration::from_secs(3);
const REPOSITORIES: usize = 10;
/// Manifests stored in one transaction.
const BATCH: usize = 1_000;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let data = folder()?;
    // Makes the directory what it has to be.
    drop(Server::ours_in(data.path(), None)?);
    let (stored, began) = (bench.options.stored, Instant::now());
    fill(&data.path().join("index.sqlite"), stored).await?;
    println!("{stored} manifests stored in {:.0?}", began.elapsed());
    // What was written must not be on its way to the disk any more while something is measured.
    ok(&mut Command::new("sync"))?;
    start(bench, data.path()).await?;
    let (full, empty) = (Server::ours_in(data.path(), None)?, Server::ours(None)?);
    let rate = async |server: &Server| Ok([crate::push::load(server, REPOSITORIES, TIME).await?.rate()]);
    let [[full], [empty]] = bench.alternate([&full, &empty], rate).await?;
    bench.add(Figure {
        work: format!("push of 4 KiB with {stored} manifests stored"),
        unit: "/s",
        ours: full,
        peer: Some(("ours when empty", empty)),
        aim: Aim::AtLeastTimes(0.8),
    });
    Ok(())
}

/// From the start of the process to the answer of the first request.
async fn start(bench: &mut Bench, data: &Path) -> Result<()> {
    let (mut seconds, mut memory) = (vec![], vec![]);
    for _ in 0..bench.options.rounds {
        let began = Instant::now();
        let server = Server::ours_in(data, None)?;
        let mut connection = Connection::open(server.address).await?;
        connection.send(&head("GET", "/readyz", &[]), &[]).await?.expect(200)?;
        seconds.push(began.elapsed().as_secs_f64());
        memory.push(server.memory("VmRSS")?);
    }
    let stored = bench.options.stored;
    let figure = |work: &str, unit, ours, aim| Figure {
        work: format!("{work} with {stored} manifests"),
        unit,
        ours,
        peer: None,
        aim,
    };
    bench.add(figure("start to ready", "s", seconds, Aim::AtMost(0.3)));
    bench.add(figure("memory, idle", "MiB", memory, Aim::AtMost(16.0)));
    Ok(())
}

/// Stores manifests, each with a tag and two small blobs, without a server between.
async fn fill(path: &Path, stored: usize) -> Result<()> {
    let index = Sqlite::open(path)?;
    for first in (0..stored).step_by(BATCH) {
        let last = (first + BATCH).min(stored);
        index
            .write(move |session| {
                (first..last).try_for_each(|number| store(session, &format!("bench/r{}", number % REPOSITORIES)))
            })
            .await?;
    }
    Ok(())
}

fn store(session: &mut dyn Session, repository: &str) -> Result<(), Error> {
    let (package, now) = (Package::unique(), Timestamp::now());
    // Made here of what is right, so neither can fail; were it otherwise, the count would tell.
    let Ok(repository) = repository.parse() else { return Ok(()) };
    let Ok(manifest) = Manifest::parse(package.manifest.into(), None, Algorithm::Sha256) else { return Ok(()) };
    let Ok(tag) = manifest.digest().hex()[..32].parse() else { return Ok(()) };
    let id = repositories::create(session, &repository, Creator::Open, now)?;
    let change = Change { id, repository: &repository, actor: "bench", at: now };
    for blob in package.blobs {
        // The bytes would be four gigabytes more, and nothing here reads them.
        let stored = StoredBlob { size: blob.bytes.len() as u64, inline: None };
        blobs::add(session, &change, &Digest::sha256(&blob.bytes), &stored, now)?;
    }
    manifests::put(session, &change, &manifest, &[tag]).map(|_| ())
}
