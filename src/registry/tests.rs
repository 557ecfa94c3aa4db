//! The use cases over a real index and both real stores.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{Content, Error, Mode, NewManifest, Registry};
use crate::auth::{Caller, Delete, Origin, Permit, Pull, Push};
use crate::index::Sqlite;
use crate::index::blobs::MAX_INLINE_BYTES;
use crate::oci::{
    Algorithm, ChunkRange, Conditions, Digest, ErrorCode, Page, RepositoryName, Tag, Target, UploadId, known,
};
use crate::storage::{BlobStore, FileStore, MemoryStore};

struct Opened {
    registry: Registry,
    directory: tempfile::TempDir,
}

impl Opened {
    fn in_files() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(directory: tempfile::TempDir) -> Self {
        let store = FileStore::open(directory.path(), None).unwrap();
        Self::over(Arc::new(store), directory)
    }

    fn over(store: Arc<dyn BlobStore>, directory: tempfile::TempDir) -> Self {
        let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
        Self { registry: Registry::new(store, index, Mode::Open), directory }
    }

    fn reopened(self) -> Self {
        let Self { registry, directory } = self;
        drop(registry);
        Self::at(directory)
    }

    fn push_permit(&self, name: &str) -> Permit<Push> {
        self.registry.authorise(&Caller::anonymous(Origin::none()), Push, &repository(name)).unwrap()
    }

    fn pull_permit(&self, name: &str) -> Permit<Pull> {
        self.registry.authorise(&Caller::anonymous(Origin::none()), Pull, &repository(name)).unwrap()
    }

    fn delete_permit(&self, name: &str) -> Permit<Delete> {
        self.registry.authorise(&Caller::anonymous(Origin::none()), Delete, &repository(name)).unwrap()
    }

    async fn store(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let mut upload = self.registry.receive_blob(&self.push_permit(name), Algorithm::Sha256).await.unwrap();
        upload.write(Bytes::copy_from_slice(content)).await.unwrap();
        upload.finish(&digest).await.unwrap();
        digest
    }

    async fn fetch(&self, name: &str, digest: &Digest) -> Result<Vec<u8>, Error> {
        let blob = self.registry.open_blob(&self.pull_permit(name), digest).await?;
        match blob.content {
            Content::Inline(bytes) => Ok(bytes.to_vec()),
            Content::Stored(mut reader) => {
                let mut all = vec![];
                while let Some(chunk) = reader.next_chunk().await? {
                    all.extend_from_slice(&chunk);
                }
                Ok(all)
            }
        }
    }

    async fn put(&self, name: &str, target: &str, tags: &[&str], bytes: &[u8]) -> Result<super::Pushed, Error> {
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        let (target, bytes) = (self::target(target), Bytes::copy_from_slice(bytes));
        let new =
            NewManifest { bytes, media_type: None, target: &target, tags: &tags, conditions: &Conditions::default() };
        self.registry.put_manifest(&self.push_permit(name), new).await
    }
}

fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

fn target(text: &str) -> Target {
    text.parse().map_or_else(|_| Target::Tag(text.parse().unwrap()), Target::Digest)
}

fn code(error: &Error) -> &'static str {
    error.code().map_or("none", ErrorCode::as_str)
}

fn artifact(config: &Digest, note: &str) -> Vec<u8> {
    let config = serde_json::json!({ "mediaType": "application/json", "size": 2, "digest": config });
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": known::OCI_MANIFEST, "artifactType": "application/vnd.example.thing",
        "config": config, "layers": [], "annotations": { "note": note },
    });
    serde_json::to_vec(&document).unwrap()
}

