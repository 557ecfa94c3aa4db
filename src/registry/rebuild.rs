//! A lost index is built again from the recovery journal and the blobs that are still there.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::record::{GapReason, Record, read};
use super::service::{LEASE, after};
use super::{Error, Registry};
use crate::auth::Permit;
use crate::index::blobs::StoredBlob;
use crate::index::events::{EventKind, RESERVED_NUMBERS};
use crate::index::feed::{Entry, Subject};
use crate::index::packages::NewPackage;
use crate::index::repositories::{self, Creator, Totals};
use crate::index::tags::{self, Change};
use crate::index::{Session, blobs, events, manifests, notices, packages, retention};
use crate::oci::{Digest, Manifest, RepositoryName, Tag};
use crate::storage::{self, Damage, Journal, JournalReader, JournalRecord};

/// Most events, and about how many bytes of them, that are applied together.
const MAX_BATCH: usize = 200;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What was rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The number of the last event known.
    pub last_event: u64,
    /// What the index holds now.
    pub totals: Totals,
    /// What it should hold and does not.
    pub losses: Vec<Loss>,
}

/// Something that could not be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What.
    pub what: Lost,
    /// Why not.
    pub why: String,
}

/// What a loss is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// A repository's blob.
    Blob(RepositoryName, Digest),
    /// A repository's manifest.
    Manifest(RepositoryName, Digest),
    /// A repository's tag.
    Tag(RepositoryName, Tag),
    /// What was said of a repository's version: that it was yanked, or is deprecated.
    Notice(RepositoryName, Tag),
    /// The place of a package in the catalogue; the manifest itself is there.
    Listing(RepositoryName, Digest),
    /// What this segment of the journal says after so many bytes.
    Records(PathBuf, u64),
    /// What the events from one number to another were about.
    Events(u64, u64),
    /// What the blobs that are there belonged to.
    Everything,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Lost::Blob(repository, digest) => write!(f, "blob {digest} of {repository}")?,
            Lost::Manifest(repository, digest) => write!(f, "manifest {digest} of {repository}")?,
            Lost::Tag(repository, tag) => write!(f, "tag {repository}:{tag}")?,
            Lost::Notice(repository, tag) => write!(f, "what was said of version {repository}:{tag}")?,
            Lost::Listing(repository, digest) => write!(f, "the listing of package {repository}@{digest}")?,
            Lost::Records(path, good) => write!(f, "the records in {} after byte {good}", path.display())?,
            Lost::Everything => write!(f, "everything that the blobs which are still there belonged to")?,
            Lost::Events(first, last) if first == last => write!(f, "whatever event {first} was about")?,
            Lost::Events(first, last) => write!(f, "whatever events {first} to {last} were about")?,
        }
        write!(f, ": {}", self.why)
    }
}

/// One rebuilding under way.
struct Rebuilding<'a> {
    registry: &'a Registry,
    reserved: i64,
    /// The number up to which every event is read, or known to be lost.
    known: u64,
    losses: BTreeMap<Lost, String>,
}

