//! Every change that storage makes to the disk, in one place: what a crash may undo is decided here, and can be watched.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// One change that has just been made. Until it is synced, a power failure may undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// An empty file has a name.
    Created(&'a Path),
    /// Bytes were added to the end of a file.
    Appended(&'a Path, &'a [u8]),
    /// A file was cut to a length in bytes.
    Cut(&'a Path, u64),
    /// What was added to a file, or cut off, is durable.
    Synced(&'a Path),
    /// A file has another name.
    Renamed(&'a Path, &'a Path),
    /// A file has one more name.
    Linked(&'a Path, &'a Path),
    /// A file's name is gone.
    Removed(&'a Path),
    /// The names in a folder are durable.
    FolderSynced(&'a Path),
}

/// Sees every step in the order in which one thread takes them, before anything that follows from it.
pub trait Witness: fmt::Debug + Send + Sync {
    /// A step was taken.
    fn saw(&self, step: Step<'_>);
}

/// The way to the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Option<Arc<dyn Witness>>);

impl Disk {
    pub(super) fn watched(witness: Arc<dyn Witness>) -> Self {
        Self(Some(witness))
    }

    /// Makes an empty file, to be read and written; it is an error if there is one.
    pub(super) fn create(&self, path: &Path) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        self.tell(Step::Created(path));
        Ok(file)
    }

    /// Adds bytes; the file's cursor is at its end.
    pub(super) fn append(&self, mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)?;
        self.tell(Step::Appended(path, bytes));
        Ok(())
    }

    /// Cuts a file.
    pub(super) fn cut(&self, file: &File, path: &Path, length: u64) -> io::Result<()> {
        file.set_len(length)?;
        self.tell(Step::Cut(path, length));
        Ok(())
    }

    /// Makes a file's content durable; its name needs [`Disk::sync_folder`].
    pub(super) fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_data()?;
        self.tell(Step::Synced(path));
        Ok(())
    }

    /// Gives a file one more name; whether that was possible here.
    pub(super) fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
        match fs::hard_link(from, to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            // Another file system, or one without links; what is there already is looked at by whoever copies.
            Err(_) => return Ok(false),
        }
        self.tell(Step::Linked(from, to));
        Ok(true)
    }

    /// Gives a file another name, instead of a file that has it.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.tell(Step::Renamed(from, to));
        Ok(())
    }

    /// Takes a file's name away.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        self.tell(Step::Removed(path));
        Ok(())
    }

    /// Makes the names in a folder durable.
    pub(super) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a folder cannot be opened as a file; the system's own journal has to do.
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        self.tell(Step::FolderSynced(path));
        Ok(())
    }

    fn tell(&self, step: Step<'_>) {
        if let Some(witness) = &self.0 {
            witness.saw(step);
        }
    }
}

/// Makes a folder with all that leads to it, so that it is still there after a power failure.
pub fn create_folder_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    sync_folder(parent)
}

/// Makes the names in a folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    Disk::default().sync_folder(path)
}
