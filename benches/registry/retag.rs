//! Tags that move from one stored manifest to another and back, each worker its own.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Aim;
use crate::http::Connection;
use crate::load;
use crate::package::{Package, push, put_manifest};
use crate::server::Server;

const TIME: Duration = Duration::from_secs(2);
const REPOSITORY: &str = "bench/retag";

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let packages = [Package::unique(), Package::unique()];
    for server in [&ours, &peer] {
        let mut connection = Connection::open(server.address).await?;
        for (package, tag) in packages.iter().zip(["first", "second"]) {
            push(&mut connection, REPOSITORY, package, tag).await?;
        }
    }
    let manifests = Rc::new(packages.map(|package| package.manifest));
    for (workers, aim) in [(8, 10.0), (32, 18.0)] {
        let rate = async |server: &Server| {
            let load = load::run(server.address, workers, (TIME, usize::MAX), |worker| {
                let (manifests, tag, mut turn) = (Rc::clone(&manifests), format!("tag-{worker}"), 0);
                async move |connection| {
                    turn += 1;
                    put_manifest(connection, REPOSITORY, &manifests[turn % 2], &tag).await
                }
            });
            Ok(load.await?.rate())
        };
        let work = format!("retag, {workers} workers");
        bench.versus((work, "/s", Aim::AtLeastTimes(aim)), (&ours, &peer), rate).await?;
    }
    Ok(())
}
