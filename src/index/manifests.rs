//! Manifests: stored with everything that hangs on them, read with one statement.

use bytes::Bytes;

use super::events::EventKind;
use super::repositories::RepositoryId;
use super::tags::{self, Change};
use super::{Error, Row, Session, Value, packages, versions};
use crate::oci::{Digest, EdgeKind, Manifest, MediaType, RepositoryName, Tag, Target};

/// A manifest as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its row.
    pub id: ManifestId,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Its exact bytes.
    pub bytes: Bytes,
    /// Whether something may be said of it: a version that it is was yanked or deprecated, or the package is deprecated.
    pub has_notice: bool,
}

/// A manifest's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ManifestId(pub(super) i64);

impl ManifestId {
    /// The row of this number, which need not be there.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The row's number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl ManifestId {
    /// Before every manifest.
    pub const FIRST: Self = Self(0);
}

impl From<ManifestId> for Value {
    fn from(id: ManifestId) -> Self {
        Self::Integer(id.0)
    }
}

/// What storing a manifest changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The manifest's row.
    pub id: ManifestId,
    /// Whether the manifest is new in the repository.
    pub created: bool,
    /// The tags that are new or point elsewhere now.
    pub moved: Vec<Tag>,
}

/// Reads a manifest by tag or digest; the repository's existence is part of the one statement.
pub fn get(
    session: &mut dyn Session,
    repository: &RepositoryName,
    target: &Target,
) -> Result<Option<StoredManifest>, Error> {
    let row = match target {
        Target::Tag(tag) => session.first(
            "SELECT m.id, m.digest, m.media_type, m.bytes, m.notice + r.notice \
             FROM repository r JOIN tag t ON t.repository_id = r.id \
             JOIN manifest m ON m.id = t.manifest_id WHERE r.name = ?1 AND t.name = ?2",
            &[repository.into(), tag.into()],
        ),
        Target::Digest(digest) => session.first(
            "SELECT m.id, m.digest, m.media_type, m.bytes, m.notice + r.notice \
             FROM repository r JOIN manifest m ON m.repository_id = r.id WHERE r.name = ?1 AND m.digest = ?2",
            &[repository.into(), digest.into()],
        ),
    }?;
    let read = |row: Row| {
        Ok(StoredManifest {
            id: ManifestId(row.integer(0)?),
            digest: row.digest(1)?,
            media_type: row.parsed(2)?,
            bytes: row.bytes(3)?,
            has_notice: row.flag(4)?,
        })
    };
    row.map(read).transpose()
}

/// Whether a repository has a manifest.
pub fn exists(session: &mut dyn Session, repository: RepositoryId, digest: &Digest) -> Result<bool, Error> {
    Ok(row_of(session, repository, digest)?.is_some())
}

/// Stores a manifest and points tags at it: rows, history, edges, referrer and events, all or nothing.
///
/// Whether everything it points at is there is the caller's question, in the same closure.
pub fn put(session: &mut dyn Session, change: &Change<'_>, manifest: &Manifest, tags: &[Tag]) -> Result<Put, Error> {
    let digest = manifest.digest();
    let (id, created) = match row_of(session, change.id, &digest)? {
        Some(id) => (id, false),
        None => (insert(session, change, manifest)?, true),
    };
    let mut moved = vec![];
    for tag in tags {
        if tags::point(session, change, tag, (id, digest))? {
            moved.push(tag.clone());
        }
    }
    Ok(Put { id, created, moved })
}

/// Points a tag at a manifest by its digest, with the version that makes it. Whether the manifest is there.
pub fn retag(session: &mut dyn Session, change: &Change<'_>, tag: &Tag, digest: &Digest) -> Result<bool, Error> {
    let Some(id) = row_of(session, change.id, digest)? else { return Ok(false) };
    if tags::point(session, change, tag, (id, *digest))? {
        let package = packages::exists(session, id)?.then_some(id);
        versions::follow_tags(session, change, std::slice::from_ref(tag), package)?;
    }
    Ok(true)
}

