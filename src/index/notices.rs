//! Notices: which versions were yanked or deprecated, and which packages are deprecated as a whole.

use bytes::Bytes;

use super::events::{self, Event, EventKind};
use super::manifests::ManifestId;
use super::repositories::{RepositoryId, page};
use super::tags::Change;
use super::{Error, Row, Session, Value};
use crate::api::{NewNotice, Notice, VersionState};
use crate::oci::Digest;
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

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// One version.
    Version(&'a Version, NoticeKind),
    /// All of a package, which can only be deprecated.
    Package,
}

impl About<'_> {
    fn key(self) -> Bytes {
        match self {
            Self::Version(version, _) => version.sort_key(),
            Self::Package => Bytes::new(),
        }
    }

    const fn kind(self) -> NoticeKind {
        match self {
            Self::Version(_, kind) => kind,
            Self::Package => NoticeKind::Deprecated,
        }
    }

    /// What is announced where it is said, and where it is taken back.
    const fn events(self) -> (EventKind, EventKind) {
        match self {
            Self::Version(_, NoticeKind::Yanked) => (EventKind::VersionYanked, EventKind::VersionUnyanked),
            Self::Version(_, NoticeKind::Deprecated) => (EventKind::VersionDeprecated, EventKind::VersionUndeprecated),
            Self::Package => (EventKind::PackageDeprecated, EventKind::PackageUndeprecated),
        }
    }
}

/// Says something, or takes it back (no notice). Whether that changed anything; `None` where there is no such version.
pub fn set(
    session: &mut dyn Session,
    change: &Change<'_>,
    about: About<'_>,
    notice: Option<&NewNotice>,
) -> Result<Option<bool>, Error> {
    let version = match about {
        About::Package => None,
        About::Version(version, _) => {
            let Some(found) = find(session, change.id, version)? else { return Ok(None) };
            Some((version, found))
        }
    };
    let is_news = if let Some(notice) = notice {
        write(session, change, about, notice)?
    } else {
        let sql = "DELETE FROM notice WHERE repository_id = ?1 AND sort_key = ?2 AND kind = ?3";
        session.execute(sql, &[change.id.into(), about.key().into(), about.kind().number().into()])? > 0
    };
    if is_news {
        match &version {
            None => flag_package(session, change.id)?,
            Some((_, (manifest, _))) => {
                rank(session, change.id, &about.key())?;
                flag(session, *manifest)?;
            }
        }
        announce(session, change, about, notice, version.map(|(version, (_, digest))| (version, digest)))?;
    }
    Ok(Some(is_news))
}

fn find(
    session: &mut dyn Session,
    repository: RepositoryId,
    version: &Version,
) -> Result<Option<(ManifestId, Digest)>, Error> {
    let sql = "SELECT v.manifest_id, m.digest FROM version v JOIN manifest m ON m.id = v.manifest_id \
               WHERE v.repository_id = ?1 AND v.sort_key = ?2";
    let row = session.first(sql, &[repository.into(), version.sort_key().into()])?;
    row.map(|row| Ok((ManifestId(row.integer(0)?), row.digest(1)?))).transpose()
}

fn write(session: &mut dyn Session, change: &Change<'_>, about: About<'_>, notice: &NewNotice) -> Result<bool, Error> {
    let sql = "INSERT INTO notice (repository_id, sort_key, kind, message, superseded_by, actor, at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (repository_id, sort_key, kind) DO UPDATE SET \
               message = excluded.message, superseded_by = excluded.superseded_by, actor = excluded.actor, \
               at = excluded.at WHERE notice.message <> excluded.message \
               OR coalesce(notice.superseded_by, '') <> coalesce(excluded.superseded_by, '')";
    let parameters = [
        change.id.into(),
        about.key().into(),
        about.kind().number().into(),
        notice.message.as_str().into(),
        Value::optional(notice.superseded_by.as_deref()),
        change.actor.into(),
        change.at.into(),
    ];
    Ok(session.execute(sql, &parameters)? > 0)
}

/// Makes a version's rank say whether it is yanked.
fn rank(session: &mut dyn Session, repository: RepositoryId, key: &Bytes) -> Result<(), Error> {
    let sql = "UPDATE version SET rank = rank % 4 + (SELECT 4 * count(*) FROM notice n \
               WHERE n.repository_id = ?1 AND n.sort_key = ?2 AND n.kind = 1) \
               WHERE repository_id = ?1 AND sort_key = ?2";
    session.execute(sql, &[repository.into(), key.clone().into()]).map(|_| ())
}

