//! `GET /v2/`: what a request costs that asks for nothing.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Aim;
use crate::http::head;
use crate::load;
use crate::server::Server;

const TIME: Duration = Duration::from_millis(1500);
const READERS: usize = 16;

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let rate = async |server: &Server| {
        let load = load::run(server.address, READERS, (TIME, usize::MAX), |_| {
            let request = head("GET", "/v2/", &[]);
            async move |connection| {
                connection.send(&request, &[]).await?.expect(200)?;
                Ok(())
            }
        });
        Ok(load.await?.rate())
    };
    let work = format!("GET /v2/, {READERS} readers");
    bench.versus((work, "/s", Aim::AtLeastTimes(4.0)), (&ours, &peer), rate).await
}
