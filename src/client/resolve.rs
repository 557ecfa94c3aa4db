//! From what was asked for to the manifest that is meant, in a registry or in the local store.

use super::selector::{highest_in, highest_stable};
use super::{Error, Selector, Store};
use crate::oci::{Digest, Manifest, Reference, RepositoryName, Tag, Target};
use crate::remote::Remote;

/// The manifest that is meant.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) manifest: Manifest,
    /// The tag that led to it.
    pub(super) tag: Option<Tag>,
    /// Its full reference, with a digest where no tag led to it.
    pub(super) reference: Reference,
}

/// The tag or digest a selector means in a registry.
pub async fn resolve(remote: &Remote, name: &RepositoryName, selector: &Selector) -> Result<Target, Error> {
    let Resolved { manifest, tag, .. } = in_registry(remote, name, selector).await?;
    Ok(tag.map_or_else(|| Target::Digest(manifest.digest()), Target::Tag))
}

/// Asks a registry.
pub(super) async fn in_registry(
    remote: &Remote,
    name: &RepositoryName,
    selector: &Selector,
) -> Result<Resolved, Error> {
    let found = |manifest: Manifest, tag: Option<Tag>| {
        let digest = tag.is_none().then(|| manifest.digest());
        Resolved { reference: reference(remote, name, tag.clone(), digest), manifest, tag }
    };
    let tag = match selector {
        Selector::Digest(digest) => {
            let manifest = remote.manifest(name, &Target::Digest(*digest)).await?;
            let wanted = || Box::new(reference(remote, name, None, Some(*digest)));
            return Ok(found(manifest.ok_or_else(|| Error::NotFound { wanted: wanted(), tags: vec![] })?, None));
        }
        Selector::Tag(tag) => tag.clone(),
        Selector::Range(range) => highest_in(range, name, tags(remote, name).await?)?,
        Selector::Default => {
            if let Some(manifest) = remote.manifest(name, &Target::Tag(Tag::latest())).await? {
                return Ok(found(manifest, Some(Tag::latest())));
            }
            highest_stable(name, tags(remote, name).await?)?
        }
    };
    match remote.manifest(name, &Target::Tag(tag.clone())).await? {
        Some(manifest) => Ok(found(manifest, Some(tag))),
        None => Err(Error::NotFound {
            wanted: Box::new(reference(remote, name, Some(tag), None)),
            tags: remote.tags(name).await?.unwrap_or_default(),
        }),
    }
}

/// The tags of a repository that must exist.
async fn tags(remote: &Remote, name: &RepositoryName) -> Result<Vec<Tag>, Error> {
    let missing = || Error::NotFound { wanted: Box::new(reference(remote, name, None, None)), tags: vec![] };
    remote.tags(name).await?.ok_or_else(missing)
}

fn reference(remote: &Remote, name: &RepositoryName, tag: Option<Tag>, digest: Option<Digest>) -> Reference {
    Reference { host: Some(remote.endpoint().host().clone()), name: name.clone(), tag, digest }
}

/// Asks the local store, whatever host its references name.
pub(super) fn in_store(store: &Store, name: &RepositoryName, selector: &Selector) -> Result<Resolved, Error> {
    let local = |tag, digest| Reference { host: None, name: name.clone(), tag, digest };
    let reference = match selector {
        Selector::Digest(digest) => local(None, Some(*digest)),
        Selector::Tag(tag) => local(Some(tag.clone()), None),
        Selector::Range(range) => local(Some(highest_in(range, name, store.tags(name)?)?), None),
        Selector::Default => {
            let tags = store.tags(name)?;
            if tags.is_empty() {
                return Err(Error::NotStored(Box::new(local(None, None))));
            }
            let latest = tags.contains(&Tag::latest()).then(Tag::latest);
            local(Some(latest.map_or_else(|| highest_stable(name, tags), Ok)?), None)
        }
    };
    let manifest = store.find(&reference)?.ok_or_else(|| Error::NotStored(Box::new(reference.clone())))?;
    Ok(Resolved { manifest, tag: reference.tag.clone(), reference })
}
