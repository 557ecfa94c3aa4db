//! Package and version rows beside what they are made from, manifests, tags and notices: what is wrong with them is
//! found, and put right where it stands. Readers see the old row or the new one.

use bytes::Bytes;
use jiff::Timestamp;

use super::manifests::ManifestId;
use super::packages::{self, NewPackage};
use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value, notices, versions};
use crate::oci::{Digest, MediaType, RepositoryName, Tag};
use crate::package::{Summary, Version};

/// Moves of one tag that are looked at to find since when it has been a version.
const MAX_MOVES: usize = 1_000;

/// A stored manifest, with what is kept of it as a package.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The manifest's row.
    pub id: ManifestId,
    /// Where it is.
    pub repository: RepositoryName,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Its bytes.
    pub bytes: Bytes,
    /// When it was pushed.
    pub created_at: Timestamp,
    /// The package row; the summary is as it is stored, readable or not.
    pub stored: Option<StoredListing>,
}

/// A package row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredListing {
    /// The summary.
    pub summary: Bytes,
    /// Bytes of configuration and layers.
    pub size: i64,
    /// Whether the files inside were compared with the configuration.
    pub checked: bool,
    /// Licence as written.
    pub license: Option<String>,
}

impl Listing {
    /// The package as it is to be kept, if that is not as it is; times in a summary mean nothing.
    pub fn correction(&self, package: &NewPackage) -> Option<NewPackage> {
        let kept = self.stored.as_ref().and_then(|stored| serde_json::from_slice::<Summary>(&stored.summary).ok());
        let updated_at = Timestamp::UNIX_EPOCH;
        let package = NewPackage { summary: Summary { updated_at, ..package.summary.clone() }, ..package.clone() };
        let is_right = self.stored.as_ref().is_some_and(|stored| {
            kept.as_ref() == Some(&package.summary)
                && u64::try_from(stored.size) == Ok(package.size)
                && stored.checked == package.checked
                && stored.license == package.license
        });
        (!is_right).then_some(package)
    }
}

/// Manifests in the order they came into being, after one, at most `limit`, of any repository.
pub fn manifests_after(session: &mut dyn Session, after: ManifestId, limit: usize) -> Result<Vec<Listing>, Error> {
    let sql = "SELECT m.id, r.name, m.digest, m.media_type, m.bytes, m.created_at, p.summary, p.size, p.checked, \
               p.license FROM manifest m JOIN repository r ON r.id = m.repository_id \
               LEFT JOIN package p ON p.manifest_id = m.id WHERE m.id > ?1 ORDER BY m.id LIMIT ?2";
    let stored = |row: &Row| {
        let license = row.optional(9, |row, column| row.text(column).map(str::to_owned))?;
        Ok(StoredListing { summary: row.bytes(6)?, size: row.integer(7)?, checked: row.flag(8)?, license })
    };
    let read = |row: &Row| {
        Ok(Listing {
            id: ManifestId(row.integer(0)?),
            repository: row.parsed(1)?,
            digest: row.digest(2)?,
            media_type: row.parsed(3)?,
            bytes: row.bytes(4)?,
            created_at: row.time(5)?,
            stored: row.optional(6, |row, _| stored(row))?,
        })
    };
    session.query(sql, &[after.into(), page(limit)])?.iter().map(read).collect()
}

/// Keeps a package row as it is to be, or none; only if the manifest is still the one that was looked at.
pub fn correct(
    session: &mut dyn Session,
    id: ManifestId,
    digest: &Digest,
    package: Option<&NewPackage>,
) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM manifest WHERE id = ?1 AND digest = ?2";
    if session.first(sql, &[id.into(), digest.into()])?.is_none() {
        return Ok(false);
    }
    match package {
        Some(package) => packages::replace(session, id, package)?,
        None => packages::forget(session, id)?,
    }
    Ok(true)
}

