//! From the bytes of a layer to files on disk, whoever made them: nothing is written that the configuration does not
//! list, and nothing outside the target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use super::config::{Config, FileEntry};
use super::file_path::{FilePath, FilePathError};
use super::pack::Placement;
use super::tree::MAX_FOLDERS;
use crate::oci::{Algorithm, Hasher};

/// Most bytes of a tar, headers and all, that are decompressed.
pub const MAX_TAR_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Longest name a header extension may carry, prefix of the package included; more is never held in memory.
const MAX_ENTRY_NAME_BYTES: u64 = 4096;

/// Why a layer is refused.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Reading the layer or writing a file failed; a broken or cut stream too.
    #[error("cannot unpack `{path}`")]
    Io {
        /// What was being unpacked.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// An entry outside `<name>/`, or with a path no package can hold.
    #[error("the entry {0:?} does not lie in the package's folder")]
    Outside(String),
    /// A path no package can hold.
    #[error(transparent)]
    Path(#[from] FilePathError),
    /// A link, device or anything else that is neither file nor folder.
    #[error("the entry {0:?} is neither a regular file nor a folder")]
    Special(String),
    /// A file the configuration does not list, or an entry that comes twice.
    #[error("`{0}` is not expected, or comes twice")]
    Unexpected(FilePath),
    /// A file with other content, size or mode than listed.
    #[error("`{0}` is not what the configuration says of it")]
    Differs(FilePath),
    /// A listed file that did not come.
    #[error("`{0}` is missing")]
    Missing(FilePath),
    /// More folders than [`MAX_FOLDERS`].
    #[error("more than {MAX_FOLDERS} folders")]
    TooManyFolders,
}

/// Unpacks a tar layer into `target`, an empty folder nobody else writes to. Exactly the files that `config` places in
/// the tar are written, each compared by size, mode and digest. On an error the target holds part of them: it is
/// the caller's to remove.
pub fn unpack_tree(layer: impl Read, config: &Config, target: &Path) -> Result<(), UnpackError> {
    let in_tar = config.files.iter().filter(|file| Placement::of(file) == Placement::Tar);
    let missing = in_tar.map(|file| (&file.path, file)).collect();
    let mut unpack = Unpack { name: &config.metadata.name, target, missing, folders: BTreeSet::new() };
    let failed = |source| UnpackError::Io { path: config.metadata.name.clone(), source };
    let mut archive = tar::Archive::new(GzDecoder::new(layer).take(MAX_TAR_BYTES));
    // Raw: the library would otherwise read extension headers of any size into memory, and obey them.
    let mut long_name = None;
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_gnu_longname() {
            long_name = Some(read_name(&mut entry).map_err(failed)?);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        unpack.entry(&mut entry, &name)?;
    }
    match unpack.missing.into_keys().next() {
        Some(path) => Err(UnpackError::Missing(path.clone())),
        None => Ok(()),
    }
}

/// The name an extension header holds for the entry after it.
fn read_name(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut name = vec![];
    entry.take(MAX_ENTRY_NAME_BYTES).read_to_end(&mut name)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

struct Unpack<'a> {
    name: &'a str,
    target: &'a Path,
    missing: BTreeMap<&'a FilePath, &'a FileEntry>,
    folders: BTreeSet<FilePath>,
}

impl Unpack<'_> {
    fn entry<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>, name: &[u8]) -> Result<(), UnpackError> {
        let shown = || String::from_utf8_lossy(&name[..name.len().min(200)]).into_owned();
        let text = std::str::from_utf8(name).map_err(|_| UnpackError::Outside(shown()))?;
        let kind = entry.header().entry_type();
        if !kind.is_dir() && !kind.is_file() {
            return Err(UnpackError::Special(shown()));
        }
        let inside = text.strip_prefix(self.name).and_then(|rest| rest.strip_prefix('/'));
        let inside = inside.ok_or_else(|| UnpackError::Outside(shown()))?;
        if kind.is_dir() {
            let inside = inside.trim_end_matches('/');
            return if inside.is_empty() { Ok(()) } else { self.folder(inside.parse()?) };
        }
        let path: FilePath = inside.parse()?;
        let Some(listed) = self.missing.remove(&path) else {
            return Err(UnpackError::Unexpected(path));
        };
        let mode = entry.header().mode().unwrap_or(0);
        let same = entry.size() == listed.size && mode == listed.mode.bits();
        if same { self.file(entry, listed) } else { Err(UnpackError::Differs(path)) }
    }

    fn folder(&mut self, path: FilePath) -> Result<(), UnpackError> {
        let failed = |source| UnpackError::Io { path: path.to_string(), source };
        fs::create_dir_all(self.target.join(path.as_str())).map_err(failed)?;
        self.folders.insert(path);
        if self.folders.len() > MAX_FOLDERS { Err(UnpackError::TooManyFolders) } else { Ok(()) }
    }

    fn file(&self, content: &mut impl Read, listed: &FileEntry) -> Result<(), UnpackError> {
        let failed = |source| UnpackError::Io { path: listed.path.to_string(), source };
        let path = self.target.join(listed.path.as_str());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, listed.mode.bits());
        let file = options.open(&path).map_err(failed)?;
        let same = copy(content, file, listed).map_err(failed)?;
        if same { Ok(()) } else { Err(UnpackError::Differs(listed.path.clone())) }
    }
}

