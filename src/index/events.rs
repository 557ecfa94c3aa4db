//! What happened, in the order of commit: the feed that search, webhooks and the journal follow.

use jiff::Timestamp;

use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value};
use crate::auth::Visibility;
use crate::oci::{Digest, RepositoryName, Tag};

/// Most events that one look at the feed walks over, whether anybody may see them or not.
pub const MAX_WALK: usize = 500;

/// Numbers left out where some may have been used that nobody remembers: whoever follows the feed has seen them, and
/// must not take other events for those.
pub const RESERVED_NUMBERS: u64 = 1_000_000;

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

    /// Whether it is shown to callers: blobs are how a registry keeps things, not what people publish.
    pub const fn is_announced(self) -> bool {
        !matches!(self, Self::BlobAdded | Self::BlobRemoved)
    }

    /// Those that are shown to callers.
    pub fn announced() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_announced())
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

/// What somebody wants of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this repository only.
    pub repository: Option<RepositoryName>,
    /// Of these kinds only; all that are announced where there are none.
    pub kinds: Vec<EventKind>,
}

/// A stretch of the feed as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// What they see, each event with its number, oldest first.
    pub events: Vec<(i64, Event)>,
    /// The number up to which was looked: what comes next is after it.
    pub end: i64,
    /// Whether nothing was after it when it was read.
    pub is_last: bool,
}

/// Events after a number, but none about blobs, of the repositories that `is_seen` says yes to. At most `limit`, after
/// walking over at most [`MAX_WALK`] events of anybody's.
pub fn stretch(
    session: &mut dyn Session,
    filter: &Filter,
    after: i64,
    limit: usize,
    is_seen: impl Fn(RepositoryId, &RepositoryName, Visibility) -> bool,
) -> Result<Stretch, Error> {
    // A walk that ended with the last event in sight would have no end for who sees none.
    let sql = "SELECT id FROM event WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
    let far = session.first(sql, &[after.into(), page(MAX_WALK - 1)])?;
    let is_far = far.is_some();
    let end = far.map_or_else(|| last(session), |row| row.integer(0))?.max(after);
    let mut stretch = Stretch { events: vec![], end, is_last: !is_far };
    let sql = "SELECT e.id, e.kind, e.repository, e.digest, e.tag, e.actor, e.at, e.detail, r.id, r.visibility \
               FROM event e CROSS JOIN repository r \
               WHERE e.id > ?1 AND e.id <= ?2 AND e.kind <> 'blob.added' AND e.kind <> 'blob.removed' \
               AND (?3 IS NULL OR e.repository = ?3) AND r.name = e.repository ORDER BY e.id";
    for row in session.query(sql, &[after.into(), end.into(), Value::optional(filter.repository.as_ref())])? {
        let (number, event) = read(&row)?;
        let is_wanted = filter.kinds.is_empty() || filter.kinds.contains(&event.kind);
        if !is_wanted || !is_seen(RepositoryId::new(row.integer(8)?), &event.repository, row.word(9)?) {
            continue;
        }
        stretch.events.push((number, event));
        if stretch.events.len() >= limit {
            stretch.is_last &= number == end;
            stretch.end = number;
            break;
        }
    }
    Ok(stretch)
}