/// Compares versions of a repository with its tags, and puts them right. How many were wrong.
///
/// Looks at `limit` tags and at as many versions at most, and goes on from `cursor`.
pub fn settle(
    session: &mut dyn Session,
    repository: RepositoryId,
    cursor: &mut Cursor,
    limit: usize,
) -> Result<usize, Error> {
    match cursor {
        Cursor::Tags(after) => {
            let sql = "SELECT t.name, t.manifest_id, t.updated_at, p.manifest_id FROM tag t \
                       LEFT JOIN package p ON p.manifest_id = t.manifest_id \
                       WHERE t.repository_id = ?1 AND t.name > ?2 ORDER BY t.name LIMIT ?3";
            let rows = session.query(sql, &[repository.into(), after.as_str().into(), page(limit)])?;
            let mut corrected = 0;
            for row in &rows {
                row.text(0)?.clone_into(after);
                corrected += usize::from(settle_tag(session, repository, row)?);
            }
            if rows.len() < limit {
                *cursor = Cursor::Versions(Bytes::new());
            }
            Ok(corrected)
        }
        Cursor::Versions(after) => {
            let sql = "SELECT v.sort_key, v.version FROM version v \
                       WHERE v.repository_id = ?1 AND v.sort_key > ?2 ORDER BY v.sort_key LIMIT ?3";
            let rows = session.query(sql, &[repository.into(), after.clone().into(), page(limit)])?;
            let mut corrected = 0;
            for row in &rows {
                *after = row.bytes(0)?;
                corrected += usize::from(drop_untagged(session, repository, row)?);
            }
            if rows.len() < limit {
                corrected += usize::from(settle_bare(session, repository)?);
                *cursor = Cursor::End;
            }
            Ok(corrected)
        }
        Cursor::End => Ok(0),
    }
}

/// How far the versions of a repository were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// Tags up to this one.
    Tags(String),
    /// All tags, and versions up to this sort key.
    Versions(Bytes),
    /// Everything.
    End,
}

impl Default for Cursor {
    fn default() -> Self {
        Self::Tags(String::new())
    }
}

/// A version row that is compared.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    version: Option<String>,
    rank: i64,
    manifest: ManifestId,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn kept(session: &mut dyn Session, repository: RepositoryId, key: &Bytes) -> Result<Option<Kept>, Error> {
    let sql = "SELECT version, rank, manifest_id, created_at, updated_at FROM version \
               WHERE repository_id = ?1 AND sort_key = ?2";
    let row = session.first(sql, &[repository.into(), key.clone().into()])?;
    let read = |row: Row| {
        Ok(Kept {
            version: row.optional(0, |row, column| row.text(column).map(str::to_owned))?,
            rank: row.integer(1)?,
            manifest: ManifestId(row.integer(2)?),
            created_at: row.time(3)?,
            updated_at: row.time(4)?,
        })
    };
    row.map(read).transpose()
}

/// Compares the version that a tag makes; the row has name, manifest, time, and the manifest again if it is a package.
fn settle_tag(session: &mut dyn Session, repository: RepositoryId, row: &Row) -> Result<bool, Error> {
    let tag: Tag = row.parsed(0)?;
    let Some(version) = Version::from_tag(&tag) else { return Ok(false) };
    let key = version.sort_key();
    let found = kept(session, repository, &key)?;
    if row.optional(3, Row::integer)?.is_none() {
        if found.is_some() {
            remove(session, repository, &key)?;
        }
        return Ok(found.is_some());
    }
    let updated_at = row.time(2)?;
    let wanted = Kept {
        version: Some(version.to_string()),
        rank: versions::rank(Some(&version)) + notices::rank_of(session, repository, &key)?,
        manifest: ManifestId(row.integer(1)?),
        created_at: since(session, repository, &tag)?
            .or(found.as_ref().map(|kept| kept.created_at))
            .unwrap_or(updated_at),
        updated_at,
    };
    write(session, repository, &key, found.as_ref(), &wanted)
}

