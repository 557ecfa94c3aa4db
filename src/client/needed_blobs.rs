//! The blobs one pull needs, from wherever they are nearest: the local store, the cache, the registry.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::blocking::blocking;
use super::cache::Fetched;
use super::download::{Download, read_blob, refuse_large};
use super::progress::name_of;
use super::upload::MAX_AT_ONCE;
use super::{Error, Outcome, PullRequest};
use crate::oci::{Descriptor, Digest, Manifest, ManifestKind};
use crate::package::{CheckError, MAX_CONFIG_BYTES};
use crate::remote::Remote;

/// Paths of the blobs found so far.
pub(super) struct NeededBlobs<'a> {
    request: &'a PullRequest<'a>,
    paths: HashMap<Digest, PathBuf>,
    transferred_bytes: u64,
}

impl<'a> NeededBlobs<'a> {
    pub(super) fn new(request: &'a PullRequest<'a>) -> Self {
        Self { request, paths: HashMap::new(), transferred_bytes: 0 }
    }

    pub(super) fn paths(&self) -> &HashMap<Digest, PathBuf> {
        &self.paths
    }

    /// Bytes that came over the network.
    pub(super) fn transferred_bytes(&self) -> u64 {
        self.transferred_bytes
    }

    /// The bytes of a package's configuration. A dry run leaves no trace of them.
    pub(super) async fn config(&mut self, manifest: &Manifest) -> Result<Vec<u8>, Error> {
        let ManifestKind::Image { config, .. } = manifest.kind() else { return Err(CheckError::NotAnAgent.into()) };
        refuse_large(config, MAX_CONFIG_BYTES)?;
        let Some(remote) = self.request.remote else { return self.request.store.read(config) };
        if let Ok(bytes) = self.request.store.read(config) {
            return Ok(bytes);
        }
        if let Some(bytes) = self.request.cache.read(config)? {
            self.paths.insert(config.digest, self.request.cache.path(config));
            return Ok(bytes);
        }
        if self.request.dry_run {
            self.transferred_bytes += config.size;
            return read_blob(remote, &self.request.repository, config, MAX_CONFIG_BYTES).await;
        }
        self.request.cache.discard_damaged(config)?;
        let fetched = self.fetch(remote, config).await?;
        self.take(config.digest, fetched);
        let missing = || Error::Missing { digest: Box::new(config.digest), path: self.request.cache.path(config) };
        self.request.cache.read(config)?.ok_or_else(missing)
    }

    /// Brings all layers here, equal ones once.
    pub(super) async fn layers(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let ManifestKind::Image { layers, .. } = manifest.kind() else { return Err(CheckError::NotAnAgent.into()) };
        let mut seen = HashSet::new();
        let once = layers.iter().filter(|layer| seen.insert(layer.digest));
        let this = &*self;
        let fetching = once.map(|layer| async move { Ok::<_, Error>((layer.digest, this.nearest(layer).await?)) });
        let fetched: Vec<_> = stream::iter(fetching).buffer_unordered(MAX_AT_ONCE).try_collect().await?;
        for (digest, fetched) in fetched {
            self.take(digest, fetched);
        }
        Ok(())
    }

    /// Fetches those files of the cache again that are not what they were; says whether there were any.
    pub(super) async fn fetch_damaged_again(&mut self, manifest: &Manifest) -> Result<bool, Error> {
        let cache = self.request.cache.clone();
        let edges: Vec<Descriptor> = manifest.edges().into_iter().map(|edge| edge.descriptor.clone()).collect();
        let damaged = blocking(move || {
            edges.iter().try_fold(false, |damaged, blob| Ok::<_, Error>(cache.discard_damaged(blob)? || damaged))
        });
        let is_damaged = damaged.await?;
        if is_damaged && self.request.remote.is_some() {
            self.request.progress.note("the cache held damaged files, which are fetched again");
            self.layers(manifest).await?;
        }
        Ok(is_damaged)
    }

    async fn nearest(&self, blob: &Descriptor) -> Result<Fetched, Error> {
        let (store, wanted) = (self.request.store.clone(), blob.clone());
        if let Some(path) = blocking(move || store.whole_blob(&wanted)).await? {
            self.request.progress.begin(blob, name_of(blob));
            self.request.progress.end(&blob.digest, Outcome::Cached);
            return Ok(Fetched { path, transferred_bytes: 0 });
        }
        match self.request.remote {
            Some(remote) => self.fetch(remote, blob).await,
            None => {
                Err(Error::Missing { digest: Box::new(blob.digest), path: self.request.store.blob_path(&blob.digest) })
            }
        }
    }

    async fn fetch(&self, remote: &Remote, blob: &Descriptor) -> Result<Fetched, Error> {
        let (name, progress) = (&self.request.repository, self.request.progress);
        self.request.cache.fetch_counted(Download { remote, name, blob, progress }).await
    }

    fn take(&mut self, digest: Digest, fetched: Fetched) {
        self.transferred_bytes += fetched.transferred_bytes;
        self.paths.insert(digest, fetched.path);
    }
}
