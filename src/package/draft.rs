//! A package whose files are hashed and whose configuration is settled, before any byte of it is packed: the digest of
//! the configuration tells already whether anything changed.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::PathBuf;

use bytes::Bytes;
use jiff::Timestamp;

use super::annotations::LABELLED;
use super::artifact::{Artifact, ArtifactBlob, BlobContent, write_manifest};
use super::config::{Config, FileEntry};
use super::layers::file_layers;
use super::metadata::Metadata;
use super::pack::{PackError, pack_tree};
use super::source::Source;
use super::tree::Tree;
use super::version::Version;
use crate::oci::{Descriptor, Digest, MediaType, known};

/// Documents up to this size in bytes are kept in memory, as they were when hashed.
const MAX_HELD_BYTES: u64 = 1024 * 1024;

/// What a flag says instead of the document. Everything but `created` becomes part of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The package name, a component of a repository name.
    pub name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The version; whether it may replace another one is the caller's to decide.
    pub version: Option<Version>,
    /// When the package was made. Without it nothing is said of that, and the digest is the same on any day.
    pub created: Option<Timestamp>,
    /// Where the source is kept, a URL: the label `org.opencontainers.image.source`.
    pub source: Option<String>,
    /// The revision of the source: the label `org.opencontainers.image.revision`.
    pub revision: Option<String>,
    /// Who gives the package out: the label `org.opencontainers.image.vendor`.
    pub vendor: Option<String>,
}

impl Overrides {
    fn apply(&self, metadata: &mut Metadata) {
        if let Some(name) = &self.name {
            metadata.name.clone_from(name);
        }
        if self.description.is_some() {
            metadata.description.clone_from(&self.description);
        }
        if self.version.is_some() {
            metadata.version.clone_from(&self.version);
        }
        let [source, revision, _, _, vendor] = LABELLED;
        for (key, value) in [(source, &self.source), (revision, &self.revision), (vendor, &self.vendor)] {
            if let Some(value) = value {
                metadata.labels.insert(key.to_owned(), value.clone());
            }
        }
    }
}

impl Source {
    /// Hashes all files. What changes after this is noticed when it is packed or sent.
    pub fn draft(&self, overrides: &Overrides) -> Result<Draft, PackError> {
        let mut metadata = self.metadata().clone();
        overrides.apply(&mut metadata);
        let config = Config::new(metadata, self.tree().entries()?)?;
        let (path, digest) = self.packed_document();
        if !config.files.iter().any(|file| file.path == *path && file.digest == *digest) {
            return Err(PackError::Changed(path.clone()));
        }
        let bytes = Bytes::from(config.to_bytes()?);
        let media_type = MediaType::known(known::AGENT_CONFIG);
        let descriptor = Descriptor::new(media_type, Digest::sha256(&bytes), bytes.len() as u64);
        Ok(Draft { tree: self.tree().clone(), config, bytes, descriptor, created: overrides.created })
    }
}

/// A package that is settled but not packed.
#[derive(Clone, Debug)]
pub struct Draft {
    tree: Tree,
    config: Config,
    bytes: Bytes,
    descriptor: Descriptor,
    created: Option<Timestamp>,
}

impl Draft {
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration's descriptor; equal digests mean equal packages, but for empty folders and `created`.
    pub fn config_descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// When the package was made, where a flag says so.
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// Packs: the tree goes to a temporary file that the artifact owns, large files stay where they are.
    pub fn pack(self) -> Result<Artifact, PackError> {
        let name = &self.config.metadata.name;
        let failed = |source| PackError::Io { path: name.clone(), source };
        let mut blobs =
            vec![ArtifactBlob { descriptor: self.descriptor.clone(), content: BlobContent::Bytes(self.bytes.clone()) }];
        for (descriptor, file) in file_layers(&self.config) {
            let source = self.tree.files.iter().find(|packed| packed.path == file.path);
            let source = source.ok_or_else(|| PackError::Changed(file.path.clone()))?.source.clone();
            blobs.push(ArtifactBlob { descriptor, content: content_of(source, file)? });
        }
        let layer = tempfile::NamedTempFile::new().map_err(failed)?;
        let packed = pack_tree(&self.tree, &self.config, BufWriter::new(layer.as_file()))?;
        let layer = layer.into_temp_path();
        if let Some(packed) = packed {
            let content = BlobContent::File(layer.to_path_buf());
            blobs.push(ArtifactBlob { descriptor: packed.descriptor(name), content });
        }
        let manifest = write_manifest(&self.config, &blobs, self.created)?;
        Ok(Artifact::new(manifest, self.config, blobs, layer))
    }
}

/// The bytes of a small file as they were hashed; of a large one, where they are.
fn content_of(source: PathBuf, file: &FileEntry) -> Result<BlobContent, PackError> {
    if file.size > MAX_HELD_BYTES {
        return Ok(BlobContent::File(source));
    }
    let failed = |source| PackError::Io { path: file.path.to_string(), source };
    let mut bytes = vec![];
    File::open(source).map_err(failed)?.take(MAX_HELD_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    let unchanged = Digest::sha256(&bytes) == file.digest;
    if unchanged { Ok(BlobContent::Bytes(bytes.into())) } else { Err(PackError::Changed(file.path.clone())) }
}
