//! Repositories as search knows them: what stands for each, what is read of it, and which have changed.

use bytes::Bytes;
use jiff::Timestamp;

use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value, referrers, versions};
use crate::api::{Rating, Standing};
use crate::auth::Visibility;
use crate::oci::{Digest, Manifest, ManifestKind, MediaType, RepositoryName};
use crate::package::{ArtifactKind, Summary, Version, kind_of};

/// Most versions of a package that a query for versions looks at, the highest ones.
pub const MAX_VERSIONS: usize = 100_000;
/// The tags moved last that are looked at to find what stands for a repository without packages: the others are
/// signatures.
const MAX_TAGS: i64 = 20;
/// Documents whose words are searched, the first that a package has.
const READ: [&str; 2] = ["README.md", "SKILL.md"];

/// What a list shows of a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What it is; version, digest and time are those of the manifest that is shown.
    pub summary: Summary,
    /// Bytes of configuration and layers.
    pub size: u64,
    /// Whether the files inside were compared with the configuration; what is no package has none.
    pub checked: bool,
    /// When it was first pushed as this version.
    pub created_at: Timestamp,
    /// The manifest's row, to ask for its tags.
    pub manifest: ManifestId,
    /// What a version is ordered by, to ask what is said of it; nothing is said of what is no package.
    pub sort_key: Option<Bytes>,
    /// Whether anything is said of it.
    pub has_notice: bool,
    /// What the registry knows of it beside.
    pub standing: Standing,
    /// Who may see the repository.
    pub visibility: Visibility,
}

/// What search knows of a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What stands for it.
    pub shown: Shown,
    /// Its versions that were not taken back, the highest first, at most [`MAX_VERSIONS`].
    pub versions: Vec<Version>,
    /// Where the text is that describes it.
    pub readme: Option<Readme>,
}

/// The text that describes a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readme {
    /// It is small enough to be in the index.
    Inline(Bytes),
    /// The store has it.
    Stored(Digest),
}

/// Whether every event after a number is still there to be followed, and the number is none of another index's.
pub fn is_followable(session: &mut dyn Session, after: i64) -> Result<bool, Error> {
    let sql = "SELECT value FROM event_floor WHERE id = 1";
    let floor = session.first(sql, &[])?.ok_or(Error::Column { column: 0, wanted: "present" })?.integer(0)?;
    Ok(after >= floor && after <= super::events::last(session)?.max(floor))
}

/// What has happened since a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Repositories that may be another document now, each once.
    pub repositories: Vec<RepositoryId>,
    /// The number of the last event that was looked at.
    pub position: i64,
}

/// Repositories in the order they came into being, after one, at most `limit`.
pub fn repositories_after(
    session: &mut dyn Session,
    after: RepositoryId,
    limit: usize,
) -> Result<Vec<RepositoryId>, Error> {
    let sql = "SELECT id FROM repository WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = session.query(sql, &[after.into(), page(limit)])?;
    rows.iter().map(|row| row.integer(0).map(RepositoryId::new)).collect()
}

/// Repositories that something happened to after an event, of at most `limit` events.
pub fn changed(session: &mut dyn Session, after: i64, limit: usize) -> Result<Changed, Error> {
    // What a repository may read changes nothing that a list shows.
    let sql = "SELECT e.id, r.id FROM event e LEFT JOIN repository r ON r.name = e.repository \
               WHERE e.id > ?1 AND e.kind <> 'blob.added' AND e.kind <> 'blob.removed' ORDER BY e.id LIMIT ?2";
    let rows = session.query(sql, &[after.into(), page(limit)])?;
    let mut changed = Changed { repositories: vec![], position: after };
    for row in &rows {
        changed.position = row.integer(0)?;
        changed.repositories.extend(row.optional(1, Row::integer)?.map(RepositoryId::new));
    }
    changed.repositories.sort_unstable();
    changed.repositories.dedup();
    if rows.len() < limit {
        changed.position = changed.position.max(super::events::last(session)?);
    }
    Ok(changed)
}

/// Who may see the repositories now that were shown to others after an event.
pub fn visibilities_since(session: &mut dyn Session, after: i64) -> Result<Vec<(RepositoryId, Visibility)>, Error> {
    let sql = "SELECT DISTINCT r.id, r.visibility FROM event e CROSS JOIN repository r \
               WHERE e.id > ?1 AND e.kind = 'visibility.changed' AND r.name = e.repository";
    let rows = session.query(sql, &[after.into()])?;
    rows.iter().map(|row| Ok((RepositoryId::new(row.integer(0)?), row.word(1)?))).collect()
}

