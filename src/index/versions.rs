//! Versions: which tag makes which package a version, in an order that one index scan follows.

use bytes::Bytes;
use jiff::Timestamp;

use super::manifests::ManifestId;
use super::repositories::{MAX_PAGE, RepositoryId, page};
use super::sight::{in_sight, viewer, within_reach};
use super::tags::Change;
use super::{Error, Row, Session, Value, notices};
use crate::auth::Sight;
use crate::oci::{Digest, RepositoryName, Tag};
use crate::package::{Summary, Version};

/// One row of a list of versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What it is; version, digest and time are this row's.
    pub summary: Summary,
    /// Bytes of configuration and layers.
    pub size: u64,
    /// Whether the files inside were compared with the configuration.
    pub checked: bool,
    /// When it was first pushed as this version.
    pub created_at: Timestamp,
    /// Where the list goes on.
    pub cursor: Cursor,
    /// The manifest's row, to ask for its tags.
    pub manifest: ManifestId,
}

/// A place in a list ordered by repository, then newest version first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The repository of the row before.
    pub repository: String,
    /// The sort key of the row before.
    pub sort_key: Bytes,
}

/// Makes the versions agree with tags that just moved; `package` is the manifest they point at, if it is a package.
pub fn follow_tags(
    session: &mut dyn Session,
    change: &Change<'_>,
    moved: &[Tag],
    package: Option<ManifestId>,
) -> Result<(), Error> {
    let (mut others, mut is_bare) = (vec![], false);
    for tag in moved {
        match Version::from_tag(tag) {
            Some(version) => is_bare |= move_version(session, change, &version, package)?,
            None => others.push(tag),
        }
    }
    let look = if is_bare { Look::Through } else { Look::after(session, change.id, &others, package)? };
    settle_untagged(session, change, look)
}

/// Makes a version what its tag points at now. Whether the package it was is tagged still, but no version any more.
fn move_version(
    session: &mut dyn Session,
    change: &Change<'_>,
    version: &Version,
    package: Option<ManifestId>,
) -> Result<bool, Error> {
    let sql = "SELECT manifest_id FROM version WHERE repository_id = ?1 AND sort_key = ?2";
    let before = session.first(sql, &[change.id.into(), version.sort_key().into()])?;
    let before = before.map(|row| row.integer(0).map(ManifestId)).transpose()?;
    match package {
        Some(id) => upsert(session, change, version, id)?,
        None => remove(session, change.id, version)?,
    }
    let Some(before) = before else { return Ok(false) };
    if let Some(id) = package {
        // What is said of a version stays said when it moves; of a new one nothing can have been said.
        notices::flag(session, before)?;
        notices::flag(session, id)?;
    }
    let sql = "SELECT 1 FROM tag WHERE manifest_id = ?1 LIMIT 1";
    Ok(Some(before) != package && !is_version(session, before)? && session.first(sql, &[before.into()])?.is_some())
}

/// What a change may have done to the one row without version, where `latest` does not say what it is.
pub(super) enum Look {
    /// It can only be needless now.
    Nowhere,
    /// It is this package, whose tag moved last.
    At(ManifestId),
    /// It may be any package of the repository: every tag has to be looked at.
    Through,
}

impl Look {
    /// Where to look after tags that are no versions moved. Looking through would cost each push what all tags before
    /// it cost, so that it is left out wherever nothing can be found: pointing a tag at what is no package, or is a
    /// version, makes no package one without version.
    fn after(
        session: &mut dyn Session,
        repository: RepositoryId,
        moved: &[&Tag],
        package: Option<ManifestId>,
    ) -> Result<Self, Error> {
        if moved.is_empty() {
            return Ok(Self::Nowhere);
        }
        if let Some(id) = package
            && !is_version(session, id)?
        {
            return Ok(Self::At(id));
        }
        // It has hidden the others until now.
        if moved.iter().any(|tag| tag.as_str() == "latest") {
            return Ok(Self::Through);
        }
        let sql = "SELECT 1 FROM version WHERE repository_id = ?1 AND sort_key = x''";
        let is_there = session.first(sql, &[repository.into()])?.is_some();
        Ok(if is_there { Self::Through } else { Self::Nowhere })
    }
}

/// Makes the versions agree with a tag that was taken away.
pub(super) fn forget_tag(session: &mut dyn Session, change: &Change<'_>, tag: &Tag) -> Result<(), Error> {
    if let Some(version) = Version::from_tag(tag) {
        remove(session, change.id, &version)?;
    }
    settle_untagged(session, change, Look::Through)
}

/// Versions in sight by repository, the newest of each first, after a cursor. At most `limit`.
pub fn list(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    let limit = limit.min(MAX_PAGE + 1);
    let start = after.cloned().unwrap_or_else(|| Cursor { repository: String::new(), sort_key: Bytes::new() });
    let read = |after: &Cursor| seen(session, sight, now, after, limit);
    within_reach(|name| sight.sees(name), limit, start, read, |row| (&row.summary.repository, row.cursor.clone()))
}

