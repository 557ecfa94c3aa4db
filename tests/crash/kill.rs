//! The server is killed again and again while clients push, at random moments and at the worst ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use agent_registry::server::reindex;
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::client::{Acknowledged, Gone, Pusher, Way};
use crate::inspect::{collect, compare, look_through, open, told};
use crate::server::{Crashing, Point, rounds};

/// Clients that push at the same time.
const CLIENTS: u64 = 6;
/// Crashes on one data directory, which is read through after each.
const ROUNDS_PER_DIRECTORY: usize = 10;
/// A server that has not got to its point by then is killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Numbers nobody can foresee, but that a failure tells: xorshift.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall as this number says.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
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
    let registry = Pusher::new(&url);
    let (repository, moving) = (format!("crash/r{}", client % 3), format!("moving-{client}"));
    let mut known = Known { moving: format!("{repository}:{moving}"), ..Known::default() };
    loop {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let size = [200, 100_000, 300_000][usize::try_from(number % 3).unwrap()];
        let layer: Vec<u8> = number.to_le_bytes().iter().copied().cycle().take(size).collect();
        let way = if number.is_multiple_of(2) { Way::Whole } else { Way::Chunks };
        let Ok(push) = registry.push(&repository, &format!("t{number}"), &layer, way).await else { return known };
        known.fixed.push(push);
        known.is_move_open = true;
        match registry.note(&repository, &moving, &number.to_string()).await {
            Ok(moved) => (known.moved, known.is_move_open) = (Some(moved), false),
            Err(Gone) => return known,
        }
    }
}

/// Everything known over all rounds.
#[derive(Default)]
struct Ledger {
    fixed: Vec<Acknowledged>,
    moving: BTreeMap<String, Acknowledged>,
    orphans: usize,
}

impl Ledger {
    /// Takes what clients know, and compares it with what is there.
    async fn check(&mut self, data: &Path, known: Vec<Known>) -> Result<(), String> {
        let mut unsure = vec![];
        for known in known {
            self.fixed.extend(known.fixed);
            if known.is_move_open {
                unsure.push(known.moving.clone());
            }
            if let Some(moved) = known.moved {
                self.moving.insert(known.moving, moved);
            }
        }
        // First as the next server finds it, then as a collector leaves it.
        let found = look_through(&open(data)?).await?;
        let left = collect(data).await?;
        if found.tags != left.tags {
            return Err("collecting has changed a tag".to_owned());
        }
        compare(&left, &self.fixed)?;
        let is_sure = |name: &String| !unsure.contains(name);
        let sure: Vec<_> =
            self.moving.iter().filter(|(name, _)| is_sure(name)).map(|(_, moved)| moved.clone()).collect();
        compare(&left, &sure)?;
        // Where the others are is certain from now on.
        for (name, moved) in &mut self.moving {
            moved.digest = left.tags[name];
        }
        self.orphans += left.orphans;
        Ok(())
    }
}

/// Lets clients push until the server is gone, which ends itself or is killed; what they know.
async fn crash(data: &Path, at: Option<(Point, u64)>, otherwise: Duration, counter: &Arc<AtomicU64>) -> Vec<Known> {
    let mut server = Crashing::start(data, at);
    let start = |client| tokio::spawn(push_on(server.url.clone(), client, Arc::clone(counter)));
    let mut clients = join_all((0..CLIENTS).map(start));
    let ended = if let Ok(ended) = timeout(otherwise, &mut clients).await {
        ended
    } else {
        server.kill();
        clients.await
    };
    ended.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
async fn what_was_acknowledged_survives_every_kill() {
    let first = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() & u128::from(u64::MAX)).unwrap() | 1;
    let (mut dice, counter) = (Dice::new(first), Arc::new(AtomicU64::new(0)));
    let (mut acknowledged, mut orphans, mut crashes) = (0, 0, BTreeMap::new());
    for begin in (0..rounds()).step_by(ROUNDS_PER_DIRECTORY) {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        let mut ledger = Ledger::default();
        for round in begin..rounds().min(begin + ROUNDS_PER_DIRECTORY as u64) {
            let turn = usize::try_from(round).unwrap() % (Point::ALL.len() + 1);
            let at = Point::ALL.get(turn).map(|point| (*point, 1 + dice.below(60)));
            // A moment at random, where the server does not end itself.
            let otherwise = if at.is_some() { PATIENCE } else { Duration::from_millis(50 + dice.below(1_000)) };
            let known = crash(&data, at, otherwise, &counter).await;
            let checked = ledger.check(&data, known).await;
            checked.unwrap_or_else(|error| panic!("round {round}, {at:?}, dice {first}: {error}"));
            database_is_sound(&data);
            let name = at.map_or_else(|| "AtRandom".to_owned(), |(point, _)| format!("{point:?}"));
            *crashes.entry(name).or_insert(0) += 1;
        }
        rebuild(&data, &ledger).await.unwrap_or_else(|error| panic!("before round {begin}, dice {first}: {error}"));
        acknowledged += ledger.fixed.len();
        orphans += ledger.orphans;
    }
    assert!(acknowledged as u64 >= rounds(), "only {acknowledged} pushes were acknowledged");
    println!("{acknowledged} pushes acknowledged, {orphans} orphans collected, crashes {crashes:?}");
}

/// The journal has followed through all crashes: without the index everything is still there.
async fn rebuild(data: &Path, ledger: &Ledger) -> Result<(), String> {
    Crashing::start(data, None).stop();
    let before = look_through(&open(data)?).await?;
    std::fs::remove_file(data.join("index.sqlite")).map_err(told)?;
    let rebuilt = reindex(data).await.map_err(told)?;
    if let Some(loss) = rebuilt.losses.first() {
        return Err(loss.to_string());
    }
    let after = look_through(&open(data)?).await?;
    assert_eq!(before.tags, after.tags);
    compare(&after, &ledger.fixed)
}

fn database_is_sound(data: &Path) {
    let connection = rusqlite::Connection::open(data.join("index.sqlite")).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut dangling = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(dangling.query([]).unwrap().next().unwrap().is_none());
}
