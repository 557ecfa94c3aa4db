//! A manifest against its configuration: what a registry checks before it believes either, and a client before it
//! unpacks.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;

use super::annotations::{CREATED, is_projected};
use super::config::{Config, ConfigError};
use super::file_path::FilePath;
use super::layers::{file_layers, needs_tree, tar_digest, tree_descriptor};
use super::unpack::{UnpackError, unpack_tree};
use crate::oci::{Algorithm, Descriptor, Digest, Manifest, ManifestKind, known};

/// How a manifest and its configuration contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Another artifact, or an index.
    #[error(
        "the manifest is no agent package: its artifactType must be `{}` and it must have a configuration",
        known::AGENT
    )]
    NotAnAgent,
    /// The configuration's descriptor has another media type.
    #[error("the configuration is of type `{0}`, expected `{expected}`", expected = known::AGENT_CONFIG)]
    ConfigType(String),
    /// The bytes are not those the manifest points at.
    #[error("the configuration is not the one the manifest points at ({0})")]
    ConfigDigest(Digest),
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An annotation other than the configuration gives it.
    #[error("annotation `{key}` is {}, by the configuration it must be {}", shown(found.as_ref()), shown(expected.as_ref()))]
    Annotation {
        /// Its key.
        key: String,
        /// Its value by the configuration, `None` for absent.
        expected: Option<String>,
        /// Its value, `None` for absent.
        found: Option<String>,
    },
    /// `org.opencontainers.image.created` is no time.
    #[error("annotation `{CREATED}` is `{0}`, expected a time such as `2025-01-31T12:00:00Z`")]
    Created(String),
    /// A layer without a title.
    #[error("the layer {0} has no annotation `org.opencontainers.image.title`")]
    Untitled(Digest),
    /// A title outside the package's folder, or one that is no plain path.
    #[error("the layer title {title:?} is neither `{name}` nor a plain path below `{name}/`")]
    Title {
        /// The title.
        title: String,
        /// The package name.
        name: String,
    },
    /// A title that comes twice.
    #[error("two layers have the title `{0}`")]
    TitleTwice(String),
    /// A layer the configuration does not ask for.
    #[error("the layer `{0}` is for no file of the configuration that travels on its own")]
    Unexpected(String),
    /// A layer the configuration asks for.
    #[error("the layer `{0}` is missing")]
    Missing(String),
    /// A layer other than the configuration describes it.
    #[error("the layer `{title}` has the {what} {found}, by the configuration it must be {expected}")]
    Layer {
        /// Its title.
        title: String,
        /// What differs.
        what: &'static str,
        /// By the configuration.
        expected: String,
        /// By the manifest.
        found: String,
    },
    /// The tree in its layer is not the one listed.
    #[error("the tree of the package is not the one its configuration lists")]
    Tree(#[from] UnpackError),
}

fn shown(value: Option<&String>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| format!("`{}`", value.chars().take(300).collect::<String>()))
}

/// Checks a manifest against the bytes of its configuration and gives the configuration: it can be read, annotations
/// are its projection, and the layers are exactly those it asks for. Only [`check_tree`] looks into a layer.
///
/// Free: annotations of other projects, and the order of the layers.
pub fn check_manifest(manifest: &Manifest, config: &[u8]) -> Result<Config, CheckError> {
    let ManifestKind::Image { config: descriptor, .. } = manifest.kind() else {
        return Err(CheckError::NotAnAgent);
    };
    if !manifest.is_agent() {
        return Err(CheckError::NotAnAgent);
    }
    if descriptor.media_type != known::AGENT_CONFIG {
        return Err(CheckError::ConfigType(descriptor.media_type.to_string()));
    }
    let is_its_own = descriptor.size == config.len() as u64
        && descriptor.digest == Digest::of(descriptor.digest.algorithm(), config);
    if !is_its_own {
        return Err(CheckError::ConfigDigest(descriptor.digest));
    }
    let config = Config::parse(config)?;
    check_annotations(manifest, &config)?;
    check_layers(manifest, &config)?;
    Ok(config)
}