fn seen(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    after: &Cursor,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    let (name, key) = (after.repository.as_str(), after.sort_key.clone());
    let rows = if sight.is_administrator() {
        let sql = "SELECT r.name, v.version, v.sort_key, p.summary, p.size, p.checked, v.created_at, v.updated_at, \
                   v.manifest_id FROM repository r JOIN version v ON v.repository_id = r.id \
                   JOIN package p ON p.manifest_id = v.manifest_id \
                   WHERE r.name >= ?1 AND (r.name > ?1 OR v.sort_key < ?2) \
                   ORDER BY r.name, v.sort_key DESC LIMIT ?3";
        session.query(sql, &[name.into(), key.into(), page(limit)])
    } else {
        let sql = concat!(
            "SELECT r.name, v.version, v.sort_key, p.summary, p.size, p.checked, v.created_at, v.updated_at, ",
            "v.manifest_id FROM repository r JOIN version v ON v.repository_id = r.id ",
            "JOIN package p ON p.manifest_id = v.manifest_id ",
            "WHERE r.name >= ?4 AND (r.name > ?4 OR v.sort_key < ?5) AND ",
            in_sight!(),
            " ORDER BY r.name, v.sort_key DESC LIMIT ?6"
        );
        let (user, publisher) = viewer(sight);
        session.query(sql, &[user, publisher, now.into(), name.into(), key.into(), page(limit)])
    }?;
    rows.iter().map(read).collect()
}

/// The versions of one repository, newest first, after a sort key. At most `limit`.
pub fn of_repository(
    session: &mut dyn Session,
    repository: RepositoryId,
    after: Option<&Bytes>,
    limit: usize,
) -> Result<Vec<Listed>, Error> {
    // Above every key: the highest begins with three times eight bytes 255 and goes on with less.
    let key = after.cloned().unwrap_or_else(|| Bytes::from_static(&[255; 32]));
    let sql = "SELECT r.name, v.version, v.sort_key, p.summary, p.size, p.checked, v.created_at, v.updated_at, \
               v.manifest_id FROM repository r JOIN version v ON v.repository_id = r.id \
               JOIN package p ON p.manifest_id = v.manifest_id \
               WHERE r.id = ?1 AND v.sort_key < ?2 ORDER BY v.sort_key DESC LIMIT ?3";
    let rows = session.query(sql, &[repository.into(), key.into(), page(limit)])?;
    rows.iter().map(read).collect()
}

/// What stands for a repository where nobody says which version: the highest stable one, else what `latest` or other
/// tags point at, else the highest pre-release.
pub fn head(session: &mut dyn Session, repository: &RepositoryName) -> Result<Option<Digest>, Error> {
    let row = session.first(
        "SELECT m.digest FROM repository r JOIN version v ON v.repository_id = r.id \
         JOIN manifest m ON m.id = v.manifest_id WHERE r.name = ?1 AND v.rank < 4 \
         ORDER BY v.rank, v.sort_key DESC LIMIT 1",
        &[repository.into()],
    )?;
    row.map(|row| row.digest(0)).transpose()
}

/// The tags that point at a manifest, bytewise in order, at most `limit`.
pub fn tags_of(session: &mut dyn Session, manifest: ManifestId, limit: usize) -> Result<Vec<Tag>, Error> {
    let sql = "SELECT name FROM tag WHERE manifest_id = ?1 ORDER BY name LIMIT ?2";
    session.query(sql, &[manifest.into(), page(limit)])?.iter().map(|row| row.parsed(0)).collect()
}

pub(super) fn read(row: &Row) -> Result<Listed, Error> {
    let mut summary: Summary = serde_json::from_slice(&row.bytes(3)?)?;
    summary.version = row.optional(1, |row, column| row.text(column).map(str::to_owned))?.or(summary.version);
    summary.updated_at = row.time(7)?;
    Ok(Listed {
        summary,
        size: row.size(4)?,
        checked: row.integer(5)? != 0,
        created_at: row.time(6)?,
        cursor: Cursor { repository: row.text(0)?.to_owned(), sort_key: row.bytes(2)? },
        manifest: ManifestId(row.integer(8)?),
    })
}

fn upsert(session: &mut dyn Session, change: &Change<'_>, version: &Version, id: ManifestId) -> Result<(), Error> {
    let sql = "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, updated_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (repository_id, sort_key) DO UPDATE SET \
               manifest_id = excluded.manifest_id, updated_at = excluded.updated_at \
               WHERE version.manifest_id <> excluded.manifest_id";
    let parameters = [
        change.id.into(),
        version.to_string().as_str().into(),
        version.sort_key().into(),
        Value::Integer(rank(Some(version))),
        id.into(),
        change.at.into(),
    ];
    session.execute(sql, &parameters).map(|_| ())
}

/// Orders for [`head`]: a stable version, then no version, then a pre-release. Four more for one that is yanked.
pub(super) fn rank(version: Option<&Version>) -> i64 {
    version.map_or(1, |version| if version.is_stable() { 0 } else { 2 })
}

