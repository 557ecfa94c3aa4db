//! From what was asked for to the manifest that is meant, in a registry or in the local store.

use super::selector::{highest_in, highest_stable};
use super::{Catalogue, Error, Selector, Store};
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

/// The tag or digest a selector means in a registry with a catalogue, which knows what was taken back. A tag or digest
/// that is named is not looked for.
pub async fn resolve_in(
    catalogue: &Catalogue<'_>,
    name: &RepositoryName,
    selector: &Selector,
) -> Result<Target, Error> {
    let resolved = match selector {
        Selector::Tag(tag) => return Ok(Target::Tag(tag.clone())),
        Selector::Digest(digest) => return Ok(Target::Digest(*digest)),
        Selector::Range(wanted) => catalogue.resolve(name, &wanted.range.to_string(), wanted.pre).await,
        Selector::Default => catalogue.resolve(name, Tag::latest().as_str(), false).await,
    };
    match resolved {
        Ok(resolved) => Ok(resolved.tag.map_or(Target::Digest(resolved.digest), Target::Tag)),
        Err(error @ Error::Unresolved { .. }) => {
            // What does not exist, or is not shown, is told as for any other name.
            tags(catalogue.remote(), name).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Asks a registry.
pub(super) async fn in_registry(
    remote: &Remote,
    name: &RepositoryName,
    selector: &Selector,
) -> Result<Resolved, Error> {
    if !matches!(selector, Selector::Tag(_) | Selector::Digest(_))
        && let Some(catalogue) = Catalogue::detect(remote).await?
    {
        let target = resolve_in(&catalogue, name, selector).await?;
        return at(remote, name, target).await;
    }
    let tag = match selector {
        Selector::Digest(digest) => return at(remote, name, Target::Digest(*digest)).await,
        Selector::Tag(tag) if *tag == Tag::latest() => return latest(remote, name).await,
        Selector::Tag(tag) => tag.clone(),
        Selector::Range(wanted) => highest_in(wanted, name, tags(remote, name).await?)?,
        Selector::Default => {
            if let Some(manifest) = remote.manifest(name, &Target::Tag(Tag::latest())).await? {
                let (tag, reference) = (Some(Tag::latest()), reference(remote, name, Some(Tag::latest()), None));
                return Ok(Resolved { manifest, tag, reference });
            }
            highest_stable(name, tags(remote, name).await?)?
        }
    };
    at(remote, name, Target::Tag(tag)).await
}

/// What `latest` points at; where there is no such tag, what a registry with a catalogue takes for it.
async fn latest(remote: &Remote, name: &RepositoryName) -> Result<Resolved, Error> {
    let found = at(remote, name, Target::Tag(Tag::latest())).await;
    if let Err(Error::NotFound { .. }) = &found
        && let Some(catalogue) = Catalogue::detect(remote).await?
        && let Ok(target) = resolve_in(&catalogue, name, &Selector::Default).await
    {
        return at(remote, name, target).await;
    }
    found
}

/// What is at a tag or digest.
async fn at(remote: &Remote, name: &RepositoryName, target: Target) -> Result<Resolved, Error> {
    let found = remote.manifest(name, &target).await?;
    let (tag, digest) = match target {
        Target::Tag(tag) => (Some(tag), None),
        Target::Digest(digest) => (None, Some(digest)),
    };
    let reference = reference(remote, name, tag.clone(), digest);
    if let Some(manifest) = found {
        return Ok(Resolved { manifest, tag, reference });
    }
    let tags = if tag.is_some() { remote.tags(name).await?.unwrap_or_default() } else { vec![] };
    Err(Error::NotFound { wanted: Box::new(reference), tags })
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
        Selector::Range(wanted) => local(Some(highest_in(wanted, name, store.tags(name)?)?), None),
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
