//! The server is killed again and again while clients push, at random moments and at the worst ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agent_registry::server::reindex;

use crate::client::{Acknowledged, Gone, Pusher, Way};
use crate::inspect::{collect, compare, look_through, open};
use crate::server::{Crashing, Point, rounds};

/// Clients that push at the same time.
const CLIENTS: u64 = 6;
/// A server that has not got to its point by then is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Numbers nobody can foresee, but that a failure tells: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What one client knows when its server is gone.
#[derive(Default)]
struct Known {
    /// Tags that were set once.
    fixed: Vec<Acknowledged>,
    /// The client's own moving tag.
    moving: String,
    /// Where it was put last, as far as that was acknowledged.
    moved: Option<Acknowledged>,
    /// Whether a further move was sent, of which nobody knows whether it was made.
    is_move_open: bool,
}

/// Pushes until the server is gone: a tag for each artifact, and one that moves with them.
async fn push_on(url: String, client: u64, counter: Arc<AtomicU64>) -> Known {
    let pusher = Pusher::new(&url);
    let (repository, moving) = (format!("crash/r{}", client % 3), format!("moving-{client}"));
    let mut known = Known { moving: format!("{repository}:{moving}"), ..Known::default() };
    loop {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let size = [200, 100_000, 300_000][usize::try_from(number % 3).unwrap()];
        let layer: Vec<u8> = number.to_le_bytes().iter().copied().cycle().take(size).collect();
        let way = if number.is_multiple_of(2) { Way::Whole } else { Way::Chunks };
        let Ok(pushed) = pusher.push(&repository, &format!("t{number}"), &layer, way).await else { return known };
        known.fixed.push(pushed);
        known.is_move_open = true;
        match pusher.note(&repository, &moving, &number.to_string()).await {
            Ok(moved) => (known.moved, known.is_move_open) = (Some(moved), false),
            Err(Gone) => return known,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "a run that fails is told by its numbers")]
async fn what_was_acknowledged_survives_every_kill() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let seed = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() & u128::from(u64::MAX)).unwrap() | 1;
    let (mut dice, counter) = (Dice(seed), Arc::new(AtomicU64::new(0)));
    let (mut fixed, mut moving, mut orphans, mut crashes) = (vec![], BTreeMap::new(), 0, BTreeMap::new());
    for round in 0..rounds() {
        let turn = usize::try_from(round).unwrap() % (Point::ALL.len() + 1);
        let crash = Point::ALL.get(turn).map(|point| (*point, 1 + dice.below(60)));
        let mut server = Crashing::start(&data, crash);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| tokio::spawn(push_on(server.url.clone(), client, Arc::clone(&counter))))
            .collect();
        // A moment at random, where the server does not end itself.
        let patience = if crash.is_some() { PATIENCE } else { Duration::from_millis(50 + dice.below(1_000)) };
        let mut pushing = futures_util::future::join_all(clients);
        let ended = match tokio::time::timeout(patience, &mut pushing).await {
            Ok(ended) => ended,
            Err(_) => {
                server.kill();
                pushing.await
            }
        };
        drop(server);
        *crashes.entry(format!("{:?}", crash.map(|(point, _)| point))).or_insert(0) += 1;
        let mut unsure = vec![];
        for known in ended.into_iter().map(Result::unwrap) {
            fixed.extend(known.fixed);
            if known.is_move_open {
                unsure.push(known.moving.clone());
            }
            if let Some(moved) = known.moved {
                moving.insert(known.moving, moved);
            }
        }
        let told = format!("round {round}, {crash:?}, seed {seed}");
        // First as the next server finds it, then as a collector leaves it.
        let before = look_through(&open(&data).unwrap()).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        let seen = collect(&data).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        assert_eq!(before.tags, seen.tags, "{told}");
        compare(&seen, &fixed).unwrap_or_else(|error| panic!("{told}: {error}"));
        let sure: Vec<_> =
            moving.iter().filter(|(name, _)| !unsure.contains(name)).map(|(_, moved)| moved.clone()).collect();
        compare(&seen, &sure).unwrap_or_else(|error| panic!("{told}: {error}"));
        // What is certain now is where the unsure ones are.
        moving.iter_mut().for_each(|(name, moved)| moved.digest = seen.tags[name]);
        orphans += seen.orphans;
        database_is_sound(&data);
    }
    assert!(fixed.len() as u64 >= rounds(), "only {} pushes were acknowledged", fixed.len());
    println!("{} pushes acknowledged, {orphans} orphans collected, crashes {crashes:?}", fixed.len());

    // The journal has followed through all crashes: without the index everything is still there.
    Crashing::start(&data, None).stop();
    let before = look_through(&open(&data).unwrap()).await.unwrap();
    std::fs::remove_file(data.join("index.sqlite")).unwrap();
    assert_eq!(reindex(&data).await.unwrap().losses, []);
    let after = look_through(&open(&data).unwrap()).await.unwrap();
    assert_eq!(before.tags, after.tags);
    compare(&after, &fixed).unwrap();
}

fn database_is_sound(data: &std::path::Path) {
    let connection = rusqlite::Connection::open(data.join("index.sqlite")).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut dangling = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(dangling.query([]).unwrap().next().unwrap().is_none());
}
