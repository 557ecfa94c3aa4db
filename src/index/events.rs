//! What happened, in the order of commit: the feed that search, webhooks and the journal follow.

use jiff::Timestamp;

use super::repositories::page;
use super::{Error, Session, Value};
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
}

impl EventKind {
    const ALL: [Self; 4] = [Self::ManifestPushed, Self::ManifestDeleted, Self::TagMoved, Self::TagDeleted];

    /// The name under which it is stored and announced.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManifestPushed => "manifest.pushed",
            Self::ManifestDeleted => "manifest.deleted",
            Self::TagMoved => "tag.moved",
            Self::TagDeleted => "tag.deleted",
        }
    }
}

/// Something that happened, not yet numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Where.
    pub repository: RepositoryName,
    /// The manifest it is about.
    pub digest: Option<Digest>,
    /// The tag it is about.
    pub tag: Option<Tag>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// Adds an event to the running transaction.
pub fn append(session: &mut dyn Session, event: &Event) -> Result<(), Error> {
    let sql = "INSERT INTO event (kind, repository, digest, tag, actor, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (digest, tag) = (Value::optional(event.digest.as_ref()), Value::optional(event.tag.as_ref()));
    let parameters = [
        event.kind.as_str().into(),
        (&event.repository).into(),
        digest,
        tag,
        event.actor.as_str().into(),
        event.at.into(),
    ];
    session.execute(sql, &parameters).map(|_| ())
}

/// Events after a number (0 for all), each with its own, oldest first.
pub fn since(session: &mut dyn Session, after: i64, limit: usize) -> Result<Vec<(i64, Event)>, Error> {
    let sql = "SELECT id, kind, repository, digest, tag, actor, at FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = session.query(sql, &[after.into(), page(limit)])?;
    let read = |row: &super::Row| {
        let kind = row.text(1)?;
        let kind = EventKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let event = Event {
            kind: kind.ok_or(Error::Column { column: 1, wanted: "a kind of event" })?,
            repository: row.parsed(2)?,
            digest: row.optional(3, super::Row::digest)?,
            tag: row.optional(4, super::Row::parsed)?,
            actor: row.text(5)?.to_owned(),
            at: row.time(6)?,
        };
        Ok((row.integer(0)?, event))
    };
    rows.iter().map(read).collect()
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
            actor: "ada".to_owned(),
            at: time(7),
        });
        for event in &events {
            append(index.session(), event).unwrap();
        }
        let all = since(index.session(), 0, 100).unwrap();
        assert_eq!(all.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(), events);
        assert_eq!(since(index.session(), all[1].0, 1).unwrap(), [all[2].clone()]);
        assert!(since(index.session(), all[3].0, 100).unwrap().is_empty());
    }
}
