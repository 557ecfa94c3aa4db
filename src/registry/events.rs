//! What happened, as far as a caller may see: in one order, from any number on that the feed still has.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::authorise::sight;
use super::{Error, Registry};
use crate::api::{Event, EventPage, MAX_PAGE_LENGTH};
use crate::auth::{ActionKind, Caller, Visibility};
use crate::index::events::{self, Filter};
use crate::index::repositories::RepositoryId;
use crate::index::retention::{self, Removable};
use crate::index::{Session, access};
use crate::oci::RepositoryName;

/// Stretches of [`events::MAX_WALK`] events that one page walks over at most.
const MAX_STRETCHES: usize = 20;

/// Events that are counted in one statement.
const COUNTED_AT_ONCE: i64 = 10_000;

/// Where in the feed to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that is still there.
    Oldest,
    /// With the next one that happens.
    Latest,
    /// After the event of this number, and without leaving one out.
    After(u64),
}

impl Registry {
    /// What happened after some moment in repositories that a caller may pull from, oldest first, at most `limit`.
    ///
    /// What the caller may is looked at together with what happened: what is shown was theirs to see at that moment.
    pub async fn events(
        &self,
        caller: &Caller,
        start: Start,
        filter: &Filter,
        limit: usize,
    ) -> Result<EventPage, Error> {
        let (index, mode, searching) = (Arc::clone(&self.index), self.mode, Arc::clone(&self.searching));
        let (caller, filter) = (caller.clone(), filter.clone());
        let look = move || {
            index.read(|session| {
                let sight = sight(session, mode, &caller)?;
                let known = searching.viewers.find(&index, &sight, access::generation(session)?)?.in_view(session)?;
                page(session, start, &filter, limit.clamp(1, MAX_PAGE_LENGTH), |id, name, visibility| {
                    // What is in an event is in the repository: that a list may name it is not enough.
                    known.sees(id, name, visibility) && sight.reach().narrows(ActionKind::Pull, name).is_none()
                })
            })
        };
        // It may walk far, which is too long for a thread that serves requests.
        tokio::task::spawn_blocking(look).await?
    }

    /// Removes the oldest events that need not be kept any longer, in one small transaction. How many; 0: there are no
    /// more of them.
    ///
    /// What the recovery journal has not copied stays, and so does what is after `seen`, the last event that others who
    /// follow the feed have seen.
    pub async fn remove_old_events(
        &self,
        retention: &mut Retention,
        seen: u64,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let upto = i64::try_from(self.copied.get().min(seen)).unwrap_or(i64::MAX);
        let before = retention.age.and_then(|age| now.checked_sub(age).ok());
        let surplus = match retention.count {
            Some(most) => self.count_events(retention).await?.saturating_sub(most),
            None => 0,
        };
        let removable = Removable { before, surplus, upto };
        // A look costs nobody anything, a write holds up everybody's.
        if !self.read(|session| Ok(retention::is_any(session, &removable)?))? {
            return Ok(0);
        }
        let removed = self.index.write(move |session| retention::remove(session, &removable)).await?;
        retention.counted = retention.counted.saturating_sub(removed as u64);
        Ok(removed)
    }

    /// How many events there are; only those since the last time are counted.
    async fn count_events(&self, retention: &mut Retention) -> Result<u64, Error> {
        let index = Arc::clone(&self.index);
        let (mut counted, mut after) = (retention.counted, retention.counted_to);
        let count = move || {
            index.read(|session| {
                let (floor, last) = (retention::floor(session)?, events::last(session)?);
                after = after.max(floor);
                while after < last {
                    let upto = last.min(after.saturating_add(COUNTED_AT_ONCE));
                    counted += retention::count(session, after, upto)?;
                    after = upto;
                }
                Ok::<_, Error>((counted, after))
            })
        };
        (retention.counted, retention.counted_to) = tokio::task::spawn_blocking(count).await??;
        Ok(retention.counted)
    }
}

/// How long events are kept, and how many of them there are. Events leave the feed when either says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    age: Option<SignedDuration>,
    count: Option<u64>,
    /// Events up to a number.
    counted: u64,
    /// That number.
    counted_to: i64,
}

impl Retention {
    /// So many days, and so many events; 0 is for ever, and any number.
    pub fn new(days: u32, count: u64) -> Self {
        let age = (days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days)));
        Self { age, count: (count > 0).then_some(count), counted: 0, counted_to: 0 }
    }

    /// Whether nothing is ever removed.
    pub const fn is_for_ever(&self) -> bool {
        self.age.is_none() && self.count.is_none()
    }
}

fn page(
    session: &mut dyn Session,
    start: Start,
    filter: &Filter,
    limit: usize,
    is_seen: impl Fn(RepositoryId, &RepositoryName, Visibility) -> bool,
) -> Result<EventPage, Error> {
    let floor = retention::floor(session)?;
    let mut end = match start {
        Start::Oldest => floor,
        Start::Latest => events::last(session)?,
        Start::After(number) => {
            let number = i64::try_from(number).map_err(|_| Error::Cursor)?;
            if number < floor {
                return Err(Error::EventsRemoved { floor: floor.unsigned_abs() });
            }
            number
        }
    };
    let (mut items, mut is_last) = (vec![], false);
    for _ in 0..MAX_STRETCHES {
        let stretch = events::stretch(session, filter, end, limit - items.len(), &is_seen)?;
        (end, is_last) = (stretch.end, stretch.is_last);
        items.extend(stretch.events.into_iter().map(|(number, event)| announced(number, event)));
        if is_last || items.len() >= limit {
            break;
        }
    }
    let as_of = end.unsigned_abs();
    Ok(EventPage { items, next: (!is_last).then(|| as_of.to_string()), as_of })
}

/// An event as callers read it.
fn announced(number: i64, event: events::Event) -> Event {
    Event {
        id: number.unsigned_abs(),
        kind: event.kind.as_str().to_owned(),
        repository: event.repository,
        digest: event.digest,
        tag: event.tag,
        detail: event.detail,
        actor: event.actor,
        at: event.at,
    }
}
