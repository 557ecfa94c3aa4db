//! Where the index of search is kept: in memory, or in a folder in which a new one can be made beside the old.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Error;
use crate::search::{self, Opened, Search};
use crate::storage::create_folder_durably;

/// The file that names the index in use.
const CURRENT: &str = "CURRENT";

/// Where an index of search is kept, and where the next one goes.
#[derive(Debug)]
pub(super) enum Place {
    /// Filled anew at each start.
    Memory,
    /// In a folder of a folder, by its number.
    Folder(PathBuf),
}

impl Place {
    /// Opens the index in use, which may be new. Whatever else is in the folder is thrown away.
    pub(super) fn open(&self) -> Result<(Opened, u64), Error> {
        let Self::Folder(folder) = self else { return Ok((in_memory()?, 0)) };
        if !folder.is_dir() {
            clear(folder)?;
        }
        create_folder_durably(folder).map_err(|source| failed(folder, source))?;
        let number = current(folder);
        for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))?.flatten() {
            if entry.file_name() != *CURRENT && entry.file_name() != *number.to_string() {
                // Of a rebuilding that broke off, or of the one before: it only takes space.
                let _ = clear(&entry.path());
            }
        }
        Ok((open(&folder.join(number.to_string()))?, number))
    }

    /// Makes a new, empty index beside the one of a number.
    pub(super) fn begin(&self, number: u64) -> Result<(Opened, u64), Error> {
        let Self::Folder(folder) = self else { return Ok((in_memory()?, number + 1)) };
        let new = folder.join((number + 1).to_string());
        clear(&new)?;
        Ok((open(&new)?, number + 1))
    }

    /// Makes an index the one in use, also after a restart.
    pub(super) fn choose(&self, number: u64) -> Result<(), Error> {
        let Self::Folder(folder) = self else { return Ok(()) };
        let (path, temporary) = (folder.join(CURRENT), folder.join("CURRENT.new"));
        // Lost with the power, the index before is used, or a new one: both are only older.
        let written = fs::write(&temporary, number.to_string()).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(|source| failed(&path, source))
    }

    /// Throws away an index that is no longer in use.
    pub(super) fn discard(&self, number: u64) {
        if let Self::Folder(folder) = self {
            // What is left is thrown away at the next start.
            let _ = clear(&folder.join(number.to_string()));
        }
    }
}

/// Takes away whatever stands there, if anything does: all of it can be made again.
fn clear(path: &Path) -> Result<(), Error> {
    let cleared = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match cleared {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(path, source)),
        _ => Ok(()),
    }
}

fn in_memory() -> Result<Opened, search::Error> {
    Ok(Opened { search: Search::in_memory()?, is_new: true })
}

fn open(folder: &Path) -> Result<Opened, Error> {
    if !folder.is_dir() {
        clear(folder)?;
    }
    create_folder_durably(folder).map_err(|source| failed(folder, source))?;
    Ok(Search::open(folder)?)
}

fn current(folder: &Path) -> u64 {
    let text = fs::read_to_string(folder.join(CURRENT)).ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(1)
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Files { path: path.to_owned(), source }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_index_is_opened_again_and_the_others_are_thrown_away() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("search");
        let place = Place::Folder(folder.clone());
        let (opened, number) = place.open().unwrap();
        assert!(opened.is_new && number == 1);
        opened.search.apply(vec![], 7).unwrap();
        let (next, second) = place.begin(number).unwrap();
        assert!(next.is_new && second == 2);
        next.search.apply(vec![], 9).unwrap();
        drop((opened, next));
        let (again, number) = place.open().unwrap();
        assert_eq!((again.search.position(), number), (7, 1), "nobody has chosen the other");
        assert!(!folder.join("2").exists());
        let (next, second) = place.begin(number).unwrap();
        next.search.apply(vec![], 11).unwrap();
        place.choose(second).unwrap();
        place.discard(number);
        drop((again, next));
        let (chosen, number) = place.open().unwrap();
        assert_eq!((chosen.search.position(), number, chosen.is_new), (11, 2, false));
        assert!(!folder.join("1").exists());
        drop(chosen);
        fs::write(folder.join(CURRENT), "nonsense").unwrap();
        assert!(place.open().unwrap().0.is_new);
        for taken in [folder.join("1"), folder.clone()] {
            fs::remove_dir_all(&taken).unwrap();
            fs::write(&taken, "a file in its place").unwrap();
            assert!(place.open().unwrap().0.is_new, "{}", taken.display());
        }
    }
}
