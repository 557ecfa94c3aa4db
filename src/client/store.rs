//! The local store: an OCI image layout with everything built or pulled here. Processes share it.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bytes::{Buf as _, Bytes};
use jiff::Timestamp;

use super::Error;
use super::blob_folder::BlobFolder;
use super::layout_index::{LayoutIndex, replace};
use crate::oci::{Descriptor, Digest, EdgeKind, Host, Manifest, ManifestKind, Reference, RepositoryName, Tag};
use crate::package::{Artifact, ArtifactKind, BlobContent, Config, kind_of};

/// The file that makes a folder an image layout, and what is in it.
const LAYOUT_FILE: &str = "oci-layout";
const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The file writers lock. Its lock ends with the process that holds it, whatever ends that.
const LOCK_FILE: &str = "lock";

/// Deepest nesting of indexes that is followed.
const MAX_DEPTH: usize = 8;

/// The folder of the store.
#[derive(Clone, Debug)]
pub struct Store {
    blobs: BlobFolder,
}

/// One line of the store's list.
#[derive(Debug)]
pub struct StoreEntry {
    /// The full reference. One without a tag has a digest: nothing else points at that manifest any more.
    pub reference: Reference,
    /// The manifest.
    pub manifest: Digest,
    /// Bytes of the configuration and the layers.
    pub size: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The configuration, of an agent package.
    pub config: Option<Config>,
    /// What it is.
    pub kind: ArtifactKind,
    /// Why it cannot be read, if it cannot; then size, configuration and kind are not known.
    pub problem: Option<Error>,
}

/// What a removal removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The manifest the reference pointed at.
    pub digest: Digest,
    /// Bytes of the blobs nothing needed any more.
    pub bytes: u64,
    /// References that still point at the manifest.
    pub still: Vec<Reference>,
}

