//! The files and folders of an agent on disk that make its package, in an order that is the same everywhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::config::{ConfigError, FileEntry, MAX_FILES, Mode, refuse_collisions};
use super::file_path::{FilePath, FilePathError};
use super::ignore_rules::{AGENT_IGNORE, IgnoreRules, MAX_IGNORE_BYTES};
use super::stream::HashedRead;
use crate::oci::Algorithm;

/// Most folders of a package.
pub const MAX_FOLDERS: usize = 20_000;

/// Why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The file system refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A name no package can hold.
    #[error(transparent)]
    Path(#[from] FilePathError),
    /// A name that is no Unicode.
    #[error("{} has a name that is not Unicode", .0.display())]
    NotUnicode(PathBuf),
    /// A symbolic link that is not to a regular file of the package.
    #[error("the symbolic link `{0}` does not lead to a regular file of the package")]
    Link(FilePath),
    /// Neither file nor folder.
    #[error("`{0}` is neither a regular file nor a folder")]
    Special(FilePath),
    /// An ignore file that cannot be understood.
    #[error("the ignore rules of `{folder}` are not readable")]
    Rules {
        /// The folder, empty for the root.
        folder: String,
        /// What is wrong.
        source: ignore::Error,
    },
    /// An ignore file over [`MAX_IGNORE_BYTES`].
    #[error("{} is larger than {MAX_IGNORE_BYTES} bytes", .0.display())]
    RulesTooLarge(PathBuf),
    /// More folders than [`MAX_FOLDERS`] or files than [`MAX_FILES`].
    #[error("more than {MAX_FILES} files or {MAX_FOLDERS} folders")]
    TooMany,
    /// Two paths that are the same on some systems.
    #[error(transparent)]
    Collision(#[from] ConfigError),
    /// Several entries that no package can hold, at most [`MAX_TOLD`].
    #[error("several files cannot be packed\n  {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
    Several(Vec<Self>),
}

/// Entries told of at a time that no package can hold.
const MAX_TOLD: usize = 100;

impl TreeError {
    /// Whether the walk can go on to the next entry.
    fn is_of_one_entry(&self) -> bool {
        matches!(self, Self::Path(_) | Self::NotUnicode(_) | Self::Link(_) | Self::Special(_))
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Link(_) | Self::Special(_) => {
                "take it out of the folder, or leave it out of the package with a line in .agentignore"
            }
            Self::Several(_) => {
                "take them out of the folder, or leave them out of the package with lines in .agentignore"
            }
            Self::Path(_) | Self::NotUnicode(_) | Self::Collision(_) => "rename it, or take it out of the folder",
            Self::TooMany => "leave out what the agent does not need, with lines in .agentignore",
            Self::RulesTooLarge(_) => "name folders rather than each of their files",
            Self::Io { .. } | Self::Rules { .. } => return None,
        })
    }
}

/// What a package is made of.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Files, ordered by the bytes of their paths.
    pub files: Vec<TreeFile>,
    /// Folders, the empty ones too, ordered likewise.
    pub folders: Vec<FilePath>,
    /// What is not part of it.
    pub left_out: Vec<LeftOut>,
    /// Symbolic links packed as a copy of what they lead to.
    pub copied_links: Vec<FilePath>,
}

/// A file to pack.
#[derive(Clone, Debug)]
pub struct TreeFile {
    /// Its path in the package.
    pub path: FilePath,
    /// Where its bytes are.
    pub source: PathBuf,
}

/// A file or folder that is not packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path in the tree.
    pub path: FilePath,
    /// The rule, and the file it is from.
    pub rule: String,
}

impl Tree {
    /// Walks a folder. Nothing outside it is read.
    pub fn walk(root: &Path) -> Result<Self, TreeError> {
        let root = root.canonicalize().map_err(|source| TreeError::Io { path: root.to_owned(), source })?;
        let rules = IgnoreRules::new(&ignore_file(&root.join(AGENT_IGNORE))?)
            .map_err(|source| TreeError::Rules { folder: String::new(), source })?;
        let mut walk = Walk { root: &root, rules, tree: Self::default(), refused: vec![] };
        walk.folder(&root, "")?;
        let Walk { mut tree, mut refused, .. } = walk;
        if refused.len() > 1 {
            refused.sort_by_cached_key(ToString::to_string);
            return Err(TreeError::Several(refused));
        }
        if let Some(error) = refused.pop() {
            return Err(error);
        }
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        tree.folders.sort();
        tree.left_out.sort_by(|left, right| left.path.cmp(&right.path));
        tree.copied_links.sort();
        refuse_collisions(tree.files.iter().map(|file| &file.path), tree.folders.iter())?;
        Ok(tree)
    }

    /// Reads every file once: the list a configuration carries.
    pub fn entries(&self) -> Result<Vec<FileEntry>, TreeError> {
        self.files.iter().map(TreeFile::entry).collect()
    }
}

