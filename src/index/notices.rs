//! Notices: which versions were yanked or deprecated, and which packages are deprecated as a whole.

use bytes::Bytes;

use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session};
use crate::api::{Notice, VersionState};
use crate::package::Version;

/// Versions of one manifest whose notices are told.
const MAX_TOLD_VERSIONS: usize = 8;

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The version was taken back.
    Yanked,
    /// It should no longer be begun with.
    Deprecated,
}

impl NoticeKind {
    /// Part of the file format: never change a number.
    const fn number(self) -> i64 {
        match self {
            Self::Yanked => 1,
            Self::Deprecated => 2,
        }
    }

    const fn of(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Yanked),
            2 => Some(Self::Deprecated),
            _ => None,
        }
    }
}

/// What is said of a version: its own notices, and the package's deprecation where it has none itself. Of what is no
/// version, the package's alone.
pub fn of_version(
    session: &mut dyn Session,
    repository: RepositoryId,
    version: Option<&Version>,
) -> Result<VersionState, Error> {
    of_key(session, repository, version.map_or_else(Bytes::new, Version::sort_key))
}

/// As [`of_version`], by the version's sort key; the empty one is that of what is no version.
pub fn of_key(session: &mut dyn Session, repository: RepositoryId, key: Bytes) -> Result<VersionState, Error> {
    let sql = "SELECT kind, message, superseded_by, at FROM notice \
               WHERE repository_id = ?1 AND sort_key IN (x'', ?2) ORDER BY sort_key DESC, kind LIMIT 4";
    let mut state = VersionState::default();
    for row in session.query(sql, &[repository.into(), key.into()])? {
        add(&mut state, &row, 0)?;
    }
    Ok(state)
}

/// What is said of the versions that a manifest is, the highest first; only of those of which something is said.
pub fn of_manifest(session: &mut dyn Session, manifest: ManifestId) -> Result<Vec<(Version, VersionState)>, Error> {
    let sql = "SELECT v.version, n.kind, n.message, n.superseded_by, n.at FROM version v \
               JOIN notice n ON n.repository_id = v.repository_id AND n.sort_key = v.sort_key \
               WHERE v.manifest_id = ?1 AND v.version IS NOT NULL ORDER BY v.sort_key DESC, n.kind LIMIT ?2";
    let mut told: Vec<(Version, VersionState)> = vec![];
    for row in session.query(sql, &[manifest.into(), page(2 * MAX_TOLD_VERSIONS)])? {
        let version: Version = row.parsed(0)?;
        match told.last_mut().filter(|(last, _)| *last == version) {
            Some((_, state)) => add(state, &row, 1)?,
            None => {
                let mut state = VersionState::default();
                add(&mut state, &row, 1)?;
                told.push((version, state));
            }
        }
    }
    told.truncate(MAX_TOLD_VERSIONS);
    Ok(told)
}

/// Why all of a package is deprecated, if it is.
pub fn of_package(session: &mut dyn Session, repository: RepositoryId) -> Result<Option<Notice>, Error> {
    Ok(of_key(session, repository, Bytes::new())?.deprecated)
}

/// Adds the columns kind, message, superseded_by, at; the first notice of a kind counts.
fn add(state: &mut VersionState, row: &Row, first: usize) -> Result<(), Error> {
    let kind = NoticeKind::of(row.integer(first)?);
    let kind = kind.ok_or(Error::Column { column: first, wanted: "a kind of notice" })?;
    let notice = Notice {
        message: row.text(first + 1)?.to_owned(),
        superseded_by: row.optional(first + 2, |row, column| row.text(column).map(str::to_owned))?,
        at: row.time(first + 3)?,
    };
    match kind {
        NoticeKind::Yanked => state.yanked.get_or_insert(notice),
        NoticeKind::Deprecated => state.deprecated.get_or_insert(notice),
    };
    Ok(())
}