/// Writes a file and says whether it is the one listed.
fn copy(content: &mut impl Read, mut file: File, listed: &FileEntry) -> io::Result<bool> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            return Ok(size == listed.size && hasher.finish() == listed.digest);
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
        size += count as u64;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::super::config::Mode;
    use super::super::metadata::Metadata;
    use super::super::pack::pack_tree;
    use super::super::tree::Tree;
    use super::*;
    use crate::oci::Digest;

    fn demo(files: Vec<FileEntry>) -> Config {
        Config::new(Metadata { name: "demo".to_owned(), ..Metadata::default() }, files).unwrap()
    }

    fn listed(path: &str) -> FileEntry {
        FileEntry { path: path.parse().unwrap(), mode: Mode::Plain, size: 1, digest: Digest::sha256(b"x") }
    }

    /// A layer with entries no honest packer writes: the name is put into the header as it is.
    fn layer(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_packed_tree_comes_back() {
        let (source, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
        fs::create_dir_all(source.path().join("empty/deep")).unwrap();
        fs::create_dir_all(source.path().join("d".repeat(120))).unwrap();
        fs::write(source.path().join(&long), "long").unwrap();
        fs::write(source.path().join("a"), "a").unwrap();
        let tree = Tree::walk(source.path()).unwrap();
        let config = demo(tree.entries().unwrap());
        let mut bytes = vec![];
        pack_tree(&tree, &config, &mut bytes).unwrap().unwrap();
        unpack_tree(bytes.as_slice(), &config, target.path()).unwrap();
        let back = Tree::walk(target.path()).unwrap();
        assert_eq!((back.entries().unwrap(), back.folders), (config.files.clone(), tree.folders));
        let cut = unpack_tree(&bytes[..bytes.len() / 2], &config, tempfile::tempdir().unwrap().path());
        assert!(cut.is_err());
    }

    #[test]
    fn hostile_entries_are_refused() {
        use tar::EntryType::{Char, Directory, Link, Regular, Symlink, XHeader};
        let config = demo(vec![listed("a")]);
        let cases: [(&str, tar::EntryType, &[u8]); 13] = [
            ("../a", Regular, b"x"),
            ("/demo/a", Regular, b"x"),
            ("demo/../a", Regular, b"x"),
            ("demo/../../a", Directory, b""),
            ("demon/a", Regular, b"x"),
            ("demo/a", Symlink, b""),
            ("demo/a", Link, b""),
            ("demo/a", Char, b""),
            ("demo/a", XHeader, b"13 path=../a\n"),
            ("demo/b", Regular, b"x"),
            ("demo/a", Regular, b"y"),
            ("demo/a", Regular, b"xx"),
            ("demo/a/..", Directory, b""),
        ];
        for case in cases {
            let target = tempfile::tempdir().unwrap();
            let result = unpack_tree(layer(&[case]).as_slice(), &config, &target.path().join("in"));
            assert!(result.is_err(), "{case:?}");
            assert!(!target.path().join("a").exists(), "{case:?}");
        }
    }

    #[test]
    fn every_listed_file_comes_exactly_once() {
        let config = demo(vec![listed("a")]);
        let file: (&str, tar::EntryType, &[u8]) = ("demo/a", tar::EntryType::Regular, b"x");
        let run = |entries: &[_]| {
            let target = tempfile::tempdir().unwrap();
            unpack_tree(layer(entries).as_slice(), &config, target.path())
        };
        assert!(run(&[file]).is_ok());
        assert!(matches!(run(&[file, file]), Err(UnpackError::Unexpected(_))));
        assert!(matches!(run(&[]), Err(UnpackError::Missing(_))));
    }
}
