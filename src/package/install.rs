//! From the layers of a package to its folder on disk: all of it is written beside and verified, then put in place.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::check::{CheckError, check_layers};
use super::config::Config;
use super::file_path::FilePath;
use super::layers::{file_layers, tree_layer};
use super::leftovers::{Temporary, remove_leftovers};
use super::tree::{Tree, TreeError};
use super::unpack::{UnpackError, unpack_tree, write_file};
use crate::oci::{Descriptor, Manifest};

/// Where the folder that is replaced waits; no package name begins with a dot.
const REPLACED: &str = ".replaced";

/// Why a package was not installed. Nothing is left behind, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The file system or a layer's source refused.
    #[error("cannot install {}", path.display())]
    Io {
        /// What was being read or written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The layers are not those the configuration asks for.
    #[error(transparent)]
    Layers(#[from] CheckError),
    /// A layer is not the file its configuration lists.
    #[error("the layer of `{0}` is not what the configuration says of the file")]
    Differs(FilePath),
    /// The tree is refused.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The folder to replace cannot be read, so what must be kept of it is not known.
    #[error("{} is there and cannot be replaced safely: move it away first", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: TreeError,
    },
    /// The package brings a file that the folder to replace keeps, as its ignore rules leave it out.
    #[error("{} is ignored by the rules there, and the package brings its own: move it away first", .0.display())]
    Occupied(PathBuf),
    /// The new files are in place, but something ignored could not be moved over.
    #[error("the package is in place, but `{kept}` could not be moved there from {}", replaced.display())]
    NotKept {
        /// The first file or folder concerned.
        kept: FilePath,
        /// The folder that was replaced, which is left there.
        replaced: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A package on disk, verified, beside the place it is for. Dropped without [`Staged::swap`], it is gone.
#[derive(Debug)]
pub struct Staged {
    // Order of the fields is order of their drop.
    temporary: Temporary,
    _made: MadeFolders,
    directory: PathBuf,
    name: String,
}

/// Writes all files of a package into a temporary folder inside `directory`, which is made if absent. `layer` opens
/// the bytes of a layer; they are verified again. Every file's path, mode, size and digest is the configuration's, and
/// there is no other. On an error nothing is left.
pub fn stage(
    manifest: &Manifest,
    config: &Config,
    layer: &mut dyn FnMut(&Descriptor) -> io::Result<Box<dyn Read>>,
    directory: &Path,
) -> Result<Staged, InstallError> {
    check_layers(manifest, config)?;
    let failed = |source| InstallError::Io { path: directory.to_owned(), source };
    let made = MadeFolders::make(directory).map_err(failed)?;
    let name = config.metadata.name.clone();
    remove_leftovers(directory, &name, REPLACED);
    let temporary = Temporary::new(directory, &name).map_err(failed)?;
    let staged = Staged { temporary, _made: made, directory: directory.to_owned(), name };
    let root = staged.root();
    // A folder of its own: the temporary one is closed to others, the package need not be.
    fs::create_dir(&root).map_err(failed)?;
    if let Some(descriptor) = tree_layer(manifest) {
        unpack_tree(layer(descriptor).map_err(failed)?, descriptor, config, Some(&root))?;
    }
    for (descriptor, file) in file_layers(config) {
        let failed = |source| InstallError::Io { path: directory.join(&staged.name).join(file.path.as_str()), source };
        for folder in file.path.folders() {
            fs::create_dir_all(root.join(folder)).map_err(failed)?;
        }
        let content = layer(&descriptor).map_err(failed)?;
        if !write_file(&root, file, content).map_err(failed)? {
            return Err(InstallError::Differs(file.path.clone()));
        }
    }
    Ok(staged)
}

impl Staged {
    /// The folder with the files, until it is put in place.
    pub fn root(&self) -> PathBuf {
        self.temporary.folder.path().join(&self.name)
    }

    /// Puts the package at `directory/<name>` and gives that path. What is there is replaced, whatever it is; but what
    /// the ignore rules of a folder leave out (`.env`, `.venv`, `.git`) is moved over: it was never part of the package.
    pub fn swap(self) -> Result<PathBuf, InstallError> {
        let target = self.directory.join(&self.name);
        let failed = |source| InstallError::Io { path: target.clone(), source };
        let kept = match fs::symlink_metadata(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::rename(self.root(), &target).map_err(failed)?;
                return Ok(target);
            }
            Err(error) => return Err(failed(error)),
            Ok(metadata) if metadata.is_dir() => self.to_keep(&target)?,
            Ok(_) => vec![],
        };
        let replaced = self.temporary.folder.path().join(REPLACED);
        fs::rename(&target, &replaced).map_err(failed)?;
        if let Err(source) = fs::rename(self.root(), &target) {
            fs::rename(&replaced, &target).map_err(failed)?;
            return Err(failed(source));
        }
        for path in kept {
            if let Err(source) = move_over(&replaced, &target, &path) {
                let replaced = self.temporary.folder.keep().join(REPLACED);
                return Err(InstallError::NotKept { kept: path, replaced, source });
            }
        }
        Ok(target)
    }

    /// What ignore rules leave out of the folder to replace, if the package has nothing in its place.
    fn to_keep(&self, target: &Path) -> Result<Vec<FilePath>, InstallError> {
        let unreadable = |source| InstallError::Unreadable { path: target.to_owned(), source };
        let left_out = Tree::walk(target).map_err(unreadable)?.left_out;
        let root = self.root();
        match left_out.iter().find(|left| root.join(left.path.as_str()).symlink_metadata().is_ok()) {
            Some(left) => Err(InstallError::Occupied(target.join(left.path.as_str()))),
            None => Ok(left_out.into_iter().map(|left| left.path).collect()),
        }
    }
}

fn move_over(from: &Path, to: &Path, path: &FilePath) -> io::Result<()> {
    if let Some(folder) = path.folders().last() {
        fs::create_dir_all(to.join(folder))?;
    }
    fs::rename(from.join(path.as_str()), to.join(path.as_str()))
}

/// Folders made for a package. Those still empty when it is dropped go again.
#[derive(Debug)]
struct MadeFolders(Vec<PathBuf>);

impl MadeFolders {
    fn make(directory: &Path) -> io::Result<Self> {
        let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made = Self(missing.map(Path::to_owned).collect());
        fs::create_dir_all(directory)?;
        Ok(made)
    }
}

impl Drop for MadeFolders {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails for one that is not empty, which is meant.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}