/// The number of the newest event, which may have been removed since; 0 while there was none.
pub fn last(session: &mut dyn Session) -> Result<i64, Error> {
    let sql = "SELECT max(f.value, coalesce((SELECT max(id) FROM event), 0)) FROM event_floor f WHERE f.id = 1";
    session.first(sql, &[])?.ok_or(Error::Column { column: 0, wanted: "present" })?.integer(0)
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

    fn event(kind: EventKind, repository: &str) -> Event {
        Event {
            kind,
            repository: name(repository),
            digest: None,
            tag: Some(tag("latest")),
            detail: None,
            actor: "ada".to_owned(),
            at: time(7),
        }
    }

    /// Numbers of what somebody sees who sees these repositories, or all.
    fn seen(
        index: &mut Fixture,
        names: Option<&[&str]>,
        filter: &Filter,
        after: i64,
        limit: usize,
    ) -> (Vec<i64>, i64, bool) {
        let is_seen = |_, name: &RepositoryName, _| names.is_none_or(|names| names.contains(&name.as_str()));
        let found = stretch(index.session(), filter, after, limit, is_seen).unwrap();
        (found.events.iter().map(|(number, _)| *number).collect(), found.end, found.is_last)
    }

    #[test]
    fn events_come_back_as_written_from_any_number_on() {
        let mut index = Fixture::new();
        index.repository("a/b");
        let events = EventKind::ALL.map(|kind| Event {
            digest: (kind != EventKind::TagDeleted).then(|| Digest::sha256(b"x")),
            tag: (kind != EventKind::ManifestPushed).then(|| tag("latest")),
            detail: (kind == EventKind::VisibilityChanged).then(|| "public".to_owned()),
            ..event(kind, "a/b")
        });
        for event in &events {
            append(index.session(), event).unwrap();
        }
        let all = since(index.session(), 0, 100).unwrap();
        assert_eq!(all.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(), events);
        assert_eq!(since(index.session(), all[1].0, 1).unwrap(), [all[2].clone()]);
        assert!(since(index.session(), all[12].0, 100).unwrap().is_empty());
        assert_eq!(last(index.session()).unwrap(), all[12].0);
        let shown = stretch(index.session(), &Filter::default(), 0, 100, |_, _, _| true).unwrap();
        assert_eq!(shown.events, [&all[..4], &all[6..]].concat(), "all but those about blobs");
        assert_eq!((shown.end, shown.is_last), (all[12].0, true));
    }

    #[test]
    fn a_stretch_is_bounded_by_what_it_walks_over_and_always_moves_on() {
        let mut index = Fixture::new();
        let ids = ["acme/hidden", "acme/seen"].map(|text| index.repository(text));
        for number in 1..=1_250 {
            let repository = if number % 600 == 0 { "acme/seen" } else { "acme/hidden" };
            append(index.session(), &event(EventKind::TagMoved, repository)).unwrap();
        }
        let (some, all) = (Some(&["acme/seen"][..]), Filter::default());
        assert_eq!(seen(&mut index, some, &all, 0, 10), (vec![], 500, false));
        assert_eq!(seen(&mut index, some, &all, 500, 10), (vec![600], 1_000, false));
        assert_eq!(seen(&mut index, some, &all, 1_000, 10), (vec![1_200], 1_250, true));
        assert_eq!(seen(&mut index, some, &all, 1_000, 1), (vec![1_200], 1_200, false));
        assert_eq!(seen(&mut index, some, &all, 1_250, 10), (vec![], 1_250, true));
        assert_eq!(seen(&mut index, some, &all, 9_999, 10), (vec![], 9_999, true), "never back");
        assert_eq!(seen(&mut index, None, &all, 1_248, 10), (vec![1_249, 1_250], 1_250, true));
        assert_eq!(seen(&mut index, None, &all, 1_248, 2), (vec![1_249, 1_250], 1_250, true));
        let of = |text: &str| Filter { repository: Some(name(text)), kinds: vec![] };
        assert_eq!(seen(&mut index, None, &of("acme/seen"), 599, 10), (vec![600], 1_099, false));
        assert_eq!(seen(&mut index, some, &of("acme/hidden"), 599, 10), (vec![], 1_099, false));
        let kinds = Filter { repository: None, kinds: vec![EventKind::TagDeleted] };
        assert_eq!(seen(&mut index, None, &kinds, 0, 10), (vec![], 500, false));
        let asked = |id: RepositoryId, name: &RepositoryName, visibility: Visibility| {
            assert_eq!(visibility, Visibility::Private);
            assert_eq!(id, ids[usize::from(name.as_str() == "acme/seen")]);
            true
        };
        assert_eq!(stretch(index.session(), &all, 598, 3, asked).unwrap().events.len(), 3);
    }

    #[test]
    fn a_lost_index_tells_again_under_the_old_numbers_and_never_uses_one_twice() {
        let mut index = Fixture::new();
        let event = event(EventKind::TagDeleted, "a/b");
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
