//! A manifest: bytes that are their own identity, and the few facts the registry reads out of them.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use serde::Deserialize;

use super::descriptor::{empty_is_none, null_is_default};
use super::{Algorithm, Descriptor, Digest, MAX_DESCRIPTOR_ANNOTATIONS, MediaType, known};

/// Largest manifest in bytes: registries must take 4 MiB (distribution-spec, "Pushing manifests").
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting of arrays and objects in a manifest.
const MAX_NESTING: usize = 128;

/// Why bytes are no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Over [`MAX_MANIFEST_BYTES`].
    #[error("manifest has {0} bytes, at most {MAX_MANIFEST_BYTES} are allowed")]
    TooLarge(usize),
    /// Arrays and objects nested too deeply.
    #[error("manifest is nested more than {MAX_NESTING} levels deep")]
    TooDeep,
    /// No JSON, or a field of the wrong type.
    #[error("manifest is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// `schemaVersion` is not 2.
    #[error("manifest has schemaVersion {0}, only 2 is supported")]
    SchemaVersion(u64),
    /// Both `manifests` and `layers` or `config` (CVE-2021-41190).
    #[error("manifest has both `manifests` and `{0}`: it cannot be an index and an image at once")]
    Ambiguous(&'static str),
    /// The header and the field `mediaType` differ (CVE-2021-41190).
    #[error("manifest says mediaType `{field}`, the Content-Type header says `{header}`")]
    MediaTypeMismatch {
        /// The field in the manifest.
        field: MediaType,
        /// The request's header.
        header: MediaType,
    },
    /// A media type that is no manifest this registry stores.
    #[error("media type `{0}` is not a supported manifest type")]
    UnsupportedMediaType(MediaType),
    /// Neither header nor field says what it is, and the structure does not either.
    #[error("manifest has no media type, neither as `mediaType` nor as Content-Type")]
    NoMediaType,
    /// The content contradicts its media type.
    #[error("manifest of type `{media_type}` lacks `{field}`")]
    Missing {
        /// The manifest's type.
        media_type: MediaType,
        /// The field that the type requires.
        field: &'static str,
    },
    /// `config` is the empty descriptor and `artifactType` is absent (image-spec, "Guidelines for artifact usage").
    #[error("manifest with an empty config must have an `artifactType`")]
    NoArtifactType,
    /// Over [`MAX_DESCRIPTOR_ANNOTATIONS`].
    #[error("manifest has {0} annotations, at most {MAX_DESCRIPTOR_ANNOTATIONS} are allowed")]
    TooManyAnnotations(usize),
}

/// What kind of manifest it is, with what it points at.
#[derive(Clone, Debug, PartialEq)]
pub enum ManifestKind {
    /// An image or artifact: a configuration and layers.
    Image {
        /// The configuration.
        config: Box<Descriptor>,
        /// The layers, in order; may be empty.
        layers: Vec<Descriptor>,
    },
    /// An index of other manifests; may be empty.
    Index {
        /// The children, in order.
        manifests: Vec<Descriptor>,
    },
}

/// How a manifest depends on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// A blob: the configuration.
    Config,
    /// A blob: a layer.
    Layer,
    /// A manifest: a child of an index.
    Child,
    /// A manifest: the subject this one is about. It need not exist.
    Subject,
}

/// One dependency of a manifest.
#[derive(Clone, Copy, Debug)]
pub struct Edge<'a> {
    /// The kind of dependency.
    pub kind: EdgeKind,
    /// What it points at.
    pub descriptor: &'a Descriptor,
}

/// A manifest with its exact bytes. It is never written again from its parts.
#[derive(Clone, Debug)]
pub struct Manifest {
    bytes: Bytes,
    digest: Digest,
    media_type: MediaType,
    kind: ManifestKind,
    artifact_type: Option<MediaType>,
    subject: Option<Descriptor>,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    #[serde(default, deserialize_with = "empty_is_none")]
    media_type: Option<MediaType>,
    #[serde(default, deserialize_with = "empty_is_none")]
    artifact_type: Option<MediaType>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest. `header` is the request's or answer's `Content-Type`, `algorithm` the one its digest uses.
    pub fn parse(bytes: Bytes, header: Option<&MediaType>, algorithm: Algorithm) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        // The parser skips unknown fields at any depth; a client that reads them recursively would not survive.
        if nesting(&bytes) > MAX_NESTING {
            return Err(ManifestError::TooDeep);
        }
        let document: Document = serde_json::from_slice(&bytes)?;
        if document.schema_version != 2 {
            return Err(ManifestError::SchemaVersion(document.schema_version));
        }
        if document.annotations.len() > MAX_DESCRIPTOR_ANNOTATIONS {
            return Err(ManifestError::TooManyAnnotations(document.annotations.len()));
        }
        let media_type = settle_media_type(&document, header)?;
        let (artifact_type, subject, annotations) =
            (document.artifact_type.clone(), document.subject.clone(), document.annotations.clone());
        let kind = settle_kind(document, &media_type)?;
        if let ManifestKind::Image { config, .. } = &kind
            && config.media_type == known::OCI_EMPTY
            && artifact_type.is_none()
        {
            return Err(ManifestError::NoArtifactType);
        }
        let digest = Digest::of(algorithm, &bytes);
        Ok(Self { bytes, digest, media_type, kind, artifact_type, subject, annotations })
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The digest of the bytes, in the algorithm asked for.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The manifest's own type.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// Image or index, with what it points at.
    pub fn kind(&self) -> &ManifestKind {
        &self.kind
    }

