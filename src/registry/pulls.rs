//! Pulls on their way into the index: each counts once a client, manifest and clock hour, in tables of bounded size.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::auth::Identity;
use crate::index::downloads::{Day, Pulled};
use crate::index::manifests::{ManifestId, StoredManifest};

/// Tables that are locked one at a time, so that requests seldom wait for each other.
const SHARDS: usize = 64;

/// Pairs of client and manifest that one table remembers before it forgets those of before; as many again are
/// remembered then. All tables together know half a million of the running hour, in at most 10 MiB.
const MAX_SEEN: usize = 7_168;

/// Manifests of one table whose pulls wait to be written, at about 100 bytes each: at most 13 MiB in all tables. Further
/// ones are not counted; written every second, it takes 100,000 different manifests within one to get there.
const MAX_WAITING: usize = 1_792;

/// Seconds of an hour.
const HOUR_SECONDS: i64 = 3_600;

/// Bytes of an IPv6 address that tell networks apart; the rest a client chooses itself.
const NETWORK_BYTES: usize = 8;

/// Pulls that are not written yet, and whose were seen in the running hour.
#[derive(Debug)]
pub(super) struct Pulls {
    shards: Vec<Mutex<Shard>>,
    key: ArcSwapOption<DayKey>,
    turn: Mutex<()>,
}

/// What turns clients into numbers on one day. Made anew each day, and never stored, logged or shown.
struct DayKey {
    day: Day,
    secret: [u8; 32],
}

impl std::fmt::Debug for DayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DayKey").field("day", &self.day).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Shard {
    hour: i64,
    recent: HashSet<u64>,
    earlier: HashSet<u64>,
    waiting: HashMap<(ManifestId, Day), Pulled>,
}

impl Shard {
    fn count(&mut self, hour: i64, pair: u64, pulled: Pulled) {
        // One that was a moment late belongs to the new hour; a clock that was set back begins anew.
        if hour > self.hour || hour < self.hour - 1 {
            (self.hour, self.recent, self.earlier) = (hour, HashSet::new(), HashSet::new());
        }
        if self.recent.contains(&pair) || self.earlier.contains(&pair) || !self.wait(pulled) {
            return;
        }
        if self.recent.len() >= MAX_SEEN {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.recent.insert(pair);
    }

    /// Whether there is room.
    fn wait(&mut self, pulled: Pulled) -> bool {
        let key = (pulled.manifest, pulled.day);
        if let Some(before) = self.waiting.get_mut(&key).filter(|before| before.digest == pulled.digest) {
            before.count = before.count.saturating_add(pulled.count);
            return true;
        }
        let has_room = self.waiting.len() < MAX_WAITING;
        if has_room {
            self.waiting.insert(key, pulled);
        }
        has_room
    }
}

impl Default for Pulls {
    fn default() -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Self { shards, key: ArcSwapOption::empty(), turn: Mutex::default() }
    }
}

impl Pulls {
    /// Counts a pull, unless this client has pulled that manifest in this hour already. Costs a hash and a lock.
    pub(super) fn note(&self, who: &Identity, from: Option<IpAddr>, manifest: &StoredManifest, now: Timestamp) {
        let day = Day::of(now);
        let mut key = self.key.load();
        if key.as_ref().is_none_or(|key| key.day != day) {
            self.renew_key(day);
            key = self.key.load();
        }
        // Without random bytes clients cannot be told apart in a way that nobody could undo.
        let Some(key) = key.as_ref() else { return };
        let pair = key.pair(who, from, manifest.id);
        let pulled = Pulled { manifest: manifest.id, digest: manifest.digest, day, count: 1 };
        self.shard(pair).count(now.as_second().div_euclid(HOUR_SECONDS), pair, pulled);
    }

