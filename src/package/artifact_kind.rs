//! What an artifact is, told from its manifest alone, so that people hear why something is no agent package.

use std::fmt;

use crate::oci::{Manifest, ManifestKind, known};

/// The kinds of artifacts people meet in registries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// An agent package of this project's format.
    Agent,
    /// A container image.
    Image,
    /// A list of manifests, such as an image for several platforms.
    Index,
    /// A Helm chart.
    HelmChart,
    /// A model: `ModelPack` or Ollama.
    Model,
    /// A `ModelKit` of `KitOps`.
    ModelKit,
    /// A skill, of any of the formats in use.
    Skill,
    /// An agent of Docker's `docker agent`, formerly `cagent`.
    DockerAgent,
    /// A WebAssembly component.
    Wasm,
    /// A signature or attestation.
    Signature,
    /// Something else, by its type.
    Other(String),
}

/// Beginnings of the types by which a kind is known.
const PREFIXES: &[(&str, ArtifactKind)] = &[
    (known::AGENT, ArtifactKind::Agent),
    ("application/vnd.docker.agent.", ArtifactKind::DockerAgent),
    ("application/vnd.docker.cagent.", ArtifactKind::DockerAgent),
    ("application/vnd.cncf.helm.", ArtifactKind::HelmChart),
    ("application/vnd.kitops.modelkit.", ArtifactKind::ModelKit),
    ("application/vnd.cncf.model.", ArtifactKind::Model),
    ("application/vnd.ollama.", ArtifactKind::Model),
    ("application/vnd.cncf.skill.", ArtifactKind::Skill),
    ("application/vnd.agentskills.", ArtifactKind::Skill),
    ("application/vnd.agent.skill.", ArtifactKind::Skill),
    ("dev.toolhive.skills.", ArtifactKind::Skill),
    ("application/vnd.wasm.", ArtifactKind::Wasm),
    ("application/vnd.dev.sigstore.", ArtifactKind::Signature),
    ("application/vnd.dev.cosign.", ArtifactKind::Signature),
    ("application/vnd.cncf.notary.", ArtifactKind::Signature),
    ("application/vnd.dsse.", ArtifactKind::Signature),
    (known::OCI_CONFIG, ArtifactKind::Image),
    (known::DOCKER_CONFIG, ArtifactKind::Image),
];

/// Annotations that tell a kind where all types say "image".
const ANNOTATIONS: &[(&str, ArtifactKind)] = &[
    ("io.docker.agent.version", ArtifactKind::DockerAgent),
    ("io.docker.cagent.version", ArtifactKind::DockerAgent),
    ("io.skillimage.status", ArtifactKind::Skill),
    ("io.agentskills.skill.name", ArtifactKind::Skill),
    ("dev.toolhive.skills.name", ArtifactKind::Skill),
];

/// Tells what an artifact is.
pub fn kind_of(manifest: &Manifest) -> ArtifactKind {
    if manifest.is_agent() {
        return ArtifactKind::Agent;
    }
    if let Some((_, kind)) = ANNOTATIONS.iter().find(|(key, _)| manifest.annotations().contains_key(*key)) {
        return kind.clone();
    }
    match (manifest.declared_artifact_type(), manifest.kind()) {
        (Some(declared), _) => of_type(declared.as_str()),
        (None, ManifestKind::Index { .. }) => ArtifactKind::Index,
        (None, ManifestKind::Image { config, layers }) => {
            let by_layer = || layers.first().and_then(|layer| by_prefix(layer.media_type.as_str()));
            match of_type(config.media_type.as_str()) {
                // Models and old signatures carry the configuration of an image; their layers tell.
                ArtifactKind::Image => by_layer().unwrap_or(ArtifactKind::Image),
                ArtifactKind::Other(kind) => by_layer().unwrap_or(ArtifactKind::Other(kind)),
                kind => kind,
            }
        }
    }
}

fn of_type(media_type: &str) -> ArtifactKind {
    by_prefix(media_type).unwrap_or_else(|| ArtifactKind::Other(media_type.to_owned()))
}

fn by_prefix(media_type: &str) -> Option<ArtifactKind> {
    PREFIXES.iter().find(|(prefix, _)| media_type.starts_with(prefix)).map(|(_, kind)| kind.clone())
}

