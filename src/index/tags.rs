//! Tags: pointers in a repository, and the history of where they pointed.

use jiff::Timestamp;

use super::events::{self, Event, EventKind};
use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value, versions};
use crate::oci::{Digest, RepositoryName, Tag};

/// The repository, the person and the moment of a change.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The repository's row.
    pub id: RepositoryId,
    /// The repository's name.
    pub repository: &'a RepositoryName,
    /// Who changes it, as [`crate::auth::Permit::actor`] says.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Change<'_> {
    pub(super) fn announce(
        &self,
        session: &mut dyn Session,
        kind: EventKind,
        digest: Option<Digest>,
        tag: Option<&Tag>,
    ) -> Result<(), Error> {
        let (repository, actor) = (self.repository.clone(), self.actor.to_owned());
        events::append(
            session,
            &Event { kind, repository, digest, tag: tag.cloned(), detail: None, actor, at: self.at },
        )
    }

    pub(super) fn remember(&self, session: &mut dyn Session, tag: &Tag, digest: Option<&Digest>) -> Result<(), Error> {
        let sql = "INSERT INTO tag_event (repository_id, name, digest, actor, at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let parameters = [self.id.into(), tag.into(), Value::optional(digest), self.actor.into(), self.at.into()];
        session.execute(sql, &parameters).map(|_| ())
    }
}

/// One entry of a tag's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// Where it pointed from then on; none: it was deleted.
    pub digest: Option<Digest>,
    /// Who moved it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Tags bytewise in order, after `after` (which need not exist), at most `limit`.
pub fn list(
    session: &mut dyn Session,
    repository: RepositoryId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Tag>, Error> {
    let sql = "SELECT name FROM tag WHERE repository_id = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
    let rows = session.query(sql, &[repository.into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// Where a tag points.
pub fn find(session: &mut dyn Session, repository: RepositoryId, tag: &Tag) -> Result<Option<Digest>, Error> {
    let sql = "SELECT m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id \
               WHERE t.repository_id = ?1 AND t.name = ?2";
    session.first(sql, &[repository.into(), tag.into()])?.map(|row| row.digest(0)).transpose()
}

/// The tags of a repository that point at a manifest, bytewise in order, after `after`, at most `limit`.
pub fn of_manifest(
    session: &mut dyn Session,
    repository: RepositoryId,
    digest: &Digest,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Tag>, Error> {
    let sql = "SELECT t.name FROM manifest m JOIN tag t ON t.manifest_id = m.id \
               WHERE m.repository_id = ?1 AND m.digest = ?2 AND t.name > ?3 ORDER BY t.name LIMIT ?4";
    let parameters = [repository.into(), digest.into(), after.unwrap_or_default().into(), page(limit)];
    session.query(sql, &parameters)?.iter().map(|row| row.parsed(0)).collect()
}

/// Where a tag has pointed, newest first.
pub fn history(
    session: &mut dyn Session,
    repository: RepositoryId,
    tag: &Tag,
    limit: usize,
) -> Result<Vec<Pointed>, Error> {
    let sql = "SELECT digest, actor, at FROM tag_event WHERE repository_id = ?1 AND name = ?2 \
               ORDER BY id DESC LIMIT ?3";
    let rows = session.query(sql, &[repository.into(), tag.into(), page(limit)])?;
    let read = |row: &Row| {
        let digest = row.optional(0, Row::digest)?;
        Ok(Pointed { digest, actor: row.text(1)?.to_owned(), at: row.time(2)? })
    };
    rows.iter().map(read).collect()
}

/// One tag of a repository, to see what it holds: `latest`, else the last one bytewise, but none under which clients keep
/// signatures.
pub fn any(session: &mut dyn Session, repository: RepositoryId) -> Result<Option<Tag>, Error> {
    if find(session, repository, &Tag::latest())?.is_some() {
        return Ok(Some(Tag::latest()));
    }
    let sql = "SELECT name FROM tag WHERE repository_id = ?1 AND (name < 'sha256-' OR name >= 'sha256.') \
               AND (name < 'sha512-' OR name >= 'sha512.') ORDER BY name DESC LIMIT 1";
    session.first(sql, &[repository.into()])?.map(|row| row.parsed(0)).transpose()
}

/// Points a tag at a stored manifest. Whether anything changed: pointing it where it points is not news.
pub(super) fn point(
    session: &mut dyn Session,
    change: &Change<'_>,
    tag: &Tag,
    manifest: (ManifestId, Digest),
) -> Result<bool, Error> {
    let (manifest_id, digest) = manifest;
    let sql = "INSERT INTO tag (repository_id, name, manifest_id, updated_at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (repository_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, \
               updated_at = excluded.updated_at WHERE tag.manifest_id <> excluded.manifest_id";
    let moved = session.execute(sql, &[change.id.into(), tag.into(), manifest_id.into(), change.at.into()])? > 0;
    if moved {
        change.remember(session, tag, Some(&digest))?;
        change.announce(session, EventKind::TagMoved, Some(digest), Some(tag))?;
    }
    Ok(moved)
}

/// Takes a tag away, not what it points at. Whether it was there.
pub fn delete(session: &mut dyn Session, change: &Change<'_>, tag: &Tag) -> Result<bool, Error> {
    let sql = "DELETE FROM tag WHERE repository_id = ?1 AND name = ?2";
    let deleted = session.execute(sql, &[change.id.into(), tag.into()])? > 0;
    if deleted {
        change.remember(session, tag, None)?;
        change.announce(session, EventKind::TagDeleted, None, Some(tag))?;
        versions::forget_tag(session, change, tag)?;
    }
    Ok(deleted)
}
