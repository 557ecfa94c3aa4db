//! Pushes of real agent packages, which our registry compares with what they say they are before it stores them.

use std::cell::{Cell, RefCell};
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use agent_registry::package::{BlobContent, Overrides, Source};
use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Aim;
use crate::load;
use crate::package::{Blob, Package, noise, push};
use crate::push::WORKERS;
use crate::server::Server;

const TIME: Duration = Duration::from_secs(3);
/// Packages made beforehand for a round; a server that has pushed all of them has ended its round.
const PACKAGES: usize = 1200;
const REPOSITORIES: usize = 10;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let rounds: Vec<Rc<Vec<Agent>>> =
        (0..bench.options.rounds).map(|round| make(round * PACKAGES)).collect::<Result<_>>()?;
    // Both servers take the same packages in the same round.
    let next = RefCell::new([0, 0]);
    let rate = async |server: &Server| {
        let round = {
            let mut next = next.borrow_mut();
            let place = &mut next[usize::from(server.name != ours.name)];
            *place += 1;
            &rounds[*place - 1]
        };
        let next = Rc::new(Cell::new(0));
        let load = load::run(server.address, WORKERS, (TIME, PACKAGES), |_| {
            let (round, next) = (Rc::clone(round), Rc::clone(&next));
            async move |connection| {
                let agent = &round[next.replace(next.get() + 1)];
                push(connection, &agent.repository, &agent.package, &agent.version).await
            }
        });
        Ok(load.await?.rate())
    };
    let work = format!("push of agent packages, {WORKERS} workers, {REPOSITORIES} repositories");
    bench.versus((work, "/s", Aim::AtLeastTimes(12.0)), (&ours, &peer), rate).await
}

struct Agent {
    repository: String,
    version: String,
    package: Package,
}

fn make(first: usize) -> Result<Rc<Vec<Agent>>> {
    (first..first + PACKAGES).map(agent).collect::<Result<_>>().map(Rc::new)
}

fn agent(number: usize) -> Result<Agent> {
    let (name, version) = (format!("agent-{}", number % REPOSITORIES), format!("1.{}.0", number / REPOSITORIES));
    let folder = tempfile::tempdir()?;
    let yaml = format!(
        "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {{name: {name}, version: {version}}}\n\
         spec: {{runtime: python, model: {{provider: openai, name: gpt-4}}, capabilities: [chat, skill-{}]}}\n",
        number % 100,
    );
    fs::write(folder.path().join("agent.yaml"), yaml)?;
    fs::write(folder.path().join("data.bin"), noise(4096))?;
    let artifact = Source::open(folder.path())?.draft(&Overrides::default())?.pack()?;
    let blobs = artifact.blobs().iter().map(|blob| {
        Ok(Blob::new(match &blob.content {
            BlobContent::Bytes(bytes) => bytes.to_vec(),
            BlobContent::File(path) => fs::read(path)?,
        }))
    });
    let package = Package { blobs: blobs.collect::<Result<_>>()?, manifest: artifact.manifest().bytes().to_vec() };
    Ok(Agent { repository: format!("bench/{name}"), version, package })
}
