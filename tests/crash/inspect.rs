//! Looks through a data directory that nobody serves: is everything whole that can be seen?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use agent_registry::auth::{Caller, Origin, Permit, Pull, Push, Sight};
use agent_registry::index::Sqlite;
use agent_registry::oci::{Algorithm, Digest, Manifest, Page, RepositoryName, Target};
use agent_registry::registry::{Content, Mode, Registry};
use agent_registry::storage::{BlobStore as _, FileStore};
use jiff::{Timestamp, ToSpan as _};

use crate::client::{Acknowledged, Begun};

/// What was found, if all of it is whole.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Where each tag points, by `repository:tag`.
    pub(crate) tags: BTreeMap<String, Digest>,
    /// Files of which the index knows nothing.
    pub(crate) orphans: usize,
}

/// Opens a data directory without a server.
pub(crate) fn open(data: &Path) -> Result<Registry, String> {
    let store = FileStore::open(data, None).map_err(told)?;
    Ok(Registry::new(Arc::new(store), Sqlite::open(&data.join("index.sqlite")).map_err(told)?, Mode::Open))
}

/// Reads every tag, every manifest and every blob that can be seen; the first thing that is not whole is the error.
pub(crate) async fn look_through(registry: &Registry) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let all = || Page { n: Some(1_000), last: None };
    for name in registry.catalogue(&Sight::system(), &all()).await.map_err(told)?.items {
        let permit = Permit::<Pull>::system("look through", name.clone());
        let mut page = all();
        loop {
            let tags = registry.tags(&permit, &page).await.map_err(told)?;
            for tag in tags.items {
                let digest = read(registry, &name, &Target::Tag(tag.clone())).await?;
                seen.tags.insert(format!("{name}:{tag}"), digest);
            }
            let Some(next) = tags.next else { break };
            page.last = Some(next);
        }
    }
    Ok(seen)
}

/// Reads a manifest with all it needs.
async fn read(registry: &Registry, name: &RepositoryName, target: &Target) -> Result<Digest, String> {
    let permit = Permit::<Pull>::system("look through", name.clone());
    let stored = registry.manifest(&permit, target).await.map_err(told)?;
    let manifest = Manifest::parse(stored.bytes, Some(&stored.media_type), Algorithm::Sha256).map_err(told)?;
    if manifest.digest() != stored.digest {
        return Err(format!("{name}:{target} has other bytes than its digest says"));
    }
    for digest in manifest.needed_blobs() {
        let blob = registry.open_blob(&permit, &digest).await.map_err(|error| format!("{digest}: {error}"))?;
        let bytes = match blob.content {
            Content::Inline(bytes) => bytes.to_vec(),
            Content::Stored(mut reader) => {
                let mut bytes = vec![];
                while let Some(chunk) = reader.next_chunk().await.map_err(told)? {
                    bytes.extend_from_slice(&chunk);
                }
                bytes
            }
        };
        if Digest::sha256(&bytes) != digest || blob.size != bytes.len() as u64 {
            return Err(format!("blob {digest} of {name}:{target} is not whole: {} bytes", bytes.len()));
        }
    }
    Ok(manifest.digest())
}

/// Whether everything acknowledged is there. `moving` tags may be further than that.
pub(crate) fn compare(seen: &Seen, acknowledged: &[Acknowledged]) -> Result<(), String> {
    for push in acknowledged {
        let name = format!("{}:{}", push.repository, push.tag);
        match seen.tags.get(&name) {
            Some(digest) if *digest == push.digest => {}
            found => return Err(format!("{name} was acknowledged at {}, and is at {found:?}", push.digest)),
        }
    }
    Ok(())
}

/// Goes on with a session, to its right end.
pub(crate) async fn resume(registry: &Registry, repository: &str, begun: &Begun) -> Result<(), String> {
    let permit =
        registry.authorise(&Caller::anonymous(Origin::none()), Push, &repository.parse().unwrap()).map_err(told)?;
    let mut upload = registry.open_upload(&permit, &begun.id.parse().unwrap(), None).await.map_err(told)?;
    if upload.offset() != begun.sent as u64 {
        return Err(format!("{} of {} acknowledged bytes are there", upload.offset(), begun.sent));
    }
    upload.write(begun.content[begun.sent..].to_vec().into()).await.map_err(told)?;
    upload.finish(&Digest::sha256(&begun.content)).await.map_err(told)
}

/// Ends what nobody can continue, and takes away what no row names; all the rest must still be whole.
pub(crate) async fn collect(data: &Path) -> Result<Seen, String> {
    let registry = open(data)?;
    registry.expire_uploads(Timestamp::now() + 48.hours()).await.map_err(told)?;
    let store = FileStore::open(data, None).map_err(told)?;
    if !store.uploads().await.map_err(told)?.is_empty() {
        return Err("uploads are left that nothing ends".to_owned());
    }
    let orphans = registry.orphans().await.map_err(told)?;
    for orphan in &orphans {
        store.delete(&orphan.digest).await.map_err(told)?;
    }
    if !registry.orphans().await.map_err(told)?.is_empty() {
        return Err("orphans are left".to_owned());
    }
    Ok(Seen { orphans: orphans.len(), ..look_through(&registry).await? })
}

pub(crate) fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