impl Registry {
    /// Fills a new index from a journal; blobs that are not in it must be in the store, in their size.
    ///
    /// For a command of its own: it blocks, and nobody may write meanwhile.
    pub async fn rebuild(&self, journal: &Path) -> Result<Rebuilt, Error> {
        let last_event = Journal::last_in(journal)?;
        let reserved = i64::try_from(last_event + RESERVED_NUMBERS).unwrap_or(i64::MAX);
        self.index.write(move |session| events::reserve(session, reserved).map_err(Error::from)).await?;
        // The lost index may have given numbers after these to events of its last second.
        let mut rebuilding = Rebuilding { registry: self, reserved, known: 0, losses: BTreeMap::new() };
        let mut reader = JournalReader::open(journal)?;
        let (mut batch, mut bytes) = (vec![], 0);
        while let Some(next) = reader.next_record()? {
            match next {
                Ok(record) => {
                    bytes += record.content.len();
                    batch.extend(rebuilding.take(&record)?);
                }
                Err(Damage { path, good }) => rebuilding.lose(Lost::Records(path, good), "the file is damaged"),
            }
            if batch.len() >= MAX_BATCH || bytes >= MAX_BATCH_BYTES {
                rebuilding.apply(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
        }
        rebuilding.apply(batch).await?;
        if rebuilding.known == 0 && !self.store.list(None, 1).await?.is_empty() {
            rebuilding.lose(Lost::Everything, "the journal has no records");
        }
        rebuilding.raise_floor().await?;
        let losses = rebuilding.losses.into_iter().map(|(what, why)| Loss { what, why }).collect();
        let totals = self.read(|session| Ok(repositories::totals(session)?))?;
        Ok(Rebuilt { last_event, totals, losses })
    }
}

impl Rebuilding<'_> {
    /// What is to be applied of a record. Numbers that no record accounts for are lost ones.
    fn take(&mut self, record: &JournalRecord) -> Result<Option<Entry>, Error> {
        let number = i64::try_from(record.number).unwrap_or(i64::MAX);
        let (first, entry) = match read(number, &record.content)? {
            Record::Entry(entry) => (record.number, Some(*entry)),
            Record::Gap(gap) => {
                if gap.reason == GapReason::Removed {
                    let why = "they had been removed from the feed when this journal was begun";
                    self.lose(Lost::Events(gap.first, record.number), why);
                }
                (gap.first, None)
            }
        };
        if first > self.known + 1 {
            self.lose(Lost::Events(self.known + 1, first - 1), "the journal does not have them");
        }
        self.known = record.number;
        Ok(entry)
    }

    /// Lets nobody who follows the feed believe that lost events did not happen.
    async fn raise_floor(&self) -> Result<(), Error> {
        let lost =
            self.losses.keys().filter_map(|lost| if let Lost::Events(_, last) = lost { Some(*last) } else { None });
        let floor = i64::try_from(lost.max().unwrap_or_default()).unwrap_or(i64::MAX);
        let write = self.registry.index.write(move |session| retention::raise_floor(session, floor));
        Ok(write.await?)
    }

    /// Applies entries: blobs first, since packages are read from them, then the rest in order.
    async fn apply(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let entries = Arc::new(entries);
        let found = Arc::new(self.find_blobs(&entries).await?);
        let (shared, until) = (Arc::clone(&entries), after(Timestamp::now(), LEASE));
        let write = self.registry.index.write(move |session| {
            shared.iter().zip(&*found).try_for_each(|(entry, blob)| give(session, entry, blob.as_ref(), until))
        });
        write.await?;

        let mut parts = HashMap::new();
        for entry in &*entries {
            if let Some(part) = self.read_manifest(entry).await {
                parts.insert(entry.number, part);
            }
        }
        let (shared, parts, reserved) = (Arc::clone(&entries), Arc::new(parts), self.reserved);
        let write = self.registry.index.write(move |session| {
            let mut applied = Vec::with_capacity(shared.len());
            for entry in &*shared {
                applied.push(replay(session, entry, parts.get(&entry.number))?);
                events::tell_again(session, reserved, entry.number, &entry.event)?;
            }
            Ok::<_, Error>(applied)
        });
        let applied = write.await?;
        entries.iter().zip(applied).for_each(|(entry, is_applied)| self.note(entry, is_applied));
        Ok(())
    }

    /// The blobs that entries add, as far as their bytes are there.
    async fn find_blobs(&mut self, entries: &[Entry]) -> Result<Vec<Option<StoredBlob>>, Error> {
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            let (Subject::Blob(blob), Some(digest)) = (&entry.subject, entry.event.digest) else {
                found.push(None);
                continue;
            };
            let why = match &blob.inline {
                Some(bytes) if Digest::of(digest.algorithm(), bytes) == digest => None,
                Some(_) => Some("the journal has other bytes".to_owned()),
                None => match self.registry.store.stat(&digest).await {
                    Ok(info) if info.size == blob.size => None,
                    Ok(info) => Some(format!("its file has {} bytes instead of {}", info.size, blob.size)),
                    Err(storage::Error::NotFound(_)) => Some("its file is gone".to_owned()),
                    Err(error) => return Err(error.into()),
                },
            };
            let what = Lost::Blob(entry.event.repository.clone(), digest);
            found.push(why.is_none().then(|| blob.clone()));
            match why {
                Some(why) => self.lose(what, why),
                None => drop(self.losses.remove(&what)),
            }
        }
        Ok(found)
    }

