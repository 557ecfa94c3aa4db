//! Blobs as repositories see them: read, deleted, and mounted from one another.

use bytes::Bytes;
use jiff::Timestamp;

use super::Error;
use super::leave::{Leave, creator, note};
use super::service::{LEASE, Registry, after};
use crate::auth::{Caller, Delete, Permit, Pull, Push};
use crate::index::blobs;
use crate::index::repositories;
use crate::index::tags::Change;
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
        let leave = Leave::of(permit, Delete);
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, at)?;
            let repository = repositories::find(session, &name)?;
            let id = repository.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            let change = Change { id, repository: &name, actor: &actor, at };
            if !blobs::disown(session, &change, &digest)? {
                return Err(unknown(&name, &digest));
            }
            note(session, &permit, "blob.delete", format!("{name}@{digest}"), at)
        });
        write.await
    }

    /// Gives one repository a blob of another. Whether that one has it.
    pub async fn mount(&self, into: &Permit<Push>, from: &Permit<Pull>, digest: &Digest) -> Result<bool, Error> {
        let (into, from, digest, at) = (Leave::of(into, Push), Leave::of(from, Pull), *digest, Timestamp::now());
        let write = self.index.write(move |session| {
            let (into, from) = (into.confirm(session, at)?, from.confirm(session, at)?);
            // Asked first, so that a mount of nothing creates no repository.
            if blobs::size(session, from.repository(), &digest)?.is_none() {
                return Ok(false);
            }
            let id = repositories::create(session, into.repository(), creator(&into), at)?;
            let change = Change { id, repository: into.repository(), actor: &into.actor(), at };
            let is_mounted = blobs::mount(session, from.repository(), &change, &digest, after(at, LEASE))?;
            let object = format!("{}@{digest} from {}", into.repository(), from.repository());
            note(session, &into, "blob.mount", object, at)?;
            Ok(is_mounted)
        });
        write.await
    }

    /// A repository that the caller could mount a blob from with another short token, and not with this one.
    pub async fn mountable_elsewhere(&self, caller: &Caller, digest: &Digest) -> Result<Option<RepositoryName>, Error> {
        if caller.reach().claims().is_none() {
            return Ok(None);
        }
        let (sight, now) = (self.sight(&caller.without_claims())?, Timestamp::now());
        self.read(|session| Ok(blobs::owner_in_sight(session, &sight, now, digest)?))
    }

    /// Gives a repository a blob of any repository that the caller may pull from. Whether one has it.
    pub async fn mount_any(&self, into: &Permit<Push>, caller: &Caller, digest: &Digest) -> Result<bool, Error> {
        let (sight, now) = (self.sight(caller)?, Timestamp::now());
        let owner = self.read(|session| Ok(blobs::owner_in_sight(session, &sight, now, digest)?))?;
        let Some(owner) = owner else { return Ok(false) };
        // In sight a moment ago is not enough: a permit is what the transaction looks at again.
        match self.permit_quietly(caller, Pull, &owner)? {
            Some(from) => self.mount(into, &from, digest).await,
            None => Ok(false),
        }
    }
}

pub(super) fn unknown(repository: &RepositoryName, digest: &Digest) -> Error {
    Error::BlobUnknown { digest: Box::new(*digest), repository: repository.clone() }
}
