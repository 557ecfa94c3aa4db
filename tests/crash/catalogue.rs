//! The whole program is killed while clients push, yank, deprecate, rate, delete and pull: whatever was acknowledged is
//! there, nothing is half there, and search, records, versions, warnings, ratings and counts agree with manifests and
//! tags.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::agreeing::agree;
use crate::books::balance;
use crate::client::Gone;
use crate::kill::Dice;
use crate::known::Known;
use crate::real::{Hand, Real};
use crate::server::rounds;
use crate::worker::Worker;

/// Packages, each with a client that works on it.
const WORKERS: u64 = 5;
/// Crashes on one data directory.
const ROUNDS_PER_DIRECTORY: u64 = 10;
/// What a kill may lose of the counts of pulls.
pub(crate) const MAX_LOST: Duration = Duration::from_secs(5);
/// Time for an acknowledged pull to be late by, on a machine with other work.
const SLACK: Duration = Duration::from_millis(500);

/// The registry, its clients, and what was counted when it was last looked at.
struct Scene {
    workers: Vec<Worker>,
    counted: Vec<u64>,
}

/// How the server is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many milliseconds.
    After(u64),
    /// When files of the search change for the second time, and so many microseconds later.
    SearchChanges(u64),
}

impl Scene {
    async fn set(folder: &Path, dice: &mut Dice, counter: &Arc<AtomicU64>) -> Self {
        let server = Real::start(folder);
        let administrator = server.administrator();
        let mut workers = vec![];
        for number in 0..WORKERS {
            let (user, repository) = (format!("user{number}"), format!("crash/package{number}"));
            must(&administrator, Method::POST, "/users", &json!({"name": user})).await;
            let made = must(&administrator, Method::POST, &format!("/tokens?user={user}"), &json!({"name": "t"})).await;
            let settings = json!({"visibility": "public"});
            must(&administrator, Method::PUT, &format!("/repositories/{repository}"), &settings).await;
            workers.push(Worker {
                repository,
                known: Known::default(),
                open: None,
                pulled: BTreeMap::new(),
                is_pulling: false,
                token: made["token"].as_str().unwrap().to_owned(),
                dice: Dice::new(dice.below(u64::MAX)),
                counter: Arc::clone(counter),
            });
        }
        Self { workers, counted: vec![0; usize::try_from(WORKERS).unwrap()] }
    }

    /// Lets everybody work until the server is killed.
    async fn crash(&mut self, folder: &Path, mut server: Real, moment: Moment) -> Instant {
        let administrator = server.administrator();
        let all = self.workers.iter_mut().map(|worker| {
            let (administrator, own) = (administrator.clone(), server.hand(&worker.token));
            async move { worker.work(&administrator, &own).await }
        });
        let all = join_all(all);
        let search = folder.join("data/search");
        let killing = tokio::task::spawn_blocking(move || {
            wait(&search, moment);
            assert!(server.is_running(), "it ended by itself");
            server.kill();
            Instant::now()
        });
        let (ends, killed): (Vec<Gone>, _) = futures_util::join!(all, killing);
        assert_eq!(ends.len() as u64, WORKERS);
        killed.unwrap()
    }

    /// Everybody pulls what they have.
    async fn pull_some(&mut self, server: &Real) {
        for worker in &mut self.workers {
            let hand = server.hand(&worker.token);
            for copy in worker.known.versions.values() {
                let path = format!("/v2/{}/manifests/{}", worker.repository, copy.digest);
                let answer = hand.send(Method::GET, &path, "text/plain", vec![]).await.unwrap();
                assert_eq!(answer.status(), 200, "{path}");
                worker.pulled.insert(copy.digest.clone(), Instant::now());
            }
        }
    }

    /// Compares everything there is with what the clients know.
    async fn check(&mut self, server: &Real, killed: Option<Instant>) -> Result<(), String> {
        let administrator = server.administrator();
        let page = found(&administrator, "").await?;
        for (number, worker) in self.workers.iter_mut().enumerate() {
            let mut possible = vec![worker.known.clone()];
            possible.extend(worker.open.take().map(|deed| worker.known.after(&deed)));
            let hit = page.iter().find(|hit| hit["repository"] == worker.repository.as_str());
            let user = format!("user{number}");
            worker.known = agree(&administrator, &worker.repository, &user, &possible, hit).await?;
            let counted = counted(&administrator, &worker.repository).await?;
            // Each version counts once in a life, whoever repeats it.
            let (before, all) = (self.counted[number], worker.pulled.len() as u64);
            let is_safe =
                |pull: &&Instant| killed.is_none_or(|killed| killed.duration_since(**pull) > MAX_LOST + SLACK);
            let least = worker.pulled.values().filter(is_safe).count() as u64;
            let range = before + least..=before + all + u64::from(worker.is_pulling);
            if !range.contains(&counted) {
                return Err(format!("{} has {counted} pulls instead of {range:?}", worker.repository));
            }
            worker.pulled.clear();
            worker.is_pulling = false;
            self.counted[number] = counted;
        }
        Ok(())
    }
}

