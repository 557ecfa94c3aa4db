//! Whether a manifest that says it is an agent package is one: its parts are compared before it is stored.

use bytes::Bytes;
use jiff::Timestamp;

use super::Error;
use super::blobs::Content;
use super::service::Registry;
use crate::auth::{Permit, Pull, Push};
use crate::index::packages::NewPackage;
use crate::index::{blobs, packages, repositories};
use crate::oci::{Descriptor, Manifest, ManifestKind};
use crate::package::{Config, ConfigError, MAX_CONFIG_BYTES, Summary};

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
        let config = Config::parse(&bytes)?;
        let metadata = config.metadata.clone();
        let summary = Summary {
            repository: permit.repository().clone(),
            version: metadata.version.as_ref().map(ToString::to_string),
            digest: manifest.digest(),
            description: metadata.description.unwrap_or_default(),
            author: metadata.author.unwrap_or_default(),
            capabilities: metadata.capabilities,
            tags: metadata.tags,
            model: metadata.model.unwrap_or_default(),
            runtime: metadata.runtime.unwrap_or_default(),
            updated_at: Timestamp::now(),
        };
        let license = config.metadata.license.clone();
        let checked = known.is_some_and(|package| package.checked);
        Ok(Some(NewPackage { summary, size: manifest.content_bytes(), checked, license }))
    }

    /// The bytes of a configuration.
    pub(super) async fn small_blob(&self, permit: &Permit<Pull>, blob: &Descriptor) -> Result<Bytes, Error> {
        let opened = self.open_blob(permit, &blob.digest).await?;
        let size = usize::try_from(opened.size).unwrap_or(usize::MAX);
        if size > MAX_CONFIG_BYTES {
            return Err(ConfigError::TooLarge(size).into());
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
}