    /// The field `artifactType` as written.
    pub fn declared_artifact_type(&self) -> Option<&MediaType> {
        self.artifact_type.as_ref()
    }

    /// What the artifact is: `artifactType`, else the configuration's type (distribution-spec, "Listing referrers").
    /// An index without `artifactType` has none.
    pub fn artifact_type(&self) -> Option<&MediaType> {
        match (&self.artifact_type, &self.kind) {
            (Some(declared), _) => Some(declared),
            (None, ManifestKind::Image { config, .. }) => Some(&config.media_type),
            (None, ManifestKind::Index { .. }) => None,
        }
    }

    /// Whether this is an agent package of this project's format.
    pub fn is_agent(&self) -> bool {
        self.artifact_type.as_ref().is_some_and(|kind| *kind == known::AGENT)
    }

    /// The manifest this one is about.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }

    /// The manifest's annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Everything this manifest points at, configuration first, subject last.
    pub fn edges(&self) -> Vec<Edge<'_>> {
        let edge = |kind| move |descriptor| Edge { kind, descriptor };
        let mut edges = match &self.kind {
            ManifestKind::Image { config, layers } => {
                let config = Edge { kind: EdgeKind::Config, descriptor: config };
                std::iter::once(config).chain(layers.iter().map(edge(EdgeKind::Layer))).collect()
            }
            ManifestKind::Index { manifests } => manifests.iter().map(edge(EdgeKind::Child)).collect::<Vec<_>>(),
        };
        edges.extend(self.subject.iter().map(edge(EdgeKind::Subject)));
        edges
    }

    /// The blobs that must be in a repository before this manifest: configuration and layers, each once, but none that
    /// has URLs of its own (image-spec, "Non-distributable layers").
    pub fn needed_blobs(&self) -> Vec<Digest> {
        let mut seen = HashSet::new();
        let is_blob = |edge: &Edge<'_>| matches!(edge.kind, EdgeKind::Config | EdgeKind::Layer);
        let edges = self.edges().into_iter().filter(|edge| is_blob(edge) && edge.descriptor.urls.is_empty());
        edges.map(|edge| edge.descriptor.digest).filter(|digest| seen.insert(*digest)).collect()
    }

    /// Bytes of the configuration and the layers together; of an index, of its children's manifests.
    pub fn content_bytes(&self) -> u64 {
        self.edges()
            .iter()
            .filter(|edge| edge.kind != EdgeKind::Subject)
            .fold(0, |total, edge| total.saturating_add(edge.descriptor.size))
    }

    /// A descriptor of the manifest itself, as an index or a referrers list holds it.
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::new(self.media_type.clone(), self.digest, self.bytes.len() as u64);
        descriptor.artifact_type = self.artifact_type().cloned();
        descriptor.annotations = self.annotations.clone();
        descriptor
    }
}

/// The deepest nesting of brackets outside strings; of text that is no JSON, some number.
fn nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn settle_media_type(document: &Document, header: Option<&MediaType>) -> Result<MediaType, ManifestError> {
    // Some clients send a manifest as plain JSON; then the field alone decides.
    let header = header.filter(|header| **header != "application/json" && **header != known::OCTET_STREAM);
    match (&document.media_type, header) {
        (Some(field), Some(header)) if field != header => {
            Err(ManifestError::MediaTypeMismatch { field: field.clone(), header: header.clone() })
        }
        (Some(field), _) => Ok(field.clone()),
        (None, Some(header)) => Ok(header.clone()),
        (None, None) if document.manifests.is_some() => Ok(MediaType::known(known::OCI_INDEX)),
        (None, None) if document.config.is_some() => Ok(MediaType::known(known::OCI_MANIFEST)),
        (None, None) => Err(ManifestError::NoMediaType),
    }
}

fn settle_kind(document: Document, media_type: &MediaType) -> Result<ManifestKind, ManifestError> {
    if document.manifests.is_some() && document.layers.is_some() {
        return Err(ManifestError::Ambiguous("layers"));
    }
    if document.manifests.is_some() && document.config.is_some() {
        return Err(ManifestError::Ambiguous("config"));
    }
    let missing = |field| ManifestError::Missing { media_type: media_type.clone(), field };
    match media_type.as_str() {
        known::OCI_MANIFEST | known::DOCKER_MANIFEST => Ok(ManifestKind::Image {
            config: Box::new(document.config.ok_or_else(|| missing("config"))?),
            layers: document.layers.unwrap_or_default(),
        }),
        known::OCI_INDEX | known::DOCKER_LIST => {
            Ok(ManifestKind::Index { manifests: document.manifests.ok_or_else(|| missing("manifests"))? })
        }
        _ => Err(ManifestError::UnsupportedMediaType(media_type.clone())),
    }
}
