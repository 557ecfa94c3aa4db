//! Two clients' worth of writers on the tags of one repository: nothing acknowledged is lost, and everybody agrees on
//! the order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_registry::index::events::{self, EventKind};
use agent_registry::index::{Reader, repositories, tags};
use agent_registry::oci::Digest;

use crate::client::{Pusher, Way};
use crate::server::{Crashing, races};

const TAGS: [&str; 3] = ["latest", "stable", "1.0.0"];
const WRITERS: u64 = 8;
const WRITES: u64 = 40;

/// One write: when it was sent and when it was acknowledged, on a clock that all writers share.
#[derive(Clone, Copy, Debug)]
struct Write {
    tag: &'static str,
    digest: Digest,
    sent: u64,
    acknowledged: u64,
}

async fn write_on(client: Pusher, hand: u64, clock: Arc<AtomicU64>) -> Vec<Write> {
    let mut writes = vec![];
    for number in 0..WRITES {
        let tag = TAGS[usize::try_from((hand + number) % 3).unwrap()];
        let sent = clock.fetch_add(1, Ordering::SeqCst);
        let pushed = client.note("race/one", tag, &format!("{hand}-{number}")).await.unwrap();
        let acknowledged = clock.fetch_add(1, Ordering::SeqCst);
        writes.push(Write { tag, digest: pushed.digest, sent, acknowledged });
    }
    writes
}

/// One round on a server of its own; how many writes were acknowledged.
async fn race() -> usize {
    let place = tempfile::tempdir().unwrap();
    let server = Crashing::start(place.path(), None);
    // Each has connections of its own, as a process would have.
    let clients = [Pusher::new(&server.url), Pusher::new(&server.url)];
    clients[0].push("race/one", "first", b"first", Way::Whole).await.unwrap();
    let clock = Arc::new(AtomicU64::new(0));
    let hands: Vec<_> = (0..WRITERS)
        .map(|hand| {
            let client = clients[usize::try_from(hand % 2).unwrap()].clone();
            tokio::spawn(write_on(client, hand, Arc::clone(&clock)))
        })
        .collect();
    let mut writes = BTreeMap::new();
    for hand in hands {
        writes.extend(hand.await.unwrap().into_iter().map(|write| (write.digest, write)));
    }
    assert_eq!(writes.len() as u64, WRITERS * WRITES);
    server.stop();
    check(place.path(), &writes);
    writes.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
async fn no_acknowledged_tag_is_lost_and_history_is_one_order() {
    let (rounds, mut acknowledged) = (races(), 0);
    for _ in 0..rounds {
        acknowledged += race().await;
    }
    assert_eq!(acknowledged as u64, rounds * WRITERS * WRITES);
    println!("{rounds} races, {acknowledged} tags acknowledged");
}

fn check(data: &Path, writes: &BTreeMap<Digest, Write>) {
    let mut index = Reader::open(&data.join("index.sqlite")).unwrap();
    let repository = repositories::find(&mut index, &"race/one".parse().unwrap()).unwrap().unwrap();
    let mut total = 0;
    for tag in TAGS {
        let parsed = tag.parse().unwrap();
        let mut history: Vec<_> = tags::history(&mut index, repository, &parsed, 1_000).unwrap();
        history.reverse();
        let order: Vec<Digest> = history.iter().map(|pointed| pointed.digest.unwrap()).collect();
        assert_eq!(order, announced(&mut index, tag), "the feed tells the same order");
        assert_eq!(tags::find(&mut index, repository, &parsed).unwrap(), order.last().copied());
        // Each acknowledged write once, and none before one that was acknowledged before it was sent.
        let mut latest_sent = 0;
        for digest in &order {
            let write = &writes[digest];
            assert_eq!(write.tag, tag);
            assert!(write.acknowledged > latest_sent, "{write:?} comes after one that was sent later than it ended");
            latest_sent = latest_sent.max(write.sent);
        }
        let mut unique = order.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), order.len());
        total += order.len();
    }
    assert_eq!(total, writes.len(), "none is lost");
}

fn announced(index: &mut Reader, tag: &str) -> Vec<Digest> {
    let (mut moved, mut last) = (vec![], 0);
    loop {
        let page = events::since(index, last, 1_000).unwrap();
        let Some((number, _)) = page.last() else { return moved };
        last = *number;
        let is_move = |event: &events::Event| {
            event.kind == EventKind::TagMoved && event.tag.as_ref().is_some_and(|moved| moved.as_str() == tag)
        };
        moved.extend(page.iter().filter(|(_, event)| is_move(event)).map(|(_, event)| event.digest.unwrap()));
    }
}
