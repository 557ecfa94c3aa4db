//! From a tree to the bytes of its layer: the same tree gives the same bytes, on any machine and day.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::config::{Config, ConfigError, FileEntry, Mode};
use super::file_path::FilePath;
use super::stream::{Hashed, HashedRead};
use super::tree::{Tree, TreeError};
use super::unpack::tar_limit;
use crate::oci::{Algorithm, Digest, ManifestError, known};

/// Largest file kept in the tar; a larger one that is not executable is a layer of its own, so that it is
/// transferred, resumed and shared alone.
pub const MAX_TAR_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Level of the deflate stream. Part of every package's digest, like the pinned version of the library.
pub const DEFLATE_LEVEL: u32 = 6;

/// Documents at the root that are a layer each, to be read without unpacking.
pub(super) const DOCUMENTS: [(&str, &str); 4] = [
    ("agent.yaml", known::YAML),
    ("README.md", known::MARKDOWN),
    ("SKILL.md", known::MARKDOWN),
    ("agent-card.json", known::AGENT_CARD),
];

/// Why a tree could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Reading a file or writing the layer failed.
    #[error("cannot pack `{path}`")]
    Io {
        /// What was being packed.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what the configuration says of it.
    #[error("`{0}` changed while it was packed")]
    Changed(FilePath),
    /// A tree that no reader would unpack: its size in bytes, and the limit for a layer compressed so far.
    #[error("the tree has {0} bytes, readers unpack at most {1} of a layer that small")]
    TooLarge(u64, u64),
    /// A file could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The name given is no component, or the files are over a limit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Too many large files for one manifest.
    #[error("the manifest cannot be written")]
    Manifest(#[from] ManifestError),
}

/// Where the bytes of a file travel; never in two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// In the tar.
    Tar,
    /// A layer of this media type.
    Layer(&'static str),
}

impl Placement {
    /// Where a file travels. A layer carries no mode, so an executable is always in the tar.
    pub(super) fn of(file: &FileEntry) -> Self {
        if file.mode == Mode::Executable {
            return Self::Tar;
        }
        let document = DOCUMENTS.into_iter().find(|(name, _)| file.path.as_str() == *name);
        match document {
            Some((_, media_type)) => Self::Layer(media_type),
            None if file.size > MAX_TAR_FILE_BYTES => Self::Layer(known::AGENT_FILE),
            None => Self::Tar,
        }
    }
}

/// A layer as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackedTree {
    /// Digest of the compressed bytes: the layer's.
    pub digest: Digest,
    /// Size of the compressed bytes.
    pub size: u64,
    /// Digest of the tar inside.
    pub tar_digest: Digest,
    /// Size of the tar inside.
    pub tar_size: u64,
}

/// Writes the tar layer of a tree whose `config` was made from the same files; `None`, with nothing written, when
/// every file is a layer of its own and no folder is left.
pub(super) fn pack_tree(tree: &Tree, config: &Config, out: impl Write) -> Result<Option<PackedTree>, PackError> {
    let mut parts: BTreeMap<&FilePath, Option<&FileEntry>> = tree.folders.iter().map(|path| (path, None)).collect();
    let in_tar = config.files.iter().filter(|file| Placement::of(file) == Placement::Tar);
    parts.extend(in_tar.map(|file| (&file.path, Some(file))));
    if parts.is_empty() {
        return Ok(None);
    }
    let sources: BTreeMap<_, _> = tree.files.iter().map(|file| (&file.path, &file.source)).collect();
    let name = &config.metadata.name;
    let failed = |path: &str| {
        let path = path.to_owned();
        move |source| PackError::Io { path, source }
    };
    // No time, no name, and an operating system of "unknown", which flate2 writes on its own.
    let gzip = GzBuilder::new().mtime(0).write(Hashed::new(out), Compression::new(DEFLATE_LEVEL));
    let mut tar = tar::Builder::new(Hashed::new(gzip));
    add_folder(&mut tar, &format!("{name}/")).map_err(failed(name))?;
    for (path, file) in parts {
        match file {
            None => add_folder(&mut tar, &format!("{name}/{path}/")).map_err(failed(path.as_str()))?,
            Some(file) => {
                let source = sources.get(path).ok_or_else(|| PackError::Changed(path.clone()))?;
                let content = File::open(source).map_err(failed(path.as_str()))?;
                add_file(&mut tar, name, file, content)?;
            }
        }
    }
    // Ends with exactly two zero blocks: padding to a record would not survive an extraction that compares digests.
    let tar = tar.into_inner().map_err(failed(name))?;
    let packed = finish(tar).map_err(failed(name))?;
    let limit = tar_limit(packed.size);
    // What no reader would unpack is not packed.
    if packed.tar_size > limit { Err(PackError::TooLarge(packed.tar_size, limit)) } else { Ok(Some(packed)) }
}

