//! Asks the questions one after the other on one connection, as the user, and takes the time of each whole request.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::people::{ADMIN_TOKEN, USER_TOKEN};
use super::questions::{Kind, MANY, search};
use crate::http::{Connection, head};
use crate::server::Server;

/// Requests of a kind before those that count; their answers are looked at.
const WARM_UP: usize = 40;

/// A connection of the user.
pub(crate) async fn connect(server: &Server) -> Result<Connection> {
    Ok(Connection::open(server.address).await?.showing(USER_TOKEN))
}

/// Packages in all.
pub(crate) async fn total(server: &Server) -> Result<usize> {
    let mut connection = Connection::open(server.address).await?.showing(ADMIN_TOKEN);
    let page = json(&mut connection, &search("", "&limit=1")).await?;
    Ok(usize::try_from(page["total"].as_u64().context("a total")?)?)
}

/// Whether the answers are answers: most find something.
pub(crate) async fn check(connection: &mut Connection, kind: &Kind) -> Result<()> {
    let (mut found, mut asked) = (0, 0);
    for path in kind.paths.iter().take(WARM_UP) {
        let answer = json(connection, path).await?;
        // What is resolved has no total: it is there.
        found += usize::from(answer["total"].as_u64() != Some(0));
        asked += 1;
    }
    let part = crate::load::count(found) / crate::load::count(asked);
    ensure!(
        part >= kind.finds,
        "{}: only {found} of {asked} find something, such as {:?}",
        kind.name,
        kind.paths.first()
    );
    Ok(())
}

/// Milliseconds that half of the answers, and 99 in 100, took at most.
pub(crate) async fn ask(connection: &mut Connection, kind: &Kind) -> Result<[f64; 2]> {
    let mut times = Vec::with_capacity(MANY);
    for path in kind.paths.iter().cycle().take(MANY) {
        let request = head("GET", path, &[]);
        let began = Instant::now();
        let answer = connection.send(&request, &[]).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        answer.expect(200).with_context(|| format!("GET {path}"))?;
    }
    Ok(percentiles(times))
}

/// The values that half, and 99 in 100, of some are at most.
pub(crate) fn percentiles(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [50, 99].map(|part| values.get(values.len() * part / 100).or(values.last()).copied().unwrap_or(f64::NAN))
}

/// Asks, and reads the answer.
pub(crate) async fn json(connection: &mut Connection, path: &str) -> Result<Value> {
    connection.send(&head("GET", path, &[]), &[]).await?.expect(200).with_context(|| format!("GET {path}"))?;
    Ok(serde_json::from_slice(connection.body())?)
}
