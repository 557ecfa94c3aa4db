//! What happened, in the order of commit: the feed that search, webhooks and the journal follow.

use jiff::Timestamp;

use super::repositories::{MAX_PAGE, page};
use super::sight::{in_sight, viewer, within_reach};
use super::{Error, Row, Session, Value};
use crate::auth::Sight;
use crate::oci::{Digest, RepositoryName, Tag};

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A manifest was stored that was not there.
    ManifestPushed,
    /// A manifest was taken away, with its tags.
    ManifestDeleted,
    /// A tag was created or points elsewhere now.
    TagMoved,
    /// A tag was taken away; what it pointed at stays.
    TagDeleted,
    /// A repository got a blob, pushed or mounted.
    BlobAdded,
    /// A blob was taken from a repository.
    BlobRemoved,
    /// A version was yanked; the detail says why.
    VersionYanked,
    /// A version is no longer yanked.
    VersionUnyanked,
    /// A version was deprecated; the detail is a notice in JSON.
    VersionDeprecated,
    /// A version is no longer deprecated.
    VersionUndeprecated,
    /// A whole package was deprecated; the detail is a notice in JSON.
    PackageDeprecated,
    /// A package is no longer deprecated.
    PackageUndeprecated,
    /// Other people may see a repository now; the detail says who.
    VisibilityChanged,
}

impl EventKind {
    const ALL: [Self; 13] = [
        Self::ManifestPushed,
        Self::ManifestDeleted,
        Self::TagMoved,
        Self::TagDeleted,
        Self::BlobAdded,
        Self::BlobRemoved,
        Self::VersionYanked,
        Self::VersionUnyanked,
        Self::VersionDeprecated,
        Self::VersionUndeprecated,
        Self::PackageDeprecated,
        Self::PackageUndeprecated,
        Self::VisibilityChanged,
    ];