async fn must(hand: &Hand, method: Method, path: &str, body: &Value) -> Value {
    let answer = hand.call(method, path, body).await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// What search finds when it has seen everything.
pub(crate) async fn found(hand: &Hand, query: &str) -> Result<Vec<Value>, String> {
    let (status, page) = hand.read(&format!("/packages?limit=1000&fresh=true&q={query}")).await;
    let items = page["items"].as_array().ok_or_else(|| format!("a search: {status} {page}"))?;
    if page["total"] != items.len() {
        return Err(format!("search counts {} and shows {}", page["total"], items.len()));
    }
    Ok(items.clone())
}

/// How many pulls are counted.
pub(crate) async fn counted(hand: &Hand, repository: &str) -> Result<u64, String> {
    let (status, body) = hand.read(&format!("/packages/{repository}/downloads?days=2")).await;
    if status == 404 {
        return Ok(0);
    }
    let total = body["total"].as_u64().ok_or_else(|| format!("downloads of {repository}: {status} {body}"))?;
    let days = body["days"].as_array().cloned().unwrap_or_default();
    let sum: u64 = days.iter().filter_map(|day| day["count"].as_u64()).sum();
    // Those of versions that are gone are in the total only.
    if sum > total {
        return Err(format!("{repository}: days make {sum}, of {total} pulls"));
    }
    Ok(total)
}

/// Returns at the moment when the server is to be killed, at the latest after two seconds.
fn wait(search: &Path, moment: Moment) {
    let until = |end: Instant| {
        while Instant::now() < end {
            std::thread::yield_now();
        }
    };
    match moment {
        Moment::After(milliseconds) => until(Instant::now() + Duration::from_millis(milliseconds)),
        Moment::SearchChanges(microseconds) => {
            let started = Instant::now();
            for _ in 0..2 {
                let before = state(search);
                while state(search) == before && started.elapsed() < Duration::from_secs(2) {
                    std::thread::yield_now();
                }
            }
            until(Instant::now() + Duration::from_micros(microseconds));
        }
    }
}

/// Names and times of all files.
fn state(folder: &Path) -> Vec<(String, Option<SystemTime>)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let time = entry.metadata().ok().and_then(|metadata| metadata.modified().ok());
            Some((entry.file_name().to_string_lossy().into_owned(), time))
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
async fn the_catalogue_agrees_with_itself_after_every_kill() {
    let first = u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() & u128::from(u64::MAX)).unwrap() | 1;
    let (mut dice, counter) = (Dice::new(first), Arc::new(AtomicU64::new(0)));
    let (mut versions, mut pulls) = (0, 0);
    for begin in (0..rounds()).step_by(usize::try_from(ROUNDS_PER_DIRECTORY).unwrap()) {
        let place = tempfile::tempdir().unwrap();
        let mut scene = Scene::set(place.path(), &mut dice, &counter).await;
        let mut killed = None;
        for round in begin..rounds().min(begin + ROUNDS_PER_DIRECTORY) {
            let moment = match round % 3 {
                0 => Moment::After(50 + dice.below(1_500)),
                _ => Moment::SearchChanges(dice.below(30_000)),
            };
            let told = |error: String| format!("round {round}, {moment:?}, dice {first}: {error}");
            let server = Real::start(place.path());
            scene.check(&server, killed).await.map_err(told).unwrap_or_else(|error| panic!("{error}"));
            killed = Some(scene.crash(place.path(), server, moment).await);
            balance(&place.path().join("data/index.sqlite")).map_err(told).unwrap_or_else(|error| panic!("{error}"));
        }
        // A clean end changes nothing, and loses nothing of the last moment.
        for is_killed in [true, false] {
            let server = Real::start(place.path());
            let killed = killed.filter(|_| is_killed);
            scene.check(&server, killed).await.unwrap_or_else(|error| panic!("at last, dice {first}: {error}"));
            if is_killed {
                scene.pull_some(&server).await;
            }
            server.stop();
        }
        versions += scene.workers.iter().map(|worker| worker.known.versions.len()).sum::<usize>();
        pulls += scene.counted.iter().sum::<u64>();
    }
    println!(
        "{} kills, {} versions pushed, {versions} left, {pulls} pulls",
        rounds(),
        counter.load(std::sync::atomic::Ordering::SeqCst)
    );
    assert!(counter.load(std::sync::atomic::Ordering::SeqCst) > rounds(), "clients got something done");
}
