//! A package's configuration blob: its metadata and every file, as canonical JSON. It is the source of truth: equal
//! configurations mean equal packages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file_path::FilePath;
use super::metadata::Metadata;
use crate::oci::{Algorithm, Digest, RepositoryName};

/// Largest configuration in bytes.
pub const MAX_CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// Most files of a package.
pub const MAX_FILES: usize = 20_000;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// More than [`MAX_CONFIG_BYTES`].
    #[error("the configuration has {0} bytes, at most {MAX_CONFIG_BYTES} are allowed")]
    TooLarge(usize),
    /// Not the JSON expected.
    #[error("the configuration is not readable")]
    Json(#[from] serde_json::Error),
    /// The name is no component of a repository name.
    #[error("the package name {0:?} is no component of a repository name")]
    Name(String),
    /// More than [`MAX_FILES`].
    #[error("the package has {0} files, at most {MAX_FILES} are allowed")]
    TooManyFiles(usize),
    /// Files out of order, or one of them twice.
    #[error("the file `{0}` is listed twice or out of order")]
    Order(FilePath),
    /// A file with a digest other than sha256, the only one packages use.
    #[error("the digest of the file `{0}` is not of the algorithm sha256")]
    Algorithm(FilePath),
    /// Two paths only case tells apart, or one that is both file and folder.
    #[error("`{0}` and `{1}` would be the same file on some systems")]
    Collision(String, String),
}

/// Metadata and files of one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What the package says of itself.
    #[serde(flatten)]
    pub metadata: Metadata,
    /// Every file, ordered by the bytes of its path.
    pub files: Vec<FileEntry>,
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Where it stands.
    pub path: FilePath,
    /// Whether it can be executed.
    pub mode: Mode,
    /// Its size in bytes.
    pub size: u64,
    /// Digest of its content.
    pub digest: Digest,
}

/// The two modes a packed file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// A plain file.
    #[serde(rename = "0644")]
    Plain,
    /// One whose owner may execute it.
    #[serde(rename = "0755")]
    Executable,
}

impl Mode {
    /// The mode for a file's permission bits: only the owner's execute bit is kept.
    pub fn from_bits(bits: u32) -> Self {
        if bits & 0o100 == 0 { Self::Plain } else { Self::Executable }
    }

    /// The permission bits written.
    pub fn bits(self) -> u32 {
        match self {
            Self::Plain => 0o644,
            Self::Executable => 0o755,
        }
    }
}

impl Config {
    /// Puts a configuration together: sorts the files and refuses what [`Config::parse`] would.
    pub fn new(metadata: Metadata, mut files: Vec<FileEntry>) -> Result<Self, ConfigError> {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Self { metadata, files }.checked()
    }

    /// Reads the blob of anybody.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.len() > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge(bytes.len()));
        }
        serde_json::from_slice::<Self>(bytes)?.checked()
    }

    /// The blob: RFC 8785 JSON, the same bytes everywhere.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ConfigError> {
        let bytes = serde_json_canonicalizer::to_vec(self)?;
        if bytes.len() > MAX_CONFIG_BYTES { Err(ConfigError::TooLarge(bytes.len())) } else { Ok(bytes) }
    }

    fn checked(self) -> Result<Self, ConfigError> {
        if !RepositoryName::is_component(&self.metadata.name) {
            return Err(ConfigError::Name(self.metadata.name.chars().take(100).collect()));
        }
        if self.files.len() > MAX_FILES {
            return Err(ConfigError::TooManyFiles(self.files.len()));
        }
        if let Some(pair) = self.files.windows(2).find(|pair| pair[0].path >= pair[1].path) {
            return Err(ConfigError::Order(pair[1].path.clone()));
        }
        if let Some(file) = self.files.iter().find(|file| file.digest.algorithm() != Algorithm::Sha256) {
            return Err(ConfigError::Algorithm(file.path.clone()));
        }
        refuse_collisions(self.files.iter().map(|file| &file.path), std::iter::empty())?;
        Ok(self)
    }
}

/// Refuses paths that are one on a file system without case, and files where a folder is needed.
pub(super) fn refuse_collisions<'a>(
    files: impl Iterator<Item = &'a FilePath>,
    folders: impl Iterator<Item = &'a FilePath>,
) -> Result<(), ConfigError> {
    // Folded path -> the path as written, and whether it is a file.
    let mut seen: BTreeMap<String, (&str, bool)> = BTreeMap::new();
    for (path, is_file) in files.map(|path| (path, true)).chain(folders.map(|path| (path, false))) {
        let above = path.folders().map(|folder| (folder, false));
        for (part, is_file) in above.chain([(path.as_str(), is_file)]) {
            let (first, first_is_file) = *seen.entry(part.to_lowercase()).or_insert((part, is_file));
            if first != part || first_is_file != is_file {
                return Err(ConfigError::Collision(first.to_owned(), part.to_owned()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::super::agent_yaml::AgentYaml;
    use super::*;

    fn entry(path: &str) -> FileEntry {
        FileEntry { path: path.parse().unwrap(), mode: Mode::Plain, size: 1, digest: Digest::sha256(b"x") }
    }

    fn named(name: &str) -> Metadata {
        Metadata { name: name.to_owned(), ..Metadata::default() }
    }

    #[test]
    fn the_blob_is_canonical_and_reads_back() {
        let agent = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata: {name: My Agent, version: 1.0.0}\n\
                     spec: {runtime: go, model: {provider: openai, name: gpt-4}, ports: [{container: 80}]}\n";
        let metadata = AgentYaml::parse(agent.as_bytes()).unwrap().0.into();
        let config = Config::new(metadata, vec![entry("b"), entry("a/c")]).unwrap();
        let bytes = config.to_bytes().unwrap();
        let digest = Digest::sha256(b"x");
        let expected = format!(
            r#"{{"display_name":"My Agent","files":[{{"digest":"{digest}","mode":"0644","path":"a/c","size":1}},{{"digest":"{digest}","mode":"0644","path":"b","size":1}}],"model":"gpt-4","model_provider":"openai","name":"my-agent","ports":[80],"runtime":"go","schema_version":"agent.dev/v1","version":"1.0.0"}}"#
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        assert_eq!(Config::parse(&bytes).unwrap(), config);
    }

    #[test]
    fn colliding_files_are_refused() {
        for pair in [["A/x", "a/y"], ["readme", "README"], ["a", "a/b"], ["A", "a/b"]] {
            let error = Config::new(named("x"), pair.map(entry).to_vec()).unwrap_err();
            assert!(matches!(error, ConfigError::Collision(..)), "{pair:?}: {error}");
        }
        assert!(Config::new(named("x"), vec![entry("a/x"), entry("a/y"), entry("a.b")]).is_ok());
    }

    #[test]
    fn what_a_stranger_sends_is_checked() {
        assert!(matches!(Config::new(named("My Agent"), vec![]), Err(ConfigError::Name(_))));
        let twice = Config { metadata: named("x"), files: vec![entry("a"), entry("a")] };
        assert!(matches!(Config::parse(&twice.to_bytes().unwrap()), Err(ConfigError::Order(_))));
        assert!(matches!(Config::parse(&vec![b' '; MAX_CONFIG_BYTES + 1]), Err(ConfigError::TooLarge(_))));
        let outside = String::from_utf8(twice.to_bytes().unwrap()).unwrap().replace("\"a\"", "\"../a\"");
        assert!(matches!(Config::parse(outside.as_bytes()), Err(ConfigError::Json(_))));
    }
}