/// Compares the tree in a layer with the files of the configuration, under the limits of unpacking. Nothing is
/// written. `descriptor` is the layer's, whose digest, size and digest of the tar are compared as well.
pub fn check_tree(layer: impl Read, descriptor: &Descriptor, config: &Config) -> Result<(), CheckError> {
    Ok(unpack_tree(layer, descriptor, config, None)?)
}

fn check_annotations(manifest: &Manifest, config: &Config) -> Result<(), CheckError> {
    let (found, expected) = (manifest.annotations(), config.metadata.annotations());
    let ours = found.keys().filter(|key| is_projected(key)).chain(expected.keys());
    for key in ours {
        if found.get(key) != expected.get(key) {
            let (expected, found) = (expected.get(key).cloned(), found.get(key).cloned());
            return Err(CheckError::Annotation { key: key.clone(), expected, found });
        }
    }
    match found.get(CREATED) {
        Some(time) if time.parse::<Timestamp>().is_err() => Err(CheckError::Created(time.chars().take(60).collect())),
        _ => Ok(()),
    }
}

/// Checks that the layers are those a configuration asks for, each with a safe title of its own.
pub(super) fn check_layers(manifest: &Manifest, config: &Config) -> Result<(), CheckError> {
    let ManifestKind::Image { layers, .. } = manifest.kind() else {
        return Err(CheckError::NotAnAgent);
    };
    let name = &config.metadata.name;
    let mut titled: BTreeMap<&str, &Descriptor> = BTreeMap::new();
    for layer in layers {
        let title = layer.title().ok_or(CheckError::Untitled(layer.digest))?;
        if !is_safe(title, name) {
            let title = title.chars().take(200).collect();
            return Err(CheckError::Title { title, name: name.clone() });
        }
        if titled.insert(title, layer).is_some() {
            return Err(CheckError::TitleTwice(title.to_owned()));
        }
    }
    for (expected, file) in file_layers(config) {
        let title = format!("{name}/{}", file.path);
        let found = titled.remove(title.as_str()).ok_or_else(|| CheckError::Missing(title.clone()))?;
        same(&title, &expected, found)?;
    }
    match titled.remove(name.as_str()) {
        Some(tree) => check_tree_descriptor(name, tree)?,
        None if needs_tree(config) => return Err(CheckError::Missing(name.clone())),
        None => {}
    }
    titled.into_keys().next().map_or(Ok(()), |title| Err(CheckError::Unexpected(title.to_owned())))
}

/// Whether a title is the package's folder or a plain path in it.
fn is_safe(title: &str, name: &str) -> bool {
    let inside = title.strip_prefix(name).and_then(|rest| rest.strip_prefix('/'));
    title == name || inside.is_some_and(|inside| inside.parse::<FilePath>().is_ok_and(|path| path.as_str() == inside))
}

fn check_tree_descriptor(name: &str, tree: &Descriptor) -> Result<(), CheckError> {
    let tar = tar_digest(tree).filter(|digest| digest.algorithm() == Algorithm::Sha256);
    let Some(tar) = tar else {
        return Err(CheckError::Layer {
            title: name.to_owned(),
            what: "annotations",
            expected: "with `io.deis.oras.content.digest`, the sha256 digest of the tar".to_owned(),
            found: format!("{:?}", tree.annotations),
        });
    };
    same(name, &tree_descriptor(name, tree.digest, tree.size, tar), tree)
}

fn same(title: &str, expected: &Descriptor, found: &Descriptor) -> Result<(), CheckError> {
    let parts = |layer: &Descriptor| {
        [
            ("media type", layer.media_type.to_string()),
            ("digest", layer.digest.to_string()),
            ("size", layer.size.to_string()),
            // More annotations could make a tool do more with a file than lay it down.
            ("annotations", format!("{:?}", layer.annotations)),
            ("URLs", format!("{:?}", layer.urls)),
        ]
    };
    let differing = parts(expected).into_iter().zip(parts(found)).find(|(expected, found)| expected != found);
    match differing {
        None => Ok(()),
        Some(((what, expected), (_, found))) => {
            Err(CheckError::Layer { title: title.to_owned(), what, expected, found })
        }
    }
}
