//! A disk that remembers: every step that storage took, every commit, every answer; and what a power failure after any
//! of them would have left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use agent_registry::index::Commits;
use agent_registry::storage::{Step, Witness};
use tokio::sync::Notify;

use crate::client::{Acknowledged, Begun};

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) enum Happened {
    Created(PathBuf),
    Appended(PathBuf, Vec<u8>),
    Cut(PathBuf, u64),
    Synced(PathBuf),
    Renamed(PathBuf, PathBuf),
    Linked(PathBuf, PathBuf),
    Removed(PathBuf),
    FolderSynced(PathBuf),
    /// The database's files, right after a commit: with `synchronous=FULL` the log is synced before the commit counts,
    /// and what a checkpoint moved since is in the log still. So these bytes are what a power failure leaves.
    Committed(Arc<Vec<(String, Vec<u8>)>>),
    /// A client was told that its push is done.
    Acknowledged(Acknowledged),
    /// A client was told that the first half of its upload is there.
    Begun(Begun),
    /// Whoever writes the recovery journal was told that all up to this record is there.
    Journalled(u64),
}

/// The folder of the recovery journal.
pub(crate) const JOURNAL: &str = "journal";
/// Longer than any commit takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Writes down what happens to one data directory.
#[derive(Debug)]
pub(crate) struct Recorder {
    root: PathBuf,
    log: Mutex<Log>,
    noted: Condvar,
    /// Tells whenever bytes were added to the journal, which are not synced then.
    pub(crate) journal_grows: Notify,
}

#[derive(Debug, Default)]
struct Log {
    happened: Vec<Happened>,
    is_committing: bool,
}

impl Recorder {
    pub(crate) fn new(root: &Path) -> Arc<Self> {
        let (log, noted, journal_grows) = (Mutex::default(), Condvar::new(), Notify::new());
        Arc::new(Self { root: root.to_owned(), log, noted, journal_grows })
    }

    pub(crate) fn note(&self, what: Happened) {
        self.log.lock().unwrap().happened.push(what);
    }

    /// Forgets what happened while the directory was made, and keeps how the database is.
    pub(crate) fn begin(&self) {
        self.log.lock().unwrap().happened.clear();
        self.committed();
    }

    pub(crate) fn happened(&self) -> Vec<Happened> {
        self.log.lock().unwrap().happened.clone()
    }
}

impl Witness for Recorder {
    fn saw(&self, step: Step<'_>) {
        let inside = |path: &Path| path.strip_prefix(&self.root).unwrap().to_owned();
        let step = match step {
            Step::Created(path) => Happened::Created(inside(path)),
            Step::Appended(path, bytes) => Happened::Appended(inside(path), bytes.to_vec()),
            Step::Cut(path, length) => Happened::Cut(inside(path), length),
            Step::Synced(path) => Happened::Synced(inside(path)),
            Step::Renamed(from, to) => Happened::Renamed(inside(from), inside(to)),
            Step::Linked(from, to) => Happened::Linked(inside(from), inside(to)),
            Step::Removed(path) => Happened::Removed(inside(path)),
            Step::FolderSynced(path) => Happened::FolderSynced(inside(path)),
        };
        let mut log = self.log.lock().unwrap();
        if let Happened::Appended(path, _) = &step
            && path.starts_with(JOURNAL)
        {
            // It may tell of a commit that has taken effect, and is not written down yet.
            let waited = self.noted.wait_timeout_while(log, PATIENCE, |log| log.is_committing).unwrap();
            assert!(!waited.1.timed_out(), "a commit does not end");
            log = waited.0;
            self.journal_grows.notify_waiters();
        }
        log.happened.push(step);
    }
}

impl Commits for Recorder {
    fn committing(&self) {
        self.log.lock().unwrap().is_committing = true;
    }

    fn committed(&self) {
        // The thread that writes is here, so nothing changes while it is copied.
        let names = ["index.sqlite", "index.sqlite-wal"];
        let read = |name: &str| Some((name.to_owned(), fs::read(self.root.join(name)).ok()?));
        let database = Arc::new(names.into_iter().filter_map(read).collect());
        let mut log = self.log.lock().unwrap();
        log.happened.push(Happened::Committed(database));
        log.is_committing = false;
        self.noted.notify_all();
    }
}

/// What of the unsynced a power failure left.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    /// Nothing: neither names nor bytes.
    Nothing,
    /// The names, for files that are empty or short: what a journalling file system may do.
    Names,
    /// The bytes, but for files whose names are those of before.
    Bytes,
    /// All of it, as after a kill.
    Everything,
}

impl Left {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Names, Self::Bytes, Self::Everything];
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

/// The disk as it is after some of what happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    database: Arc<Vec<(String, Vec<u8>)>>,
}

impl Disk {
    pub(crate) fn take(&mut self, what: &Happened) {
        match what {
            Happened::Created(path) => {
                self.files.push(File::default());
                self.names.insert(path.clone(), self.files.len() - 1);
            }
            Happened::Appended(path, bytes) => self.file(path).bytes.extend_from_slice(bytes),
            Happened::Cut(path, length) => self.file(path).bytes.truncate(usize::try_from(*length).unwrap()),
            Happened::Synced(path) => {
                let file = self.file(path);
                file.durable = file.bytes.clone();
            }
            Happened::Renamed(from, to) => {
                let file = self.names.remove(from).unwrap();
                self.names.insert(to.clone(), file);
            }
            Happened::Linked(from, to) => drop(self.names.insert(to.clone(), self.names[from])),
            Happened::Removed(path) => drop(self.names.remove(path)),
            Happened::FolderSynced(folder) => {
                self.durable_names.retain(|path, _| path.parent() != Some(folder));
                let inside = self.names.iter().filter(|(path, _)| path.parent() == Some(folder));
                self.durable_names.extend(inside.map(|(path, file)| (path.clone(), *file)));
            }
            Happened::Committed(database) => self.database = Arc::clone(database),
            Happened::Acknowledged(_) | Happened::Begun(_) | Happened::Journalled(_) => {}
        }
    }

    fn file(&mut self, path: &Path) -> &mut File {
        &mut self.files[self.names[path]]
    }

    /// Lays the disk out in a folder, as a power failure at this moment would have left it.
    pub(crate) fn write(&self, root: &Path, left: Left) {
        let names = match left {
            Left::Nothing | Left::Bytes => &self.durable_names,
            Left::Names | Left::Everything => &self.names,
        };
        for (name, file) in names {
            let file = &self.files[*file];
            let bytes = match left {
                Left::Nothing | Left::Names => &file.durable,
                Left::Bytes | Left::Everything => &file.bytes,
            };
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        for (name, bytes) in &*self.database {
            fs::write(root.join(name), bytes).unwrap();
        }
    }
}