#[tokio::test]
async fn blobs_of_every_size_come_back_and_only_where_they_belong() {
    let memory = Opened::over(Arc::new(MemoryStore::new(None)), tempfile::tempdir().unwrap());
    for opened in [Opened::in_files(), memory] {
        for size in [0, 1, MAX_INLINE_BYTES, MAX_INLINE_BYTES + 1, 3 * 1024 * 1024] {
            let content = vec![7; size];
            let digest = opened.store("a/b", &content).await;
            assert_eq!(opened.fetch("a/b", &digest).await.unwrap(), content);
            assert_eq!(opened.registry.blob_size(&opened.pull_permit("a/b"), &digest).await.unwrap(), size as u64);
            assert_eq!(code(&opened.fetch("a/c", &digest).await.unwrap_err()), "BLOB_UNKNOWN");
        }
    }
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing_and_ends_the_session() {
    let opened = Opened::in_files();
    let permit = opened.push_permit("a/b");
    for size in [10, MAX_INLINE_BYTES * 2] {
        let id = opened.registry.begin_upload(&permit, None).await.unwrap();
        let mut upload = opened.registry.open_upload(&permit, &id, None).await.unwrap();
        upload.write(vec![1; size].into()).await.unwrap();
        let wrong = Digest::sha256(b"something else");
        assert_eq!(code(&upload.finish(&wrong).await.unwrap_err()), "DIGEST_INVALID");
        assert_eq!(code(&opened.registry.upload_offset(&permit, &id).await.unwrap_err()), "BLOB_UPLOAD_UNKNOWN");
        for digest in [wrong, Digest::sha256(&vec![1; size])] {
            assert_eq!(code(&opened.fetch("a/b", &digest).await.unwrap_err()), "BLOB_UNKNOWN");
        }
    }
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_where_it_was() {
    let mut opened = Opened::in_files();
    let permit = opened.push_permit("a/b");
    let id = opened.registry.begin_upload(&permit, None).await.unwrap();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut sent = 0;
    for end in [10, 150_000, 800_000] {
        let chunk = ChunkRange { first: sent as u64, last: end as u64 - 1 };
        let mut upload = opened.registry.open_upload(&permit, &id, Some(chunk)).await.unwrap();
        upload.write(Bytes::copy_from_slice(&content[sent..end])).await.unwrap();
        assert_eq!(upload.pause().await.unwrap(), end as u64);
        sent = end;
        opened = opened.reopened();
        assert_eq!(opened.registry.upload_offset(&permit, &id).await.unwrap(), end as u64);
    }
    let early = ChunkRange { first: 5, last: 9 };
    let refused = opened.registry.open_upload(&permit, &id, Some(early)).await.unwrap_err();
    assert!(matches!(refused, Error::UploadOutOfOrder { expected: 800_000, found: 5 }));
    // SHA-512 although the session began with SHA-256.
    let digest = Digest::of(Algorithm::Sha512, &content);
    opened.registry.open_upload(&permit, &id, None).await.unwrap().finish(&digest).await.unwrap();
    assert_eq!(opened.fetch("a/b", &digest).await.unwrap(), content);
    assert_eq!(code(&opened.registry.upload_offset(&permit, &id).await.unwrap_err()), "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_request_that_breaks_off_keeps_what_was_acknowledged() {
    let opened = Opened::in_files();
    let permit = opened.push_permit("a/b");
    let id = opened.registry.begin_upload(&permit, None).await.unwrap();
    for _ in 0..2 {
        // Dropped without a pause, before and after bytes were acknowledged.
        let before = opened.registry.upload_offset(&permit, &id).await.unwrap();
        let mut upload = opened.registry.open_upload(&permit, &id, None).await.unwrap();
        upload.write(vec![9; MAX_INLINE_BYTES * 3].into()).await.unwrap();
        drop(upload);
        let mut upload = opened.registry.open_upload(&permit, &id, None).await.unwrap();
        assert_eq!(upload.offset(), before);
        upload.write(vec![2; 100_000].into()).await.unwrap();
        assert_eq!(upload.pause().await.unwrap(), before + 100_000);
    }
    let digest = Digest::sha256(&vec![2; 200_000]);
    opened.registry.open_upload(&permit, &id, None).await.unwrap().finish(&digest).await.unwrap();
}

#[tokio::test]
async fn sessions_belong_to_their_repository_and_have_one_writer() {
    let opened = Opened::in_files();
    let (permit, other) = (opened.push_permit("a/b"), opened.push_permit("a/c"));
    let stranger = opened.registry.authorise(&Caller::user("eve".parse().unwrap()), Push, &repository("a/b")).unwrap();
    let id = opened.registry.begin_upload(&permit, None).await.unwrap();
    for bytes in [0, 5] {
        let mut upload = opened.registry.open_upload(&permit, &id, None).await.unwrap();
        let second = opened.registry.open_upload(&permit, &id, None).await.unwrap_err();
        assert!(matches!(second, Error::UploadBusy(_)));
        upload.write(vec![0; bytes].into()).await.unwrap();
        upload.pause().await.unwrap();
        for wrong in [&other, &stranger] {
            assert_eq!(code(&opened.registry.upload_offset(wrong, &id).await.unwrap_err()), "BLOB_UPLOAD_UNKNOWN");
            assert!(opened.registry.cancel_upload(wrong, &id).await.is_err());
        }
    }
    opened.registry.cancel_upload(&permit, &id).await.unwrap();
    assert!(opened.registry.open_upload(&permit, &id, None).await.is_err());
    assert!(opened.registry.cancel_upload(&permit, &UploadId::random()).await.is_err());
    assert!(opened.registry.store.uploads().await.unwrap().is_empty());
}

#[tokio::test]
async fn expired_sessions_end_and_their_bytes_go() {
    let opened = Opened::in_files();
    let permit = opened.push_permit("a/b");
    let id = opened.registry.begin_upload(&permit, None).await.unwrap();
    let empty = opened.registry.begin_upload(&permit, None).await.unwrap();
    let mut upload = opened.registry.open_upload(&permit, &id, None).await.unwrap();
    upload.write(vec![0; 10].into()).await.unwrap();
    upload.pause().await.unwrap();
    let (now, later) = (Timestamp::now(), super::service::after(Timestamp::now(), super::UPLOAD_LIFETIME));
    assert_eq!(opened.registry.expire_uploads(now).await.unwrap(), 0);
    assert_eq!(opened.registry.upload_offset(&permit, &id).await.unwrap(), 10);
    assert_eq!(opened.registry.expire_uploads(later).await.unwrap(), 1);
    assert!(opened.registry.upload_offset(&permit, &id).await.is_err());
    assert!(opened.registry.upload_offset(&permit, &empty).await.is_err());
    assert!(opened.registry.store.uploads().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_mount_needs_a_repository_that_has_the_blob() {
    let opened = Opened::in_files();
    let (into, from) = (opened.push_permit("a/new"), opened.pull_permit("a/b"));
    let (digest, missing) = (opened.store("a/b", b"x").await, Digest::sha256(b"y"));
    assert!(!opened.registry.mount(&into, &from, &missing).await.unwrap());
    let tags = opened.registry.tags(&opened.pull_permit("a/new"), &Page::default()).await;
    assert_eq!(code(&tags.unwrap_err()), "NAME_UNKNOWN", "nothing was created for nothing");
    assert!(opened.registry.mount(&into, &from, &digest).await.unwrap());
    assert_eq!(opened.fetch("a/new", &digest).await.unwrap(), b"x");
    let (third, anybody) = (opened.push_permit("a/third"), Caller::anonymous(Origin::none()));
    assert!(opened.registry.mount_any(&third, &anybody, &digest).await.unwrap());
    assert!(!opened.registry.mount_any(&third, &anybody, &missing).await.unwrap());
    opened.registry.delete_blob(&opened.delete_permit("a/new"), &digest).await.unwrap();
    assert!(opened.fetch("a/new", &digest).await.is_err());
    assert_eq!(opened.fetch("a/third", &digest).await.unwrap(), b"x");
    let again = opened.registry.delete_blob(&opened.delete_permit("a/new"), &digest).await;
    assert_eq!(code(&again.unwrap_err()), "BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_manifest_needs_its_blobs_and_comes_back_by_all_its_names() {
    let opened = Opened::in_files();
    let bytes = artifact(&Digest::sha256(b"{}"), "one");
    let digest = Digest::sha256(&bytes);
    let refused = opened.put("a/b", "latest", &[], &bytes).await.unwrap_err();
    assert_eq!(code(&refused), "MANIFEST_BLOB_UNKNOWN");
    assert!(refused.to_string().contains(&Digest::sha256(b"{}").to_string()), "{refused}");
    opened.store("a/b", b"{}").await;
    let pushed = opened.put("a/b", &digest.to_string(), &["latest", "1.0.0"], &bytes).await.unwrap();
    assert_eq!((pushed.digest, pushed.subject, pushed.tags.len()), (digest, None, 2));
    for name in ["latest", "1.0.0", &digest.to_string()] {
        let stored = opened.registry.manifest(&opened.pull_permit("a/b"), &target(name)).await.unwrap();
        assert_eq!((stored.digest, &stored.bytes[..]), (digest, &bytes[..]));
    }
    let other = Digest::sha256(b"other");
    assert_eq!(code(&opened.put("a/b", &other.to_string(), &[], &bytes).await.unwrap_err()), "DIGEST_INVALID");
    let long = Digest::of(Algorithm::Sha512, &bytes);
    assert_eq!(opened.put("a/b", &long.to_string(), &["long"], &bytes).await.unwrap().digest, long);
    opened.registry.delete_manifest(&opened.delete_permit("a/b"), &target("1.0.0")).await.unwrap();
    opened.registry.delete_manifest(&opened.delete_permit("a/b"), &target(&digest.to_string())).await.unwrap();
    for name in ["latest", "1.0.0", &digest.to_string()] {
        let gone = opened.registry.manifest(&opened.pull_permit("a/b"), &target(name)).await.unwrap_err();
        assert_eq!(code(&gone), "MANIFEST_UNKNOWN");
    }
    let tags = opened.registry.tags(&opened.pull_permit("a/b"), &Page::default()).await.unwrap();
    assert_eq!(tags.items, ["long".parse::<Tag>().unwrap()]);
}

#[tokio::test]
async fn lists_are_cut_into_pages_and_say_where_the_next_begins() {
    let opened = Opened::in_files();
    let config = opened.store("a/b", b"{}").await;
    let subject = Digest::sha256(&artifact(&config, "subject"));
    for note in ["a", "b", "c"] {
        let mut document: serde_json::Value = serde_json::from_slice(&artifact(&config, note)).unwrap();
        document["subject"] = serde_json::json!({
            "mediaType": known::OCI_MANIFEST, "digest": subject, "size": 10,
        });
        let bytes = serde_json::to_vec(&document).unwrap();
        let pushed = opened.put("a/b", note, &[], &bytes).await.unwrap();
        assert_eq!(pushed.subject, Some(subject));
    }
    let permit = opened.pull_permit("a/b");
    let page = |n, last: Option<String>| Page { n: Some(n), last };
    let first = opened.registry.tags(&permit, &page(2, None)).await.unwrap();
    assert_eq!((first.items.len(), first.next.as_deref()), (2, Some("b")));
    let second = opened.registry.tags(&permit, &page(2, first.next)).await.unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    let none = opened.registry.tags(&permit, &page(0, None)).await.unwrap();
    assert_eq!((none.items.len(), none.next), (0, None));
    let kind: [crate::oci::MediaType; 1] = ["application/vnd.example.thing".parse().unwrap()];
    let two = [kind[0].clone(), "application/vnd.example.other".parse().unwrap()];
    for kinds in [&[][..], &kind, &two] {
        let mut found = vec![];
        let mut after = None;
        loop {
            let listed = opened.registry.referrers(&permit, &subject, kinds, &page(2, after)).await.unwrap();
            found.extend(listed.items);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), 3);
    }
    let other = ["application/vnd.example.other".parse().unwrap()];
    assert!(opened.registry.referrers(&permit, &subject, &other, &Page::default()).await.unwrap().items.is_empty());
    let nowhere = opened.pull_permit("no/where");
    assert!(opened.registry.referrers(&nowhere, &subject, &[], &Page::default()).await.unwrap().items.is_empty());
    let broken = page(1, Some("nothing".to_owned()));
    assert!(matches!(opened.registry.referrers(&permit, &subject, &[], &broken).await, Err(Error::Cursor)));
    let names = opened
        .registry
        .catalogue(&opened.registry.sight(&Caller::anonymous(Origin::none())).unwrap(), &page(5, None))
        .await
        .unwrap();
    assert_eq!(names.items, [repository("a/b")]);
}

#[tokio::test]
async fn without_leave_nothing_is_permitted_or_seen() {
    let directory = tempfile::tempdir().unwrap();
    let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
    let closed = Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Accounts);
    let denied = closed.authorise(&Caller::anonymous(Origin::none()), Pull, &repository("a/b")).unwrap_err();
    assert_eq!(code(&denied), "DENIED");
    let sight = closed.sight(&Caller::anonymous(Origin::none())).unwrap();
    assert!(closed.catalogue(&sight, &Page::default()).await.unwrap().items.is_empty());
    let everything = super::SearchRequest { limit: 10, fresh: true, ..super::SearchRequest::default() };
    assert!(closed.search(&sight, everything).await.unwrap().items.is_empty());
    closed.check_readiness().await.unwrap();
}
