//! A page of a hundred tags out of the middle of few and of many.

use std::time::Duration;

use agent_registry::oci::{Digest, MAX_TAGS_PER_PUT, known};
use anyhow::Result;

use crate::bench::Bench;
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::load;
use crate::package::{Package, push, put_manifest};
use crate::server::Server;

const TIME: Duration = Duration::from_millis(1500);
const READERS: usize = 16;
const FEW: usize = 600;
const MANY: usize = 100_000;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    fill_ours(&ours).await?;
    let package = Package::unique();
    let mut connection = Connection::open(peer.address).await?;
    push(&mut connection, "bench/few", &package, &tag(0)).await?;
    for number in 1..FEW {
        put_manifest(&mut connection, "bench/few", &package.manifest, &tag(number)).await?;
    }
    let few = async |server: &Server| page(server, "bench/few", FEW).await;
    let [[ours_few], [peer_few]] = bench.alternate([&ours, &peer], async |server| Ok([few(server).await?])).await?;
    let both = async |server: &Server| Ok([page(server, "bench/many", MANY).await?, few(server).await?]);
    let [[ours_many, ours_beside]] = bench.alternate([&ours], both).await?;
    let (few, many) = (format!("tags page of 100 at {FEW}"), format!("tags page of 100 at {MANY}"));
    let figure = |work, ours, peer, aim| Figure { work, unit: "/s", ours, peer: Some(peer), aim };
    bench.add(figure(few.clone(), ours_few, (peer.name, peer_few.clone()), Aim::AtLeastTimes(10.0)));
    let times = Aim::AtLeastTimes(10.0);
    bench.add(figure(many.clone(), ours_many.clone(), ("distribution at 600", peer_few), times));
    bench.add(figure(many, ours_many, ("ours at 600", ours_beside), Aim::Within(0.2)));
    Ok(())
}

fn tag(number: usize) -> String {
    format!("v{number:06}")
}

async fn fill_ours(server: &Server) -> Result<()> {
    let mut connection = Connection::open(server.address).await?;
    for (repository, tags) in [("bench/few", FEW), ("bench/many", MANY)] {
        let package = Package::unique();
        push(&mut connection, repository, &package, &tag(0)).await?;
        let digest = Digest::sha256(&package.manifest);
        for first in (0..tags).step_by(MAX_TAGS_PER_PUT) {
            let last = (first + MAX_TAGS_PER_PUT).min(tags);
            let query: Vec<String> = (first..last).map(|number| format!("tag={}", tag(number))).collect();
            let path = format!("/v2/{repository}/manifests/{digest}?{}", query.join("&"));
            let head = head("PUT", &path, &[("content-type", known::OCI_MANIFEST)]);
            connection.send(&head, &package.manifest).await?.expect(201)?;
        }
    }
    Ok(())
}

async fn page(server: &Server, repository: &str, tags: usize) -> Result<f64> {
    let path = format!("/v2/{repository}/tags/list?n=100&last={}", tag(tags / 2));
    let load = load::run(server.address, READERS, (TIME, usize::MAX), |_| {
        let request = head("GET", &path, &[]);
        async move |connection| {
            let answer = connection.send(&request, &[]).await?.expect(200)?;
            // A hundred tags of seven letters, with quotes and commas.
            anyhow::ensure!(answer.length >= 1000, "{} bytes", answer.length);
            Ok(())
        }
    });
    Ok(load.await?.rate())
}
