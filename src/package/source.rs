//! What can be packed: a folder with `agent.yaml` or `SKILL.md`, or one Markdown file, and what it says of itself.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::agent_yaml::{AGENT_YAML_NAMES, AgentYaml};
use super::file_path::{FilePath, FilePathError};
use super::front_matter::FrontMatter;
use super::metadata::Metadata;
use super::problem::{Place, Problem, Problems};
use super::tree::{Tree, TreeError, TreeFile};
use super::version::Version;
use crate::oci::Digest;

/// Largest `agent.yaml`, `SKILL.md` or agent in one file, in bytes; `agent.yaml` has a lower limit of its own.
pub const MAX_DOCUMENT_BYTES: u64 = 4 * 1024 * 1024;

/// The document of a skill.
const SKILL: &str = "SKILL.md";

/// Names told of several agents in one folder.
const MAX_NAMES_TOLD: usize = 5;

/// Why there is nothing to pack.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder without a document.
    #[error(
        "no agent in {}: it has no {}, no {SKILL}, and no Markdown file with front matter; write an agent.yaml there, \
         or name the folder that has one", .0.display(), AGENT_YAML_NAMES.join(", ")
    )]
    NotFound(PathBuf),
    /// A folder with several agents, each a file.
    #[error("{} holds {count} agents in one file each ({}): name one of them", folder.display(), names.join(", "))]
    Several {
        /// The folder.
        folder: PathBuf,
        /// How many.
        count: usize,
        /// The first few of their files.
        names: Vec<String>,
    },
    /// A file that is no document.
    #[error(
        "{} is no agent: give a folder, an agent.yaml, a {SKILL}, or a Markdown file with front matter between `---` \
         lines", .0.display()
    )]
    NotADocument(PathBuf),
    /// A document over [`MAX_DOCUMENT_BYTES`].
    #[error("{} is larger than {MAX_DOCUMENT_BYTES} bytes", .0.display())]
    TooLarge(PathBuf),
    /// A document with errors.
    #[error("{} cannot be used", path.display())]
    Document {
        /// The document.
        path: PathBuf,
        /// All that is wrong with it.
        source: Problems,
    },
    /// No letter or digit in the name, or a file name no package can hold.
    #[error("{} gives the package no name: write `name:` with a letter from a to z or a digit", .0.display())]
    NoName(PathBuf),
    /// A file name no package can hold.
    #[error(transparent)]
    Path(#[from] FilePathError),
    /// The document is left out by an ignore rule, so nobody could read the package.
    #[error("{} is left out by the rule {rule}: take the rule out, or bring the file back with `!` in .agentignore",
        path.display())]
    LeftOut {
        /// The document.
        path: PathBuf,
        /// The rule, and the file it is from.
        rule: String,
    },
    /// The folder cannot be packed.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What kind of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A folder with `agent.yaml`.
    Agent,
    /// A folder with `SKILL.md`.
    Skill,
    /// One Markdown file: `*.agent.md`, or any with front matter.
    Single,
}

/// Something to pack, read and found to be in order.
#[derive(Clone, Debug)]
pub struct Source {
    kind: SourceKind,
    metadata: Metadata,
    warnings: Vec<Problem>,
    tree: Tree,
    document: PathBuf,
    root: PathBuf,
    // What the document was when its facts were read.
    packed_document: (FilePath, Digest),
}

