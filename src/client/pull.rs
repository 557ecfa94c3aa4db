//! From a registry to a folder: resolve, verify, unpack beside the target, then put in place.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::blocking::blocking;
use super::needed_blobs::NeededBlobs;
use super::resolve::{Resolved, in_registry, in_store};
use super::target::{Standing, left_out, look_at};
use super::{Cache, Error, Progress, Selector, Store};
use crate::oci::{Digest, Manifest, Reference, RepositoryName, Tag};
use crate::package::{ArtifactKind, Config, FilePath, InstallError, Staged, check_manifest, kind_of, stage};
use crate::remote::Remote;

/// What to pull, and where to.
#[derive(Clone)]
pub struct PullRequest<'a> {
    /// The registry; without one only the local store is asked.
    pub remote: Option<&'a Remote>,
    /// The repository.
    pub repository: RepositoryName,
    /// Which version.
    pub selector: Selector,
    /// The folder the package's own folder goes into; it is made if absent.
    pub directory: PathBuf,
    /// Replaces what is at the target, whatever it is.
    pub force: bool,
    /// Only reads, and tells what would be done.
    pub dry_run: bool,
    /// Remembers what was pulled, so that it can be replaced while it is unedited.
    pub store: &'a Store,
    /// Keeps blobs.
    pub cache: &'a Cache,
    /// Is told how it goes.
    pub progress: &'a dyn Progress,
}

impl fmt::Debug for PullRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PullRequest");
        shown.field("repository", &self.repository).field("selector", &self.selector);
        shown.field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// What a pull did to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullState {
    /// There was nothing before.
    Written,
    /// The same files were there.
    UpToDate,
    /// Other files were there.
    Replaced,
}

/// What was pulled; of a dry run, what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullReport {
    /// The manifest.
    pub digest: Digest,
    /// The tag that led to it.
    pub tag: Option<Tag>,
    /// The package's folder.
    pub path: PathBuf,
    /// What happened to it.
    pub state: PullState,
    /// Bytes that came over the network, without manifests.
    pub transferred_bytes: u64,
    /// What the ignore rules of a replaced folder leave out; it was moved over.
    pub kept: Vec<FilePath>,
}

/// Pulls a package. On any refusal nothing is written.
pub async fn pull(request: PullRequest<'_>) -> Result<PullReport, Error> {
    let Resolved { manifest, tag, reference } = match request.remote {
        Some(remote) => in_registry(remote, &request.repository, &request.selector).await?,
        None => in_store(request.store, &request.repository, &request.selector)?,
    };
    let kind = kind_of(&manifest);
    if kind != ArtifactKind::Agent {
        return Err(Error::NotAPackage { reference: Box::new(reference), kind });
    }
    let mut blobs = NeededBlobs::new(&request);
    let config = check_manifest(&manifest, &blobs.config(&manifest).await?)?;
    let name = &config.metadata.name;
    if name != request.repository.package() {
        request.progress.note(&format!("the package in `{}` is named `{name}`", request.repository));
    }
    let pull = Pull { request: &request, path: request.directory.join(name), manifest: &manifest, config: &config };
    let (state, kept) = match pull.look().await? {
        Standing::Free => (PullState::Written, vec![]),
        Standing::Same => (PullState::UpToDate, vec![]),
        Standing::Replaceable => (PullState::Replaced, pull.kept().await?),
    };
    if !request.dry_run {
        if state != PullState::UpToDate {
            pull.install(&mut blobs).await?;
        }
        if request.remote.is_some() {
            pull.remember(&reference, blobs.paths()).await;
        }
    }
    let transferred_bytes = blobs.transferred_bytes();
    Ok(PullReport { digest: manifest.digest(), tag, path: pull.path, state, transferred_bytes, kept })
}

/// A package that is known and wanted.
struct Pull<'a> {
    request: &'a PullRequest<'a>,
    path: PathBuf,
    manifest: &'a Manifest,
    config: &'a Config,
}

impl Pull<'_> {
    async fn look(&self) -> Result<Standing, Error> {
        let (path, config) = (self.path.clone(), self.config.clone());
        let (store, force) = (self.request.store.clone(), self.request.force);
        blocking(move || look_at(&path, &config, &store, force)).await
    }

    async fn kept(&self) -> Result<Vec<FilePath>, Error> {
        let path = self.path.clone();
        blocking(move || left_out(&path)).await
    }

    /// Writes the files beside the target and puts them in place.
    async fn install(&self, blobs: &mut NeededBlobs<'_>) -> Result<(), Error> {
        blobs.layers(self.manifest).await?;
        let staged = match self.stage(blobs.paths()).await {
            Err(error) => {
                // The package may be bad, or a file of the cache may have been damaged since it was written.
                if !blobs.fetch_damaged_again(self.manifest).await? {
                    return Err(error.into());
                }
                self.stage(blobs.paths()).await?
            }
            Ok(staged) => staged,
        };
        // Once more: somebody may have edited the folder while layers were on their way.
        self.look().await?;
        blocking(move || staged.swap()).await?;
        Ok(())
    }

    async fn stage(&self, paths: &HashMap<Digest, PathBuf>) -> Result<Staged, InstallError> {
        let (manifest, config) = (self.manifest.clone(), self.config.clone());
        let (directory, paths) = (self.request.directory.clone(), paths.clone());
        blocking(move || {
            let here = Path::new(".");
            // Joining a name to an empty path gives a relative one; listing an empty path fails.
            let directory = if directory.as_os_str().is_empty() { here } else { &directory };
            let open = |digest: &Digest| File::open(paths.get(digest).ok_or(std::io::ErrorKind::NotFound)?);
            stage(&manifest, &config, &mut |layer| Ok(Box::new(open(&layer.digest)?) as Box<dyn Read>), directory)
        })
        .await
    }

    /// Keeps the package in the store, so that a later pull knows the folder as unedited. The package is in place by
    /// then: a failure is told, no more.
    async fn remember(&self, reference: &Reference, paths: &HashMap<Digest, PathBuf>) {
        let (store, manifest) = (self.request.store.clone(), self.manifest.clone());
        let (reference, paths) = (reference.clone(), paths.clone());
        let added =
            blocking(move || store.add_manifest(&manifest, &|digest| paths.get(digest).cloned(), &[reference])).await;
        if let Err(error) = added {
            let message =
                format!("the local store does not know this package, so replacing it will need force: {error}");
            self.request.progress.note(&message);
        }
    }
}
