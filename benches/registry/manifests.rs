//! Manifests read by tag and by digest, alone and beside pushes.

use std::rc::Rc;
use std::time::Duration;

use agent_registry::oci::{Digest, known};
use anyhow::Result;

use crate::bench::Bench;
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::load::{self, Load};
use crate::package::{Package, push};
use crate::server::Server;

const TIME: Duration = Duration::from_millis(1500);
pub(crate) const READERS: usize = 16;
/// Fewer beside the pushes, so that what is measured is the server rather than the queue for two cores.
const READERS_BESIDE: usize = 4;
const MANIFESTS: usize = 200;
const REPOSITORY: &str = "bench/read";

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let packages: Vec<Package> = (0..MANIFESTS).map(|_| Package::unique()).collect();
    for server in [&ours, &peer] {
        let mut connection = Connection::open(server.address).await?;
        for (number, package) in packages.iter().enumerate() {
            push(&mut connection, REPOSITORY, package, &format!("v{number}")).await?;
        }
    }
    let tags: Vec<String> = (0..MANIFESTS).map(|number| format!("v{number}")).collect();
    let digests: Vec<String> = packages.iter().map(|package| Digest::sha256(&package.manifest).to_string()).collect();
    for (method, kind, targets) in [("GET", "tag", &tags), ("GET", "digest", &digests), ("HEAD", "tag", &tags)] {
        let requests = requests(method, targets);
        let rate = async |server: &Server| Ok(read(server, READERS, &requests).await?.rate());
        let work = format!("{method} manifest by {kind}, {READERS} readers");
        bench.versus((work, "/s", Aim::AtLeastTimes(10.0)), (&ours, &peer), rate).await?;
    }
    beside_pushes(bench, &ours, &peer, &requests("GET", &tags)).await
}

async fn beside_pushes(bench: &mut Bench, ours: &Server, peer: &Server, requests: &Rc<Vec<String>>) -> Result<()> {
    let both = async |server: &Server| {
        let pushes = crate::push::load(server, 10, TIME * 2);
        let (reads, pushes) = tokio::join!(read(server, READERS_BESIDE, requests), pushes);
        pushes?;
        let reads = reads?;
        Ok([reads.rate(), reads.p99()])
    };
    let [[our_rate, our_p99], [rate, p99]] = bench.alternate([ours, peer], both).await?;
    bench.add(Figure {
        work: format!("GET manifest beside pushes, {READERS_BESIDE} readers"),
        unit: "/s",
        ours: our_rate,
        peer: Some((peer.name, rate)),
        aim: Aim::None,
    });
    bench.add(Figure {
        work: "p99 of these reads".to_owned(),
        unit: "ms",
        ours: our_p99,
        peer: Some((peer.name, p99)),
        aim: Aim::AtMost(2.0),
    });
    Ok(())
}

/// The heads of requests for every target. Without the types the reference registry answers 404.
fn requests(method: &str, targets: &[String]) -> Rc<Vec<String>> {
    let of = |target| head(method, &format!("/v2/{REPOSITORY}/manifests/{target}"), &[("accept", known::OCI_MANIFEST)]);
    Rc::new(targets.iter().map(of).collect())
}

/// Sends the requests in turn for some time.
pub(crate) async fn read(server: &Server, readers: usize, requests: &Rc<Vec<String>>) -> Result<Load> {
    load::run(server.address, readers, (TIME, usize::MAX), |worker| {
        let (requests, mut next) = (Rc::clone(requests), worker * 7);
        async move |connection| {
            next += 1;
            connection.send(&requests[next % requests.len()], &[]).await?.expect(200)?;
            Ok(())
        }
    })
    .await
}
