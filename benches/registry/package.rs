//! Small packages no two of which are the same, and how a client pushes them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use agent_registry::oci::{Digest, known};
use anyhow::{Context as _, Result};

use crate::http::{Connection, head};

/// Bytes of the layer.
const LAYER_BYTES: usize = 4096;

/// Content and its digest.
pub(crate) struct Blob {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
}

impl Blob {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let digest = Digest::sha256(&bytes).to_string();
        Self { bytes, digest }
    }
}

/// What is pushed as one: blobs, then the manifest under a tag.
pub(crate) struct Package {
    pub(crate) blobs: Vec<Blob>,
    pub(crate) manifest: Vec<u8>,
}

impl Package {
    /// A configuration and a layer nobody has seen.
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let config = Blob::new(format!("{{\"number\":{number}}}").into_bytes());
        let layer = Blob::new(noise(LAYER_BYTES));
        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{}\",\"artifactType\":\"application/vnd.example.thing\",\
             \"config\":{{\"mediaType\":\"application/vnd.example.config+json\",\"digest\":\"{}\",\"size\":{}}},\
             \"layers\":[{{\"mediaType\":\"application/vnd.example.layer\",\"digest\":\"{}\",\"size\":{}}}]}}",
            known::OCI_MANIFEST,
            config.digest,
            config.bytes.len(),
            layer.digest,
            layer.bytes.len(),
        );
        Self { blobs: vec![config, layer], manifest: manifest.into_bytes() }
    }
}

/// Bytes that neither compress nor repeat, in this run or another; a sparse file would be served from nowhere.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let time = SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_secs() << 30 | u64::from(now.subsec_nanos()));
    let mut state = time ^ STATE.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Pushes as clients do: each blob by POST and PUT, then the manifest by tag.
pub(crate) async fn push(connection: &mut Connection, repository: &str, package: &Package, tag: &str) -> Result<()> {
    for blob in &package.blobs {
        push_blob(connection, repository, blob).await?;
    }
    put_manifest(connection, repository, &package.manifest, tag).await
}

/// Pushes one blob by POST and PUT.
pub(crate) async fn push_blob(connection: &mut Connection, repository: &str, blob: &Blob) -> Result<()> {
    let begin = head("POST", &format!("/v2/{repository}/blobs/uploads/"), &[]);
    connection.send(&begin, &[]).await?.expect(202)?;
    let location = connection.header("location").context("an upload without a location")?;
    // Some servers answer with a whole URL.
    let path = location.find("/v2/").map_or(location, |place| &location[place..]);
    let separator = if path.contains('?') { '&' } else { '?' };
    let end = format!("{path}{separator}digest={}", blob.digest);
    let end = head("PUT", &end, &[("content-type", "application/octet-stream")]);
    connection.send(&end, &blob.bytes).await?.expect(201)?;
    Ok(())
}

/// Stores a manifest under a tag, or moves the tag to it.
pub(crate) async fn put_manifest(connection: &mut Connection, repository: &str, bytes: &[u8], tag: &str) -> Result<()> {
    let path = format!("/v2/{repository}/manifests/{tag}");
    let head = head("PUT", &path, &[("content-type", known::OCI_MANIFEST)]);
    connection.send(&head, bytes).await?.expect(201)?;
    Ok(())
}