impl ArtifactKind {
    /// The word for it in queries and answers: `kind:skill`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Image => "image",
            Self::Index => "index",
            Self::HelmChart => "chart",
            Self::Model => "model",
            Self::ModelKit => "modelkit",
            Self::Skill => "skill",
            Self::DockerAgent => "docker-agent",
            Self::Wasm => "wasm",
            Self::Signature => "signature",
            Self::Other(_) => "other",
        }
    }

    /// The tool that can pull it, where one is known.
    pub fn puller(&self) -> &'static str {
        match self {
            Self::Agent => "agent pull",
            Self::Image | Self::Index => "docker pull",
            Self::HelmChart => "helm pull",
            Self::ModelKit => "kit pull",
            Self::DockerAgent => "docker agent share pull",
            Self::Wasm => "wkg oci pull",
            Self::Signature => "cosign verify",
            Self::Model | Self::Skill | Self::Other(_) => "oras pull",
        }
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Image => "container image",
            Self::Index => "image index",
            Self::HelmChart => "Helm chart",
            Self::Model => "model",
            Self::ModelKit => "ModelKit",
            Self::Skill => "skill",
            Self::DockerAgent => "docker agent",
            Self::Wasm => "WebAssembly component",
            Self::Signature => "signature",
            Self::Other(media_type) => media_type,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    use super::*;
    use crate::oci::{Algorithm, Digest};

    fn manifest(parts: &str) -> Manifest {
        let bytes = format!(r#"{{"schemaVersion":2,{parts}}}"#);
        Manifest::parse(bytes.into(), None, Algorithm::Sha256).unwrap()
    }

    fn blob(media_type: &str) -> String {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":2}}"#, Digest::sha256(b"{}"))
    }

    #[test]
    fn every_dialect_is_called_by_its_name() {
        let by_config = |kind: &str| format!(r#""config":{}"#, blob(kind));
        let declared = |kind: &str| format!(r#""artifactType":"{kind}",{}"#, by_config(known::OCI_EMPTY));
        let layered = |kind: &str| format!(r#"{},"layers":[{}]"#, by_config(known::DOCKER_CONFIG), blob(kind));
        let annotated = |key: &str| format!(r#"{},"annotations":{{"{key}":"1"}}"#, by_config(known::OCI_CONFIG));
        for (parts, expected) in [
            (declared(known::AGENT), ArtifactKind::Agent),
            (by_config(known::OCI_CONFIG), ArtifactKind::Image),
            (layered("application/vnd.docker.image.rootfs.diff.tar.gzip"), ArtifactKind::Image),
            (r#""manifests":[]"#.to_owned(), ArtifactKind::Index),
            (by_config("application/vnd.cncf.helm.config.v1+json"), ArtifactKind::HelmChart),
            (declared("application/vnd.cncf.model.manifest.v1+json"), ArtifactKind::Model),
            (layered("application/vnd.ollama.image.model"), ArtifactKind::Model),
            (declared("application/vnd.kitops.modelkit.manifest.v1+json"), ArtifactKind::ModelKit),
            (declared("application/vnd.agentskills.skill.v1"), ArtifactKind::Skill),
            (annotated("dev.toolhive.skills.name"), ArtifactKind::Skill),
            (declared("application/vnd.docker.agent.config.v1+json"), ArtifactKind::DockerAgent),
            (annotated("io.docker.cagent.version"), ArtifactKind::DockerAgent),
            (by_config("application/vnd.wasm.config.v1+json"), ArtifactKind::Wasm),
            (declared("application/vnd.dev.sigstore.bundle.v0.3+json"), ArtifactKind::Signature),
            (layered("application/vnd.dev.cosign.simplesigning.v1+json"), ArtifactKind::Signature),
            (declared("application/vnd.example.x"), ArtifactKind::Other("application/vnd.example.x".to_owned())),
        ] {
            assert_eq!(kind_of(&manifest(&parts)), expected, "{parts}");
        }
        assert_eq!(ArtifactKind::Other("a/b".to_owned()).to_string(), "a/b");
    }
}
