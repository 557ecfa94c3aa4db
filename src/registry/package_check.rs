//! Whether a manifest that says it is an agent package is one: its parts are compared before it is stored.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::Error;
use super::blobs::Content;
use super::service::Registry;
use crate::auth::{Permit, Pull, Push};
use crate::index::packages::NewPackage;
use crate::index::{blobs, packages, repositories};
use crate::oci::{Descriptor, Manifest, ManifestKind};
use crate::package::{CheckError, Config, ConfigError, MAX_CONFIG_BYTES, check_manifest, check_tree, tree_layer};
use crate::storage::BlobReader;

/// Largest compressed tree that is unpacked and compared while its push waits; a larger one is stored unchecked, and
/// lists say so.
pub const MAX_INLINE_CHECK_BYTES: u64 = 256 * 1024 * 1024;

/// Trees compared at a time; further pushes wait.
pub(super) const MAX_CHECKS_AT_ONCE: usize = 4;

impl Registry {
    /// What a manifest says as a package; `None` if it does not say that it is one.
    pub(super) async fn check_package(
        &self,
        permit: &Permit<Push>,
        manifest: &Manifest,
    ) -> Result<Option<NewPackage>, Error> {
        let ManifestKind::Image { config, .. } = manifest.kind() else { return Ok(None) };
        if !manifest.is_agent() {
            return Ok(None);
        }
        let known = self.read(|session| {
            // Looked at first, so that a push without its blobs hears of those rather than of its package.
            let missing = match repositories::find(session, permit.repository())? {
                Some(id) => blobs::missing(session, id, manifest)?,
                None => manifest.needed_blobs(),
            };
            if !missing.is_empty() {
                return Err(Error::ManifestBlobUnknown(missing));
            }
            Ok(packages::find(session, permit.repository(), &manifest.digest())?)
        })?;
        let pull = Permit::system("compare a package with its configuration", permit.repository().clone());
        let bytes = self.small_blob(&pull, config).await?;
        let config = check_manifest(manifest, &bytes)?;
        let summary = config.summary(permit.repository().clone(), manifest.digest(), Timestamp::now());
        let license = config.metadata.license.clone();
        // Bytes of one digest do not change: what was compared once needs no second look.
        let checked = match known {
            Some(package) if package.checked => true,
            _ => self.compare_tree(&pull, manifest, config).await?,
        };
        Ok(Some(NewPackage { summary, size: manifest.content_bytes(), checked, license }))
    }

    /// The bytes of a configuration.
    pub(super) async fn small_blob(&self, permit: &Permit<Pull>, blob: &Descriptor) -> Result<Bytes, Error> {
        let opened = self.open_blob(permit, &blob.digest).await?;
        let size = usize::try_from(opened.size).unwrap_or(usize::MAX);
        if size > MAX_CONFIG_BYTES {
            return Err(CheckError::from(ConfigError::TooLarge(size)).into());
        }
        match opened.content {
            Content::Inline(bytes) => Ok(bytes),
            Content::Stored(mut reader) => {
                let mut bytes = Vec::with_capacity(size);
                while let Some(chunk) = reader.next_chunk().await? {
                    bytes.extend_from_slice(&chunk);
                }
                Ok(bytes.into())
            }
        }
    }

    /// Whether the tree was compared; it is an error if it differs.
    async fn compare_tree(&self, permit: &Permit<Pull>, manifest: &Manifest, config: Config) -> Result<bool, Error> {
        let Some(layer) = tree_layer(manifest) else { return Ok(true) };
        if layer.size > MAX_INLINE_CHECK_BYTES {
            return Ok(false);
        }
        let content = self.open_blob(permit, &layer.digest).await?.content;
        // The semaphore is never closed; were it, the comparison would only lose its limit.
        let _turn = self.checks.acquire().await.ok();
        let runtime = Handle::current();
        let layer = layer.clone();
        let compared = tokio::task::spawn_blocking(move || match content {
            Content::Inline(bytes) => check_tree(bytes.reader(), &layer, &config),
            Content::Stored(reader) => check_tree(Blocking { reader, runtime, rest: Bytes::new() }, &layer, &config),
        });
        compared.await??;
        Ok(true)
    }
}

/// A blob read from a thread that may block.
struct Blocking {
    reader: Box<dyn BlobReader>,
    runtime: Handle,
    rest: Bytes,
}

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.runtime.block_on(self.reader.next_chunk()).map_err(io::Error::other)? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.rest.len());
        self.rest.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
