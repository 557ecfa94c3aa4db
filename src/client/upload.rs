//! Sending the blobs of a manifest, several at once, each only if the registry has no other way to it.

use std::collections::{BTreeSet, HashSet};
use std::fs;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::blob_folder::hash_file;
use super::blocking::blocking;
use super::progress::name_of;
use super::{Error, Outcome, Progress, Store};
use crate::oci::{Descriptor, Host, Manifest, RepositoryName};
use crate::package::{ArtifactBlob, BlobContent};
use crate::remote::{BlobSource, Remote};

/// Blobs on their way at once.
pub(super) const MAX_AT_ONCE: usize = 6;

/// Repositories that are asked for a blob before its bytes are sent.
const MAX_MOUNTS: usize = 3;

/// One blob to send.
pub(super) struct Upload {
    descriptor: Descriptor,
    source: BlobSource,
    /// The store whose file the source is, verified before it is sent.
    store: Option<Store>,
    /// Repositories of the same registry that have it.
    mounts: BTreeSet<RepositoryName>,
}

/// What was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) uploaded: usize,
    pub(super) uploaded_bytes: u64,
    pub(super) existing: usize,
}

impl Upload {
    pub(super) fn of_package(blob: &ArtifactBlob) -> Self {
        let source = match &blob.content {
            BlobContent::Bytes(bytes) => BlobSource::Bytes(bytes.clone()),
            BlobContent::File(path) => BlobSource::File(path.clone()),
        };
        Self { descriptor: blob.descriptor.clone(), source, store: None, mounts: BTreeSet::new() }
    }

    /// The blobs of a stored manifest, with the repositories of a host they may be taken over from.
    pub(super) fn of_store(
        manifest: &Manifest,
        store: &Store,
        host: &Host,
        target: &RepositoryName,
    ) -> Result<Vec<Self>, Error> {
        let needed: HashSet<_> = manifest.needed_blobs().into_iter().collect();
        let edges = manifest.edges().into_iter().filter(|edge| needed.contains(&edge.descriptor.digest));
        edges
            .map(|edge| {
                let descriptor = edge.descriptor.clone();
                let mut mounts = store.repositories_with(host, &descriptor.digest)?;
                mounts.remove(target);
                let source = BlobSource::File(store.blob_path(&descriptor.digest));
                Ok(Self { descriptor, source, store: Some(store.clone()), mounts })
            })
            .collect()
    }
}

/// Sends blobs, equal ones once; a dry run only asks which the registry has.
pub(super) async fn send_all(
    remote: &Remote,
    name: &RepositoryName,
    uploads: Vec<Upload>,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<Sent, Error> {
    let mut seen = HashSet::new();
    let once: Vec<_> = uploads.into_iter().filter(|upload| seen.insert(upload.descriptor.digest)).collect();
    let sending = once.into_iter().map(|upload| async move {
        let size = upload.descriptor.size;
        Ok::<_, Error>((size, send(remote, name, upload, dry_run, progress).await?))
    });
    let ends: Vec<_> = stream::iter(sending).buffer_unordered(MAX_AT_ONCE).try_collect().await?;
    let mut sent = Sent::default();
    for (size, outcome) in ends {
        if outcome == Outcome::Transferred {
            sent.uploaded += 1;
            sent.uploaded_bytes += size;
        } else {
            sent.existing += 1;
        }
    }
    Ok(sent)
}

async fn send(
    remote: &Remote,
    name: &RepositoryName,
    upload: Upload,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<Outcome, Error> {
    let blob = &upload.descriptor;
    progress.begin(blob, name_of(blob));
    let outcome = if remote.has_blob(name, &blob.digest).await? {
        Outcome::Existing
    } else if dry_run {
        Outcome::Transferred
    } else if mount(remote, name, &upload).await? {
        Outcome::Mounted
    } else {
        send_bytes(remote, name, &upload, progress).await?;
        Outcome::Transferred
    };
    progress.end(&blob.digest, outcome);
    Ok(outcome)
}

async fn mount(remote: &Remote, name: &RepositoryName, upload: &Upload) -> Result<bool, Error> {
    for from in upload.mounts.iter().take(MAX_MOUNTS) {
        // A refusal says no more than that the bytes must be sent.
        if remote.mount_blob(name, &upload.descriptor.digest, from).await.unwrap_or(false) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn send_bytes(
    remote: &Remote,
    name: &RepositoryName,
    upload: &Upload,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let blob = &upload.descriptor;
    if let Some(store) = upload.store.clone() {
        let blob = blob.clone();
        blocking(move || store.verify(&blob)).await?;
    }
    if let BlobSource::File(path) = &upload.source {
        let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
        if size != blob.size {
            return Err(Error::Changed(path.clone()));
        }
    }
    let advance = |done| progress.advance(&blob.digest, done);
    let sent = remote.push_blob(name, &blob.digest, blob.size, &upload.source, &advance).await;
    match (sent, &upload.source) {
        (Err(error), BlobSource::File(path)) => {
            // The registry refuses bytes with another digest; whether they were other bytes can be seen here only.
            let (path, blob) = (path.clone(), blob.clone());
            let (file, unchanged) = blocking(move || {
                let unchanged = hash_file(&path, &blob);
                (path, unchanged)
            })
            .await;
            Err(if matches!(unchanged, Ok(false)) { Error::Changed(file) } else { error.into() })
        }
        (sent, _) => Ok(sent?),
    }
}
