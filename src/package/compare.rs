//! A folder on disk against the package it came from: what was edited since.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::config::{Config, FileEntry};
use super::file_path::FilePath;
use super::tree::{Tree, TreeError, TreeFile};

/// One file that is not as the package has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A file the package does not have.
    Added(FilePath),
    /// A file of the package that is not there.
    Missing(FilePath),
    /// A file with other content or another mode.
    Changed(FilePath),
}

impl Difference {
    /// The file.
    pub fn path(&self) -> &FilePath {
        match self {
            Self::Added(path) | Self::Missing(path) | Self::Changed(path) => path,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(path) => write!(f, "added {path}"),
            Self::Missing(path) => write!(f, "missing {path}"),
            Self::Changed(path) => write!(f, "changed {path}"),
        }
    }
}

/// Compares a folder with a configuration, in the order of the paths; empty when they have the same files. Files that
/// ignore rules leave out do not count, unless the package has them. Empty folders do not count.
pub fn compare(root: &Path, config: &Config) -> Result<Vec<Difference>, TreeError> {
    let tree = Tree::walk(root)?;
    let mut there: BTreeMap<FilePath, TreeFile> =
        tree.files.into_iter().map(|file| (file.path.clone(), file)).collect();
    let mut differences = vec![];
    for listed in &config.files {
        let found = match there.remove(&listed.path) {
            Some(file) => Some(file),
            None => left_out(root, listed),
        };
        match found {
            None => differences.push(Difference::Missing(listed.path.clone())),
            Some(file) if file.entry()? != *listed => differences.push(Difference::Changed(listed.path.clone())),
            Some(_) => {}
        }
    }
    differences.extend(there.into_keys().map(Difference::Added));
    differences.sort_by(|left, right| left.path().cmp(right.path()));
    Ok(differences)
}

/// A file the rules leave out although the package has it, as another packer may decide.
fn left_out(root: &Path, listed: &FileEntry) -> Option<TreeFile> {
    let source = root.join(listed.path.as_str());
    let is_file = source.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    is_file.then(|| TreeFile { path: listed.path.clone(), source })
}
