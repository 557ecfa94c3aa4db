//! The file store itself.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::blocking::blocking;
use super::layout::{Layout, sync_dir, upload_error};
use super::reader::FileReader;
use super::session::Session;
use super::writer::FileWriter;
use crate::oci::{Algorithm, Digest, Hasher, UploadId};
use crate::storage::claims::Claims;
use crate::storage::disk::{Disk, Witness};
use crate::storage::quota::Quota;
use crate::storage::store::write_out;
use crate::storage::{BlobInfo, BlobReader, BlobStore, BlobWriter, Checkpoint, Error, MAX_LIST_PAGE};

/// Keeps every blob as a file named by its digest. One process at a time may open a folder.
#[derive(Clone, Debug)]
pub struct FileStore {
    shared: Arc<Shared>,
    claims: Claims,
}

/// What the store and its writers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Disk,
    pub(super) layout: Layout,
    pub(super) quota: Quota,
    /// Held while a blob's name appears or disappears.
    pub(super) naming: Mutex<()>,
}

impl FileStore {
    /// Opens a folder, making what is missing. A store with a limit first counts what it holds.
    pub fn open(root: &Path, limit: Option<u64>) -> Result<Self, Error> {
        Self::over(root, limit, Disk::default())
    }

    /// Opens a folder while somebody watches what is done to it.
    pub fn open_watched(root: &Path, limit: Option<u64>, witness: Arc<dyn Witness>) -> Result<Self, Error> {
        Self::over(root, limit, Disk::watched(witness))
    }

    fn over(root: &Path, limit: Option<u64>, disk: Disk) -> Result<Self, Error> {
        let layout = Layout::create(root, &disk)?;
        let used = if limit.is_some() { used(&layout)? } else { 0 };
        let shared = Shared { disk, layout, quota: Quota::new(limit, used), naming: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), claims: Claims::default() })
    }

    /// Makes the names of all blobs durable; one that was pushed is so already, one that was copied is not.
    pub async fn sync_names(&self) -> Result<(), Error> {
        self.run(|shared| shared.layout.shards().try_for_each(|folder| sync_dir(&shared.disk, &folder))).await
    }

    /// Runs `work` on a blocking thread.
    fn run<T, F>(&self, work: F) -> BoxFuture<'_, Result<T, Error>>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Shared>) -> Result<T, Error> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        async move { blocking(&self.shared.layout.uploads(), move || work(shared)).await }.boxed()
    }

    /// Opens a writer; `from` is where it continues, or nowhere for a new upload.
    fn writer(
        &self,
        id: UploadId,
        algorithm: Algorithm,
        from: Option<Checkpoint>,
    ) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>> {
        let claims = self.claims.clone();
        self.run(move |shared| {
            let claim = Arc::new(claims.claim(id)?);
            let offset = from.as_ref().map_or(0, |from| from.offset);
            let session = match from {
                Some(from) => Session::resume(Arc::clone(&shared), Arc::clone(&claim), &from)?,
                None => Session::begin(Arc::clone(&shared), Arc::clone(&claim), Hasher::new(algorithm))?,
            };
            Ok(Box::new(FileWriter::new(shared, claim, session, offset)) as Box<dyn BlobWriter>)
        })
    }
}

impl Shared {
    /// Removes an upload the caller has claimed.
    pub(super) fn remove_upload(&self, id: UploadId) -> Result<(), Error> {
        let path = self.layout.upload(id);
        let size = self.layout.upload_size(id)?;
        self.disk.remove(&path).map_err(|error| upload_error(id, &path, error))?;
        self.quota.give_back(size);
        Ok(())
    }

    fn delete(&self, digest: &Digest) -> Result<(), Error> {
        let path = self.layout.blob(digest);
        {
            let _naming = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
            let size = self.layout.stat(digest)?.size;
            self.disk.remove(&path).map_err(|error| Error::io(&path, error))?;
            self.quota.give_back(size);
        }
        // Durable, or the blob could be back after a crash although its row is gone.
        sync_dir(&self.disk, &self.layout.folder_of(digest))
    }

    /// Links a blob into another store. `None`: its bytes have to be copied.
    fn link(&self, digest: &Digest, target: &Self) -> Result<Option<BlobInfo>, Error> {
        let (from, to) = (self.layout.blob(digest), target.layout.blob(digest));
        let _naming = target.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.layout.stat(digest)?;
        let linked = target.disk.link(&from, &to).map_err(|error| Error::io(&from, error))?;
        if linked {
            target.quota.take(found.size)?;
        }
        Ok(linked.then_some(found))
    }

    fn read(&self, digest: &Digest) -> Result<Box<dyn BlobReader>, Error> {
        let path = self.layout.blob(digest);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((size, file)) => Ok(Box::new(FileReader::new(file, path, size))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound(*digest)),
            Err(error) => Err(Error::io(&path, error)),
        }
    }
}

fn used(layout: &Layout) -> Result<u64, Error> {
    let blobs: u64 = layout.list(None, usize::MAX)?.iter().map(|blob| blob.size).sum();
    let uploads = layout.upload_ids()?.into_iter().map(|id| layout.upload_size(id));
    Ok(blobs + uploads.sum::<Result<u64, Error>>()?)
}

impl BlobStore for FileStore {
    fn begin(&self, id: UploadId, algorithm: Algorithm) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>> {
        self.writer(id, algorithm, None)
    }

