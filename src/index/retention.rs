//! How far back the feed of events goes: what is older is removed, a bounded number at a time.

use jiff::Timestamp;

use super::repositories::page;
use super::{Error, Session};

/// Most events that are removed in one transaction.
pub const MAX_REMOVED: usize = 1_000;

/// Every event up to this number may be gone; 0 while none is.
pub fn floor(session: &mut dyn Session) -> Result<i64, Error> {
    let row = session.first("SELECT value FROM event_floor WHERE id = 1", &[])?;
    row.ok_or(Error::Column { column: 0, wanted: "present" })?.integer(0)
}

/// Says that events up to a number may be gone; it never goes back.
pub fn raise_floor(session: &mut dyn Session, number: i64) -> Result<(), Error> {
    session.execute("UPDATE event_floor SET value = max(value, ?1) WHERE id = 1", &[number.into()]).map(|_| ())
}

/// How many events there are after a number, up to another. The time grows with them.
pub fn count(session: &mut dyn Session, after: i64, upto: i64) -> Result<u64, Error> {
    let row = session.first("SELECT count(*) FROM event WHERE id > ?1 AND id <= ?2", &[after.into(), upto.into()])?;
    row.map_or(Ok(0), |row| row.size(0))
}

/// What may be removed: the oldest events, as long as one of the first two says so and the third does not forbid it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removable {
    /// Those from before this time.
    pub before: Option<Timestamp>,
    /// So many, whatever their age.
    pub surplus: u64,
    /// None with a higher number: somebody has not read it yet.
    pub upto: i64,
}

/// Whether there is anything to remove.
pub fn is_any(session: &mut dyn Session, removable: &Removable) -> Result<bool, Error> {
    Ok(end(session, removable, 1)?.is_some())
}

/// Removes the oldest events, at most [`MAX_REMOVED`]. How many.
pub fn remove(session: &mut dyn Session, removable: &Removable) -> Result<usize, Error> {
    let Some(end) = end(session, removable, MAX_REMOVED)? else { return Ok(0) };
    let removed = session.execute("DELETE FROM event WHERE id <= ?1", &[end.into()])?;
    raise_floor(session, end)?;
    Ok(removed)
}

/// The last of the oldest events that may be removed, at most so many.
fn end(session: &mut dyn Session, removable: &Removable, limit: usize) -> Result<Option<i64>, Error> {
    let sql = "SELECT id, at FROM event WHERE id <= ?1 ORDER BY id LIMIT ?2";
    let (mut surplus, mut end) = (removable.surplus, None);
    for row in session.query(sql, &[removable.upto.into(), page(limit)])? {
        let at = row.time(1)?;
        if surplus == 0 && removable.before.is_none_or(|before| at >= before) {
            break;
        }
        surplus = surplus.saturating_sub(1);
        end = Some(row.integer(0)?);
    }
    Ok(end)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::events::{self, Event, EventKind};
    use super::super::fixture::{Fixture, name, time};
    use super::*;

    /// One event a second.
    fn filled(events: i64) -> Fixture {
        let mut index = Fixture::new();
        for second in 1..=events {
            let event = Event {
                kind: EventKind::ManifestPushed,
                repository: name("a/b"),
                digest: None,
                tag: None,
                detail: None,
                actor: "ada".to_owned(),
                at: time(second),
            };
            events::append(index.session(), &event).unwrap();
        }
        index
    }

    #[test]
    fn the_oldest_go_by_age_or_number_and_never_what_somebody_still_needs() {
        let mut index = filled(10);
        let mut left = |before: Option<i64>, surplus, upto| {
            let removable = Removable { before: before.map(time), surplus, upto };
            let removed = remove(index.session(), &removable).unwrap();
            let (floor, first) = (floor(index.session()).unwrap(), events::since(index.session(), 0, 1).unwrap());
            (removed, floor, first.first().map(|(number, _)| *number))
        };
        assert_eq!(left(None, 0, 10), (0, 0, Some(1)));
        assert_eq!(left(Some(1), 0, 10), (0, 0, Some(1)), "as old is not older");
        assert_eq!(left(Some(4), 0, 10), (3, 3, Some(4)));
        assert_eq!(left(Some(4), 2, 10), (2, 5, Some(6)), "too many, although not old");
        assert_eq!(left(Some(99), 0, 7), (2, 7, Some(8)));
        assert_eq!(left(Some(99), 99, 7), (0, 7, Some(8)), "what nobody has copied stays");
        assert_eq!(left(Some(99), 0, 10), (3, 10, None));
        assert_eq!(left(Some(99), 0, 10), (0, 10, None));
        assert_eq!(events::last(index.session()).unwrap(), 10, "although it is gone");
        events::append(index.session(), &Event { at: time(11), ..sample() }).unwrap();
        assert_eq!(events::last(index.session()).unwrap(), 11, "no number is used twice");
    }

    fn sample() -> Event {
        Event {
            kind: EventKind::TagDeleted,
            repository: name("a/b"),
            digest: None,
            tag: None,
            detail: None,
            actor: "ada".to_owned(),
            at: time(1),
        }
    }

    #[test]
    fn one_transaction_removes_a_bounded_number() {
        let mut index = filled(1_500);
        let removable = Removable { before: Some(time(9_999)), surplus: 0, upto: 9_999 };
        assert_eq!(remove(index.session(), &removable).unwrap(), MAX_REMOVED);
        assert_eq!(
            (count(index.session(), 0, 9_999).unwrap(), count(index.session(), 1_200, 1_300).unwrap()),
            (500, 100)
        );
        assert_eq!(remove(index.session(), &removable).unwrap(), 500);
        assert_eq!(floor(index.session()).unwrap(), 1_500);
        raise_floor(index.session(), 7).unwrap();
        assert_eq!(floor(index.session()).unwrap(), 1_500, "it never goes back");
    }
}
