//! Manifests: stored with their tags in one transaction, served as the bytes they were pushed as, deleted.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::leave::{Leave, creator, note};
use super::service::Registry;
use super::{Error, rules};
use crate::auth::{Delete, Permit, Pull, Push};
use crate::index::manifests::{self, StoredManifest};
use crate::index::repositories::RepositoryId;
use crate::index::tags::{self, Change};
use crate::index::{Session, blobs, packages, repositories, versions};
use crate::oci::{Algorithm, Conditions, Digest, Manifest, MediaType, RepositoryName, Tag, Target};

/// A manifest as it comes in.
#[derive(Clone, Debug)]
pub struct NewManifest<'a> {
    /// Its bytes; they are stored as they are.
    pub bytes: Bytes,
    /// What the request says it is.
    pub media_type: Option<&'a MediaType>,
    /// The tag or digest it is pushed to.
    pub target: &'a Target,
    /// Further tags that shall point at it.
    pub tags: &'a [Tag],
    /// What must hold for every tag before it moves, or for the manifest where there is no tag.
    pub conditions: &'a Conditions,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest it is about.
    pub subject: Option<Digest>,
    /// The tags that point at it now because of this push.
    pub tags: Vec<Tag>,
    /// Blobs it needs that its repository lacks, where the registry takes such manifests.
    pub missing: Vec<Digest>,
}

impl Registry {
    /// Reads a manifest.
    pub async fn manifest(&self, permit: &Permit<Pull>, target: &Target) -> Result<StoredManifest, Error> {
        let found = self.read(|session| manifests::get(session, permit.repository(), target).map_err(Error::from))?;
        found.ok_or_else(|| unknown(permit.repository(), target))
    }

    /// Stores a manifest and points its tags at it, all or nothing; durable when this answers.
    ///
    /// Everything it needs must be in the repository, except a subject, children of an index, and content with URLs.
    /// One that says it is an agent package is compared with its parts.
    pub async fn put_manifest(&self, permit: &Permit<Push>, new: NewManifest<'_>) -> Result<Pushed, Error> {
        let algorithm = match new.target {
            Target::Digest(digest) => digest.algorithm(),
            Target::Tag(_) => Algorithm::Sha256,
        };
        let manifest = Manifest::parse(new.bytes, new.media_type, algorithm)?;
        let mut wanted = new.tags.to_vec();
        match new.target {
            Target::Digest(expected) if *expected != manifest.digest() => {
                let (expected, actual) = (Box::new(*expected), Box::new(manifest.digest()));
                return Err(Error::DigestMismatch { expected, actual });
            }
            Target::Tag(tag) if !wanted.contains(tag) => wanted.insert(0, tag.clone()),
            _ => {}
        }
        let package = self.check_package(permit, &manifest).await?;
        let (digest, tags) = (manifest.digest(), wanted.clone());
        let subject = manifest.subject().map(|subject| subject.digest);
        let (name, actor, at, manifest) =
            (permit.repository().clone(), permit.actor(), Timestamp::now(), Arc::new(manifest));
        let (conditions, accepts_missing) = (new.conditions.clone(), self.accepts_missing_layers);
        let leave = Leave::of(permit, Push);
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, at)?;
            let id = repositories::create(session, &name, creator(&permit), at)?;
            // Asked again in the transaction: a blob may have gone since it was looked at.
            let missing = blobs::missing(session, id, &manifest)?;
            if !missing.is_empty() && !accepts_missing {
                return Err(Error::ManifestBlobUnknown(missing));
            }
            check(session, id, &conditions, &manifest, &wanted)?;
            rules::check_push(session, &permit, id, &wanted, &manifest.digest(), at)?;
            let change = Change { id, repository: &name, actor: &actor, at };
            let put = manifests::put(session, &change, &manifest, &wanted)?;
            if let Some(package) = &package {
                packages::record(session, put.id, package)?;
            }
            versions::follow_tags(session, &change, &put.moved, package.as_ref().map(|_| put.id))?;
            note(session, &permit, "push", format!("{name}@{digest}"), at)?;
            for tag in &put.moved {
                note(session, &permit, "tag.move", format!("{name}:{tag}@{digest}"), at)?;
            }
            Ok(missing)
        });
        Ok(Pushed { digest, subject, tags, missing: write.await? })
    }

    /// Deletes a manifest with its tags, or one tag and nothing else.
    pub async fn delete_manifest(&self, permit: &Permit<Delete>, target: &Target) -> Result<(), Error> {
        let (name, actor, at, target) = (permit.repository().clone(), permit.actor(), Timestamp::now(), target.clone());
        let leave = Leave::of(permit, Delete);
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, at)?;
            let id = repositories::find(session, &name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            rules::check_deletion(session, &permit, id, &target, at)?;
            let change = Change { id, repository: &name, actor: &actor, at };
            let is_deleted = match &target {
                Target::Tag(tag) => tags::delete(session, &change, tag)?,
                Target::Digest(digest) => manifests::delete(session, &change, digest)?,
            };
            if !is_deleted {
                return Err(unknown(&name, &target));
            }
            let (action, object) = match &target {
                Target::Tag(tag) => ("tag.delete", format!("{name}:{tag}")),
                Target::Digest(digest) => ("delete", format!("{name}@{digest}")),
            };
            note(session, &permit, action, object, at)
        });
        write.await
    }
}

/// Compares the conditions of a push with what is there; nothing is changed if one of them does not hold.
fn check(
    session: &mut dyn Session,
    repository: RepositoryId,
    conditions: &Conditions,
    manifest: &Manifest,
    tags: &[Tag],
) -> Result<(), Error> {
    if conditions.is_empty() {
        return Ok(());
    }
    if tags.is_empty() {
        let digest = manifest.digest();
        let current = manifests::exists(session, repository, &digest)?.then_some(digest);
        let is_met = conditions.hold(current.as_ref());
        return if is_met { Ok(()) } else { Err(failed(Target::Digest(digest), current)) };
    }
    for tag in tags {
        let current = tags::find(session, repository, tag)?;
        if !conditions.hold(current.as_ref()) {
            return Err(failed(Target::Tag(tag.clone()), current));
        }
    }
    Ok(())
}

fn failed(target: Target, current: Option<Digest>) -> Error {
    Error::ConditionFailed { target, current: current.map(Box::new) }
}

pub(super) fn unknown(repository: &RepositoryName, target: &Target) -> Error {
    Error::ManifestUnknown { target: target.clone(), repository: repository.clone() }
}
