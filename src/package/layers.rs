//! The layers a configuration asks for: one for each document and large file, and one for the tree.

use super::config::{Config, FileEntry};
use super::pack::{DOCUMENTS, PackedTree, Placement};
use crate::oci::{Descriptor, Digest, Manifest, ManifestKind, MediaType, known};

/// File name of a layer when pulled, by the convention of `oras`.
const TITLE: &str = "org.opencontainers.image.title";

/// Tells `oras` to unpack a layer.
const UNPACK: &str = "io.deis.oras.content.unpack";

/// Digest of the tar in a layer, which `oras` compares.
const TAR_DIGEST: &str = "io.deis.oras.content.digest";

/// The files that are a layer each, with its descriptor: documents in a fixed order, then large files by path.
pub(super) fn file_layers(config: &Config) -> Vec<(Descriptor, &FileEntry)> {
    let rank = |file: &FileEntry| DOCUMENTS.iter().position(|(name, _)| *name == file.path.as_str());
    let mut layers: Vec<_> = config
        .files
        .iter()
        .filter_map(|file| match Placement::of(file) {
            Placement::Tar => None,
            Placement::Layer(media_type) => Some((file_layer(config, file, media_type), file)),
        })
        .collect();
    // Stable: files of no rank stay in the order of their paths.
    layers.sort_by_key(|(_, file)| rank(file).unwrap_or(DOCUMENTS.len()));
    layers
}

fn file_layer(config: &Config, file: &FileEntry, media_type: &'static str) -> Descriptor {
    let title = format!("{}/{}", config.metadata.name, file.path);
    Descriptor::new(MediaType::known(media_type), file.digest, file.size).annotated(TITLE, title)
}

/// The descriptor of a package's tree.
pub(super) fn tree_descriptor(name: &str, digest: Digest, size: u64, tar_digest: Digest) -> Descriptor {
    Descriptor::new(MediaType::known(known::AGENT_CONTENT), digest, size)
        .annotated(TITLE, name)
        .annotated(UNPACK, "true")
        .annotated(TAR_DIGEST, tar_digest.to_string())
}

/// Whether a file travels in the tar. Without one the tree may still be a layer, for its folders.
pub(super) fn needs_tree(config: &Config) -> bool {
    config.files.iter().any(|file| Placement::of(file) == Placement::Tar)
}

/// The digest of the tar, as the descriptor of its layer gives it.
pub(super) fn tar_digest(descriptor: &Descriptor) -> Option<Digest> {
    descriptor.annotations.get(TAR_DIGEST)?.parse().ok()
}

/// The layer of a package that holds its tree.
pub fn tree_layer(manifest: &Manifest) -> Option<&Descriptor> {
    let ManifestKind::Image { layers, .. } = manifest.kind() else { return None };
    layers.iter().find(|layer| layer.media_type == known::AGENT_CONTENT)
}

impl PackedTree {
    /// The layer's descriptor.
    pub(super) fn descriptor(&self, name: &str) -> Descriptor {
        tree_descriptor(name, self.digest, self.size, self.tar_digest)
    }
}