    /// The manifest of an entry, and what it says as a package.
    async fn read_manifest(&mut self, entry: &Entry) -> Option<(Manifest, Option<NewPackage>)> {
        let (Subject::Manifest(media_type, bytes), Some(digest)) = (&entry.subject, entry.event.digest) else {
            return None;
        };
        let manifest = Manifest::parse(bytes.clone(), Some(media_type), digest.algorithm()).ok()?;
        if manifest.digest() != digest {
            return None;
        }
        let repository = entry.event.repository.clone();
        let permit = Permit::system("rebuild the index", repository.clone());
        let what = Lost::Listing(repository, digest);
        let package = match self.registry.check_package(&permit, &manifest).await {
            Ok(package) => {
                self.losses.remove(&what);
                package
            }
            Err(error) => {
                self.lose(what, error.to_string());
                None
            }
        };
        Some((manifest, package))
    }

    /// Keeps the losses true: what is taken away later is none.
    fn note(&mut self, entry: &Entry, is_applied: bool) {
        let event = &entry.event;
        let repository = event.repository.clone();
        match (event.kind, event.digest, event.tag.clone()) {
            (EventKind::ManifestPushed, Some(digest), _) if !is_applied => {
                self.lose(Lost::Manifest(repository, digest), "the journal does not have its bytes");
            }
            (EventKind::ManifestPushed, Some(digest), _) => {
                self.losses.remove(&Lost::Manifest(repository, digest));
            }
            (EventKind::ManifestDeleted, Some(digest), _) => {
                self.losses.remove(&Lost::Listing(repository.clone(), digest));
                self.losses.remove(&Lost::Manifest(repository, digest));
            }
            (EventKind::TagMoved, _, Some(tag)) if !is_applied => {
                self.lose(Lost::Tag(repository, tag), "its manifest is lost");
            }
            (EventKind::TagMoved | EventKind::TagDeleted, _, Some(tag)) => {
                if event.kind == EventKind::TagDeleted {
                    self.losses.remove(&Lost::Notice(repository.clone(), tag.clone()));
                }
                self.losses.remove(&Lost::Tag(repository, tag));
            }
            (EventKind::VersionYanked | EventKind::VersionDeprecated, _, Some(tag)) if !is_applied => {
                self.lose(Lost::Notice(repository, tag), "its package is not listed");
            }
            (EventKind::BlobRemoved, Some(digest), _) => drop(self.losses.remove(&Lost::Blob(repository, digest))),
            _ => {}
        }
    }

    fn lose(&mut self, what: Lost, why: impl Into<String>) {
        self.losses.insert(what, why.into());
    }
}

fn give(session: &mut dyn Session, entry: &Entry, blob: Option<&StoredBlob>, until: Timestamp) -> Result<(), Error> {
    let event = &entry.event;
    let Some(digest) = event.digest else { return Ok(()) };
    let is_removal = event.kind == EventKind::BlobRemoved;
    if blob.is_none() && !is_removal {
        return Ok(());
    }
    let id = repositories::create(session, &event.repository, Creator::System, event.at)?;
    let change = Change { id, repository: &event.repository, actor: &event.actor, at: event.at };
    match blob {
        Some(blob) => blobs::add(session, &change, &digest, blob, until)?,
        None => drop(blobs::disown(session, &change, &digest)?),
    }
    Ok(())
}

/// Applies what is not about blobs. Whether it could be.
fn replay(
    session: &mut dyn Session,
    entry: &Entry,
    manifest: Option<&(Manifest, Option<NewPackage>)>,
) -> Result<bool, Error> {
    let event = &entry.event;
    let id = repositories::create(session, &event.repository, Creator::System, event.at)?;
    let change = Change { id, repository: &event.repository, actor: &event.actor, at: event.at };
    match (event.kind, event.digest, &event.tag) {
        (EventKind::ManifestPushed, ..) => {
            let Some((manifest, package)) = manifest else { return Ok(false) };
            let put = manifests::put(session, &change, manifest, &[])?;
            if let Some(package) = package {
                packages::record(session, put.id, package)?;
            }
        }
        (EventKind::TagMoved, Some(digest), Some(tag)) => return Ok(manifests::retag(session, &change, tag, &digest)?),
        (EventKind::TagDeleted, _, Some(tag)) => drop(tags::delete(session, &change, tag)?),
        (EventKind::ManifestDeleted, Some(digest), _) => drop(manifests::delete(session, &change, &digest)?),
        _ => return Ok(notices::replay(session, &change, event)?),
    }
    Ok(true)
}
