//! Blobs read whole: how many a second, and what a GiB costs the server, beside nginx with sendfile and with TLS.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::spawn_local;

use crate::bench::{Bench, folder};
use crate::figure::{Aim, Figure};
use crate::http::{Connection, head};
use crate::load::{self, count};
use crate::package::{Blob, noise, push_blob};
use crate::server::{Certificate, Server};

const TIME: Duration = Duration::from_millis(1500);
const READERS: usize = 4;
const REPOSITORY: &str = "bench/blobs";
const MIB: usize = 1 << 20;
const SIZES: [(usize, &str); 3] = [(4096, "4 KiB"), (MIB, "1 MiB"), (100 * MIB, "100 MiB")];

pub(crate) async fn measure(bench: &mut Bench) -> Result<()> {
    let (files, certificate) = (folder()?, Certificate::make()?);
    let (ours, peer) = (Server::ours(None)?, Server::distribution().await?);
    let nginx = Server::nginx(files.path(), None).await?;
    let (data, http) = (folder()?, client(&certificate)?);
    let blobs = SIZES.map(|(size, name)| (Blob::new(noise(size)), size, name));
    let plain = Server::ours_in(data.path(), None)?;
    for server in [&ours, &peer, &plain] {
        let mut connection = Connection::open(server.address).await?;
        for (blob, ..) in &blobs {
            push_blob(&mut connection, REPOSITORY, blob).await?;
        }
    }
    // The same data, now behind TLS.
    drop(plain);
    let (ours_tls, nginx_tls) =
        (Server::ours_in(data.path(), Some(&certificate))?, Server::nginx(files.path(), Some(&certificate)).await?);
    for (blob, size, name) in &blobs {
        // nginx serves the same path; a colon is an ordinary character in it.
        let path = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
        let file = files.path().join(&path[1..]);
        fs::create_dir_all(file.parent().context("a parent")?)?;
        fs::write(&file, &blob.bytes)?;
        let plain = async |server: &Server| read(server, &path, *size).await;
        let [[rate, cpu], [peer_rate, peer_cpu], [_, nginx_cpu]] =
            bench.alternate([&ours, &peer, &nginx], plain).await?;
        let figure =
            |work: String, unit, ours, name, values, aim| Figure { work, unit, ours, peer: Some((name, values)), aim };
        bench.add(figure(format!("GET blob of {name}"), "/s", rate, peer.name, peer_rate, Aim::None));
        if *size < MIB {
            continue;
        }
        let (cost, unit) = (format!("GET blob of {name}, server CPU"), "s/GiB");
        bench.add(figure(cost.clone(), unit, cpu.clone(), peer.name, peer_cpu, Aim::None));
        bench.add(figure(cost, unit, cpu, nginx.name, nginx_cpu, Aim::AtMostTimes(1.5)));
        let tls = async |server: &Server| read_tls(&http, server, &path, *size).await;
        let [[cpu], [nginx_cpu]] = bench.alternate([&ours_tls, &nginx_tls], tls).await?;
        let cost = format!("GET blob of {name} over TLS, server CPU");
        bench.add(figure(cost, unit, cpu, "nginx TLS", nginx_cpu, Aim::AtMostTimes(1.3)));
    }
    Ok(())
}

/// Blobs a second, and processor seconds of the server for a GiB.
async fn read(server: &Server, path: &str, size: usize) -> Result<[f64; 2]> {
    let before = server.cpu_seconds()?;
    let load = load::run(server.address, READERS, (TIME, usize::MAX), |_| {
        let request = head("GET", path, &[]);
        async move |connection| {
            let answer = connection.send(&request, &[]).await?.expect(200)?;
            anyhow::ensure!(answer.length == size as u64, "{} bytes", answer.length);
            Ok(())
        }
    });
    let load = load.await?;
    Ok([load.rate(), (server.cpu_seconds()? - before) / gibibytes(load.count(), size)])
}

/// Only the server's cost: this client's is far above that of the plain one.
async fn read_tls(http: &reqwest::Client, server: &Server, path: &str, size: usize) -> Result<[f64; 1]> {
    let url = format!("https://localhost:{}{path}", server.address.port());
    let (before, end) = (server.cpu_seconds()?, Instant::now() + TIME);
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (http, url) = (http.clone(), url.clone());
            spawn_local(async move {
                let mut done = 0;
                while Instant::now() < end {
                    let mut answer = http.get(&url).send().await?.error_for_status()?;
                    let mut length = 0;
                    while let Some(chunk) = answer.chunk().await? {
                        length += chunk.len();
                    }
                    anyhow::ensure!(length == size, "{length} bytes");
                    done += 1;
                }
                Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for reader in readers {
        done += reader.await??;
    }
    Ok([(server.cpu_seconds()? - before) / gibibytes(done, size)])
}

fn client(certificate: &Certificate) -> Result<reqwest::Client> {
    let root = reqwest::Certificate::from_pem(certificate.pem.as_bytes())?;
    // HTTP/1.1 for both, since that is what nginx is set up for.
    Ok(reqwest::Client::builder().tls_certs_only([root]).http1_only().build()?)
}

fn gibibytes(blobs: usize, size: usize) -> f64 {
    count(blobs) * count(size) / count(1 << 30)
}
