//! What manifests say if they are packages: a summary ready to be listed.

use bytes::Bytes;
use jiff::Timestamp;

use super::manifests::ManifestId;
use super::repositories::RepositoryId;
use super::{Error, Row, Session, Value, notices};
use crate::oci::{Digest, RepositoryName};
use crate::package::{Summary, Version};

/// What a push found out about a package.
#[derive(Clone, Debug)]
pub struct NewPackage {
    /// What lists show; its version and time are those of the listed row instead.
    pub summary: Summary,
    /// Bytes of configuration and layers.
    pub size: u64,
    /// Whether the files inside were compared with the configuration.
    pub checked: bool,
    /// Licence as written.
    pub license: Option<String>,
}

/// Keeps what is known of a package. Knowing it again changes nothing, except that it may be checked now.
pub fn record(session: &mut dyn Session, id: ManifestId, package: &NewPackage) -> Result<(), Error> {
    let sql = "INSERT INTO package (manifest_id, summary, size, checked, license) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (manifest_id) DO UPDATE SET checked = max(package.checked, excluded.checked)";
    // The time is the listed row's; the same package is kept as the same bytes whenever it comes.
    let summary = Summary { updated_at: Timestamp::UNIX_EPOCH, ..package.summary.clone() };
    let summary = Bytes::from(serde_json::to_vec(&summary)?);
    let license = Value::optional(package.license.as_deref());
    let checked = Value::Integer(package.checked.into());
    session.execute(sql, &[id.into(), summary.into(), Value::size(package.size)?, checked, license])?;
    Ok(())
}

/// Keeps what is known of a package instead of what was known before.
pub(super) fn replace(session: &mut dyn Session, id: ManifestId, package: &NewPackage) -> Result<(), Error> {
    let sql = "INSERT INTO package (manifest_id, summary, size, checked, license) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (manifest_id) DO UPDATE SET summary = excluded.summary, size = excluded.size, \
               checked = excluded.checked, license = excluded.license";
    let summary = Bytes::from(serde_json::to_vec(&package.summary)?);
    let license = Value::optional(package.license.as_deref());
    let checked = Value::Integer(package.checked.into());
    session.execute(sql, &[id.into(), summary.into(), Value::size(package.size)?, checked, license]).map(|_| ())
}

/// What the index knows of a stored package beside its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPackage {
    /// The manifest's row, to ask for its tags.
    pub id: ManifestId,
    /// Bytes of configuration and layers.
    pub size: u64,
    /// Whether the files inside were compared with the configuration.
    pub checked: bool,
    /// The highest version it is.
    pub version: Option<Version>,
    /// When the manifest was first pushed.
    pub created_at: Timestamp,
    /// When a tag last came to point at it; the first push where none does.
    pub updated_at: Timestamp,
}

/// Finds a package by its manifest.
pub fn find(
    session: &mut dyn Session,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<StoredPackage>, Error> {
    let row = session.first(
        "SELECT m.id, p.size, p.checked, m.created_at, \
         coalesce((SELECT max(t.updated_at) FROM tag t WHERE t.manifest_id = m.id), m.created_at), \
         (SELECT v.version FROM version v WHERE v.manifest_id = m.id ORDER BY v.sort_key DESC LIMIT 1) \
         FROM repository r JOIN manifest m ON m.repository_id = r.id JOIN package p ON p.manifest_id = m.id \
         WHERE r.name = ?1 AND m.digest = ?2",
        &[repository.into(), digest.into()],
    )?;
    let read = |row: Row| {
        Ok(StoredPackage {
            id: ManifestId(row.integer(0)?),
            size: row.size(1)?,
            checked: row.integer(2)? != 0,
            version: row.optional(5, Row::parsed)?,
            created_at: row.time(3)?,
            updated_at: row.time(4)?,
        })
    };
    row.map(read).transpose()
}

/// Whether a manifest is a package.
pub fn exists(session: &mut dyn Session, id: ManifestId) -> Result<bool, Error> {
    Ok(session.first("SELECT 1 FROM package WHERE manifest_id = ?1", &[id.into()])?.is_some())
}

/// Whether a repository has a package with a tag.
pub fn is_any(session: &mut dyn Session, repository: RepositoryId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM version WHERE repository_id = ?1 LIMIT 1";
    Ok(session.first(sql, &[repository.into()])?.is_some())
}

/// Takes away what is known of a package whose manifest goes.
pub(super) fn forget(session: &mut dyn Session, id: ManifestId) -> Result<(), Error> {
    notices::forget_all(session, id)?;
    session.execute("DELETE FROM version WHERE manifest_id = ?1", &[id.into()])?;
    session.execute("DELETE FROM package WHERE manifest_id = ?1", &[id.into()]).map(|_| ())
}
