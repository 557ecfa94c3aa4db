//! Blobs as repositories see them: read, deleted, and mounted from one another.

use bytes::Bytes;
use jiff::Timestamp;

use super::Error;
use super::service::{LEASE, Registry, after};
use crate::auth::{Delete, Permit, Pull, Push, Sight};
use crate::index::tags::Change;
use crate::index::{blobs, repositories};
use crate::oci::{Digest, RepositoryName};
use crate::storage::BlobReader;

/// A blob ready to be sent.
#[derive(Debug)]
pub struct Blob {
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes.
    pub content: Content,
}

/// Where a blob's bytes come from.
#[derive(Debug)]
pub enum Content {
    /// They were small enough to come with the index's answer.
    Inline(Bytes),
    /// They are read piece by piece.
    Stored(Box<dyn BlobReader>),
}

impl Registry {
    /// The size of a repository's blob in bytes.
    pub async fn blob_size(&self, permit: &Permit<Pull>, digest: &Digest) -> Result<u64, Error> {
        let size = self.read(|session| blobs::size(session, permit.repository(), digest).map_err(Error::from))?;
        size.ok_or_else(|| unknown(permit.repository(), digest))
    }

    /// Opens a repository's blob.
    pub async fn open_blob(&self, permit: &Permit<Pull>, digest: &Digest) -> Result<Blob, Error> {
        let stored = self.read(|session| blobs::get(session, permit.repository(), digest).map_err(Error::from))?;
        let stored = stored.ok_or_else(|| unknown(permit.repository(), digest))?;
        let content = match stored.inline {
            Some(bytes) => Content::Inline(bytes),
            None => Content::Stored(self.store.open(digest).await?),
        };
        Ok(Blob { size: stored.size, content })
    }

    /// Takes a blob from a repository; its bytes stay for other repositories and the collector.
    pub async fn delete_blob(&self, permit: &Permit<Delete>, digest: &Digest) -> Result<(), Error> {
        let (name, actor, digest, at) = (permit.repository().clone(), permit.actor(), *digest, Timestamp::now());
        let write = self.index.write(move |session| {
            let repository = repositories::find(session, &name)?;
            let id = repository.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            let change = Change { id, repository: &name, actor: &actor, at };
            if blobs::disown(session, &change, &digest)? { Ok(()) } else { Err(unknown(&name, &digest)) }
        });
        write.await
    }

    /// Gives one repository a blob of another. Whether that one has it.
    pub async fn mount(&self, into: &Permit<Push>, from: &Permit<Pull>, digest: &Digest) -> Result<bool, Error> {
        self.mount_from(into, from.repository().clone(), digest).await
    }

    /// Gives a repository a blob of any repository in sight. Whether one has it.
    pub async fn mount_any(&self, into: &Permit<Push>, sight: &Sight, digest: &Digest) -> Result<bool, Error> {
        let owner = self.read(|session| blobs::owner_in_sight(session, sight, digest).map_err(Error::from))?;
        match owner {
            Some(owner) => self.mount_from(into, owner, digest).await,
            None => Ok(false),
        }
    }

    async fn mount_from(&self, into: &Permit<Push>, from: RepositoryName, digest: &Digest) -> Result<bool, Error> {
        let (into, actor, digest, at) = (into.repository().clone(), into.actor(), *digest, Timestamp::now());
        let write = self.index.write(move |session| {
            // Asked first, so that a mount of nothing creates no repository.
            if blobs::size(session, &from, &digest)?.is_none() {
                return Ok(false);
            }
            let id = repositories::create(session, &into, at)?;
            let change = Change { id, repository: &into, actor: &actor, at };
            Ok(blobs::mount(session, &from, &change, &digest, after(at, LEASE))?)
        });
        write.await
    }
}

pub(super) fn unknown(repository: &RepositoryName, digest: &Digest) -> Error {
    Error::BlobUnknown { digest: Box::new(*digest), repository: repository.clone() }
}