/// Takes a version away that no tag makes.
fn drop_untagged(session: &mut dyn Session, repository: RepositoryId, row: &Row) -> Result<bool, Error> {
    let key = row.bytes(0)?;
    let version = row.optional(1, Row::parsed::<Version>).ok().flatten();
    let tag = version.as_ref().filter(|version| version.sort_key() == key).map(Version::tag);
    let is_tagged = match tag {
        Some(tag) => super::tags::find(session, repository, tag)?.is_some(),
        None => false,
    };
    if !is_tagged {
        remove(session, repository, &key)?;
    }
    Ok(!is_tagged)
}

/// Compares the row of what is tagged and no version.
fn settle_bare(session: &mut dyn Session, repository: RepositoryId) -> Result<bool, Error> {
    let key = Bytes::new();
    let found = kept(session, repository, &key)?;
    let Some((manifest, updated_at)) = versions::bare(session, repository)? else {
        if found.is_some() {
            remove(session, repository, &key)?;
        }
        return Ok(found.is_some());
    };
    // Of several that were tagged in one moment any may have been taken.
    if let Some(found) = &found
        && found.manifest != manifest
        && versions::is_bare_since(session, repository, found.manifest, updated_at)?
    {
        return Ok(false);
    }
    let created_at = session.first("SELECT created_at FROM manifest WHERE id = ?1", &[manifest.into()])?;
    let created_at = created_at.ok_or(Error::Column { column: 0, wanted: "present" })?.time(0)?;
    let wanted = Kept { version: None, rank: versions::rank(None), manifest, created_at, updated_at };
    write(session, repository, &key, found.as_ref(), &wanted)
}

fn write(
    session: &mut dyn Session,
    repository: RepositoryId,
    key: &Bytes,
    found: Option<&Kept>,
    wanted: &Kept,
) -> Result<bool, Error> {
    if found == Some(wanted) {
        return Ok(false);
    }
    let sql = "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, updated_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (repository_id, sort_key) DO UPDATE SET \
               version = excluded.version, rank = excluded.rank, manifest_id = excluded.manifest_id, \
               created_at = excluded.created_at, updated_at = excluded.updated_at";
    let parameters = [
        repository.into(),
        Value::optional(wanted.version.as_deref()),
        key.clone().into(),
        Value::Integer(wanted.rank),
        wanted.manifest.into(),
        wanted.created_at.into(),
        wanted.updated_at.into(),
    ];
    session.execute(sql, &parameters)?;
    Ok(true)
}

fn remove(session: &mut dyn Session, repository: RepositoryId, key: &Bytes) -> Result<(), Error> {
    let sql = "DELETE FROM version WHERE repository_id = ?1 AND sort_key = ?2";
    session.execute(sql, &[repository.into(), key.clone().into()]).map(|_| ())
}

/// Since when a tag has pointed at packages only; unknown where nobody knows its first moves any more.
fn since(session: &mut dyn Session, repository: RepositoryId, tag: &Tag) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT e.digest, e.at, m.id, p.manifest_id FROM tag_event e \
               LEFT JOIN manifest m ON m.repository_id = e.repository_id AND m.digest = e.digest \
               LEFT JOIN package p ON p.manifest_id = m.id \
               WHERE e.repository_id = ?1 AND e.name = ?2 ORDER BY e.id DESC LIMIT ?3";
    let rows = session.query(sql, &[repository.into(), tag.into(), page(MAX_MOVES)])?;
    let mut first = None;
    for row in &rows {
        let is_deleted = row.optional(0, Row::digest)?.is_none();
        // What was a manifest once and is gone was most likely a package.
        let is_other = row.optional(2, Row::integer)?.is_some() && row.optional(3, Row::integer)?.is_none();
        if is_deleted || is_other {
            return Ok(first);
        }
        first = Some(row.time(1)?);
    }
    Ok(first.filter(|_| rows.len() < MAX_MOVES))
}
