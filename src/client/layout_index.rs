//! The `index.json` of the local store: which reference points at which manifest.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::Error;
use crate::oci::{Descriptor, Digest, Reference, Tag, known};

/// The reference of an entry (image-spec, "Pre-defined annotation keys").
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// When an entry was stored, RFC 3339.
const STORED_AT: &str = "vnd.agentpkg.stored-at";

/// Name of the file.
const FILE: &str = "index.json";

/// The index as written. Entries of other tools stay as they are.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LayoutIndex {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// One entry of ours.
#[derive(Debug)]
pub(super) struct Pointer<'a> {
    pub(super) reference: Reference,
    pub(super) manifest: &'a Descriptor,
    pub(super) stored_at: Timestamp,
}

impl LayoutIndex {
    pub(super) fn empty() -> Self {
        let media_type = Some(known::OCI_INDEX.to_owned());
        Self { schema_version: 2, media_type, manifests: vec![], rest: serde_json::Map::new() }
    }

    pub(super) fn exists(root: &Path) -> bool {
        root.join(FILE).exists()
    }

    pub(super) fn read(root: &Path) -> Result<Self, Error> {
        let path = root.join(FILE);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let index: Self = serde_json::from_slice(&bytes)
            .map_err(|source| Error::NotALayout { path: path.clone(), source: Some(source) })?;
        if index.schema_version == 2 { Ok(index) } else { Err(Error::NotALayout { path, source: None }) }
    }

    pub(super) fn write(&self, root: &Path) -> Result<(), Error> {
        let path = root.join(FILE);
        let bytes = serde_json::to_vec(self).map_err(|error| Error::io("write", &path)(error.into()))?;
        replace(root, FILE, &bytes)
    }

    /// Every manifest, whoever stored it.
    pub(super) fn manifests(&self) -> &[Descriptor] {
        &self.manifests
    }

    /// The entries with a full reference; those of other tools have none.
    pub(super) fn pointers(&self) -> impl Iterator<Item = Pointer<'_>> {
        self.manifests.iter().filter_map(|manifest| {
            let reference = reference_of(manifest)?;
            let stored_at = manifest.annotations.get(STORED_AT).and_then(|time| time.parse().ok());
            Some(Pointer { reference, manifest, stored_at: stored_at.unwrap_or(Timestamp::UNIX_EPOCH) })
        })
    }

    /// The entries a reference means. Without a host in it those without a host, else those of any; with a digest
    /// every entry of the repository that points there.
    pub(super) fn resolve(&self, reference: &Reference) -> Result<Vec<Pointer<'_>>, Error> {
        let wanted = as_stored(reference);
        let same = |pointer: &Pointer<'_>| {
            pointer.reference.name == wanted.name
                && match &reference.digest {
                    Some(digest) => pointer.manifest.digest == *digest,
                    None => pointer.reference.tag == wanted.tag,
                }
        };
        let (at_host, elsewhere): (Vec<_>, Vec<_>) =
            self.pointers().filter(same).partition(|pointer| pointer.reference.host == wanted.host);
        if !at_host.is_empty() || wanted.host.is_some() {
            return Ok(at_host);
        }
        match elsewhere.iter().find(|other| other.manifest.digest != elsewhere[0].manifest.digest) {
            None => Ok(elsewhere),
            Some(_) => Err(Error::Ambiguous {
                reference: Box::new(reference.clone()),
                candidates: elsewhere.into_iter().map(|pointer| pointer.reference).collect(),
            }),
        }
    }

    /// Lets a reference point at a manifest. What it pointed at before stays under its digest.
    pub(super) fn point(&mut self, reference: &Reference, manifest: &Descriptor, now: Timestamp) {
        let reference = as_stored(reference);
        let by_digest = |digest| Reference { tag: None, digest: Some(digest), ..reference.clone() };
        let key = reference.to_string();
        let place = self.manifests.iter().position(|entry| entry.annotations.get(REF_NAME) == Some(&key));
        let before = place.map(|place| self.manifests.remove(place));
        if reference.tag.is_some() {
            // An entry by digest only is for what has no other.
            let untagged = by_digest(manifest.digest).to_string();
            self.manifests.retain(|entry| entry.annotations.get(REF_NAME) != Some(&untagged));
        }
        if let Some(before) = before.filter(|before| before.digest != manifest.digest) {
            let is_lost = !self.pointers().any(|pointer| {
                pointer.manifest.digest == before.digest
                    && pointer.reference.name == reference.name
                    && pointer.reference.host == reference.host
            });
            if is_lost {
                let untagged = by_digest(before.digest).to_string();
                self.manifests.push(before.annotated(REF_NAME, untagged));
            }
        }
        self.manifests.push(manifest.clone().annotated(REF_NAME, key).annotated(STORED_AT, now.to_string()));
    }

    /// Every reference that points at a manifest.
    pub(super) fn pointing_at(&self, digest: &Digest) -> Vec<Reference> {
        self.pointers().filter(|pointer| pointer.manifest.digest == *digest).map(|pointer| pointer.reference).collect()
    }

    /// Takes out the entries of these references.
    pub(super) fn forget(&mut self, references: &[Reference]) {
        self.manifests.retain(|entry| reference_of(entry).is_none_or(|reference| !references.contains(&reference)));
    }
}

/// The reference of an entry, if it names a tag or a digest as ours all do.
fn reference_of(entry: &Descriptor) -> Option<Reference> {
    let reference: Reference = entry.annotations.get(REF_NAME)?.parse().ok()?;
    (reference.tag.is_some() || reference.digest.is_some()).then_some(reference)
}

/// A reference as entries hold it: a tag or else a digest, `latest` where there is neither.
fn as_stored(reference: &Reference) -> Reference {
    match (&reference.tag, reference.digest) {
        (None, None) => Reference { tag: Some(Tag::latest()), ..reference.clone() },
        (None, Some(_)) => reference.clone(),
        (Some(_), _) => Reference { digest: None, ..reference.clone() },
    }
}

/// Replaces a file in one step, so that readers see the old one or the new one.
pub(super) fn replace(root: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = root.join(name);
    let failed = || Error::io("write", &path);
    let mut file = NamedTempFile::new_in(root).map_err(failed())?;
    file.write_all(bytes).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    file.persist(&path).map_err(|error| failed()(error.error))?;
    Ok(())
}
