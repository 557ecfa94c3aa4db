//! Writes the world's packages into a data directory, without a server between: what a push stores, in its order.

use std::sync::Arc;

use agent_registry::auth::{Level, Visibility};
use agent_registry::index::blobs::{self, StoredBlob};
use agent_registry::index::grants::{self, GranteeId};
use agent_registry::index::packages::NewPackage;
use agent_registry::index::repositories::{self, Creator};
use agent_registry::index::tags::Change;
use agent_registry::index::teams::TeamId;
use agent_registry::index::{Error, Session, Sqlite, Value, manifests, packages, versions};
use agent_registry::oci::{Digest, Manifest, RepositoryName, Tag};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::artifact::{Artifact, Source};
use super::facts::{Counting, Facts};
use super::plan::{self, Plan};

/// Versions written in one commit, and in each closure of it: what every statement of a closure has to look through is
/// what the closure has changed so far.
const BATCH: usize = 800;
const CLOSURE: usize = 40;
/// Events kept; a registry forgets old ones.
const EVENTS: i64 = 100_000;

/// A version ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    repository: RepositoryName,
    at: Timestamp,
    manifest: Manifest,
    tag: Tag,
    package: NewPackage,
    /// Those no version before has brought.
    blobs: Vec<(Digest, Bytes)>,
    first: Option<First>,
}

/// What is written with the first version of a package.
#[derive(Clone, Copy, Debug)]
struct First {
    visibility: Visibility,
    team: Option<usize>,
    standing: [i64; 3],
}

impl Prepared {
    /// A version of a package that nothing else is known of.
    pub(crate) fn new(repository: &str, source: &Source, version: &str, at: Timestamp, is_first: bool) -> Result<Self> {
        let Artifact { config, config_bytes, manifest } = source.version(version)?;
        let repository: RepositoryName = repository.parse()?;
        let digest = Digest::sha256(&config_bytes);
        let mut blobs = vec![(digest, config_bytes)];
        if is_first {
            blobs.extend(source.documents.iter().map(|document| (document.digest, document.bytes.clone())));
        }
        let package = NewPackage {
            summary: config.summary(repository.clone(), manifest.digest(), at),
            size: manifest.content_bytes(),
            checked: true,
            license: config.metadata.license,
        };
        Ok(Self { repository, at, manifest, tag: version.parse()?, package, blobs, first: None })
    }

    /// Writes what a push writes.
    pub(crate) fn store(&self, session: &mut dyn Session, teams: &[TeamId]) -> Result<(), Error> {
        let id = repositories::create(session, &self.repository, Creator::System, self.at)?;
        let change = Change { id, repository: &self.repository, actor: "bench", at: self.at };
        for (digest, bytes) in &self.blobs {
            let blob = StoredBlob { size: bytes.len() as u64, inline: Some(bytes.clone()) };
            blobs::add(session, &change, digest, &blob, self.at)?;
        }
        let put = manifests::put(session, &change, &self.manifest, std::slice::from_ref(&self.tag))?;
        packages::record(session, put.id, &self.package)?;
        versions::follow_tags(session, &change, &put.moved, Some(put.id))?;
        let Some(First { visibility, team, standing }) = self.first else { return Ok(()) };
        if visibility != Visibility::Private {
            repositories::set_visibility(session, &change, visibility)?;
        }
        if let Some(team) = team {
            grants::set(session, id, GranteeId::Team(teams[team]), Level::Read, None, self.at)?;
        }
        let [downloads, ratings, stars] = standing.map(Value::Integer);
        let sql = "INSERT INTO standing (repository_id, downloads, ratings, stars) VALUES (?1, ?2, ?3, ?4)";
        session.execute(sql, &[id.into(), downloads, ratings, stars]).map(|_| ())
    }
}

/// Writes all of a plan, prepared by another thread meanwhile.
pub(crate) async fn fill(index: &Sqlite, plan: Arc<Plan>, teams: Vec<TeamId>) -> Result<Facts> {
    let teams = Arc::new(teams);
    let (sender, mut receiver) = mpsc::channel(4);
    let preparing = std::thread::spawn(move || prepare(&plan, &sender));
    index.write(|session| relax(session)).await?;
    while let Some(batch) = receiver.recv().await {
        let (mut batch, mut writes) = (Vec::into_iter(batch), vec![]);
        while batch.len() > 0 {
            let (part, teams): (Vec<Prepared>, _) = (batch.by_ref().take(CLOSURE).collect(), Arc::clone(&teams));
            writes.push(index.write(move |session| part.iter().try_for_each(|version| version.store(session, &teams))));
        }
        try_join_all(writes).await?;
        index.write(|session| forget(session)).await?;
    }
    preparing.join().ok().context("the preparing thread broke off")?
}

/// Lets pages that many versions change be written once; the setting ends with the connection.
fn relax(session: &mut dyn Session) -> Result<(), Error> {
    session.query("PRAGMA cache_size = -262144", &[])?;
    session.query("PRAGMA wal_autocheckpoint = 20000", &[]).map(|_| ())
}

/// Forgets old events, as a registry does that has been there for long.
fn forget(session: &mut dyn Session) -> Result<(), Error> {
    let keep = [Value::Integer(EVENTS)];
    session.execute("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1", &keep)?;
    let sql = "UPDATE event_floor SET value = max(0, (SELECT max(id) FROM event) - ?1) WHERE id = 1";
    session.execute(sql, &keep).map(|_| ())
}

fn prepare(plan: &Plan, sender: &mpsc::Sender<Vec<Prepared>>) -> Result<Facts> {
    let (mut counting, mut batch) = (Counting::default(), Vec::with_capacity(BATCH));
    for (minute, number, place) in plan.turns() {
        let package = &plan.packages[number];
        let source = Source::new(plan.metadata(number), plan.readme(number));
        let (repository, version) = (plan.repository(package), plan::text(package.versions[place]));
        let mut prepared = Prepared::new(&repository, &source, &version, plan::moment(minute)?, place == 0)?;
        if place == 0 {
            let (visibility, team) = (package.visibility, package.team);
            prepared.first = Some(First { visibility, team, standing: Plan::standing(number) });
            counting.package(&source);
        }
        counting.version(prepared.manifest.bytes().len(), prepared.blobs.iter().map(|(_, bytes)| bytes.len()).sum());
        batch.push(prepared);
        if batch.len() == BATCH {
            sender.blocking_send(std::mem::take(&mut batch))?;
        }
    }
    sender.blocking_send(batch)?;
    Ok(counting.facts(plan))
}
