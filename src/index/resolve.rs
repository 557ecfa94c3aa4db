//! Which manifest a range of versions, a tag or a digest means: one search in an index each, however many versions.

use bytes::Bytes;

use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value};
use crate::oci::{Digest, RepositoryName, Tag};
use crate::package::{Version, VersionRange, VersionSpan};

/// Above every sort key: the highest begins with three times eight bytes 255 and goes on with less.
const END: Bytes = Bytes::from_static(&[255; 32]);
/// Versions told before, within and after a range without any.
const NEAREST: usize = 2;

/// What was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The repository's row.
    pub repository: RepositoryId,
    /// The manifest's row.
    pub manifest: ManifestId,
    /// The manifest.
    pub digest: Digest,
    /// The version it was found as; the highest that it is, where a digest or another tag led to it.
    pub version: Option<Version>,
    /// Whether that version was taken back.
    pub is_yanked: bool,
    /// Whether something may be said of it, or of all of the package.
    pub has_notice: bool,
}

impl Found {
    /// What a version is ordered by, and notices are kept under: empty for what is none.
    pub fn sort_key(&self) -> Bytes {
        self.version.as_ref().map_or_else(Bytes::new, Version::sort_key)
    }
}

/// The highest version in a range that was not taken back; of those that differ only in build metadata, the one whose
/// metadata is highest bytewise. `pre` lets pre-releases count.
pub fn in_range(
    session: &mut dyn Session,
    repository: &RepositoryName,
    range: &VersionRange,
    pre: bool,
) -> Result<Option<Found>, Error> {
    let mut best: Option<Found> = None;
    for span in range.spans(pre) {
        let found = in_span(session, repository, &span)?;
        if let Some(found) = found
            && best.as_ref().is_none_or(|best| best.sort_key() < found.sort_key())
        {
            best = Some(found);
        }
    }
    Ok(best)
}

fn in_span(session: &mut dyn Session, repository: &RepositoryName, span: &VersionSpan) -> Result<Option<Found>, Error> {
    let rank = if span.is_stable { 0 } else { 2 };
    let before = span.before.clone().unwrap_or(END);
    let row = session.first(
        "SELECT r.id, m.id, m.digest, m.notice + r.notice, v.version, v.rank FROM repository r \
         CROSS JOIN version v JOIN manifest m ON m.id = v.manifest_id \
         WHERE r.name = ?1 AND v.repository_id = r.id AND v.rank = ?2 AND v.sort_key >= ?3 AND v.sort_key < ?4 \
         ORDER BY v.sort_key DESC LIMIT 1",
        &[repository.into(), Value::Integer(rank), span.from.clone().into(), before.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// What a tag points at. A tag that is a version's is that version, whatever else its manifest is.
pub fn at_tag(session: &mut dyn Session, repository: &RepositoryName, tag: &Tag) -> Result<Option<Found>, Error> {
    let own = Version::from_tag(tag).map_or_else(String::new, |version| version.to_string());
    let row = session.first(
        "SELECT r.id, m.id, m.digest, m.notice + r.notice, v.version, v.rank FROM repository r \
         CROSS JOIN tag t JOIN manifest m ON m.id = t.manifest_id \
         LEFT JOIN version v ON v.manifest_id = m.id AND v.version IS NOT NULL \
         WHERE r.name = ?1 AND t.repository_id = r.id AND t.name = ?2 \
         ORDER BY CASE WHEN v.version = ?3 THEN 0 ELSE 1 END, v.rank >= 4, v.sort_key DESC LIMIT 1",
        &[repository.into(), tag.into(), own.as_str().into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// What a digest names.
pub fn at_digest(
    session: &mut dyn Session,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<Found>, Error> {
    let row = session.first(
        "SELECT r.id, m.id, m.digest, m.notice + r.notice, v.version, v.rank FROM repository r \
         CROSS JOIN manifest m LEFT JOIN version v ON v.manifest_id = m.id AND v.version IS NOT NULL \
         WHERE r.name = ?1 AND m.repository_id = r.id AND m.digest = ?2 \
         ORDER BY v.rank >= 4, v.sort_key DESC LIMIT 1",
        &[repository.into(), digest.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// What stands for a repository where nobody says which version, as [`super::versions::head`].
pub fn head(session: &mut dyn Session, repository: &RepositoryName) -> Result<Option<Found>, Error> {
    let row = session.first(
        "SELECT r.id, m.id, m.digest, m.notice + r.notice, v.version, v.rank FROM repository r \
         CROSS JOIN version v JOIN manifest m ON m.id = v.manifest_id \
         WHERE r.name = ?1 AND v.repository_id = r.id AND v.rank < 4 ORDER BY v.rank, v.sort_key DESC LIMIT 1",
        &[repository.into()],
    )?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Found, Error> {
    Ok(Found {
        repository: RepositoryId(row.integer(0)?),
        manifest: ManifestId(row.integer(1)?),
        digest: row.digest(2)?,
        has_notice: row.integer(3)? > 0,
        version: row.optional(4, Row::parsed)?,
        is_yanked: row.optional(5, Row::integer)?.is_some_and(|rank| rank >= 4),
    })
}

/// A version that was not meant, but almost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// The version.
    pub version: Version,
    /// Whether it was taken back.
    pub is_yanked: bool,
}

/// The versions around a range, the highest first: a few above it, a few that are in it but were taken back or are
/// pre-releases that do not count, and a few below. Without a range, or in one that holds nothing, the highest ones.
pub fn nearest(
    session: &mut dyn Session,
    repository: RepositoryId,
    range: Option<&VersionRange>,
) -> Result<Vec<Near>, Error> {
    let around = range.and_then(|range| range.spans(true).into_iter().next());
    let Some(VersionSpan { from, before, .. }) = around else {
        return below(session, repository, (Bytes::new(), END), 2 * NEAREST);
    };
    let before = before.unwrap_or(END);
    let sql = "SELECT version, rank FROM version WHERE repository_id = ?1 AND sort_key >= ?2 AND version IS NOT NULL \
               ORDER BY sort_key LIMIT ?3";
    let above = session.query(sql, &[repository.into(), before.clone().into(), page(NEAREST)])?;
    let mut found = above.iter().rev().map(near).collect::<Result<Vec<_>, Error>>()?;
    found.extend(below(session, repository, (from.clone(), before), NEAREST)?);
    found.extend(below(session, repository, (Bytes::new(), from), NEAREST)?);
    Ok(found)
}

/// The highest versions between two keys.
fn below(
    session: &mut dyn Session,
    repository: RepositoryId,
    (from, before): (Bytes, Bytes),
    limit: usize,
) -> Result<Vec<Near>, Error> {
    let sql = "SELECT version, rank FROM version WHERE repository_id = ?1 AND sort_key >= ?2 AND sort_key < ?3 \
               AND version IS NOT NULL ORDER BY sort_key DESC LIMIT ?4";
    let rows = session.query(sql, &[repository.into(), from.into(), before.into(), page(limit)])?;
    rows.iter().map(near).collect()
}

fn near(row: &Row) -> Result<Near, Error> {
    Ok(Near { version: row.parsed(0)?, is_yanked: row.integer(1)? >= 4 })
}
