//! Copies of a whole registry: made while it serves, and turned into a registry again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Error, Registry};
use crate::index::events::RESERVED_NUMBERS;
use crate::index::repositories::{self, Totals};
use crate::index::{Reader, Session, Sqlite, blobs, events, uploads};
use crate::oci::Digest;
use crate::storage::{self, BlobStore, FileStore, Journal, create_folder_durably, sync_folder};

/// Blobs whose names are read at a time.
const PAGE: usize = 1_000;
/// The index in a data directory and in a copy of one.
const INDEX: &str = "index.sqlite";
/// The recovery journal in them.
const JOURNAL: &str = "journal";

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of the last event it knows.
    pub last_event: u64,
    /// What its index holds.
    pub totals: Totals,
    /// Blobs that are files; the small ones are in the index.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that the index names and whose bytes are lost, here as in the original.
    pub lost: Vec<Digest>,
}

impl Registry {
    /// Copies everything as it is at one moment into a new folder, in the layout of a data directory; pushes go on.
    ///
    /// `data` is the registry's own directory, whose journal comes along. Blobs are linked where both are on one file
    /// system. What is durable when this answers has no `VERSION` yet, which is left to who calls: it says that the
    /// copy is whole.
    pub async fn back_up(&self, data: &Path, target: &Path) -> Result<BackedUp, Error> {
        prepare(data, target)?;
        // Before the index, which a journal must never be ahead of.
        let (journal, copy) = (data.join(JOURNAL), target.join(JOURNAL));
        let (index, path) = (Arc::clone(&self.index), target.join(INDEX));
        let copying = move || {
            Journal::copy(&journal, &copy)?;
            Ok::<_, Error>(index.back_up(&path)?)
        };
        tokio::task::spawn_blocking(copying).await??;
        // After it: every blob it names was there before it did.
        let copied = copy_blobs(&target.join(INDEX), &*self.store, &FileStore::open(target, None)?).await?;
        sync_folder(target).map_err(|source| failed(target, source))?;
        Ok(copied)
    }
}

/// Turns a copy into a data directory, which must hold no registry yet. The copy stays as it is.
pub async fn restore(copy: &Path, data: &Path) -> Result<BackedUp, Error> {
    let (source, target) = (FileStore::open(copy, None)?, FileStore::open(data, None)?);
    let restored = copy_blobs(&copy.join(INDEX), &source, &target).await?;
    Journal::copy(&copy.join(JOURNAL), &data.join(JOURNAL))?;
    // The index comes last: until it is there, nobody takes the directory for a registry.
    let (new, index) = (data.join("index.new"), data.join(INDEX));
    fs::copy(copy.join(INDEX), &new).map_err(|source| failed(&new, source))?;
    let opened = Sqlite::open(&new)?;
    let prepare = |session: &mut dyn Session| {
        // The bytes of unfinished uploads are in no copy.
        uploads::remove_all(session)?;
        // The original has gone on, and whoever follows its feed has seen the numbers that come next.
        let last = events::last(session)?.unsigned_abs();
        events::reserve(session, i64::try_from(last.saturating_add(RESERVED_NUMBERS)).unwrap_or(i64::MAX))?;
        Ok::<_, Error>(())
    };
    opened.write(prepare).await?;
    drop(opened);
    put_in_place(&new, &index)?;
    Ok(restored)
}

/// Gives a closed index its name, durably.
pub fn put_in_place(new: &Path, index: &Path) -> Result<(), Error> {
    let synced = fs::File::open(new).and_then(|file| file.sync_all());
    synced.and_then(|()| fs::rename(new, index)).map_err(|source| failed(index, source))?;
    let folder = index.parent().unwrap_or(Path::new("."));
    sync_folder(folder).map_err(|source| failed(folder, source))
}

async fn copy_blobs(index: &Path, source: &dyn BlobStore, target: &FileStore) -> Result<BackedUp, Error> {
    let mut index = Reader::open(index)?;
    let session: &mut dyn Session = &mut index;
    let (totals, last_event) = (repositories::totals(session)?, events::last(session)?.unsigned_abs());
    let mut copied = BackedUp { last_event, totals, files: 0, bytes: 0, lost: vec![] };
    let mut last = None;
    loop {
        let page = blobs::files(&mut index, last.as_ref(), PAGE)?;
        for (digest, size) in &page {
            match source.copy_into(digest, target).await {
                Ok(info) if info.size == *size => {
                    copied.files += 1;
                    copied.bytes += size;
                }
                Ok(_) | Err(storage::Error::NotFound(_) | storage::Error::DigestMismatch { .. }) => {
                    copied.lost.push(*digest);
                }
                Err(error) => return Err(error.into()),
            }
        }
        last = page.last().map(|(digest, _)| *digest);
        if page.len() < PAGE {
            break;
        }
    }
    target.sync_names().await?;
    Ok(copied)
}

/// Makes an empty folder outside the data directory.
fn prepare(data: &Path, target: &Path) -> Result<(), Error> {
    let wrong = |problem| Err(Error::Folder { path: target.to_owned(), problem });
    if !target.is_absolute() {
        return wrong("is no absolute path");
    }
    create_folder_durably(target).map_err(|source| failed(target, source))?;
    let canonical = |path: &Path| path.canonicalize().map_err(|source| failed(path, source));
    if canonical(target)?.starts_with(canonical(data)?) {
        return wrong("lies inside the data directory");
    }
    let mut entries = fs::read_dir(target).map_err(|source| failed(target, source))?;
    if entries.next().is_some() { wrong("is not empty") } else { Ok(()) }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Files { path: PathBuf::from(path), source }
}