    /// The name under which it is stored and announced.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManifestPushed => "manifest.pushed",
            Self::ManifestDeleted => "manifest.deleted",
            Self::TagMoved => "tag.moved",
            Self::TagDeleted => "tag.deleted",
            Self::BlobAdded => "blob.added",
            Self::BlobRemoved => "blob.removed",
            Self::VersionYanked => "version.yanked",
            Self::VersionUnyanked => "version.unyanked",
            Self::VersionDeprecated => "version.deprecated",
            Self::VersionUndeprecated => "version.undeprecated",
            Self::PackageDeprecated => "package.deprecated",
            Self::PackageUndeprecated => "package.undeprecated",
            Self::VisibilityChanged => "visibility.changed",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// Something that happened, not yet numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Where.
    pub repository: RepositoryName,
    /// The manifest or blob it is about.
    pub digest: Option<Digest>,
    /// The tag it is about.
    pub tag: Option<Tag>,
    /// What more there is to say; see the kinds.
    pub detail: Option<String>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Adds an event to the running transaction.
pub fn append(session: &mut dyn Session, event: &Event) -> Result<(), Error> {
    let sql = "INSERT INTO event (kind, repository, digest, tag, actor, at, detail) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (digest, tag) = (Value::optional(event.digest.as_ref()), Value::optional(event.tag.as_ref()));
    let parameters = [
        event.kind.as_str().into(),
        (&event.repository).into(),
        digest,
        tag,
        event.actor.as_str().into(),
        event.at.into(),
        Value::optional(event.detail.as_deref()),
    ];
    session.execute(sql, &parameters).map(|_| ())
}

/// Events after a number (0 for all), each with its own, oldest first.
pub fn since(session: &mut dyn Session, after: i64, limit: usize) -> Result<Vec<(i64, Event)>, Error> {
    let sql = "SELECT id, kind, repository, digest, tag, actor, at, detail FROM event WHERE id > ?1 \
               ORDER BY id LIMIT ?2";
    let rows = session.query(sql, &[after.into(), page(limit)])?;
    rows.iter().map(read).collect()
}

/// Events of repositories in sight after a number, oldest first.
pub fn in_sight(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Event)>, Error> {
    let limit = limit.min(MAX_PAGE + 1);
    let newer = |after: &i64| {
        if sight.is_administrator() {
            return since(session, *after, limit);
        }
        let sql = concat!(
            "SELECT e.id, e.kind, e.repository, e.digest, e.tag, e.actor, e.at, e.detail ",
            "FROM event e CROSS JOIN repository r ",
            "WHERE e.id > ?4 AND r.name = e.repository AND ",
            in_sight!(),
            " ORDER BY e.id LIMIT ?5"
        );
        let (user, publisher) = viewer(sight);
        let rows = session.query(sql, &[user, publisher, now.into(), (*after).into(), page(limit)])?;
        rows.iter().map(read).collect()
    };
    within_reach(|name| sight.sees(name), limit, after, newer, |(number, event)| (&event.repository, *number))
}

/// The number of the newest event; 0 while there is none.
pub fn last(session: &mut dyn Session) -> Result<i64, Error> {
    let row = session.first("SELECT id FROM event ORDER BY id DESC LIMIT 1", &[])?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Makes every event from now on have a higher number than this one.
pub fn reserve(session: &mut dyn Session, number: i64) -> Result<(), Error> {
    // The table never uses a number twice, nor one below those it has used.
    let sql = "INSERT INTO event (id, kind, repository, actor, at) VALUES (?1, 'reserved', '', '', 0)";
    session.execute(sql, &[number.into()])?;
    session.execute("DELETE FROM event WHERE id = ?1", &[number.into()]).map(|_| ())
}

/// Tells an event under the number it had before the index was lost, instead of those numbered above `reserved`.
pub fn tell_again(session: &mut dyn Session, reserved: i64, number: i64, event: &Event) -> Result<(), Error> {
    session.execute("DELETE FROM event WHERE id > ?1", &[reserved.into()])?;
    append(session, event)?;
    session.execute("UPDATE event SET id = ?1 WHERE id > ?2", &[number.into(), reserved.into()]).map(|_| ())
}

/// Reads the columns id, kind, repository, digest, tag, actor, at, detail.
pub(super) fn read(row: &Row) -> Result<(i64, Event), Error> {
    let kind = EventKind::from_name(row.text(1)?);
    let event = Event {
        kind: kind.ok_or(Error::Column { column: 1, wanted: "a kind of event" })?,
        repository: row.parsed(2)?,
        digest: row.optional(3, Row::digest)?,
        tag: row.optional(4, Row::parsed)?,
        actor: row.text(5)?.to_owned(),
        at: row.time(6)?,
        detail: row.optional(7, |row, column| row.text(column).map(str::to_owned))?,
    };
    Ok((row.integer(0)?, event))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, name, tag, time};
    use super::*;

    #[test]
    fn events_come_back_as_written_from_any_number_on() {
        let mut index = Fixture::new();
        let events = EventKind::ALL.map(|kind| Event {
            kind,
            repository: name("a/b"),
            digest: (kind != EventKind::TagDeleted).then(|| Digest::sha256(b"x")),
            tag: (kind != EventKind::ManifestPushed).then(|| tag("latest")),
            detail: (kind == EventKind::VisibilityChanged).then(|| "public".to_owned()),
            actor: "ada".to_owned(),
            at: time(7),
        });
        for event in &events {
            append(index.session(), event).unwrap();
        }
        let all = since(index.session(), 0, 100).unwrap();
        assert_eq!(all.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(), events);
        assert_eq!(since(index.session(), all[1].0, 1).unwrap(), [all[2].clone()]);
        assert!(since(index.session(), all[12].0, 100).unwrap().is_empty());
        assert_eq!(last(index.session()).unwrap(), all[12].0);
    }

    #[test]
    fn a_lost_index_tells_again_under_the_old_numbers_and_never_uses_one_twice() {
        let mut index = Fixture::new();
        let event = Event {
            kind: EventKind::TagDeleted,
            repository: name("a/b"),
            digest: None,
            tag: Some(tag("latest")),
            detail: None,
            actor: "ada".to_owned(),
            at: time(7),
        };
        assert_eq!(last(index.session()).unwrap(), 0);
        reserve(index.session(), 100).unwrap();
        for number in [3, 8] {
            append(index.session(), &event).unwrap();
            tell_again(index.session(), 100, number, &event).unwrap();
        }
        append(index.session(), &event).unwrap();
        let numbers: Vec<_> = since(index.session(), 0, 9).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers[..2], [3, 8]);
        assert!(numbers[2] > 100, "{numbers:?}");
    }
}
