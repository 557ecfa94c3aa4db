//! What is done to a data directory while no server runs on it: built again from its journal, or restored from a copy.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::data_dir::is_marked;
use super::{DataDir, Error};
use crate::index::Sqlite;
use crate::registry::{self, BackedUp, Mode, Rebuilt, Registry};
use crate::storage::FileStore;

/// Builds the lost index of a data directory again from its recovery journal and its blobs.
pub async fn reindex(data: &Path) -> Result<Rebuilt, Error> {
    let directory = DataDir::open_existing(data)?;
    if directory.index().exists() {
        return Err(Error::IndexPresent(data.to_owned()));
    }
    let new = data.join("index.new");
    for leftover in [&new, &data.join("index.new-wal"), &data.join("index.new-shm")] {
        // Of a rebuilding that broke off; what cannot be removed makes the opening fail.
        let _ = fs::remove_file(leftover);
    }
    // A log without its index belongs to the lost one.
    for log in ["index.sqlite-wal", "index.sqlite-shm"] {
        let _ = fs::remove_file(data.join(log));
    }
    // Search of the lost index: it is made again when the registry next serves.
    match fs::remove_dir_all(directory.search()) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(Error::DataDir { path: directory.search(), source });
        }
        _ => {}
    }
    let registry = Registry::new(Arc::new(FileStore::open(data, None)?), Sqlite::open(&new)?, Mode::Accounts);
    let rebuilt = registry.rebuild(&directory.journal()).await?;
    drop(registry);
    registry::put_in_place(&new, &directory.index())?;
    Ok(rebuilt)
}

/// Makes a data directory from a copy; the directory must be empty or not there.
pub async fn restore(copy: &Path, data: &Path) -> Result<BackedUp, Error> {
    if !is_marked(copy)? {
        return Err(Error::NoBackup(copy.to_owned()));
    }
    let is_empty = fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(Error::Occupied(data.to_owned()));
    }
    let _directory = DataDir::open(data)?;
    Ok(registry::restore(copy, data).await?)
}
