//! The data directory of the world: made once, kept between runs below `target/`, and made anew when its makers change
//! or the pushes of many runs have made it another world.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use agent_registry::index::{Error, Reader, Sqlite, events};
use agent_registry::oci::Digest;
use agent_registry::storage::Journal;
use anyhow::{Context as _, Result};

use super::facts::Facts;
use super::people::{self, ADMIN_TOKEN};
use super::plan::Plan;
use super::{fill, vocabulary};
use crate::programs::ok;
use crate::server::Server;

/// What a world is made by.
const MAKERS: [&str; 9] = [
    include_str!("artifact.rs"),
    include_str!("facts.rs"),
    include_str!("fill.rs"),
    include_str!("people.rs"),
    include_str!("plan.rs"),
    include_str!("random.rs"),
    include_str!("vocabulary.rs"),
    include_str!("../../../src/index/migrations/0003_catalogue.sql"),
    include_str!("../../../src/package/annotations.rs"),
];
/// Versions of a world, unless there are more packages than that.
const VERSIONS_A_PACKAGE: usize = 10;
const MAX_VERSIONS: usize = 1_000_000;
/// How much larger than when it was made it may be, in parts of a hundred.
const MAX_GROWTH: u64 = 110;

/// A world that no server runs over.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) facts: Facts,
    /// Bytes of the database when it was made.
    pub(crate) made_bytes: u64,
    folder: PathBuf,
}

impl World {
    /// The world of so many packages, made where it is not there.
    pub(crate) async fn of(packages: usize) -> Result<Self> {
        let versions = (packages * VERSIONS_A_PACKAGE).clamp(packages, MAX_VERSIONS.max(packages));
        let makers = Digest::sha256(MAKERS.concat().as_bytes());
        let (origin, _) = vocabulary::origins();
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let worlds = temporary.parent().context("a target folder")?.join("bench-world");
        let folder = worlds.join(format!("{packages}-{origin}"));
        if let Some(world) = Self::kept(&folder, &makers.hex()[..16])? {
            return Ok(world);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let began = Instant::now();
        let facts = make(&folder, packages, versions).await?;
        println!("{versions} versions of {packages} packages stored in {:.0?}", began.elapsed());
        // Last, since it says that all is there.
        let made_bytes = fs::metadata(folder.join("data/index.sqlite"))?.len();
        let said = serde_json::to_vec_pretty(&(makers.hex()[..16].to_owned(), made_bytes, &facts))?;
        fs::write(folder.join("world.json"), said)?;
        Ok(Self { facts, made_bytes, folder })
    }

    fn kept(folder: &Path, makers: &str) -> Result<Option<Self>> {
        let Ok(said) = fs::read(folder.join("world.json")) else { return Ok(None) };
        let Ok((made_by, made_bytes, facts)) = serde_json::from_slice::<(String, u64, Facts)>(&said) else {
            return Ok(None);
        };
        let is_near = fs::metadata(folder.join("data/index.sqlite"))?.len() <= made_bytes * MAX_GROWTH / 100;
        Ok((made_by == makers && is_near).then(|| Self { facts, made_bytes, folder: folder.to_owned() }))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn index(&self) -> PathBuf {
        self.data().join("index.sqlite")
    }

    /// Starts a server over it. One at a time.
    pub(crate) fn serve(&self) -> Result<Server> {
        serve(&self.folder)
    }

    /// Opens the database while no server has it.
    pub(crate) fn open(&self) -> Result<Sqlite> {
        Ok(Sqlite::open(&self.index())?)
    }

    /// The number of the newest event.
    pub(crate) fn last_event(&self) -> Result<u64> {
        let last: Result<_, Error> = Reader::open(&self.index())?.snapshot(|session| events::last(session));
        Ok(last?.unsigned_abs())
    }

    /// Bytes of search's files.
    pub(crate) fn search_bytes(&self) -> Result<u64> {
        bytes_in(&self.data().join("search"))
    }

    /// Throws it all away.
    pub(crate) fn discard(self) -> Result<()> {
        Ok(fs::remove_dir_all(self.folder)?)
    }

    /// Throws away what search keeps.
    pub(crate) fn forget_search(&self) -> Result<()> {
        let folder = self.data().join("search");
        if folder.exists() { Ok(fs::remove_dir_all(folder)?) } else { Ok(()) }
    }
}

/// A server with accounts over the `data` of a folder, whose administrator has [`ADMIN_TOKEN`].
pub(crate) fn serve(folder: &Path) -> Result<Server> {
    let token = folder.join("token");
    fs::write(&token, ADMIN_TOKEN)?;
    let token = token.to_str().context("the folder's name is no UTF-8")?;
    Server::ours_over(&folder.join("data"), &["--admin-token-file", token])
}

async fn make(folder: &Path, packages: usize, versions: usize) -> Result<Facts> {
    // Makes the directory what it has to be, with its administrator.
    drop(serve(folder)?);
    let index = Sqlite::open(&folder.join("data/index.sqlite"))?;
    let plan = Arc::new(Plan::new(packages, versions)?);
    let teams = people::fill(&index, &plan).await?;
    let facts = fill::fill(&index, plan, teams).await?;
    let last: Result<_, Error> = index.read(|session| events::last(session));
    // The journal would be a copy of it all, which nothing here reads: it begins after what was written.
    Journal::open(&folder.join("data/journal"))?.append(&[(last?.unsigned_abs(), b"{}".to_vec())])?;
    drop(index);
    // What was written must not be on its way to the disk any more while something is measured.
    ok(&mut Command::new("sync"))?;
    Ok(facts)
}

fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { bytes_in(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
