//! From a packed package to a registry: blobs first, then the manifest with its tags, then a look back.

use std::fmt;

use super::push_tags::{carry_out, plan};
use super::upload::{Upload, send_all};
use super::{Error, Progress, Store};
use crate::oci::{Digest, Manifest, ManifestKind, Reference, RepositoryName, Tag, Target};
use crate::package::{Artifact, ArtifactKind, Config, kind_of};
use crate::remote::Remote;

/// A packed package and where it goes.
#[derive(Clone)]
pub struct PushRequest<'a> {
    /// The registry.
    pub remote: &'a Remote,
    /// The repository; its last component is the package's name.
    pub repository: RepositoryName,
    /// The tag: a version, `latest`, or any other.
    pub tag: Tag,
    /// The package.
    pub artifact: &'a Artifact,
    /// Moves a version tag that points at other bytes.
    pub force: bool,
    /// Only reads, and tells what would be sent.
    pub dry_run: bool,
    /// Is told how it goes.
    pub progress: &'a dyn Progress,
}

/// Something in the local store and where it goes.
#[derive(Clone)]
pub struct PushStoredRequest<'a> {
    /// The registry.
    pub remote: &'a Remote,
    /// The repository; for an agent package, its last component is the package's name.
    pub repository: RepositoryName,
    /// The tag: a version, `latest`, or any other.
    pub tag: Tag,
    /// The manifest, as the store gave it; an index is refused.
    pub manifest: &'a Manifest,
    /// The store that has the blobs.
    pub store: &'a Store,
    /// Moves a version tag that points at other bytes.
    pub force: bool,
    /// Only reads, and tells what would be sent.
    pub dry_run: bool,
    /// Is told how it goes.
    pub progress: &'a dyn Progress,
}

impl fmt::Debug for PushRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PushRequest");
        shown.field("repository", &self.repository).field("tag", &self.tag).finish_non_exhaustive()
    }
}

impl fmt::Debug for PushStoredRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PushStoredRequest");
        shown.field("repository", &self.repository).field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// What was pushed; of a dry run, what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushReport {
    /// Where to.
    pub repository: RepositoryName,
    /// The manifest.
    pub digest: Digest,
    /// The tags that point at it now, the one asked for first.
    pub tags: Vec<Tag>,
    /// Blobs whose bytes were sent.
    pub uploaded_blobs: usize,
    /// Bytes of those.
    pub uploaded_bytes: u64,
    /// Blobs the registry had, or took over from another of its repositories.
    pub existing_blobs: usize,
    /// Whether everything, tags included, was there before.
    pub is_unchanged: bool,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Pushes a package. Nothing is tagged before every blob is there.
pub async fn push(request: PushRequest<'_>) -> Result<PushReport, Error> {
    let PushRequest { remote, repository, tag, artifact, force, dry_run, progress } = request;
    let (manifest, config) = (artifact.manifest(), Some(artifact.config()));
    let job = Job { remote, repository, tag, manifest, config, force, dry_run, progress };
    job.run(|| Ok(artifact.blobs().iter().map(Upload::of_package).collect())).await
}

/// Pushes something from the local store.
pub async fn push_stored(request: PushStoredRequest<'_>) -> Result<PushReport, Error> {
    let PushStoredRequest { remote, repository, tag, manifest, store, force, dry_run, progress } = request;
    let config = match manifest.kind() {
        ManifestKind::Image { config, .. } if manifest.is_agent() => Some(Config::parse(&store.read(config)?)?),
        _ => None,
    };
    let config = config.as_ref();
    let job = Job { remote, repository, tag, manifest, config, force, dry_run, progress };
    if kind_of(manifest) == ArtifactKind::Index {
        return Err(Error::NotAPackage { reference: Box::new(job.reference(&job.tag)), kind: ArtifactKind::Index });
    }
    let host = remote.endpoint().host();
    job.run(|| Upload::of_store(manifest, store, host, &job.repository)).await
}

/// A manifest on its way to a repository.
pub(super) struct Job<'a> {
    pub(super) remote: &'a Remote,
    pub(super) repository: RepositoryName,
    pub(super) tag: Tag,
    pub(super) manifest: &'a Manifest,
    /// Of an agent package.
    pub(super) config: Option<&'a Config>,
    pub(super) force: bool,
    dry_run: bool,
    pub(super) progress: &'a dyn Progress,
}

impl Job<'_> {
    async fn run(&self, uploads: impl FnOnce() -> Result<Vec<Upload>, Error>) -> Result<PushReport, Error> {
        self.check_name()?;
        let plan = plan(self).await?;
        let mut report = PushReport {
            repository: self.repository.clone(),
            digest: self.manifest.digest(),
            tags: plan.tags.clone(),
            uploaded_blobs: 0,
            uploaded_bytes: 0,
            existing_blobs: self.manifest.needed_blobs().len(),
            is_unchanged: plan.missing().is_empty(),
            warnings: plan.warnings.clone(),
        };
        if report.is_unchanged {
            return Ok(report);
        }
        // A registry that has the manifest has its blobs; only the tags are missing.
        let target = Target::Digest(self.manifest.digest());
        if self.remote.head_manifest(&self.repository, &target).await?.is_none() {
            let sent = send_all(self.remote, &self.repository, uploads()?, self.dry_run, self.progress).await?;
            report.existing_blobs = sent.existing;
            report.uploaded_blobs = sent.uploaded;
            report.uploaded_bytes = sent.uploaded_bytes;
        }
        if !self.dry_run {
            let carried = carry_out(self, plan).await?;
            report.tags = carried.tags;
            report.warnings = carried.warnings;
        }
        Ok(report)
    }

    /// The folder a pull makes is named as the package, and people look for it by the repository.
    fn check_name(&self) -> Result<(), Error> {
        match self.config {
            Some(config) if config.metadata.name != self.repository.package() => {
                Err(Error::NameDiffers { package: config.metadata.name.clone(), repository: self.repository.clone() })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn reference(&self, tag: &Tag) -> Reference {
        let host = Some(self.remote.endpoint().host().clone());
        Reference { host, name: self.repository.clone(), tag: Some(tag.clone()), digest: None }
    }
}
