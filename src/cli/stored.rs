//! What a name means in the local store: exactly what was typed, else the one package of that name.

use super::error::Error;
use super::wanted::Wanted;
use crate::client::{self, Store};
use crate::oci::{Reference, Tag};

/// The reference in the store; one without namespace and host may leave out both, as long as one package is meant.
pub(super) fn find(store: &Store, wanted: &Wanted) -> Result<Option<Reference>, Error> {
    let typed = wanted.local()?;
    if store.find(&typed)?.is_some() {
        return Ok(Some(typed));
    }
    if typed.host.is_some() || typed.name.namespace().is_some() {
        return Ok(None);
    }
    let candidates: Vec<(Reference, _)> = store
        .entries()?
        .into_iter()
        .filter(|entry| entry.reference.name.package() == typed.name.as_str())
        .filter(|entry| match &typed.digest {
            Some(digest) => entry.manifest == *digest,
            None => entry.reference.tag.as_ref() == Some(typed.tag.as_ref().unwrap_or(&Tag::latest())),
        })
        .map(|entry| (entry.reference, entry.manifest))
        .collect();
    let Some((_, first)) = candidates.first() else { return Ok(None) };
    if candidates.iter().all(|(_, manifest)| manifest == first) {
        return Ok(candidates.into_iter().next().map(|(reference, _)| reference));
    }
    let candidates = candidates.into_iter().map(|(reference, _)| reference).collect();
    Err(client::Error::Ambiguous { reference: Box::new(typed), candidates }.into())
}

/// As [`find`], where nothing found is an error.
pub(super) fn require(store: &Store, wanted: &Wanted) -> Result<Reference, Error> {
    let typed = wanted.local()?;
    find(store, wanted)?.ok_or_else(|| client::Error::NotStored(Box::new(typed)).into())
}
