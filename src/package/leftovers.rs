//! Temporary folders of pulls that were killed: found beside the target by the next pull, and removed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// What follows the package's name in the name of a temporary folder; nobody else calls a folder so.
const MARK: &str = ".agent-pull-";

/// Age below which a folder is left alone: its owner may be just about to lock it.
const MIN_AGE: Duration = Duration::from_hours(1);

/// A temporary folder that others can tell from one whose owner is gone.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) folder: TempDir,
    // The lock ends with the process, whatever ends that. Some systems cannot lock folders; nothing is removed there.
    _lock: Option<File>,
}

impl Temporary {
    /// Makes one inside `directory`.
    pub(super) fn new(directory: &Path, name: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!(".{name}{MARK}")).tempdir_in(directory)?;
        let lock = File::open(folder.path()).ok().filter(|file| file.try_lock().is_ok());
        Ok(Self { folder, _lock: lock })
    }
}

/// Removes what killed pulls of a package left inside `directory`. Where it cannot be done it is not: the pull at hand
/// does not depend on it. One in which a replaced folder waits is kept, as that may have files of the user.
pub(super) fn remove_leftovers(directory: &Path, name: &str, kept: &str) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let prefix = format!(".{name}{MARK}");
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix));
        if is_ours && is_abandoned(&entry.path()) && !entry.path().join(kept).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let Ok(metadata) = fs::symlink_metadata(path) else { return false };
    let age = metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    let is_old = metadata.is_dir() && age.is_some_and(|age| age >= MIN_AGE);
    is_old && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn age(path: &Path) {
        File::open(path).unwrap().set_modified(SystemTime::now() - MIN_AGE * 2).unwrap();
    }

    #[test]
    fn only_old_folders_without_an_owner_go() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = place.path().join(name);
            fs::create_dir_all(path.join("demo")).unwrap();
            path
        };
        let killed = folder(".demo.agent-pull-aaaaaa");
        let with_replaced = folder(".demo.agent-pull-bbbbbb");
        fs::create_dir(with_replaced.join(".replaced")).unwrap();
        let kept = [folder(".demo.backup"), folder(".other.agent-pull-aaaaaa"), folder("demo"), with_replaced];
        let running = Temporary::new(place.path(), "demo").unwrap();
        for path in kept.iter().chain([&killed, &running.folder.path().to_owned()]) {
            age(path);
        }
        let young = folder(".demo.agent-pull-cccccc");
        remove_leftovers(place.path(), "demo", ".replaced");
        assert!(!killed.exists());
        for path in kept.iter().chain([&young, &running.folder.path().to_owned()]) {
            assert!(path.exists(), "{}", path.display());
        }
    }
}