impl Store {
    /// Opens a store, and makes it where there is none.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let store = Self { blobs: BlobFolder::open(root)? };
        let layout = root.join(LAYOUT_FILE);
        if !layout.exists() || !LayoutIndex::exists(root) {
            let _lock = store.lock()?;
            if !layout.exists() {
                replace(root, LAYOUT_FILE, LAYOUT)?;
            }
            if !LayoutIndex::exists(root) {
                LayoutIndex::empty().write(root)?;
            }
        }
        let version = fs::read(&layout).map_err(Error::io("read", &layout))?;
        let read = serde_json::from_slice::<serde_json::Value>(&version);
        match read.map(|read| read["imageLayoutVersion"] == "1.0.0") {
            Ok(true) => Ok(store),
            Ok(false) => Err(Error::NotALayout { path: layout, source: None }),
            Err(source) => Err(Error::NotALayout { path: layout, source: Some(source) }),
        }
    }

    /// Opens a store to look at it: one that does not exist is not made, so that looking needs no right to write.
    pub fn open_existing(root: &Path) -> Result<Option<Self>, Error> {
        if LayoutIndex::exists(root) { Self::open(root).map(Some) } else { Ok(None) }
    }

    /// Everything stored, in the order of the references. What cannot be read is listed with its problem.
    pub fn entries(&self) -> Result<Vec<StoreEntry>, Error> {
        let index = LayoutIndex::read(self.blobs.root())?;
        let mut entries: Vec<_> = index
            .pointers()
            .map(|pointer| {
                let facts = self.facts(pointer.manifest);
                let (size, kind, config, problem) = match facts {
                    Ok((manifest, config)) => (manifest.content_bytes(), kind_of(&manifest), config, None),
                    Err(problem) => (0, ArtifactKind::Other("unknown".to_owned()), None, Some(problem)),
                };
                let (reference, stored_at) = (pointer.reference, pointer.stored_at);
                StoreEntry { reference, manifest: pointer.manifest.digest, size, stored_at, config, kind, problem }
            })
            .collect();
        entries.sort_by_cached_key(|entry| entry.reference.to_string());
        Ok(entries)
    }

    fn facts(&self, descriptor: &Descriptor) -> Result<(Manifest, Option<Config>), Error> {
        let manifest = self.manifest(descriptor)?;
        let config = match manifest.kind() {
            ManifestKind::Image { config, .. } if manifest.is_agent() => Some(Config::parse(&self.read(config)?)?),
            _ => None,
        };
        Ok((manifest, config))
    }

    /// The manifest a reference points at. One without a host means the entry without a host, else the one of any
    /// host if there is only one; one without a tag and a digest means `latest`.
    pub fn find(&self, reference: &Reference) -> Result<Option<Manifest>, Error> {
        let index = LayoutIndex::read(self.blobs.root())?;
        let found = index.resolve(reference)?;
        found.first().map(|pointer| self.manifest(pointer.manifest)).transpose()
    }

    /// Stores a packed package under some references; those that exist move. Its blobs are copied and verified.
    pub fn add_artifact(&self, artifact: &Artifact, references: &[Reference]) -> Result<(), Error> {
        self.add(artifact.manifest(), references, &|| {
            artifact.blobs().iter().try_for_each(|blob| match &blob.content {
                BlobContent::Bytes(bytes) => {
                    self.blobs.copy_in(&blob.descriptor, bytes.clone().reader(), "memory".as_ref())
                }
                // Copied, not linked: it may be a file of the source, which goes on being edited.
                BlobContent::File(path) => {
                    let file = File::open(path).map_err(Error::io("read", path))?;
                    self.blobs.copy_in(&blob.descriptor, file, path).map_err(|error| match error {
                        Error::Corrupt { .. } => Error::Changed(path.clone()),
                        other => other,
                    })
                }
            })
        })
    }

    /// Stores a manifest under some references; those that exist move. `blobs` gives a file for each blob, verified
    /// here and, where it can be, given a second name instead of being copied: nobody may write to it any more. What
    /// `blobs` does not have may be missing; the store then tells so when it is needed.
    pub fn add_manifest(
        &self,
        manifest: &Manifest,
        blobs: &dyn Fn(&Digest) -> Option<PathBuf>,
        references: &[Reference],
    ) -> Result<(), Error> {
        self.add(manifest, references, &|| {
            let needed = manifest.edges().into_iter().filter(|edge| is_blob(edge.kind));
            for edge in needed {
                if let Some(path) = blobs(&edge.descriptor.digest) {
                    self.blobs.link_in(edge.descriptor, &path)?;
                }
            }
            Ok(())
        })
    }

    fn add(
        &self,
        manifest: &Manifest,
        references: &[Reference],
        put_blobs: &dyn Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        // Held from the first blob on: a removal elsewhere would take what nothing points at yet.
        let _lock = self.lock()?;
        put_blobs()?;
        let descriptor = manifest.descriptor();
        self.blobs.copy_in(&descriptor, manifest.bytes().clone().reader(), "memory".as_ref())?;
        let mut index = LayoutIndex::read(self.blobs.root())?;
        let now = Timestamp::now();
        for reference in references {
            index.point(reference, &descriptor, now);
        }
        index.write(self.blobs.root())
    }

    /// Where a blob is, if it is stored.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.blobs.path(digest)
    }

    /// Reads all of a blob, and fails if it is missing or damaged.
    pub(super) fn verify(&self, blob: &Descriptor) -> Result<(), Error> {
        self.blobs.verify(blob)
    }

    /// Verifies a blob and gives its path; `None` if it is missing or damaged.
    pub(super) fn whole_blob(&self, blob: &Descriptor) -> Result<Option<PathBuf>, Error> {
        Ok(self.blobs.has(blob)?.then(|| self.blobs.path(&blob.digest)))
    }

    /// The tags of a repository, of any host.
    pub(super) fn tags(&self, name: &RepositoryName) -> Result<Vec<Tag>, Error> {
        let index = LayoutIndex::read(self.blobs.root())?;
        let here = index.pointers().filter(|pointer| pointer.reference.name == *name);
        Ok(here.filter_map(|pointer| pointer.reference.tag).collect())
    }

    /// The repositories of a host from which a blob came or to which it went, by the references of what needs it.
    pub(super) fn repositories_with(&self, host: &Host, blob: &Digest) -> Result<BTreeSet<RepositoryName>, Error> {
        let index = LayoutIndex::read(self.blobs.root())?;
        let at_host = index.pointers().filter(|pointer| pointer.reference.host.as_ref() == Some(host));
        let having = at_host.filter(|pointer| {
            // What cannot be read is no reason not to push something else.
            self.manifest(pointer.manifest).is_ok_and(|manifest| manifest.needed_blobs().contains(blob))
        });
        Ok(having.map(|pointer| pointer.reference.name).collect())
    }

    /// Lets another reference point at the same manifest.
    pub fn tag(&self, from: &Reference, to: &Reference) -> Result<Digest, Error> {
        let _lock = self.lock()?;
        let mut index = LayoutIndex::read(self.blobs.root())?;
        let found = index.resolve(from)?.first().map(|pointer| pointer.manifest.digest);
        let digest = found.ok_or_else(|| Error::NotStored(Box::new(from.clone())))?;
        let stored = index.manifests().iter().find(|manifest| manifest.digest == digest).cloned();
        let descriptor = stored.ok_or_else(|| Error::NotStored(Box::new(from.clone())))?;
        index.point(to, &descriptor, Timestamp::now());
        index.write(self.blobs.root())?;
        Ok(digest)
    }

    /// Removes a reference, and the blobs of its manifest that nothing else needs. One by digest means every
    /// reference of its repository that points there.
    pub fn remove(&self, reference: &Reference) -> Result<Removed, Error> {
        let _lock = self.lock()?;
        let mut index = LayoutIndex::read(self.blobs.root())?;
        let found = index.resolve(reference)?;
        let Some(first) = found.first() else { return Err(Error::NotStored(Box::new(reference.clone()))) };
        let manifest = first.manifest.clone();
        let references: Vec<_> = found.into_iter().map(|pointer| pointer.reference).collect();
        index.forget(&references);
        // Before any blob goes: a crash between leaves garbage, never an entry without its blobs.
        index.write(self.blobs.root())?;
        let still = index.pointing_at(&manifest.digest);
        let bytes = self.sweep(&manifest, &index)?;
        Ok(Removed { digest: manifest.digest, bytes, still })
    }

    /// Removes the blobs of a manifest that no manifest of the index needs; gives their bytes.
    fn sweep(&self, manifest: &Descriptor, index: &LayoutIndex) -> Result<u64, Error> {
        let mut needed = HashSet::new();
        for kept in index.manifests() {
            // What a damaged manifest needs is not known, so nothing can be called unneeded.
            if self.closure(kept, &mut needed, 0).is_err() {
                return Ok(0);
            }
        }
        let mut unneeded = HashSet::from([manifest.digest]);
        // Of a damaged one at least its own bytes go.
        let _ = self.closure(manifest, &mut unneeded, 0);
        unneeded.difference(&needed).try_fold(0, |bytes, digest| Ok(bytes + self.blobs.remove(digest)?))
    }

    /// Adds a manifest and everything it is made of.
    fn closure(&self, descriptor: &Descriptor, found: &mut HashSet<Digest>, depth: usize) -> Result<(), Error> {
        if !found.insert(descriptor.digest) && depth > 0 {
            return Ok(());
        }
        let manifest = self.manifest(descriptor)?;
        for edge in manifest.edges() {
            match edge.kind {
                EdgeKind::Config | EdgeKind::Layer => {
                    found.insert(edge.descriptor.digest);
                }
                EdgeKind::Child if depth < MAX_DEPTH => match self.closure(edge.descriptor, found, depth + 1) {
                    // A store may hold an index with some of its children only.
                    Ok(()) | Err(Error::Missing { .. }) => {}
                    Err(error) => return Err(error),
                },
                EdgeKind::Child | EdgeKind::Subject => {}
            }
        }
        Ok(())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Manifest, Error> {
        let bytes = Bytes::from(self.read(descriptor)?);
        Manifest::parse(bytes, Some(&descriptor.media_type), descriptor.digest.algorithm())
            .map_err(|source| Error::Manifest { digest: Box::new(descriptor.digest), source })
    }

    /// Reads a blob into memory.
    pub(super) fn read(&self, blob: &Descriptor) -> Result<Vec<u8>, Error> {
        let missing = || Error::Missing { digest: Box::new(blob.digest), path: self.blobs.path(&blob.digest) };
        self.blobs.read(blob)?.ok_or_else(missing)
    }

    /// Waits for the turn to write; it ends when the value is dropped.
    fn lock(&self) -> Result<File, Error> {
        let path = self.blobs.root().join(LOCK_FILE);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io("write", &path))?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(file)
    }
}

fn is_blob(kind: EdgeKind) -> bool {
    matches!(kind, EdgeKind::Config | EdgeKind::Layer)
}
