//! Media types without parameters (RFC 6838), and the ones this project gives meaning to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest media type in bytes: two names of at most 127 characters and a slash (RFC 6838, section 4.2).
const MAX_LENGTH: usize = 255;

/// A text that is no media type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("media type `{0}` is not of the form `type/subtype`")]
pub struct MediaTypeError(String);

/// A media type such as `application/vnd.oci.image.manifest.v1+json`, without parameters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType(String);

impl MediaType {
    /// Takes one of the constants of [`known`].
    ///
    /// # Panics
    /// When the text is no media type, which a test of the constants rules out.
    pub fn known(text: &'static str) -> Self {
        text.parse().expect("constants are media types")
    }

    /// Reads a `Content-Type` header: parameters are cut off, case is folded.
    pub fn from_header(value: &str) -> Result<Self, MediaTypeError> {
        value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase().parse()
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let error = || MediaTypeError(text.chars().take(MAX_LENGTH).collect());
        let (kind, subtype) = text.split_once('/').ok_or_else(error)?;
        let name = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphanumeric())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
        };
        if text.len() <= MAX_LENGTH && name(kind) && name(subtype) { Ok(Self(text.to_owned())) } else { Err(error()) }
    }
}

impl PartialEq<&str> for MediaType {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Media types with a meaning here.
pub mod known {
    /// OCI image manifest: also the carrier of every artifact.
    pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index: a list of manifests, and the form of a referrers answer.
    pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image configuration.
    pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The empty JSON object as configuration (image-spec, "Guidance for an empty descriptor").
    pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image configuration.
    pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// `artifactType` of an agent package.
    pub const AGENT: &str = "application/vnd.agentpkg.agent.v1";
    /// Configuration of an agent package: canonical JSON of its metadata.
    pub const AGENT_CONFIG: &str = "application/vnd.agentpkg.agent.config.v1+json";
    /// The package's tree, as gzipped tar.
    pub const AGENT_CONTENT: &str = "application/vnd.agentpkg.agent.content.v1.tar+gzip";
    /// A file of a package that is too large for the tar, as it is.
    pub const AGENT_FILE: &str = "application/vnd.agentpkg.agent.file.v1";
    /// YAML (RFC 9512).
    pub const YAML: &str = "application/yaml";
    /// Markdown (RFC 7763).
    pub const MARKDOWN: &str = "text/markdown";
    /// A2A agent card.
    pub const AGENT_CARD: &str = "application/a2a-agent-card+json";
    /// Anything.
    pub const OCTET_STREAM: &str = "application/octet-stream";
}