impl Source {
    /// Opens a folder, or the path of an `agent.yaml`, a `SKILL.md` (both mean their folder) or a Markdown file.
    ///
    /// A folder with neither but with exactly one Markdown file with front matter is that agent: it is what a pull of
    /// a single file leaves.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Io { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            let (kind, name) = find_document(path)?;
            return Self::read(kind, path, &name, Tree::walk(path)?);
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| SourceError::NotADocument(path.to_owned()))?;
        let root = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let kind = kind_of(path, name)?.ok_or_else(|| SourceError::NotADocument(path.to_owned()))?;
        let tree = if kind == SourceKind::Single { single(path, name)? } else { Tree::walk(root)? };
        Self::read(kind, root, name, tree)
    }

    fn read(kind: SourceKind, root: &Path, name: &str, tree: Tree) -> Result<Self, SourceError> {
        let document = root.join(name);
        let packed: FilePath = name.parse()?;
        if let Some(left) = tree.left_out.iter().find(|left| left.path == packed) {
            return Err(SourceError::LeftOut { path: document, rule: left.rule.clone() });
        }
        let bytes = read_document(&document)?;
        let (metadata, warnings) = match kind {
            SourceKind::Agent => {
                let parsed = AgentYaml::parse(&bytes);
                let (agent, warnings) =
                    parsed.map_err(|source| SourceError::Document { path: document.clone(), source })?;
                (agent.into(), warnings)
            }
            SourceKind::Skill => of_head(&bytes, &document, &folder_name(root)?)?,
            SourceKind::Single => of_head(&bytes, &document, stem(name))?,
        };
        let packed_document = (packed, Digest::sha256(&bytes));
        Ok(Self { kind, metadata, warnings, tree, document, root: root.to_owned(), packed_document })
    }

    /// What kind of source it is.
    pub fn kind(&self) -> SourceKind {
        self.kind
    }

    /// What it says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What is probably a mistake in its document.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The files to pack, and those left out.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Path of `agent.yaml`, `SKILL.md` or the one file.
    pub fn document(&self) -> &Path {
        &self.document
    }

    /// Path of the folder the files are in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path in the package and digest of the document as it was read.
    pub(super) fn packed_document(&self) -> &(FilePath, Digest) {
        &self.packed_document
    }
}

