//! What stands where a package is to go, and whether it may be replaced: never what somebody may miss.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use super::{Error, Store};
use crate::package::{Config, Difference, FilePath, Tree, compare};

/// What stands at a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Free,
    /// The package itself.
    Same,
    /// Something that may be replaced.
    Replaceable,
}

/// Looks at a target. A folder may be replaced if its files are those of a package of the same name in the store, or
/// if there are none; by `force` anything may.
pub(super) fn look_at(target: &Path, config: &Config, store: &Store, force: bool) -> Result<Standing, Error> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Free),
        Err(source) => return Err(Error::io("read", target)(source)),
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) if force => return Ok(Standing::Replaceable),
        Ok(_) => return Err(Error::Occupied(target.to_owned())),
    }
    let mut closest = differences(target, config)?;
    if closest.is_empty() && !config.files.is_empty() {
        return Ok(Standing::Same);
    }
    let is_empty = fs::read_dir(target).map_err(Error::io("read", target))?.next().is_none();
    if force || is_empty {
        return Ok(Standing::Replaceable);
    }
    let mut compared = HashSet::new();
    let mut is_first = true;
    for entry in store.entries()? {
        let Some(stored) = entry.config.filter(|stored| stored.metadata.name == config.metadata.name) else { continue };
        if !compared.insert(entry.manifest) {
            continue;
        }
        let found = differences(target, &stored)?;
        if found.is_empty() {
            return Ok(Standing::Replaceable);
        }
        // What was edited is told against the version the folder came from, which is likely the closest.
        if is_first || found.len() < closest.len() {
            closest = found;
            is_first = false;
        }
    }
    Err(Error::Edited { path: target.to_owned(), differences: closest })
}

/// What ignore rules leave out of a folder: it is moved over when the folder is replaced.
pub(super) fn left_out(target: &Path) -> Result<Vec<FilePath>, Error> {
    if !fs::symlink_metadata(target).map_err(Error::io("read", target))?.is_dir() {
        return Ok(vec![]);
    }
    match Tree::walk(target) {
        Ok(tree) => Ok(tree.left_out.into_iter().map(|left| left.path).collect()),
        Err(source) => Err(Error::Unreadable { path: target.to_owned(), source }),
    }
}

fn differences(target: &Path, config: &Config) -> Result<Vec<Difference>, Error> {
    compare(target, config).map_err(|source| Error::Unreadable { path: target.to_owned(), source })
}