fn remove(session: &mut dyn Session, repository: RepositoryId, version: &Version) -> Result<(), Error> {
    let sql = "DELETE FROM version WHERE repository_id = ?1 AND sort_key = ?2 RETURNING manifest_id";
    let key = version.sort_key();
    let Some(row) = session.first(sql, &[repository.into(), key.clone().into()])? else { return Ok(()) };
    notices::forget(session, repository, key)?;
    notices::flag(session, ManifestId(row.integer(0)?))
}

/// Keeps the one row without version true: `latest`, else the tag moved last, unless that package is a version.
pub(super) fn settle_untagged(session: &mut dyn Session, change: &Change<'_>, look: Look) -> Result<(), Error> {
    let sql = "SELECT t.manifest_id, t.updated_at FROM tag t JOIN package p ON p.manifest_id = t.manifest_id \
               WHERE t.repository_id = ?1 AND t.name = 'latest'";
    let latest = session.first(sql, &[change.id.into()])?;
    let candidate = match (latest, look) {
        (Some(row), _) => Some((ManifestId(row.integer(0)?), row.time(1)?)),
        (None, Look::At(id)) => Some((id, change.at)),
        (None, Look::Through) => bare(session, change.id)?,
        (None, Look::Nowhere) => {
            // A version tag that moved can only have made the row needless.
            let sql = "DELETE FROM version WHERE repository_id = ?1 AND sort_key = x'' AND EXISTS \
                       (SELECT 1 FROM version v WHERE v.manifest_id = version.manifest_id AND v.version IS NOT NULL)";
            if session.execute(sql, &[change.id.into()])? == 0 {
                return Ok(());
            }
            // It may have hidden another.
            bare(session, change.id)?
        }
    };
    if let Some((id, at)) = candidate
        && !is_version(session, id)?
    {
        return keep_bare(session, change.id, id, at);
    }
    let sql = "DELETE FROM version WHERE repository_id = ?1 AND sort_key = x''";
    session.execute(sql, &[change.id.into()]).map(|_| ())
}

/// The row without version is this package, which a tag has last come to point at then. All of it follows from tags and
/// manifests, so that it can be made again.
fn keep_bare(session: &mut dyn Session, repository: RepositoryId, id: ManifestId, at: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, updated_at) \
               SELECT ?1, NULL, x'', ?4, m.id, m.created_at, ?3 FROM manifest m WHERE m.id = ?2 \
               ON CONFLICT (repository_id, sort_key) DO UPDATE SET manifest_id = excluded.manifest_id, \
               created_at = excluded.created_at, updated_at = excluded.updated_at \
               WHERE version.manifest_id <> excluded.manifest_id OR version.updated_at <> excluded.updated_at";
    let rank = Value::Integer(rank(None));
    session.execute(sql, &[repository.into(), id.into(), at.into(), rank]).map(|_| ())
}

/// The package without version that a repository is to have, and when a tag last came to point at it.
pub(super) fn bare(
    session: &mut dyn Session,
    repository: RepositoryId,
) -> Result<Option<(ManifestId, Timestamp)>, Error> {
    let read = |row: &Row| Ok((ManifestId(row.integer(0)?), row.time(1)?));
    let sql = "SELECT t.manifest_id, t.updated_at FROM tag t JOIN package p ON p.manifest_id = t.manifest_id \
               WHERE t.repository_id = ?1 AND t.name = 'latest'";
    if let Some(row) = session.first(sql, &[repository.into()])? {
        let (id, at) = read(&row)?;
        return Ok(if is_version(session, id)? { None } else { Some((id, at)) });
    }
    let newest = session.first(
        "SELECT t.manifest_id, t.updated_at FROM tag t JOIN package p ON p.manifest_id = t.manifest_id \
         WHERE t.repository_id = ?1 AND NOT EXISTS (SELECT 1 FROM version v \
         WHERE v.manifest_id = t.manifest_id AND v.version IS NOT NULL) ORDER BY t.updated_at DESC LIMIT 1",
        &[repository.into()],
    )?;
    newest.as_ref().map(read).transpose()
}

/// Whether a package is tagged since this moment or a later one, and no version.
pub(super) fn is_bare_since(
    session: &mut dyn Session,
    repository: RepositoryId,
    id: ManifestId,
    at: Timestamp,
) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM tag t JOIN package p ON p.manifest_id = t.manifest_id \
               WHERE t.manifest_id = ?2 AND t.repository_id = ?1 AND t.updated_at >= ?3 LIMIT 1";
    let is_tagged = session.first(sql, &[repository.into(), id.into(), at.into()])?.is_some();
    Ok(is_tagged && !is_version(session, id)?)
}

fn is_version(session: &mut dyn Session, id: ManifestId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM version WHERE manifest_id = ?1 AND version IS NOT NULL LIMIT 1";
    Ok(session.first(sql, &[id.into()])?.is_some())
}