impl TreeFile {
    /// Reads the file: what a configuration says of it.
    pub(super) fn entry(&self) -> Result<FileEntry, TreeError> {
        let failed = |source| TreeError::Io { path: self.source.clone(), source };
        let file = fs::File::open(&self.source).map_err(failed)?;
        let mode = mode(&file.metadata().map_err(failed)?);
        let mut content = HashedRead::new(file, Algorithm::Sha256, u64::MAX);
        io::copy(&mut content, &mut io::sink()).map_err(failed)?;
        let (size, digest) = content.so_far();
        Ok(FileEntry { path: self.path.clone(), mode, size, digest })
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> Mode {
    Mode::from_bits(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()))
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> Mode {
    Mode::Plain
}

struct Walk<'a> {
    root: &'a Path,
    rules: IgnoreRules,
    tree: Tree,
    /// What no package can hold; told together.
    refused: Vec<TreeError>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, relative: &str) -> Result<(), TreeError> {
        let failed = |source| TreeError::Io { path: folder.to_owned(), source };
        self.rules
            .enter(relative, &ignore_file(&folder.join(".gitignore"))?)
            .map_err(|source| TreeError::Rules { folder: relative.to_owned(), source })?;
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let taken = match entry.file_name().into_string() {
                Ok(name) if relative.is_empty() => self.entry(&entry.path(), &name, kind),
                Ok(name) => self.entry(&entry.path(), &format!("{relative}/{name}"), kind),
                Err(_) => Err(TreeError::NotUnicode(entry.path())),
            };
            match taken {
                Err(error) if error.is_of_one_entry() && self.refused.len() < MAX_TOLD => self.refused.push(error),
                other => other?,
            }
        }
        self.rules.leave();
        Ok(())
    }

    fn entry(&mut self, source: &Path, path: &str, kind: fs::FileType) -> Result<(), TreeError> {
        let packed: FilePath = path.parse()?;
        if let Some(rule) = self.rules.leaving_out(path, kind.is_dir()) {
            self.tree.left_out.push(LeftOut { path: packed, rule });
            return Ok(());
        }
        if kind.is_dir() {
            self.tree.folders.push(packed);
            self.within_limits()?;
            return self.folder(source, path);
        }
        let source = if kind.is_symlink() {
            self.tree.copied_links.push(packed.clone());
            self.link_target(source, &packed)?
        } else if kind.is_file() {
            source.to_owned()
        } else {
            return Err(TreeError::Special(packed));
        };
        self.tree.files.push(TreeFile { path: packed, source });
        self.within_limits()
    }

    /// The regular file a link leads to, if it is part of the package itself: a link must not bring in what lies
    /// outside, nor what a rule leaves out.
    fn link_target(&self, source: &Path, link: &FilePath) -> Result<PathBuf, TreeError> {
        let refused = || TreeError::Link(link.clone());
        let target = source.canonicalize().map_err(|_| refused())?;
        let inside = target.strip_prefix(self.root).ok().and_then(Path::to_str).ok_or_else(refused)?;
        if !target.is_file() || self.rules.leaving_out_anywhere(inside).is_some() {
            return Err(refused());
        }
        Ok(target)
    }

    fn within_limits(&self) -> Result<(), TreeError> {
        let fits = self.tree.files.len() <= MAX_FILES && self.tree.folders.len() <= MAX_FOLDERS;
        if fits { Ok(()) } else { Err(TreeError::TooMany) }
    }
}

/// The text of an ignore file, empty when there is none. A link is not followed: it could lead out of the tree.
fn ignore_file(path: &Path) -> Result<String, TreeError> {
    let failed = |source| TreeError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Ok(String::new()),
        Ok(metadata) if metadata.len() > MAX_IGNORE_BYTES as u64 => {
            return Err(TreeError::RulesTooLarge(path.to_owned()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(failed(error)),
    }
    fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn a_walk_is_ordered_and_tells_what_it_leaves_out() {
        let root = tempfile::tempdir().unwrap();
        for path in ["b", "a/z", "a.x", "a/.env", ".git/config", "build/out", "a/keep/.gitkeep"] {
            write(root.path(), path, path);
        }
        write(root.path(), ".gitignore", "/build\n");
        fs::create_dir(root.path().join("empty")).unwrap();
        let tree = Tree::walk(root.path()).unwrap();
        assert_eq!(paths(&tree), [".gitignore", "a.x", "a/keep/.gitkeep", "a/z", "b"]);
        let folders: Vec<_> = tree.folders.iter().map(FilePath::as_str).collect();
        assert_eq!(folders, ["a", "a/keep", "empty"]);
        let left_out: Vec<_> = tree.left_out.iter().map(|left| format!("{}: {}", left.path, left.rule)).collect();
        assert_eq!(left_out, [".git: .git (built in)", "a/.env: .env (built in)", "build: /build (.gitignore)"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_copied_only_from_inside() {
        use std::os::unix::fs::symlink;
        for (target, allowed) in
            [("real", true), ("folder", false), (".env", false), ("missing", false), ("/etc/hostname", false)]
        {
            let root = tempfile::tempdir().unwrap();
            for path in ["real", "folder/x", ".env"] {
                write(root.path(), path, "content");
            }
            symlink(target, root.path().join("link")).unwrap();
            let tree = Tree::walk(root.path());
            if allowed {
                let tree = tree.unwrap();
                assert_eq!(tree.copied_links, ["link".parse().unwrap()]);
                assert_eq!(tree.entries().unwrap()[1].size, 7);
            } else {
                assert!(matches!(tree, Err(TreeError::Link(_))), "{target}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn everything_that_cannot_be_packed_is_told_at_once() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a/back\\slash", "");
        symlink("/etc/hostname", root.path().join("b")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("c")).unwrap();
        let error = Tree::walk(root.path()).unwrap_err();
        let told = error.to_string();
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(told.contains("slash") && told.contains("link `b`") && told.contains("`c` is neither"), "{told}");
        assert!(error.hint().unwrap().contains(".agentignore"));
        write(root.path(), ".agentignore", "b\nc\na/\n");
        assert_eq!(Tree::walk(root.path()).unwrap().left_out.len(), 3, "left out, they are in nobody's way");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owners_execute_bit_counts() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        for (name, bits) in [("plain", 0o666), ("run", 0o700), ("group", 0o670)] {
            write(root.path(), name, "");
            fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(bits)).unwrap();
        }
        let modes: Vec<_> = Tree::walk(root.path()).unwrap().entries().unwrap().iter().map(|e| e.mode).collect();
        assert_eq!(modes, [Mode::Plain, Mode::Plain, Mode::Executable]);
    }
}
