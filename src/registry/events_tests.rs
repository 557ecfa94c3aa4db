//! How long events are kept, and that what a journal lacks of them is told by whoever rebuilds from it.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::fixture::{World, by};
use super::{Error, Mode, Rebuilt, Registry, Retention, Start};
use crate::index::events::{Filter, RESERVED_NUMBERS};
use crate::index::{Sqlite, events};
use crate::storage::{Journal, MemoryStore};

const NAME: &str = "olga/agent";
/// The head of a segment, and a byte of room: one record goes into each.
const SEGMENT_BYTES: u64 = 26;

impl World {
    fn journal(&self) -> PathBuf {
        self.directory.path().join("journal")
    }

    /// Lets the journal copy all there is.
    fn copy(&self, journal: &Path) -> u64 {
        let mut journal = Journal::open(journal).unwrap().with_segments_of(SEGMENT_BYTES);
        while self.registry.extend_journal(&mut journal).unwrap() > 0 {}
        journal.last()
    }

    /// Pushes so many manifests, each of which is two events.
    async fn push_some(&self, notes: std::ops::Range<u32>) {
        for note in notes {
            self.store(&by("olga"), NAME, b"{}").await;
            self.push(&by("olga"), NAME, &note.to_string(), &["latest"]).await.unwrap();
        }
    }

    /// Removes until nothing more is removed; how many events went.
    async fn remove(&self, retention: &mut Retention, seen: u64, now: Timestamp) -> usize {
        let mut all = 0;
        loop {
            match self.registry.remove_old_events(retention, seen, now).await.unwrap() {
                0 => return all,
                removed => all += removed,
            }
        }
    }

    async fn told(&self, start: Start) -> Result<Vec<u64>, Error> {
        let page = self.registry.events(&by("root"), start, &Filter::default(), 1_000).await?;
        Ok(page.items.iter().map(|event| event.id).collect())
    }

    fn last(&self) -> u64 {
        self.registry.read(|session| Ok(events::last(session)?)).unwrap().unsigned_abs()
    }
}

/// Rebuilds an index that is lost, and gives it with what was told.
async fn rebuilt(journal: &Path) -> (World, Rebuilt) {
    let directory = tempfile::tempdir().unwrap();
    let index = Sqlite::open(&directory.path().join("index.sqlite")).unwrap();
    let registry = Registry::new(Arc::new(MemoryStore::new(None)), index, Mode::Open);
    let rebuilt = registry.rebuild(journal).await.unwrap();
    (World { registry, directory }, rebuilt)
}

