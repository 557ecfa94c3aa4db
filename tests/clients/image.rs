//! An image of one layer, made here and uploaded by plain requests, for clients to read, copy, tag and delete.

use std::fs;
use std::io::Write;
use std::path::Path;

use agent_registry::oci::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::{put_blob, put_manifest};

/// What no client sends or receives by the way.
pub(crate) const LARGE_BYTES: usize = 4 * 1024 * 1024;

/// Whose media types an image has.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Oci,
    Docker,
}

/// A manifest with its blobs.
pub(crate) struct Image {
    media_type: &'static str,
    manifest: Vec<u8>,
    config: Vec<u8>,
    pub(crate) layer: Vec<u8>,
}

impl Image {
    /// An image with one short file.
    pub(crate) fn small() -> Self {
        Self::of(Kind::Oci, b"in the layer\n")
    }

    /// An image with a layer of a little more than [`LARGE_BYTES`].
    pub(crate) fn large() -> Self {
        // Noise without a seed: it must be the same in each run, and nothing may compress it.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        Self::of(Kind::Oci, &noise.take(LARGE_BYTES).collect::<Vec<_>>())
    }

    /// An image with one file.
    pub(crate) fn of(kind: Kind, file: &[u8]) -> Self {
        let mut archive = tar::Builder::new(vec![]);
        let mut header = tar::Header::new_ustar();
        header.set_size(file.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, "file.txt", file).expect("an archive");
        let archive = archive.into_inner().expect("an archive");
        let mut packed = GzEncoder::new(vec![], Compression::fast());
        packed.write_all(&archive).expect("compressed");
        let layer = packed.finish().expect("compressed");
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::sha256(&archive)
        );
        Self::assembled(kind, config.into_bytes(), layer)
    }

    fn assembled(kind: Kind, config: Vec<u8>, layer: Vec<u8>) -> Self {
        let (media_type, config_type, layer_type) = match kind {
            Kind::Oci => (
                "application/vnd.oci.image.manifest.v1+json",
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
            Kind::Docker => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
        };
        // Indented as docker does it: older ones write manifests anew, and only these stay what they were.
        let manifest = format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"{media_type}\",\n   \
             \"config\": {{\n      \"mediaType\": \"{config_type}\",\n      \"size\": {},\n      \"digest\": \"{}\"\n   }},\n   \
             \"layers\": [\n      {{\n         \"mediaType\": \"{layer_type}\",\n         \"size\": {},\n         \
             \"digest\": \"{}\"\n      }}\n   ]\n}}",
            config.len(),
            Digest::sha256(&config),
            layer.len(),
            Digest::sha256(&layer)
        );
        Self { media_type, manifest: manifest.into_bytes(), config, layer }
    }

    /// The digest of the manifest.
    pub(crate) fn digest(&self) -> String {
        Digest::sha256(&self.manifest).to_string()
    }

    /// The digest of the layer.
    pub(crate) fn layer_digest(&self) -> String {
        Digest::sha256(&self.layer).to_string()
    }

    /// Uploads it under each of the tags.
    pub(crate) fn push(&self, host: &str, repository: &str, tags: &[&str]) {
        put_blob(host, repository, &self.config);
        put_blob(host, repository, &self.layer);
        for tag in tags {
            put_manifest(host, repository, tag, self.media_type, &self.manifest);
        }
    }

    /// Writes it as an OCI image layout.
    pub(crate) fn write_layout(&self, root: &Path, tag: &str) {
        let blobs = root.join("blobs/sha256");
        fs::create_dir_all(&blobs).expect("a folder");
        for bytes in [&self.manifest, &self.config, &self.layer] {
            let digest = Digest::sha256(bytes).to_string();
            fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).expect("a blob");
        }
        fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{}","size":{},"digest":"{}","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}}}]}}"#,
            self.media_type,
            self.manifest.len(),
            self.digest()
        );
        fs::write(root.join("index.json"), index).expect("a file");
    }
}
