//! Pushes agent packages into repositories of their own, at a steady pace or as fast as they go.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use agent_registry::oci::Digest;
use agent_registry::package::Metadata;
use anyhow::{Context as _, Result};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::MissedTickBehavior;

use super::artifact::Source;
use super::people::ADMIN_TOKEN;
use crate::http::Connection;
use crate::load;
use crate::package::{Blob, noise, push_blob, put_manifest};
use crate::server::Server;

/// Repositories they go to.
const REPOSITORIES: usize = 50;
/// Time between two pushes at the steady pace: 100 a second.
const PACE: Duration = Duration::from_millis(10);
const WORKERS: usize = 8;
const TIME: Duration = Duration::from_secs(3);

/// A package nobody has pushed before, in a repository, with a version.
struct Fresh {
    repository: String,
    version: String,
    source: Source,
}

impl Fresh {
    /// The number is that of a push into the namespace, which nobody else pushes into meanwhile.
    fn new(namespace: &str, number: usize, description: &str) -> Self {
        let name = format!("agent-{}", number % REPOSITORIES);
        let metadata = Metadata {
            name: name.clone(),
            description: Some(description.to_owned()),
            capabilities: vec!["chat".to_owned(), format!("skill-{}", number % 100)],
            model: Some("gpt-4".to_owned()),
            model_provider: Some("openai".to_owned()),
            runtime: Some("python".to_owned()),
            schema_version: Some("agent.dev/v1".to_owned()),
            ..Metadata::default()
        };
        let readme = format!("# {name}\n\n{description}\n");
        // After those of an earlier run over the same data.
        let version = format!("{}.{number}.0", seconds());
        Self { repository: format!("{namespace}/{name}"), version, source: Source::new(metadata, readme) }
    }

    async fn push(&self, connection: &mut Connection) -> Result<()> {
        let artifact = self.source.version(&self.version)?;
        let documents = self.source.documents.iter().map(|document| &document.bytes);
        for bytes in documents.chain([&artifact.config_bytes]) {
            push_blob(connection, &self.repository, &Blob::new(bytes.to_vec())).await?;
        }
        put_manifest(connection, &self.repository, artifact.manifest.bytes(), &self.version).await
    }
}

fn seconds() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs())
}

/// A word nobody has used.
fn new_word() -> String {
    format!("seen{}", &Digest::sha256(&noise(32)).hex()[..16])
}

/// Pushes that go on at the steady pace until they are ended.
pub(crate) struct Pushes {
    began: Instant,
    stop: Rc<Cell<bool>>,
    task: JoinHandle<Result<usize>>,
}

impl Pushes {
    pub(crate) async fn begin(server: &Server) -> Result<Self> {
        let mut connection = Connection::open(server.address).await?.showing(ADMIN_TOKEN);
        let stop = Rc::new(Cell::new(false));
        let ended = Rc::clone(&stop);
        let task = spawn_local(async move {
            let mut interval = tokio::time::interval(PACE);
            interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut number = 0;
            while !ended.get() {
                interval.tick().await;
                let description = format!("Pushed beside searches, {}", new_word());
                Fresh::new("bench-steady", number, &description).push(&mut connection).await?;
                number += 1;
            }
            Ok(number)
        });
        Ok(Self { began: Instant::now(), stop, task })
    }

    /// Ends them, and answers how many there were a second.
    pub(crate) async fn end(self) -> Result<f64> {
        self.stop.set(true);
        let (pushes, seconds) = (self.task.await??, self.began.elapsed().as_secs_f64());
        Ok(load::count(pushes) / seconds)
    }
}

/// Milliseconds that a push takes, where eight workers push as fast as they can.
pub(crate) async fn cost(server: &Server) -> Result<f64> {
    let next = Rc::new(Cell::new(0));
    let load = load::run(server.address, WORKERS, (TIME, usize::MAX), |_| {
        let next = Rc::clone(&next);
        async move |connection| {
            connection.show(ADMIN_TOKEN);
            Fresh::new("bench-fast", next.replace(next.get() + 1), &new_word()).push(connection).await
        }
    });
    Ok(1000.0 / load.await?.rate())
}

/// Milliseconds from the 201 of a push until search finds it, so many times.
pub(crate) async fn until_seen(server: &Server, times: usize) -> Result<Vec<f64>> {
    let mut connection = Connection::open(server.address).await?.showing(ADMIN_TOKEN);
    let mut found = vec![];
    for number in 0..times {
        // Search looks at fixed intervals; a push comes at any time.
        let pause = 10 * (number * 37 % 25) as u64;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let word = new_word();
        Fresh::new("bench-watched", number, &word).push(&mut connection).await?;
        let began = Instant::now();
        let path = super::questions::search(&word, "");
        while super::ask::json(&mut connection, &path).await?["total"].as_u64().context("a total")? == 0 {
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "search does not see a push");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        found.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(found)
}