fn finish<W: Write>(tar: Hashed<GzEncoder<Hashed<W>>>) -> io::Result<PackedTree> {
    let (gzip, tar_size, tar_digest) = tar.finish();
    let (mut out, size, digest) = gzip.finish()?.finish();
    out.flush()?;
    Ok(PackedTree { digest, size, tar_digest, tar_size })
}

fn add_folder<W: Write>(tar: &mut tar::Builder<W>, path: &str) -> io::Result<()> {
    let mut header = header(tar::EntryType::Directory, 0o755, 0);
    tar.append_data(&mut header, path, io::empty())
}

fn add_file<W: Write>(tar: &mut tar::Builder<W>, name: &str, file: &FileEntry, content: File) -> Result<(), PackError> {
    let mut header = header(tar::EntryType::Regular, file.mode.bits(), file.size);
    // One byte more than promised would show that the file grew; the rest of it is not read.
    let mut content = HashedRead::new(content.take(file.size + 1), Algorithm::Sha256, u64::MAX);
    tar.append_data(&mut header, format!("{name}/{}", file.path), &mut content)
        .map_err(|source| PackError::Io { path: file.path.to_string(), source })?;
    if content.so_far() == (file.size, file.digest) { Ok(()) } else { Err(PackError::Changed(file.path.clone())) }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::metadata::Metadata;
    use super::*;

    fn pack(root: &Path) -> (Option<PackedTree>, Vec<u8>) {
        let tree = Tree::walk(root).unwrap();
        let metadata = Metadata { name: "demo".to_owned(), ..Metadata::default() };
        let config = Config::new(metadata, tree.entries().unwrap()).unwrap();
        let mut bytes = vec![];
        (pack_tree(&tree, &config, &mut bytes).unwrap(), bytes)
    }

    fn golden(root: &Path) {
        fs::create_dir_all(root.join("src/empty")).unwrap();
        fs::write(root.join("agent.yaml"), "kind: Agent\n").unwrap();
        fs::write(root.join("src/main.py"), "print('hi')\n").unwrap();
        fs::write(root.join("src.txt"), "x").unwrap();
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        golden(one.path());
        golden(two.path());
        let old = File::options().write(true).open(two.path().join("src.txt")).unwrap();
        old.set_modified(std::time::UNIX_EPOCH).unwrap();
        let (packed, bytes) = pack(one.path());
        let packed = packed.unwrap();
        assert_eq!(pack(two.path()), (Some(packed), bytes.clone()));
        assert_eq!((packed.digest, packed.size), (Digest::sha256(&bytes), bytes.len() as u64));
        assert_eq!(bytes[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn the_tar_is_rooted_ordered_and_ends_in_two_blocks() {
        let root = tempfile::tempdir().unwrap();
        golden(root.path());
        let (packed, bytes) = pack(root.path());
        let mut tar = vec![];
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut tar).unwrap();
        assert_eq!(Digest::sha256(&tar), packed.unwrap().tar_digest);
        // Headers of three folders and two files, two blocks of content, two of zeros.
        assert_eq!(tar.len(), 512 * (3 + 2 + 2 + 2));
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
                format!("{:o} {}", header.mode().unwrap(), entry.path().unwrap().display())
            })
            .collect();
        let expected =
            ["755 demo/", "755 demo/src/", "644 demo/src.txt", "755 demo/src/empty/", "644 demo/src/main.py"];
        assert_eq!(entries, expected);
    }

    #[test]
    fn documents_alone_need_no_tar() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("agent.yaml"), "kind: Agent\n").unwrap();
        assert_eq!(pack(root.path()), (None, vec![]));
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        for changed in ["", "y", "xx"] {
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join("a"), "x").unwrap();
            let tree = Tree::walk(root.path()).unwrap();
            let metadata = Metadata { name: "demo".to_owned(), ..Metadata::default() };
            let config = Config::new(metadata, tree.entries().unwrap()).unwrap();
            fs::write(root.path().join("a"), changed).unwrap();
            assert!(matches!(pack_tree(&tree, &config, io::sink()), Err(PackError::Changed(_))), "{changed:?}");
        }
    }

    #[test]
    fn large_files_travel_alone_unless_executable() {
        let entry =
            |path: &str, mode, size| FileEntry { path: path.parse().unwrap(), mode, size, digest: Digest::sha256(b"") };
        let large = MAX_TAR_FILE_BYTES + 1;
        assert_eq!(Placement::of(&entry("m", Mode::Plain, large)), Placement::Layer(known::AGENT_FILE));
        assert_eq!(Placement::of(&entry("m", Mode::Plain, large - 1)), Placement::Tar);
        assert_eq!(Placement::of(&entry("m", Mode::Executable, large)), Placement::Tar);
        assert_eq!(Placement::of(&entry("SKILL.md", Mode::Plain, 1)), Placement::Layer(known::MARKDOWN));
        assert_eq!(Placement::of(&entry("docs/SKILL.md", Mode::Plain, 1)), Placement::Tar);
    }
}
