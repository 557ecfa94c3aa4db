//! A power failure at every moment of some pushes: what was acknowledged until then is whole on the disk that is left.
//!
//! `kill -9` keeps the system's cache, so only this finds a missing sync.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use agent_registry::index::{Commits, Reader, Sqlite, blobs};
use agent_registry::oci::Digest;
use agent_registry::registry::{Mode, Registry};
use agent_registry::server::{Config, DataDir, Server};
use agent_registry::storage::{FileStore, Witness};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::{Begun, Pusher, Way};
use crate::disk::{Disk, Happened, Left, Recorder};
use crate::inspect::{collect, compare, look_through, open, resume, told};

/// Clients that push at the same time.
const CLIENTS: u8 = 3;
/// Pushes of each.
const PUSHES: u8 = 3;

/// Pushes over HTTP to a server whose disk is watched; everything that happened, in order.
async fn record() -> Vec<Happened> {
    let place = tempfile::tempdir().unwrap();
    let directory = DataDir::open(place.path()).unwrap();
    let recorder = Recorder::new(place.path());
    let store = FileStore::open_watched(place.path(), None, Arc::clone(&recorder) as Arc<dyn Witness>).unwrap();
    let index = Sqlite::open_watched(&directory.index(), Arc::clone(&recorder) as Arc<dyn Commits>).unwrap();
    recorder.begin();
    let registry = Registry::new(Arc::new(store), index, Mode::Open);
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data: place.path().to_owned(),
        insecure_no_auth: true,
        ..Config::default()
    };
    let server = Server::bind_over(config, directory, registry).await.unwrap();
    let client = Pusher::new(server.url());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async { drop(stopped.await) }));
    let pushing: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (client, recorder) = (client.clone(), Arc::clone(&recorder));
            tokio::spawn(async move {
                for round in 0..PUSHES {
                    let layer = vec![number * PUSHES + round + 1; if round == 0 { 1_000 } else { 100_000 }];
                    let way = if round == 2 { Way::Chunks } else { Way::Whole };
                    let (repository, tag) = (format!("power/r{number}"), format!("t{round}"));
                    let pushed = client.push(&repository, &tag, &layer, way).await.unwrap();
                    recorder.note(Happened::Acknowledged(pushed));
                }
            })
        })
        .collect();
    let begun = client.begin("power/begun", &vec![200; 90_000]).await.unwrap();
    recorder.note(Happened::Begun(begun));
    for pushed in pushing {
        pushed.await.unwrap();
    }
    let happened = recorder.happened();
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    happened
}

/// Cuts the power after every single thing that happened; the first loss is the error.
async fn cut_everywhere(happened: &[Happened], left: &[Left]) -> Result<usize, String> {
    let (mut disk, mut acknowledged, mut begun, mut cuts) = (Disk::default(), vec![], None, 0);
    for (moment, what) in happened.iter().enumerate() {
        disk.take(what);
        match what {
            Happened::Acknowledged(push) => acknowledged.push(push.clone()),
            Happened::Begun(upload) => begun = Some(upload.clone()),
            _ => {}
        }
        for left in left {
            let place = in_memory();
            disk.write(place.path(), *left);
            let whole = async {
                let registry = open(place.path())?;
                compare(&look_through(&registry).await?, &acknowledged)?;
                every_file_is_known_whole(place.path())?;
                continued(&registry, begun.as_ref()).await?;
                drop(registry);
                compare(&collect(place.path()).await?, &acknowledged)
            };
            whole.await.map_err(|error| format!("power cut after {moment} {}, {left:?} left: {error}", short(what)))?;
            cuts += 1;
        }
    }
    Ok(cuts)
}

/// A folder for a disk that is left: hundreds are laid out, and none needs to survive anything itself.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

async fn continued(registry: &Registry, begun: Option<&Begun>) -> Result<(), String> {
    match begun {
        Some(begun) => resume(registry, "power/begun", begun).await,
        None => Ok(()),
    }
}

/// Blobs that no manifest needs yet were acknowledged too: each that the index knows as a file has its bytes.
fn every_file_is_known_whole(data: &Path) -> Result<(), String> {
    let mut index = Reader::open(&data.join("index.sqlite")).map_err(told)?;
    for (digest, size) in blobs::files(&mut index, None, 1_000).map_err(told)? {
        let path = data.join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
        let bytes = fs::read(path).unwrap_or_default();
        if bytes.len() as u64 != size || Digest::sha256(&bytes) != digest {
            return Err(format!("blob {digest} is known, and {} of its {size} bytes are there", bytes.len()));
        }
    }
    Ok(())
}

fn short(what: &Happened) -> String {
    match what {
        Happened::Appended(path, bytes) => format!("Appended({}, {} bytes)", path.display(), bytes.len()),
        Happened::Committed(_) => "Committed".to_owned(),
        Happened::Begun(_) => "Begun".to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
async fn what_was_acknowledged_survives_a_power_failure_at_every_moment() {
    let happened = record().await;
    let acknowledged = happened.iter().filter(|what| matches!(what, Happened::Acknowledged(_))).count();
    assert_eq!(acknowledged, usize::from(CLIENTS * PUSHES));
    let cuts = cut_everywhere(&happened, &Left::ALL).await.unwrap_or_else(|error| panic!("{error}"));
    println!("{cuts} power failures after {} moments, {acknowledged} pushes", happened.len());
}

/// The same recording without one kind of sync must be found out, or the test above would prove nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_leaves_out_a_sync_is_found_out() {
    let happened = record().await;
    let is_blob = |folder: &Path| folder.starts_with("blobs");
    let is_content = |what: &Happened| matches!(what, Happened::Synced(_));
    let is_blob_name = |what: &Happened| matches!(what, Happened::FolderSynced(folder) if is_blob(folder));
    let is_upload_name = |what: &Happened| matches!(what, Happened::FolderSynced(folder) if !is_blob(folder));
    for (left, is_forgotten) in [
        (Left::Names, &is_content as &dyn Fn(&Happened) -> bool),
        (Left::Nothing, &is_content),
        (Left::Nothing, &is_blob_name),
        (Left::Nothing, &is_upload_name),
    ] {
        let rest: Vec<_> = happened.iter().filter(|what| !is_forgotten(what)).cloned().collect();
        let forgotten = happened.iter().find(|what| is_forgotten(what)).map(short);
        assert!(cut_everywhere(&rest, &[left]).await.is_err(), "nobody noticed the lack of {forgotten:?} and its like");
    }
    // A commit that comes before the sync of what it names.
    let mut early = happened;
    let commits = early.iter().enumerate().filter(|(_, what)| matches!(what, Happened::Committed(_)));
    let positions: Vec<usize> = commits.map(|(position, _)| position).collect();
    for pair in positions.windows(2) {
        let commit = early.remove(pair[1]);
        early.insert(pair[0] + 1, commit);
    }
    assert!(cut_everywhere(&early, &[Left::Nothing]).await.is_err(), "nobody noticed that commits come too early");
}
