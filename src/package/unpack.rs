//! From the bytes of a layer to files on disk, whoever made them: nothing is written that the configuration does not
//! list, and nothing outside the target.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::config::{Config, ConfigError, FileEntry, refuse_collisions};
use super::file_path::{FilePath, FilePathError};
use super::layers::tar_digest;
use super::pack::Placement;
use super::stream::HashedRead;
use super::tree::MAX_FOLDERS;
use crate::oci::{Algorithm, Descriptor};

/// Most bytes of a tar, headers and all, that are decompressed.
pub const MAX_TAR_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// A tar up to this size may be compressed as far as it goes.
pub const FREE_TAR_BYTES: u64 = 64 * 1024 * 1024;

/// A larger tar may have this many times the bytes of its layer; text seldom compresses to a tenth.
pub const MAX_TAR_RATIO: u64 = 200;

/// Longest name a header extension may carry, prefix of the package included; more is never held in memory.
const MAX_ENTRY_NAME_BYTES: u64 = 4096;

/// Why a layer is refused.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Reading the layer or writing a file failed; a broken or cut stream, or one over a limit, too.
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
    /// The folder of the package itself comes twice.
    #[error("the folder of the package comes twice")]
    RootTwice,
    /// An entry before the folder it lies in, where other tools need it.
    #[error("the folder of the entry `{0}` does not come before it")]
    NoFolder(FilePath),
    /// A file with other content, size or mode than listed, or a folder with a mode other than 0755.
    #[error("`{0}` is not what the configuration says of it")]
    Differs(FilePath),
    /// A listed file that did not come.
    #[error("`{0}` is missing")]
    Missing(FilePath),
    /// More folders than [`MAX_FOLDERS`].
    #[error("more than {MAX_FOLDERS} folders")]
    TooManyFolders,
    /// Files and folders that are the same on some systems.
    #[error(transparent)]
    Collision(#[from] ConfigError),
    /// Not exactly two zero blocks behind the last entry, or bytes behind the compressed stream.
    #[error("the tar does not end in exactly two zero blocks, or something follows the compressed stream")]
    Ending,
    /// The layer is not the one its descriptor promises, or the tar in it is not.
    #[error("the bytes of the {0} are not those its digest and size promise")]
    Digest(&'static str),
}

/// Most bytes of a tar in a layer of that size.
pub(super) fn tar_limit(layer_bytes: u64) -> u64 {
    FREE_TAR_BYTES.max(layer_bytes.saturating_mul(MAX_TAR_RATIO)).min(MAX_TAR_BYTES)
}

/// Unpacks a tar layer into `target`, an empty folder nobody else writes to; without a target nothing is written and
/// everything checked. Exactly the files that `config` places in the tar are written, each compared by size, mode
/// and digest. On an error the target holds part of them: it is the caller's to remove.
pub(super) fn unpack_tree(
    layer: impl Read,
    descriptor: &Descriptor,
    config: &Config,
    target: Option<&Path>,
) -> Result<(), UnpackError> {
    let in_tar = config.files.iter().filter(|file| Placement::of(file) == Placement::Tar);
    let missing = in_tar.map(|file| (&file.path, file)).collect();
    let mut unpack = Unpack { name: &config.metadata.name, target, missing, folders: BTreeSet::new(), has_root: false };
    let failed = |source| UnpackError::Io { path: config.metadata.name.clone(), source };
    let layer = BufReader::new(HashedRead::new(layer, descriptor.digest.algorithm(), descriptor.size));
    let tar = HashedRead::new(GzDecoder::new(layer), Algorithm::Sha256, tar_limit(descriptor.size));
    let mut archive = tar::Archive::new(tar);
    // Raw: the library would otherwise read extension headers of any size into memory, and obey them.
    let mut long_name: Option<Vec<u8>> = None;
    for entry in archive.entries().map_err(failed)?.raw(true) {
        let mut entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_gnu_longname() && long_name.is_none() {
            long_name = Some(read_name(&mut entry).map_err(failed)?);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        unpack.entry(&mut entry, &name)?;
    }
    if let Some(path) = unpack.missing.keys().next() {
        return Err(UnpackError::Missing((*path).clone()));
    }
    refuse_collisions(config.files.iter().map(|file| &file.path), unpack.folders.iter())?;
    finish(archive.into_inner(), descriptor, &failed)
}

/// A layer being decompressed, hashed before and after.
type TarStream<R> = HashedRead<GzDecoder<BufReader<HashedRead<R>>>>;

/// Reads to the end, which the archive reader does not, and compares both digests.
fn finish<R: Read>(
    mut tar: TarStream<R>,
    descriptor: &Descriptor,
    failed: &impl Fn(io::Error) -> UnpackError,
) -> Result<(), UnpackError> {
    // The first zero block ended the walk over the entries.
    let mut rest = vec![];
    tar.by_ref().take(513).read_to_end(&mut rest).map_err(failed)?;
    if rest != [0; 512] {
        return Err(UnpackError::Ending);
    }
    let layer = tar.get_mut().get_mut();
    if !layer.fill_buf().map_err(failed)?.is_empty() {
        return Err(UnpackError::Ending);
    }
    if layer.get_mut().so_far() != (descriptor.size, descriptor.digest) {
        return Err(UnpackError::Digest("layer"));
    }
    let same = tar_digest(descriptor) == Some(tar.so_far().1);
    if same { Ok(()) } else { Err(UnpackError::Digest("tar")) }
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
    target: Option<&'a Path>,
    missing: BTreeMap<&'a FilePath, &'a FileEntry>,
    folders: BTreeSet<FilePath>,
    has_root: bool,
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
        if inside.is_empty() && kind.is_dir() {
            return self.root();
        }
        let path: FilePath = inside.strip_suffix('/').filter(|_| kind.is_dir()).unwrap_or(inside).parse()?;
        let folder_came = match path.as_str().rsplit_once('/') {
            Some((folder, _)) => self.folders.contains(folder),
            None => self.has_root,
        };
        if !folder_came {
            return Err(UnpackError::NoFolder(path));
        }
        let mode = entry.header().mode().unwrap_or(0);
        if kind.is_dir() {
            return if mode == 0o755 { self.folder(path) } else { Err(UnpackError::Differs(path)) };
        }
        let Some(listed) = self.missing.remove(&path) else {
            return Err(UnpackError::Unexpected(path));
        };
        let same = entry.size() == listed.size && mode == listed.mode.bits();
        if same { self.file(entry, listed) } else { Err(UnpackError::Differs(path)) }
    }

    fn root(&mut self) -> Result<(), UnpackError> {
        if std::mem::replace(&mut self.has_root, true) { Err(UnpackError::RootTwice) } else { Ok(()) }
    }

    fn folder(&mut self, path: FilePath) -> Result<(), UnpackError> {
        if self.folders.contains(&path) {
            return Err(UnpackError::Unexpected(path));
        }
        if self.folders.len() == MAX_FOLDERS {
            return Err(UnpackError::TooManyFolders);
        }
        if let Some(target) = self.target {
            let failed = |source| UnpackError::Io { path: path.to_string(), source };
            fs::create_dir(target.join(path.as_str())).map_err(failed)?;
        }
        self.folders.insert(path);
        Ok(())
    }

    fn file(&self, content: &mut impl Read, listed: &FileEntry) -> Result<(), UnpackError> {
        let same = match self.target {
            Some(target) => write_file(target, listed, content),
            None => copy(content, &mut io::sink(), listed),
        };
        match same {
            Ok(true) => Ok(()),
            Ok(false) => Err(UnpackError::Differs(listed.path.clone())),
            Err(source) => Err(UnpackError::Io { path: listed.path.to_string(), source }),
        }
    }
}

/// Writes a file that is not there yet, in a folder that is, and says whether it is the one listed.
pub(super) fn write_file(root: &Path, listed: &FileEntry, content: impl Read) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, listed.mode.bits());
    let mut file = options.open(root.join(listed.path.as_str()))?;
    copy(content, &mut file, listed)
}

