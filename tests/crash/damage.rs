//! What search keeps on disk is damaged in every way while nobody serves: it is filled anew, and finds everything again.
//! And of counted pulls a kill loses at most the last five seconds.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent_registry::oci::{Digest, known::OCI_MANIFEST};
use agent_registry::package::BlobContent;
use reqwest::Method;
use semver::Version;
use serde_json::json;

use crate::catalogue::{MAX_LOST, counted, found};
use crate::real::{Hand, Real};
use crate::server::rounds;
use crate::worker::{letters, pack};

/// Packages to be found again.
const PACKAGES: u64 = 30;

fn repository(number: u64) -> String {
    format!("shelf/p{}", letters(number))
}

async fn push(hand: &Hand, number: u64) -> String {
    let (repository, version): (_, Version) = (repository(number), Version::new(1, number, 0));
    let artifact = pack(&repository, &version, &format!("mark{}", letters(number)));
    for blob in artifact.blobs() {
        let BlobContent::Bytes(bytes) = &blob.content else { panic!("small ones are in memory") };
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::sha256(bytes));
        let sent = hand.send(Method::POST, &path, "application/octet-stream", bytes.to_vec()).await.unwrap();
        assert_eq!(sent.status(), 201);
    }
    let (bytes, path) = (artifact.manifest().bytes().to_vec(), format!("/v2/{repository}/manifests/{version}"));
    assert_eq!(hand.send(Method::PUT, &path, OCI_MANIFEST, bytes).await.unwrap().status(), 201);
    path
}

/// Everything is found: all of it, and each by its word.
async fn is_whole(hand: &Hand) -> Result<(), String> {
    let all = found(hand, "").await?.len() as u64;
    if all != PACKAGES {
        return Err(format!("{all} packages of {PACKAGES}"));
    }
    for number in 0..PACKAGES {
        let hits = found(hand, &format!("mark{}", letters(number))).await?;
        if hits.len() != 1 || hits[0]["repository"] != repository(number).as_str() || hits[0]["description"] == "" {
            return Err(format!("{}: {hits:?}", repository(number)));
        }
    }
    let (status, page) = hand.read("/packages?facets=true&limit=1&fresh=true").await;
    let marking = json!([{"value": "marking", "count": PACKAGES}]);
    if page["facets"]["capabilities"] != marking {
        return Err(format!("facets: {status} {page}"));
    }
    Ok(())
}

/// A way to spoil a file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Empty,
    Half,
    Garbage,
    /// One byte in the middle is another one.
    OneByte,
    Missing,
}

impl Harm {
    const ALL: [Self; 5] = [Self::Empty, Self::Half, Self::Garbage, Self::OneByte, Self::Missing];

    fn spoil(self, file: &Path) {
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        match self {
            Self::Empty => bytes.clear(),
            Self::Half => bytes.truncate(middle),
            Self::Garbage => {
                bytes.iter_mut().zip(0_u8..=255).for_each(|(byte, other)| *byte = byte.wrapping_mul(31) ^ other)
            }
            Self::OneByte => bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0xff),
            Self::Missing => return std::fs::remove_file(file).unwrap(),
        }
        std::fs::write(file, bytes).unwrap();
    }
}

/// All files below a folder, the same order each time.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let place = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(&file, place).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
async fn a_damaged_search_is_filled_anew_by_itself() {
    let place = tempfile::tempdir().unwrap();
    let server = Real::start(place.path());
    let hand = server.administrator();
    for number in 0..PACKAGES {
        push(&hand, number).await;
        if number % 7 == 0 {
            // So that there is more than one portion on the disk.
            found(&hand, "").await.unwrap();
        }
    }
    is_whole(&hand).await.unwrap();
    server.stop();
    let (search, kept) = (place.path().join("data/search"), place.path().join("kept"));
    copy(&search, &kept);
    let all = files(&kept);
    assert!(!all.is_empty(), "search keeps something on the disk");
    let harms: Vec<_> = all.iter().flat_map(|file| Harm::ALL.map(|harm| (file.clone(), harm))).collect();
    // All of them where many rounds are wanted, else a few, others from file to file.
    let step = if rounds() > 10 { 1 } else { harms.len() / 12 + 1 };
    let chosen: Vec<_> = harms.iter().skip(1).step_by(step).collect();
    for (file, harm) in &chosen {
        std::fs::remove_dir_all(&search).unwrap();
        copy(&kept, &search);
        let inside = file.strip_prefix(&kept).unwrap();
        harm.spoil(&search.join(inside));
        let mut server = Real::start(place.path());
        let whole = is_whole(&server.administrator()).await;
        assert!(server.is_running(), "{harm:?} of {}", inside.display());
        whole.unwrap_or_else(|error| panic!("{harm:?} of {}: {error}", inside.display()));
        server.stop();
    }
    // Another thing in its place, or beside it.
    std::fs::remove_dir_all(&search).unwrap();
    std::fs::write(&search, b"a file").unwrap();
    let server = Real::start(place.path());
    is_whole(&server.administrator()).await.unwrap_or_else(|error| panic!("a file in its place: {error}"));
    server.stop();
    println!("{} of {} damages to {} files", chosen.len(), harms.len(), all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_at_most_the_pulls_of_five_seconds_and_a_stop_none() {
    let place = tempfile::tempdir().unwrap();
    let mut server = Real::start(place.path());
    let mut hand = server.administrator();
    let mut expected = 0;
    for is_killed in [true, false] {
        let paths = futures_util::future::join_all((0..6).map(|number| push(&hand, number))).await;
        let pull = async |path: &str| {
            assert_eq!(hand.send(Method::GET, path, "text/plain", vec![]).await.unwrap().status(), 200);
            // Neither this nor a repeat counts.
            assert_eq!(hand.send(Method::HEAD, path, "text/plain", vec![]).await.unwrap().status(), 200);
        };
        for path in &paths[..4] {
            pull(path).await;
            pull(path).await;
        }
        if is_killed {
            // The time that a kill may lose, and a little; meanwhile more is pulled.
            tokio::time::sleep(MAX_LOST + Duration::from_millis(300)).await;
        }
        let started = Instant::now();
        for path in &paths[4..] {
            pull(path).await;
        }
        let (all, early) = (expected + 6, expected + 4);
        if is_killed {
            server.kill()
        } else {
            server.stop()
        }
        assert!(started.elapsed() < Duration::from_secs(60));
        server = Real::start(place.path());
        hand = server.administrator();
        let mut total = 0;
        for number in 0..6 {
            total += counted(&hand, &repository(number)).await.unwrap();
        }
        let least = if is_killed { early } else { all };
        assert!((least..=all).contains(&total), "{total} of {least} to {all}, killed: {is_killed}");
        expected = total;
    }
}