/// What search knows of a repository; nothing where it is not there, holds nothing with a tag but signatures, or has
/// taken back all of its versions.
pub fn head(session: &mut dyn Session, id: RepositoryId) -> Result<Option<Head>, Error> {
    let Some(shown) = current(session, id)? else { return Ok(None) };
    let (versions, readme) = match shown.sort_key {
        Some(_) => (versions_of(session, id)?, readme(session, shown.manifest)?),
        None => (vec![], None),
    };
    Ok(Some(Head { shown, versions, readme }))
}

/// What a list shows of a repository, where nobody asks for a version.
pub fn current(session: &mut dyn Session, id: RepositoryId) -> Result<Option<Shown>, Error> {
    let row = session.first(
        "SELECT r.name, v.version, v.sort_key, p.summary, p.size, p.checked, v.created_at, v.updated_at, \
         v.manifest_id, r.visibility, EXISTS (SELECT 1 FROM notice n WHERE n.repository_id = v.repository_id \
         AND n.sort_key IN (x'', v.sort_key)), coalesce(s.downloads, 0), coalesce(s.ratings, 0), coalesce(s.stars, 0) \
         FROM version v JOIN repository r ON r.id = v.repository_id JOIN package p ON p.manifest_id = v.manifest_id \
         LEFT JOIN standing s ON s.repository_id = v.repository_id \
         WHERE v.repository_id = ?1 AND v.rank < 4 ORDER BY v.rank, v.sort_key DESC LIMIT 1",
        &[id.into()],
    )?;
    if let Some(row) = row {
        return package(session, id, &row).map(Some);
    }
    let sql = "SELECT 1 FROM version WHERE repository_id = ?1 LIMIT 1";
    if session.first(sql, &[id.into()])?.is_some() {
        return Ok(None);
    }
    other(session, id)
}

/// What a list shows of one version, which was not taken back; of those that differ only in build metadata, the highest.
pub fn version(session: &mut dyn Session, id: RepositoryId, version: &Version) -> Result<Option<Shown>, Error> {
    let (first, end) = builds(version);
    let row = session.first(
        "SELECT r.name, v.version, v.sort_key, p.summary, p.size, p.checked, v.created_at, v.updated_at, \
         v.manifest_id, r.visibility, EXISTS (SELECT 1 FROM notice n WHERE n.repository_id = v.repository_id \
         AND n.sort_key IN (x'', v.sort_key)), coalesce(s.downloads, 0), coalesce(s.ratings, 0), coalesce(s.stars, 0) \
         FROM version v JOIN repository r ON r.id = v.repository_id JOIN package p ON p.manifest_id = v.manifest_id \
         LEFT JOIN standing s ON s.repository_id = v.repository_id \
         WHERE v.repository_id = ?1 AND v.sort_key >= ?2 AND v.sort_key < ?3 AND v.rank < 4 \
         ORDER BY v.sort_key DESC LIMIT 1",
        &[id.into(), first.into(), end.into()],
    )?;
    row.map(|row| package(session, id, &row)).transpose()
}

/// Where the sort keys of a version begin, whatever its build metadata, and where they end.
fn builds(version: &Version) -> (Bytes, Bytes) {
    let mut key = version.sort_key();
    // What stands before build metadata, and in no build metadata.
    let length = key.iter().rposition(|byte| *byte == 0).map_or(key.len(), |at| at + 1);
    key.truncate(length);
    let mut end = key.to_vec();
    if let Some(last) = end.last_mut() {
        *last = 1;
    }
    (key, end.into())
}

fn package(session: &mut dyn Session, id: RepositoryId, row: &Row) -> Result<Shown, Error> {
    let listed = versions::read(row)?;
    let signed = referrers::is_signed(session, id, &listed.summary.digest)?;
    let standing = Standing { downloads: row.size(11)?, rating: Rating::of(row.size(12)?, row.size(13)?), signed };
    Ok(Shown {
        summary: listed.summary,
        size: listed.size,
        checked: listed.checked,
        created_at: listed.created_at,
        manifest: listed.manifest,
        sort_key: Some(listed.cursor.sort_key),
        has_notice: row.integer(10)? > 0,
        standing,
        visibility: row.word(9)?,
    })
}