fn copy(content: impl Read, out: &mut impl io::Write, listed: &FileEntry) -> io::Result<bool> {
    let mut content = HashedRead::new(content, Algorithm::Sha256, listed.size);
    io::copy(&mut content, out)?;
    Ok(content.so_far() == (listed.size, listed.digest))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::io::Write;

    use super::super::config::Mode;
    use super::super::layers::tree_descriptor;
    use super::super::metadata::Metadata;
    use super::super::pack::pack_tree;
    use super::super::tree::Tree;
    use super::*;
    use crate::oci::Digest;

    type Part<'a> = (&'a str, tar::EntryType, &'a [u8]);

    const ROOT: Part<'_> = ("demo/", tar::EntryType::Directory, b"");

    fn demo(files: Vec<FileEntry>) -> Config {
        Config::new(Metadata { name: "demo".to_owned(), ..Metadata::default() }, files).unwrap()
    }

    fn listed(path: &str) -> FileEntry {
        FileEntry { path: path.parse().unwrap(), mode: Mode::Plain, size: 1, digest: Digest::sha256(b"x") }
    }

    /// A tar with entries no honest packer writes: the name is put into the header as it is.
    fn tar_of(entries: &[Part<'_>]) -> Vec<u8> {
        let mut tar = tar::Builder::new(vec![]);
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
            header.set_size(content.len() as u64);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn gzip(tar: &[u8]) -> (Vec<u8>, Descriptor) {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(tar).unwrap();
        let bytes = gzip.finish().unwrap();
        let descriptor = describe(&bytes, tar);
        (bytes, descriptor)
    }

    fn describe(bytes: &[u8], tar: &[u8]) -> Descriptor {
        tree_descriptor("demo", Digest::sha256(bytes), bytes.len() as u64, Digest::sha256(tar))
    }

    /// Unpacks and checks: both must come to the same end.
    fn run(tar: &[u8], config: &Config) -> Result<(), UnpackError> {
        let (bytes, descriptor) = gzip(tar);
        let target = tempfile::tempdir().unwrap();
        fs::create_dir(target.path().join("in")).unwrap();
        let unpacked = unpack_tree(bytes.as_slice(), &descriptor, config, Some(&target.path().join("in")));
        let checked = unpack_tree(bytes.as_slice(), &descriptor, config, None);
        assert_eq!(unpacked.is_ok(), checked.is_ok(), "{unpacked:?} {checked:?}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1, "nothing outside the target");
        checked
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
        let descriptor = pack_tree(&tree, &config, &mut bytes).unwrap().unwrap().descriptor("demo");
        unpack_tree(bytes.as_slice(), &descriptor, &config, Some(target.path())).unwrap();
        let back = Tree::walk(target.path()).unwrap();
        assert_eq!((back.entries().unwrap(), back.folders), (config.files.clone(), tree.folders));
        assert!(unpack_tree(&bytes[..bytes.len() / 2], &descriptor, &config, None).is_err());
    }

    #[test]
    fn hostile_entries_are_refused() {
        use tar::EntryType::{Char, Directory, GNUSparse, Link, Regular, Symlink, XHeader};
        let config = demo(vec![listed("a")]);
        let cases: [Part<'_>; 18] = [
            ("../a", Regular, b"x"),
            ("/demo/a", Regular, b"x"),
            ("demo/../a", Regular, b"x"),
            ("demo/../../a", Directory, b""),
            ("demo/..", Directory, b""),
            ("demon/a", Regular, b"x"),
            ("demo/a", Symlink, b""),
            ("demo/a", Link, b""),
            ("demo/a", Char, b""),
            ("demo/a", GNUSparse, b"x"),
            ("demo/a", XHeader, b"13 path=../a\n"),
            ("demo/b", Regular, b"x"),
            ("demo/a", Regular, b"y"),
            ("demo/a", Regular, b"xx"),
            ("demo/a", Regular, b""),
            ("demo/a/..", Directory, b""),
            ("demo/a", Directory, b""),
            ("demo/A", Directory, b""),
        ];
        let file: Part<'_> = ("demo/a", Regular, b"x");
        for case in cases {
            assert!(run(&tar_of(&[ROOT, case]), &config).is_err(), "{case:?}");
            assert!(run(&tar_of(&[ROOT, file, case]), &config).is_err(), "{case:?} behind the file");
            assert!(run(&tar_of(&[ROOT, case, file]), &config).is_err(), "{case:?} before the file");
        }
        assert!(run(&tar_of(&[ROOT, file]), &config).is_ok());
    }

    #[test]
    fn every_entry_comes_exactly_once_and_behind_its_folder() {
        let (in_folder, config) = (demo(vec![listed("f/a")]), demo(vec![listed("a")]));
        let file: Part<'_> = ("demo/a", tar::EntryType::Regular, b"x");
        let folder: Part<'_> = ("demo/f/", tar::EntryType::Directory, b"");
        let deep: Part<'_> = ("demo/f/a", tar::EntryType::Regular, b"x");
        assert!(matches!(run(&tar_of(&[ROOT, file, file]), &config), Err(UnpackError::Unexpected(_))));
        assert!(matches!(run(&tar_of(&[ROOT]), &config), Err(UnpackError::Missing(_))));
        assert!(matches!(run(&tar_of(&[file]), &config), Err(UnpackError::NoFolder(_))));
        assert!(matches!(run(&tar_of(&[ROOT, ROOT, file]), &config), Err(UnpackError::RootTwice)));
        assert!(matches!(run(&tar_of(&[ROOT, deep]), &in_folder), Err(UnpackError::NoFolder(_))));
        assert!(matches!(run(&tar_of(&[ROOT, folder, folder, deep]), &in_folder), Err(UnpackError::Unexpected(_))));
        assert!(run(&tar_of(&[ROOT, folder, deep]), &in_folder).is_ok());
    }

    #[test]
    fn the_stream_ends_where_it_must_and_has_its_digests() {
        let config = demo(vec![listed("a")]);
        let tar = tar_of(&[ROOT, ("demo/a", tar::EntryType::Regular, b"x")]);
        for wrong in [&tar[..tar.len() - 512], &tar[..tar.len() - 1024], &[tar.as_slice(), &[0; 512]].concat()] {
            assert!(matches!(run(wrong, &config), Err(UnpackError::Ending)), "{}", wrong.len());
        }
        let (bytes, good) = gzip(&tar);
        let check = |bytes: &[u8], descriptor: &Descriptor| unpack_tree(bytes, descriptor, &config, None);
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(check(&longer, &describe(&longer, &tar)), Err(UnpackError::Ending)));
        assert!(check(&longer, &good).is_err(), "more than the descriptor promises");
        let other = Descriptor { digest: Digest::sha256(b""), ..good.clone() };
        assert!(matches!(check(&bytes, &other), Err(UnpackError::Digest("layer"))));
        assert!(matches!(check(&bytes, &describe(&bytes, b"")), Err(UnpackError::Digest("tar"))));
        assert!(check(&bytes, &good).is_ok());
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let zeros = vec![0; 1024 * 1024];
        let bomb = FileEntry {
            mode: Mode::Executable,
            size: FREE_TAR_BYTES,
            digest: Digest::sha256(b"never read to the end"),
            ..listed("a")
        };
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..6].copy_from_slice(b"demo/a");
        header.set_mode(0o755);
        header.set_size(bomb.size);
        header.set_cksum();
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        let root = tar_of(&[ROOT]);
        gzip.write_all(&root[..512]).unwrap();
        gzip.write_all(header.as_bytes()).unwrap();
        for _ in 0..FREE_TAR_BYTES / zeros.len() as u64 {
            gzip.write_all(&zeros).unwrap();
        }
        let bytes = gzip.finish().unwrap();
        assert!(bytes.len() < 128 * 1024, "{}", bytes.len());
        let error = unpack_tree(bytes.as_slice(), &describe(&bytes, b""), &demo(vec![bomb]), None).unwrap_err();
        let UnpackError::Io { source, .. } = error else { panic!("{error}") };
        assert_eq!(source.to_string(), format!("more than the {FREE_TAR_BYTES} bytes allowed here"));
    }
}
