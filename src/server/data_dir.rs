//! The data directory: one process owns it, and a `VERSION` file says how to read it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use crate::storage::{self, Journal, Witness, create_folder_durably, sync_folder};

/// The layout this program reads and writes: `blobs/`, `uploads/`, `journal/`, `index.sqlite`. What is in `search/` can
/// be thrown away.
pub const FORMAT: &str = "agent-registry 1";

/// A data directory that belongs to this process until dropped.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    witness: Option<Arc<dyn Witness>>,
    // The lock ends with the file.
    _lock: File,
}

impl DataDir {
    /// Takes the directory, creating it where needed. A second process is refused.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let failed = |path: &Path, source| Error::DataDir { path: path.to_owned(), source };
        create_folder_durably(root).map_err(|source| failed(root, source))?;
        let path = root.join("LOCK");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|source| failed(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked(root.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(&path, source)),
        }
        let directory = Self { root: root.to_owned(), witness: None, _lock: lock };
        directory.check_format()?;
        Ok(directory)
    }

    /// Takes a directory that a registry has used before.
    pub fn open_existing(root: &Path) -> Result<Self, Error> {
        if is_marked(root)? { Self::open(root) } else { Err(Error::NoDataDir(root.to_owned())) }
    }

    /// Lets somebody watch what is done to the recovery journal.
    #[must_use]
    pub fn watched(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database of the index.
    pub fn index(&self) -> PathBuf {
        self.root.join("index.sqlite")
    }

    /// The folder of the recovery journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The folder of search, which is made again from the index where it is missing.
    pub fn search(&self) -> PathBuf {
        self.root.join("search")
    }

    /// How to open the recovery journal, for whoever owns the directory.
    pub(super) fn journal_opener(&self) -> impl Fn() -> Result<Journal, storage::Error> + Clone + Send + 'static {
        let (folder, witness) = (self.journal(), self.witness.clone());
        move || match &witness {
            Some(witness) => Journal::open_watched(&folder, Arc::clone(witness)),
            None => Journal::open(&folder),
        }
    }

    fn check_format(&self) -> Result<(), Error> {
        if is_marked(&self.root)? { Ok(()) } else { mark(&self.root) }
    }
}

/// Whether a folder has the layout this program knows; one of another layout is an error.
pub(super) fn is_marked(root: &Path) -> Result<bool, Error> {
    let path = root.join("VERSION");
    match fs::read_to_string(&path) {
        Ok(found) if found.trim() == FORMAT => Ok(true),
        Ok(found) => {
            let found = found.trim().chars().take(60).collect();
            Err(Error::Format { path: root.to_owned(), found, known: FORMAT })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::DataDir { path, source }),
    }
}

/// Says of a folder that it has the layout this program knows, durably.
pub(super) fn mark(root: &Path) -> Result<(), Error> {
    let path = root.join("VERSION");
    write_durably(&path).map_err(|source| Error::DataDir { path, source })
}

fn write_durably(path: &Path) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // The file store syncs the folder before anything is acknowledged; this does not lean on it.
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_and_only_a_known_format() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("deep/data");
        let first = DataDir::open(&root).unwrap();
        assert!(matches!(DataDir::open(&root), Err(Error::Locked(_))));
        drop(first);
        drop(DataDir::open(&root).unwrap());
        fs::write(root.join("VERSION"), "agent-registry 2\n").unwrap();
        let refused = DataDir::open(&root).unwrap_err().to_string();
        assert!(refused.contains("`agent-registry 2`") && refused.contains("`agent-registry 1`"), "{refused}");
    }
}