/// What being yanked adds to a version's rank.
pub(super) fn rank_of(session: &mut dyn Session, repository: RepositoryId, key: &Bytes) -> Result<i64, Error> {
    let sql = "SELECT 4 * count(*) FROM notice WHERE repository_id = ?1 AND sort_key = ?2 AND kind = 1";
    let row = session.first(sql, &[repository.into(), key.clone().into()])?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Makes a manifest say whether something is said of a version that it is; also after one has moved to it, or from it.
pub(super) fn flag(session: &mut dyn Session, manifest: ManifestId) -> Result<(), Error> {
    let is_told = i64::from(!of_manifest(session, manifest)?.is_empty());
    let sql = "UPDATE manifest SET notice = ?2 WHERE id = ?1 AND notice <> ?2";
    session.execute(sql, &[manifest.into(), is_told.into()]).map(|_| ())
}

fn flag_package(session: &mut dyn Session, repository: RepositoryId) -> Result<(), Error> {
    let is_told = i64::from(of_package(session, repository)?.is_some());
    session.execute("UPDATE repository SET notice = ?2 WHERE id = ?1", &[repository.into(), is_told.into()]).map(|_| ())
}

fn announce(
    session: &mut dyn Session,
    change: &Change<'_>,
    about: About<'_>,
    notice: Option<&NewNotice>,
    version: Option<(&Version, Digest)>,
) -> Result<(), Error> {
    let (said, taken_back) = about.events();
    let detail = match (notice, about.kind()) {
        (None, _) => None,
        (Some(notice), NoticeKind::Yanked) => Some(notice.message.clone()).filter(|message| !message.is_empty()),
        (Some(notice), NoticeKind::Deprecated) => Some(serde_json::to_string(notice)?),
    };
    let event = Event {
        kind: if notice.is_some() { said } else { taken_back },
        repository: change.repository.clone(),
        digest: version.as_ref().map(|(_, digest)| *digest),
        tag: version.map(|(version, _)| version.tag().clone()),
        detail,
        actor: change.actor.to_owned(),
        at: change.at,
    };
    events::append(session, &event)
}

/// Does again what an event tells. Whether it could be done; events about other things tell nothing.
pub fn replay(session: &mut dyn Session, change: &Change<'_>, event: &Event) -> Result<bool, Error> {
    let detail = event.detail.as_deref();
    let (kind, notice) = match event.kind {
        EventKind::VersionYanked => {
            let message = detail.unwrap_or_default().to_owned();
            (NoticeKind::Yanked, Some(NewNotice { message, superseded_by: None }))
        }
        EventKind::VersionDeprecated | EventKind::PackageDeprecated => {
            (NoticeKind::Deprecated, Some(serde_json::from_str(detail.unwrap_or("{}"))?))
        }
        EventKind::VersionUnyanked => (NoticeKind::Yanked, None),
        EventKind::VersionUndeprecated | EventKind::PackageUndeprecated => (NoticeKind::Deprecated, None),
        _ => return Ok(true),
    };
    let version = event.tag.as_ref().and_then(Version::from_tag);
    let about = version.as_ref().map_or(About::Package, |version| About::Version(version, kind));
    Ok(set(session, change, about, notice.as_ref())?.is_some())
}

/// Takes a version's notices away, since the version goes: one of the same name that comes later is not meant.
pub(super) fn forget(session: &mut dyn Session, repository: RepositoryId, key: Bytes) -> Result<(), Error> {
    let sql = "DELETE FROM notice WHERE repository_id = ?1 AND sort_key = ?2";
    session.execute(sql, &[repository.into(), key.into()]).map(|_| ())
}

/// As [`forget`], for every version that a manifest is.
pub(super) fn forget_all(session: &mut dyn Session, manifest: ManifestId) -> Result<(), Error> {
    let sql = "SELECT DISTINCT v.repository_id, v.sort_key FROM version v \
               JOIN notice n ON n.repository_id = v.repository_id AND n.sort_key = v.sort_key \
               WHERE v.manifest_id = ?1 AND v.version IS NOT NULL";
    for row in session.query(sql, &[manifest.into()])? {
        forget(session, RepositoryId(row.integer(0)?), row.bytes(1)?)?;
    }
    Ok(())
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
        if told.last().is_none_or(|(last, _)| *last != version) {
            told.push((version, VersionState::default()));
        }
        if let Some((_, state)) = told.last_mut() {
            add(state, &row, 1)?;
        }
    }
    told.truncate(MAX_TOLD_VERSIONS);
    Ok(told)
}

/// Why all of a package is deprecated, if it is.
pub fn of_package(session: &mut dyn Session, repository: RepositoryId) -> Result<Option<Notice>, Error> {
    Ok(of_key(session, repository, Bytes::new())?.deprecated)
}

/// Adds the columns `kind`, `message`, `superseded_by`, `at`; the first notice of a kind counts.
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