/// The document of a folder: its kind and file name.
fn find_document(folder: &Path) -> Result<(SourceKind, String), SourceError> {
    let failed = |source| SourceError::Io { path: folder.to_owned(), source };
    let mut names = vec![];
    for entry in fs::read_dir(folder).map_err(failed)? {
        // A name that is no Unicode is no document; the walk tells of it.
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    // By the listing, not by opening: a file system without case would find `Agent.yaml` as `agent.yaml`.
    let has = |name: &&str| names.iter().any(|other| other == name);
    if let Some(name) = AGENT_YAML_NAMES.into_iter().find(has) {
        return Ok((SourceKind::Agent, name.to_owned()));
    }
    if has(&SKILL) {
        return Ok((SourceKind::Skill, SKILL.to_owned()));
    }
    let mut found = vec![];
    for name in names {
        let path = folder.join(&name);
        if path.is_file() && kind_of(&path, &name)? == Some(SourceKind::Single) {
            found.push(name);
        }
    }
    match found.len() {
        0 => Err(SourceError::NotFound(folder.to_owned())),
        1 => Ok((SourceKind::Single, found.remove(0))),
        count => {
            found.truncate(MAX_NAMES_TOLD);
            Err(SourceError::Several { folder: folder.to_owned(), count, names: found })
        }
    }
}

/// What a file is the document of; `None` when it is none.
fn kind_of(path: &Path, name: &str) -> Result<Option<SourceKind>, SourceError> {
    Ok(match name {
        SKILL => Some(SourceKind::Skill),
        name if AGENT_YAML_NAMES.contains(&name) => Some(SourceKind::Agent),
        name if name.ends_with(".agent.md") => Some(SourceKind::Single),
        name if Path::new(name).extension().is_some_and(|extension| extension == "md") => {
            has_head(path)?.then_some(SourceKind::Single)
        }
        _ => None,
    })
}

/// Whether a Markdown file opens a front matter; a broken one counts, so that what is wrong with it gets told.
fn has_head(path: &Path) -> Result<bool, SourceError> {
    let bytes = match read_document(path) {
        Err(SourceError::TooLarge(_)) => return Ok(false),
        other => other?,
    };
    Ok(FrontMatter::parse(text_of(&bytes)).map_or(true, |(_, body)| body > 0))
}

fn read_document(path: &Path) -> Result<Vec<u8>, SourceError> {
    let failed = |source| SourceError::Io { path: path.to_owned(), source };
    let mut bytes = vec![];
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_DOCUMENT_BYTES { Err(SourceError::TooLarge(path.to_owned())) } else { Ok(bytes) }
}

/// The text of a Markdown file, up to the first byte that is none: only its head is read.
fn text_of(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// The facts of a Markdown file, and a warning where its version is none.
fn of_head(bytes: &[u8], document: &Path, fallback: &str) -> Result<(Metadata, Vec<Problem>), SourceError> {
    let parsed = FrontMatter::parse(text_of(bytes));
    let (head, _) = parsed.map_err(|source| SourceError::Document { path: document.to_owned(), source })?;
    let mut warnings = vec![];
    if let Some(version) = &head.version
        && version.parse::<Version>().is_err()
    {
        let message = format!("`{version}` is no semantic version such as `1.2.3`: the package has none");
        warnings.push(Problem::warning(Place { line: 1, column: 1 }, "version", message));
    }
    let metadata = Metadata::of_head(head, fallback).ok_or_else(|| SourceError::NoName(document.to_owned()))?;
    Ok((metadata, warnings))
}

/// The name of a folder, `.` included.
fn folder_name(root: &Path) -> Result<String, SourceError> {
    let whole = root.canonicalize().map_err(|source| SourceError::Io { path: root.to_owned(), source })?;
    Ok(whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".agent.md").or_else(|| name.strip_suffix(".md")).unwrap_or(name)
}

/// The tree of one file: its neighbours are not part of it.
fn single(path: &Path, name: &str) -> Result<Tree, SourceError> {
    let file = TreeFile { path: name.parse()?, source: path.to_owned() };
    Ok(Tree { files: vec![file], ..Tree::default() })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;

    const AGENT: &str = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {name: Demo Agent, nmae: x}\n\
                         spec: {runtime: go, model: {provider: openai, name: gpt-4}}\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            fs::write(root.path().join(path), text).unwrap();
        }
        root
    }

    fn error(path: &Path) -> String {
        Source::open(path).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_and_its_document_are_the_same_source() {
        for (name, text, kind, package) in [
            ("agent.yaml", AGENT, SourceKind::Agent, "demo-agent"),
            ("Agent.yml", AGENT, SourceKind::Agent, "demo-agent"),
            ("SKILL.md", "---\nname: Review It\n---\n", SourceKind::Skill, "review-it"),
        ] {
            let root = folder(&[(name, text), ("src/main.go", "package main\n"), ("README.md", "---\na: 1\n---\n")]);
            for path in [root.path().to_owned(), root.path().join(name)] {
                let source = Source::open(&path).unwrap();
                assert_eq!((source.kind(), source.metadata().name.as_str()), (kind, package));
                assert_eq!((source.tree().files.len(), source.root()), (3, root.path()));
                assert_eq!(source.document(), root.path().join(name));
                assert_eq!(source.warnings().len(), usize::from(kind == SourceKind::Agent));
            }
        }
    }

    #[test]
    fn one_markdown_file_is_alone_but_its_pulled_folder_is_found() {
        let root = folder(&[("Über Bot.agent.md", "no head\n"), ("notes.txt", "n"), ("README.md", "# Readme\n")]);
        let source = Source::open(&root.path().join("Über Bot.agent.md")).unwrap();
        assert_eq!((source.kind(), source.metadata().name.as_str()), (SourceKind::Single, "uber-bot"));
        assert_eq!(source.tree().files.len(), 1);
        assert_eq!(Source::open(root.path()).unwrap().tree().files.len(), 3);
        assert!(error(&root.path().join("README.md")).contains("front matter between"));
        assert!(error(&root.path().join("notes.txt")).contains("is no agent"));
    }

    #[test]
    fn refusals_say_where_and_what() {
        let empty = folder(&[("x.md", "# no head\n")]);
        let told = error(empty.path());
        assert!(told.contains(&*empty.path().to_string_lossy()) && told.contains("agent.yml") && told.contains(SKILL));
        let two = folder(&[("a.md", "---\nx: 1\n---\n"), ("b.agent.md", "")]);
        assert!(error(two.path()).contains("holds 2 agents in one file each (a.md, b.agent.md)"));
        let broken = folder(&[("a.md", "---\nname: [x]\n---\n")]);
        let Err(SourceError::Document { source, .. }) = Source::open(broken.path()) else { panic!("must be refused") };
        assert_eq!(source.all().len(), 1);
        let ignored = folder(&[("agent.yaml", AGENT), (".gitignore", "*.yaml\n")]);
        assert!(error(ignored.path()).contains("*.yaml (.gitignore)"));
        assert!(matches!(Source::open(&empty.path().join("none")), Err(SourceError::Io { .. })));
        let nameless = folder(&[("日本.md", "---\ndescription: x\n---\n")]);
        assert!(matches!(Source::open(nameless.path()), Err(SourceError::NoName(_))));
    }

    #[test]
    fn a_version_that_is_none_is_told() {
        let root = folder(&[("SKILL.md", "---\nname: x\nversion: 1.2\n---\n")]);
        let source = Source::open(root.path()).unwrap();
        assert_eq!(source.metadata().version, None);
        assert!(source.warnings()[0].to_string().contains("`1.2` is no semantic version"));
    }
}