    fn resume(&self, id: UploadId, from: Checkpoint) -> BoxFuture<'_, Result<Box<dyn BlobWriter>, Error>> {
        self.writer(id, from.state.algorithm, Some(from))
    }

    fn discard(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        let claims = self.claims.clone();
        self.run(move |shared| {
            let _claim = claims.claim(id)?;
            shared.remove_upload(id)
        })
    }

    fn uploads(&self) -> BoxFuture<'_, Result<Vec<UploadId>, Error>> {
        self.run(|shared| shared.layout.upload_ids())
    }

    fn stat(&self, digest: &Digest) -> BoxFuture<'_, Result<BlobInfo, Error>> {
        let digest = *digest;
        self.run(move |shared| shared.layout.stat(&digest))
    }

    fn open(&self, digest: &Digest) -> BoxFuture<'_, Result<Box<dyn BlobReader>, Error>> {
        // On the thread that asks: opening costs less than a hop.
        ready(self.shared.read(digest)).boxed()
    }

    fn copy_into<'a>(&'a self, digest: &Digest, target: &'a FileStore) -> BoxFuture<'a, Result<BlobInfo, Error>> {
        let (digest, other) = (*digest, Arc::clone(&target.shared));
        async move {
            match self.run(move |shared| shared.link(&digest, &other)).await? {
                Some(linked) => Ok(linked),
                None => write_out(self.open(&digest).await?, &digest, target).await,
            }
        }
        .boxed()
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<(), Error>> {
        let digest = *digest;
        self.run(move |shared| shared.delete(&digest))
    }

    fn list(&self, after: Option<Digest>, limit: usize) -> BoxFuture<'_, Result<Vec<BlobInfo>, Error>> {
        self.run(move |shared| shared.layout.list(after, limit.min(MAX_LIST_PAGE)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::storage::Step;
    use crate::storage::contract::{Fixture, contract};

    struct OnDisk(TempDir, Option<u64>);

    impl Fixture for OnDisk {
        fn new(limit: Option<u64>) -> Self {
            Self(TempDir::new().unwrap(), limit)
        }

        fn open(&self) -> Arc<dyn BlobStore> {
            Arc::new(FileStore::open(self.0.path(), self.1).unwrap())
        }

        fn files_left(&self) -> usize {
            files_below(self.0.path())
        }
    }

    fn files_below(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
    }

    contract!(OnDisk);

    #[tokio::test]
    async fn a_damaged_blob_is_healed_by_pushing_it_again() {
        let place = OnDisk::new(None);
        let store = FileStore::open(place.0.path(), None).unwrap();
        let digest = Digest::sha256(b"content");
        for _ in 0..2 {
            let mut writer = store.begin(UploadId::random(), Algorithm::Sha256).await.unwrap();
            writer.write("content".into()).await.unwrap();
            writer.commit(&digest).await.unwrap();
            let path = place.0.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
            assert_eq!(fs::read(&path).unwrap(), b"content");
            fs::write(&path, b"damaged").unwrap();
        }
    }

    /// Remembers what was done, by the last part of each name.
    #[derive(Debug, Default)]
    struct Log(Mutex<Vec<String>>);

    impl Witness for Log {
        fn saw(&self, step: Step<'_>) {
            let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().chars().take(7).collect::<String>();
            let line = match step {
                Step::Created(_) => "create".to_owned(),
                Step::Appended(_, bytes) => format!("append {}", bytes.len()),
                Step::Cut(_, length) => format!("cut {length}"),
                Step::Synced(_) => "sync".to_owned(),
                Step::Renamed(_, to) => format!("rename {}", name(to)),
                Step::Linked(..) => "link".to_owned(),
                Step::Removed(_) => "remove".to_owned(),
                Step::FolderSynced(path) => format!("sync folder {}", name(path)),
            };
            self.0.lock().unwrap().push(line);
        }
    }

    #[tokio::test]
    async fn bytes_are_durable_before_their_name_and_the_name_before_the_answer() {
        let place = TempDir::new().unwrap();
        let log = Arc::new(Log::default());
        let store = FileStore::open_watched(place.path(), None, Arc::clone(&log) as Arc<dyn Witness>).unwrap();
        let taken = || std::mem::take(&mut *log.0.lock().unwrap());
        taken();
        let id = UploadId::random();
        let digest = Digest::sha256(b"content");
        let mut writer = store.begin(id, Algorithm::Sha256).await.unwrap();
        writer.write("cont".into()).await.unwrap();
        let checkpoint = writer.checkpoint().await.unwrap();
        assert_eq!(taken(), ["create", "append 4", "sync", "sync folder uploads"]);
        writer.write("lost".into()).await.unwrap();
        drop(writer);
        let mut writer = store.resume(id, checkpoint).await.unwrap();
        writer.write("ent".into()).await.unwrap();
        writer.commit(&digest).await.unwrap();
        let hex = digest.hex();
        let named = [format!("rename {}", &hex[..7]), format!("sync folder {}", &hex[..2])];
        assert_eq!(taken(), [&["cut 4", "append 3", "sync"].map(str::to_owned)[..], &named].concat());
        store.delete(&digest).await.unwrap();
        assert_eq!(taken(), ["remove".to_owned(), format!("sync folder {}", &hex[..2])]);
    }
}
