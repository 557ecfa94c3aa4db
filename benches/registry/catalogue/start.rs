//! What a start over the world takes: until the registry answers, until search does, and after it has missed much.

use std::time::{Duration, Instant};

use agent_registry::package::Metadata;
use anyhow::{Result, ensure};
use jiff::Timestamp;

use super::artifact::Source;
use super::fill::Prepared;
use super::people::{ADMIN_TOKEN, USER_TOKEN};
use super::questions::search;
use super::world::World;
use crate::http::{Connection, head};
use crate::server::Server;

/// Events that search misses: five for each new package.
pub(crate) const MISSED: usize = 10_000;
const EVENTS_A_PACKAGE: usize = 5;
/// Packages written in one transaction.
const BATCH: usize = 500;
/// A start that takes longer is given up.
const MOST: Duration = Duration::from_mins(30);

/// Seconds from the start of the process to the first answer of `/v2/`, and until search has seen every event.
pub(crate) async fn start(world: &World) -> Result<(Server, [f64; 2])> {
    let last = world.last_event()?;
    let began = Instant::now();
    let server = world.serve()?;
    let mut connection = Connection::open(server.address).await?.showing(ADMIN_TOKEN);
    connection.send(&head("GET", "/v2/", &[]), &[]).await?.expect(200)?;
    let answers = began.elapsed().as_secs_f64();
    let request = head("GET", &search("", "&limit=1"), &[]);
    loop {
        let answer = connection.send(&request, &[]).await?;
        // Until search is there, it is refused.
        if answer.status == 200 {
            let page: serde_json::Value = serde_json::from_slice(connection.body())?;
            if page["as_of"].as_u64() >= Some(last) {
                break;
            }
        }
        ensure!(answer.status == 200 || answer.status == 503, "status {}", answer.status);
        ensure!(began.elapsed() < MOST, "search is not ready after {MOST:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok((server, [answers, began.elapsed().as_secs_f64()]))
}

/// Compares how much the user sees with what was written.
pub(crate) async fn check(server: &Server, world: &World) -> Result<()> {
    let mut connection = Connection::open(server.address).await?.showing(USER_TOKEN);
    let total = super::ask::json(&mut connection, &search("", "&limit=1")).await?["total"].as_u64();
    ensure!(total == Some(world.facts.visible as u64), "the user sees {total:?} packages, not {}", world.facts.visible);
    Ok(())
}

/// Writes packages behind the back of search, which is not running.
pub(crate) async fn miss(world: &World) -> Result<()> {
    let index = world.open()?;
    let (now, before) = (Timestamp::now(), world.last_event()?);
    for first in (0..MISSED / EVENTS_A_PACKAGE).step_by(BATCH) {
        let batch = (first..first + BATCH).map(|number| missed(number, now)).collect::<Result<Vec<_>>>()?;
        let write = index.write(move |session| batch.iter().try_for_each(|version| version.store(session, &[])));
        let written: Result<(), agent_registry::index::Error> = write.await;
        written?;
    }
    drop(index);
    let events = world.last_event()? - before;
    ensure!(events == MISSED as u64, "{events} events instead of {MISSED}");
    Ok(())
}

fn missed(number: usize, now: Timestamp) -> Result<Prepared> {
    // Another name each time: a repository that is there tells less.
    let name = format!("missed-{}-{number}", now.as_second());
    let (description, readme) =
        (format!("Missed number {number} of {MISSED}"), format!("# {name}\n\nIt was missed.\n"));
    let metadata = Metadata {
        name: name.clone(),
        description: Some(description),
        capabilities: vec!["missing".to_owned()],
        model: Some("gpt-4".to_owned()),
        runtime: Some("python".to_owned()),
        schema_version: Some("agent.dev/v1".to_owned()),
        ..Metadata::default()
    };
    Prepared::new(&format!("bench-missed/{name}"), &Source::new(metadata, readme), "1.0.0", now, true)
}
