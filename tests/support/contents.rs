//! Everything in a folder as one value, so that two trees are compared byte for byte.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What stands at a path.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A folder, empty or not.
    Folder,
    /// A regular file.
    File {
        /// All of it.
        bytes: Vec<u8>,
        /// Whether its owner may execute it.
        is_executable: bool,
    },
    /// Anything no package can hold.
    Other,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("folder"),
            Self::File { bytes, is_executable } => write!(f, "{} bytes, executable: {is_executable}", bytes.len()),
            Self::Other => f.write_str("other"),
        }
    }
}

/// All that is below a folder, by its path.
pub(crate) fn contents(root: &Path) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a readable entry").path();
            let metadata = fs::symlink_metadata(&path).expect("metadata");
            let entry = if metadata.is_dir() {
                folders.push(path.clone());
                Entry::Folder
            } else if metadata.is_file() {
                let is_executable = metadata.permissions().mode() & 0o100 != 0;
                Entry::File { bytes: fs::read(&path).expect("a readable file"), is_executable }
            } else {
                Entry::Other
            };
            found.insert(path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned(), entry);
        }
    }
    found
}

/// What the folder of a package must hold after a pull of this source: the folder itself, or the one file in it.
pub(crate) fn expected(source: &Path) -> BTreeMap<String, Entry> {
    if source.is_dir() {
        return contents(source);
    }
    let name = source.file_name().expect("a name").to_string_lossy().into_owned();
    let neighbours = contents(source.parent().expect("a folder"));
    neighbours.into_iter().filter(|(path, _)| *path == name).collect()
}