fn losses(rebuilt: &Rebuilt) -> Vec<String> {
    rebuilt.losses.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn events_go_by_age_or_number_but_not_before_journal_and_search_have_them() {
    let world = World::new().await;
    world.push_some(0..10).await;
    let (last, now) = (world.last(), Timestamp::now());
    let later = now.checked_add(SignedDuration::from_hours(24 * 90 + 1)).unwrap();
    let mut by_age = Retention::new(90, 0);
    assert_eq!(world.remove(&mut by_age, u64::MAX, later).await, 0, "the journal has nothing yet");
    assert_eq!(world.copy(&world.journal()), last);
    assert_eq!(world.remove(&mut by_age, u64::MAX, now).await, 0, "they are young");
    assert_eq!(world.remove(&mut by_age, 5, later).await, 5, "search has not seen more");
    assert!(matches!(world.told(Start::After(4)).await, Err(Error::EventsRemoved { floor: 5 })));
    assert_eq!(world.told(Start::After(5)).await.unwrap(), world.told(Start::Oldest).await.unwrap());

    let mut by_number = Retention::new(0, 4);
    let removed = usize::try_from(last).unwrap() - 5 - 4;
    assert_eq!(world.remove(&mut by_number, u64::MAX, now).await, removed);
    assert_eq!(world.remove(&mut by_number, u64::MAX, now).await, 0);
    world.push_some(10..11).await;
    assert_eq!(world.remove(&mut by_number, u64::MAX, now).await, 2);
    assert_eq!(world.remove(&mut by_age, u64::MAX, later).await, 2, "what is not copied stays");
    world.copy(&world.journal());
    assert_eq!(world.remove(&mut Retention::new(0, 0), u64::MAX, later).await, 0, "for ever");
    assert!(Retention::new(0, 0).is_for_ever() && !by_age.is_for_ever());
    assert_eq!(world.remove(&mut by_age, u64::MAX, later).await, 2);
    assert_eq!((world.last(), world.told(Start::Latest).await.unwrap()), (last + 2, vec![]));
    world.registry.check_journal(&Journal::open(&world.journal()).unwrap()).unwrap();
    let page = world.registry.events(&by("root"), Start::Latest, &Filter::default(), 1).await.unwrap();
    assert_eq!((page.next, page.as_of), (None, last + 2), "an emptied feed goes on where it was");
}

#[tokio::test]
async fn numbers_that_were_left_out_are_not_counted_as_events() {
    let world = World::new().await;
    world.push_some(0..3).await;
    world.copy(&world.journal());
    let (again, told) = rebuilt(&world.journal()).await;
    assert_eq!(losses(&told), Vec::<String>::new());
    let before = again.told(Start::Oldest).await.unwrap();
    assert_eq!(before, world.told(Start::Oldest).await.unwrap());
    again.push(&by(""), NAME, "0", &["other"]).await.unwrap();
    assert!(again.last() > told.last_event + RESERVED_NUMBERS);
    assert_eq!(again.copy(&world.journal()), again.last());
    let mut retention = Retention::new(0, 100);
    assert_eq!(again.remove(&mut retention, u64::MAX, Timestamp::now()).await, 0);
    // And the next who rebuilds does not take them for lost.
    let (_, told) = rebuilt(&world.journal()).await;
    assert_eq!((losses(&told), told.last_event), (vec![], again.last()));
}

#[tokio::test]
async fn a_journal_begun_again_over_a_feed_that_forgot_says_what_it_cannot_know() {
    let world = World::new().await;
    world.push_some(0..5).await;
    world.copy(&world.journal());
    world.remove(&mut Retention::new(0, 3), u64::MAX, Timestamp::now()).await;
    let (last, new) = (world.last(), world.directory.path().join("new"));
    assert_eq!(world.copy(&new), last);
    let (again, told) = rebuilt(&new).await;
    let expected = format!(
        "whatever events 1 to {} were about: they had been removed from the feed when this journal was begun",
        last - 3
    );
    assert!(losses(&told).contains(&expected), "{:?}", losses(&told));
    // Whoever was before that place is not told that nothing happened.
    assert!(matches!(again.told(Start::After(1)).await, Err(Error::EventsRemoved { floor }) if floor == last - 3));
    again.told(Start::After(last - 3)).await.unwrap();
    // One that was whole stays so.
    assert_eq!(losses(&rebuilt(&world.journal()).await.1), Vec::<String>::new());

    let emptied = world.directory.path().join("emptied");
    let future = Timestamp::now().checked_add(SignedDuration::from_hours(48)).unwrap();
    world.remove(&mut Retention::new(1, 0), u64::MAX, future).await;
    assert_eq!(world.copy(&emptied), last, "although there is no event left to copy");
    assert!(losses(&rebuilt(&emptied).await.1)[0].contains(&format!("events 1 to {last} ")));
}

#[tokio::test]
async fn a_segment_that_is_gone_is_missed() {
    let world = World::new().await;
    world.push_some(0..4).await;
    let last = world.copy(&world.journal());
    let mut segments: Vec<_> = world.journal().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    assert_eq!(segments.len() as u64, last, "one a record");
    for number in [0, 1, 4] {
        std::fs::remove_file(&segments[number]).unwrap();
    }
    let told = losses(&rebuilt(&world.journal()).await.1);
    for missing in ["events 1 to 2 were", "event 5 was"] {
        assert!(told.iter().any(|loss| loss.contains(missing) && loss.contains("does not have them")), "{told:?}");
    }
}