/// Takes a manifest away with its tags, edges and referrer entry. Whether it was there.
pub fn delete(session: &mut dyn Session, change: &Change<'_>, digest: &Digest) -> Result<bool, Error> {
    let Some(id) = row_of(session, change.id, digest)? else { return Ok(false) };
    // Tags go first: a foreign key keeps a manifest that a tag points at.
    for row in session.query("DELETE FROM tag WHERE manifest_id = ?1 RETURNING name", &[id.into()])? {
        let tag: Tag = row.parsed(0)?;
        change.remember(session, &tag, None)?;
        change.announce(session, EventKind::TagDeleted, None, Some(&tag))?;
    }
    packages::forget(session, id)?;
    let subject = session.first("SELECT digest FROM edge WHERE manifest_id = ?1 AND kind = 4", &[id.into()])?;
    if let Some(subject) = subject {
        let sql = "DELETE FROM referrer WHERE repository_id = ?1 AND subject = ?2 AND digest = ?3";
        session.execute(sql, &[change.id.into(), (&subject.digest(0)?).into(), digest.into()])?;
    }
    session.execute("DELETE FROM download WHERE manifest_id = ?1", &[id.into()])?;
    session.execute("DELETE FROM edge WHERE manifest_id = ?1", &[id.into()])?;
    session.execute("DELETE FROM manifest WHERE id = ?1", &[id.into()])?;
    change.announce(session, EventKind::ManifestDeleted, Some(*digest), None)?;
    versions::settle_untagged(session, change, versions::Look::Through)?;
    Ok(true)
}

fn row_of(session: &mut dyn Session, repository: RepositoryId, digest: &Digest) -> Result<Option<ManifestId>, Error> {
    let sql = "SELECT id FROM manifest WHERE repository_id = ?1 AND digest = ?2";
    session.first(sql, &[repository.into(), digest.into()])?.map(|row| row.integer(0).map(ManifestId)).transpose()
}

fn insert(session: &mut dyn Session, change: &Change<'_>, manifest: &Manifest) -> Result<ManifestId, Error> {
    let sql = "INSERT INTO manifest (repository_id, digest, media_type, artifact_type, content_bytes, created_at, bytes) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id";
    let digest = manifest.digest();
    let parameters = [
        change.id.into(),
        (&digest).into(),
        manifest.media_type().into(),
        Value::optional(manifest.artifact_type()),
        Value::size(manifest.content_bytes())?,
        change.at.into(),
        manifest.bytes().clone().into(),
    ];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    let id = ManifestId(row.integer(0)?);
    insert_edges(session, id, manifest)?;
    insert_referrer(session, change.id, manifest)?;
    change.announce(session, EventKind::ManifestPushed, Some(digest), None)?;
    Ok(id)
}

fn insert_edges(session: &mut dyn Session, id: ManifestId, manifest: &Manifest) -> Result<(), Error> {
    let sql = "INSERT INTO edge (manifest_id, position, kind, digest) VALUES (?1, ?2, ?3, ?4)";
    for (position, edge) in (0_i64..).zip(manifest.edges()) {
        let kind = edge_number(edge.kind);
        session.execute(sql, &[id.into(), position.into(), kind.into(), (&edge.descriptor.digest).into()])?;
    }
    Ok(())
}

fn insert_referrer(session: &mut dyn Session, repository: RepositoryId, manifest: &Manifest) -> Result<(), Error> {
    let Some(subject) = manifest.subject() else { return Ok(()) };
    let sql = "INSERT INTO referrer (repository_id, subject, digest, artifact_type, descriptor) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let descriptor = Bytes::from(serde_json::to_vec(&manifest.descriptor())?);
    let kind = Value::optional(manifest.artifact_type());
    let parameters =
        [repository.into(), (&subject.digest).into(), (&manifest.digest()).into(), kind, descriptor.into()];
    session.execute(sql, &parameters).map(|_| ())
}

/// Part of the file format: never change a number.
const fn edge_number(kind: EdgeKind) -> i64 {
    match kind {
        EdgeKind::Config => 1,
        EdgeKind::Layer => 2,
        EdgeKind::Child => 3,
        EdgeKind::Subject => 4,
    }
}