/// What a repository without packages holds: the newest of what its tags point at, unless that is about something else.
fn other(session: &mut dyn Session, id: RepositoryId) -> Result<Option<Shown>, Error> {
    // Clients keep signatures and the like under tags that begin with the digest of what they are about.
    let sql = "SELECT t.manifest_id, t.updated_at FROM tag t WHERE t.repository_id = ?1 \
               AND (t.name < 'sha256-' OR t.name >= 'sha256.') AND (t.name < 'sha512-' OR t.name >= 'sha512.') \
               ORDER BY t.updated_at DESC, t.name LIMIT ?2";
    for tag in session.query(sql, &[id.into(), MAX_TAGS.into()])? {
        let (manifest, updated_at) = (ManifestId(tag.integer(0)?), tag.time(1)?);
        let sql = "SELECT r.name, m.digest, m.media_type, m.bytes, m.content_bytes, m.created_at, r.visibility, \
                   coalesce(s.downloads, 0), coalesce(s.ratings, 0), coalesce(s.stars, 0) FROM manifest m \
                   JOIN repository r ON r.id = m.repository_id LEFT JOIN standing s ON s.repository_id = r.id \
                   WHERE m.id = ?1";
        let Some(row) = session.first(sql, &[manifest.into()])? else { continue };
        let digest = row.digest(1)?;
        let Some(kind) = kind(&row.parsed(2)?, row.bytes(3)?, digest) else { continue };
        let (signed, rating) = (referrers::is_signed(session, id, &digest)?, Rating::of(row.size(8)?, row.size(9)?));
        return Ok(Some(Shown {
            summary: artifact(row.parsed(0)?, digest, &kind, updated_at),
            size: row.size(4)?,
            checked: false,
            created_at: row.time(5)?,
            manifest,
            sort_key: None,
            has_notice: false,
            standing: Standing { downloads: row.size(7)?, rating, signed },
            visibility: row.word(6)?,
        }));
    }
    Ok(None)
}

/// What a stored manifest is; nothing where it is a signature, or about another manifest.
fn kind(media_type: &MediaType, bytes: Bytes, digest: Digest) -> Option<ArtifactKind> {
    // What was stored was read before; were it damaged, the rest of the registry can still be searched.
    let manifest = Manifest::parse(bytes, Some(media_type), digest.algorithm()).ok()?;
    let kind = kind_of(&manifest);
    (manifest.subject().is_none() && kind != ArtifactKind::Signature).then_some(kind)
}

fn artifact(repository: RepositoryName, digest: Digest, kind: &ArtifactKind, updated_at: Timestamp) -> Summary {
    Summary {
        repository,
        version: None,
        digest,
        description: String::new(),
        author: String::new(),
        capabilities: vec![],
        tags: vec![],
        model: String::new(),
        runtime: String::new(),
        license: String::new(),
        kind: kind.word().to_owned(),
        updated_at,
    }
}

fn versions_of(session: &mut dyn Session, id: RepositoryId) -> Result<Vec<Version>, Error> {
    let sql = "SELECT version FROM version WHERE repository_id = ?1 AND version IS NOT NULL AND rank < 4 \
               ORDER BY sort_key DESC LIMIT ?2";
    let most = Value::Integer(i64::try_from(MAX_VERSIONS).unwrap_or(i64::MAX));
    session.query(sql, &[id.into(), most])?.iter().map(|row| row.parsed(0)).collect()
}

fn readme(session: &mut dyn Session, manifest: ManifestId) -> Result<Option<Readme>, Error> {
    let sql = "SELECT digest, media_type, bytes FROM manifest WHERE id = ?1";
    let Some(row) = session.first(sql, &[manifest.into()])? else { return Ok(None) };
    let Ok(manifest) = Manifest::parse(row.bytes(2)?, Some(&row.parsed(1)?), row.digest(0)?.algorithm()) else {
        return Ok(None);
    };
    let ManifestKind::Image { layers, .. } = manifest.kind() else { return Ok(None) };
    let titled = |file: &str| {
        let is_it = |title: &str| title.split_once('/').is_some_and(|(_, path)| path == file);
        layers.iter().find(|layer| layer.title().is_some_and(is_it)).map(|layer| layer.digest)
    };
    let Some(digest) = READ.iter().find_map(|file| titled(file)) else { return Ok(None) };
    let sql = "SELECT bytes FROM blob WHERE digest = ?1 AND condemned_at IS NULL";
    let Some(row) = session.first(sql, &[(&digest).into()])? else { return Ok(None) };
    Ok(Some(row.optional(0, Row::bytes)?.map_or(Readme::Stored(digest), Readme::Inline)))
}