    /// Makes the key of a day, once.
    fn renew_key(&self, day: Day) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.key.load().as_ref().is_some_and(|key| key.day == day) {
            return;
        }
        let mut secret = [0; 32];
        let key = getrandom::fill(&mut secret).ok().map(|()| Arc::new(DayKey { day, secret }));
        self.key.store(key);
    }

    /// Takes all that waits, each manifest and day once.
    pub(super) fn take(&self) -> Taken<'_> {
        let mut sums: HashMap<_, Pulled> = HashMap::new();
        for shard in &self.shards {
            for (key, pulled) in std::mem::take(&mut lock(shard).waiting) {
                sums.entry((key, pulled.digest))
                    .and_modify(|sum| sum.count = sum.count.saturating_add(pulled.count))
                    .or_insert(pulled);
            }
        }
        Taken { pulls: self, rest: sums.into_values().collect() }
    }

    fn shard(&self, pair: u64) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "any of the bits will do")]
        lock(&self.shards[pair as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DayKey {
    fn pair(&self, who: &Identity, from: Option<IpAddr>, manifest: ManifestId) -> u64 {
        let mut hash = Sha256::new_with_prefix(self.secret);
        // The first byte keeps the kinds of clients apart, and the last ones are always as many.
        match (who, from) {
            (Identity::User(name), _) => hash = hash.chain_update(b"u").chain_update(name.as_str()),
            (Identity::Publisher(id), _) => hash = hash.chain_update(b"p").chain_update(id.get().to_le_bytes()),
            (Identity::Anonymous, Some(IpAddr::V4(address))) => {
                hash = hash.chain_update(b"4").chain_update(address.octets());
            }
            (Identity::Anonymous, Some(IpAddr::V6(address))) => {
                hash = hash.chain_update(b"6").chain_update(&address.octets()[..NETWORK_BYTES]);
            }
            (Identity::Anonymous, None) => {}
        }
        hash.update(manifest.get().to_le_bytes());
        let hash = hash.finalize();
        u64::from_le_bytes(std::array::from_fn(|index| hash[index]))
    }
}

/// Pulls that are being written. What is left of them when this goes waits again.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pulls: &'a Pulls,
    rest: Vec<Pulled>,
}

impl Taken<'_> {
    /// The next ones to be written, at most `most`; none at the end.
    pub(super) fn next(&mut self, most: usize) -> Vec<Pulled> {
        self.rest.split_off(self.rest.len().saturating_sub(most))
    }

    /// Gives back what could not be written.
    pub(super) fn give_back(&mut self, pulled: &[Pulled]) {
        self.rest.extend_from_slice(pulled);
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for pulled in self.rest.drain(..) {
            self.pulls.shard(pulled.manifest.get().unsigned_abs()).wait(pulled);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::auth::PublisherId;
    use crate::oci::Digest;

    const HOUR: i64 = 1_800_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(HOUR + second).unwrap()
    }

    fn manifest(number: i64) -> StoredManifest {
        let (digest, bytes) = (Digest::sha256(&number.to_le_bytes()), Bytes::new());
        let media_type = "application/x.y".parse().unwrap();
        StoredManifest { id: ManifestId::new(number), digest, media_type, bytes, has_notice: false }
    }

    fn user(name: &str) -> Identity {
        Identity::User(name.parse().unwrap())
    }

    fn counts(pulls: &Pulls) -> Vec<(i64, u32)> {
        let mut counts: Vec<_> =
            pulls.take().next(usize::MAX).iter().map(|pulled| (pulled.manifest.get(), pulled.count)).collect();
        counts.sort_unstable();
        counts
    }

    #[test]
    fn a_client_counts_once_an_hour_for_each_manifest() {
        let (pulls, from) = (Pulls::default(), |text: &str| Some(text.parse().unwrap()));
        let (one, two) = (manifest(1), manifest(2));
        for second in [0, 1, 3_599] {
            pulls.note(&user("ada"), from("192.0.2.1"), &one, at(second));
            pulls.note(&user("ada"), from("192.0.2.2"), &one, at(second));
            pulls.note(&user("bob"), from("192.0.2.1"), &one, at(second));
            pulls.note(&Identity::Publisher(PublisherId::new(1)), from("192.0.2.1"), &one, at(second));
            pulls.note(&user("ada"), from("192.0.2.1"), &two, at(second));
        }
        assert_eq!(counts(&pulls), [(1, 3), (2, 1)]);
        assert_eq!(counts(&pulls), [], "what was taken is gone");
        pulls.note(&user("ada"), None, &one, at(3_599));
        assert_eq!(counts(&pulls), [], "and still known");
        pulls.note(&user("ada"), None, &one, at(3_600));
        pulls.note(&user("ada"), None, &one, at(3_599));
        assert_eq!(counts(&pulls), [(1, 1)], "a late one belongs to the new hour");
    }

    #[test]
    fn strangers_are_told_apart_by_their_network() {
        let pulls = Pulls::default();
        for (second, text) in
            (0..).zip(["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"])
        {
            pulls.note(&Identity::Anonymous, Some(text.parse().unwrap()), &manifest(1), at(second));
        }
        pulls.note(&Identity::Anonymous, None, &manifest(1), at(9));
        assert_eq!(counts(&pulls), [(1, 5)]);
    }

    #[test]
    fn the_key_is_another_each_day_and_shown_by_nothing() {
        let pulls = Pulls::default();
        let key_of = |second| {
            pulls.renew_key(Day::of(at(second)));
            pulls.key.load_full().unwrap()
        };
        let (first, again) = (key_of(0), key_of(1));
        assert!(Arc::ptr_eq(&first, &again));
        let next = key_of(86_400);
        assert_ne!(first.secret, next.secret);
        assert!(!format!("{next:?}").contains(&format!("{:?}", next.secret)));
        let pair = |key: &DayKey| key.pair(&Identity::Anonymous, Some([192, 0, 2, 1].into()), ManifestId::new(1));
        assert_eq!(pair(&first), pair(&again));
        assert_ne!(pair(&first), pair(&next));
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut shard = Shard::default();
        let pulled = |number: i64| {
            let StoredManifest { id, digest, .. } = manifest(number);
            Pulled { manifest: id, digest, day: Day::of(at(0)), count: 1 }
        };
        for number in 0..5_000 {
            shard.count(HOUR, number, pulled(i64::try_from(number).unwrap()));
        }
        assert_eq!((shard.waiting.len(), shard.recent.len()), (MAX_WAITING, MAX_WAITING), "the others count later");
        for number in 5_000..30_000 {
            shard.count(HOUR, number, pulled(1));
        }
        assert_eq!(shard.waiting.len(), MAX_WAITING);
        assert!(shard.recent.len() <= MAX_SEEN && shard.earlier.len() == MAX_SEEN);
        let before = shard.waiting[&(ManifestId::new(1), Day::of(at(0)))].count;
        shard.count(HOUR, 29_999 - u64::try_from(MAX_SEEN).unwrap(), pulled(1));
        assert_eq!(shard.waiting[&(ManifestId::new(1), Day::of(at(0)))].count, before, "it is still known");
        shard.count(HOUR + 1, 1, pulled(1));
        assert_eq!((shard.recent.len(), shard.earlier.len()), (1, 0));
        shard.count(HOUR - 100, 1, pulled(1));
        assert_eq!((shard.hour, shard.recent.len()), (HOUR - 100, 1), "a clock that was set back begins anew");
    }

    #[test]
    fn what_is_not_written_waits_again() {
        let pulls = Pulls::default();
        for number in 0..10 {
            pulls.note(&user("ada"), None, &manifest(number), at(0));
        }
        let mut taken = pulls.take();
        assert_eq!(taken.next(4).len(), 4);
        let failed = taken.next(4);
        taken.give_back(&failed);
        drop(taken);
        pulls.note(&user("bob"), None, &manifest(failed[0].manifest.get()), at(0));
        let sums = counts(&pulls);
        assert_eq!((sums.len(), sums.iter().map(|(_, count)| count).sum::<u32>()), (6, 7));
    }
}
