//! A power failure at every moment of some pushes: what was acknowledged until then is whole on the disk that is left,
//! and the recovery journal is behind it and good for rebuilding the index.
//!
//! `kill -9` keeps the system's cache, so only this finds a missing sync.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent_registry::index::events::{self, EventKind};
use agent_registry::index::{Commits, Reader, Sqlite, blobs};
use agent_registry::oci::Digest;
use agent_registry::registry::{Lost, Mode, Registry};
use agent_registry::server::{Config, DataDir, Server, reindex};
use agent_registry::storage::{FileStore, Journal, Witness};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::client::{Acknowledged, Begun, Pusher, Way};
use crate::disk::{Disk, Happened, JOURNAL, Left, Recorder};
use crate::inspect::{Seen, collect, compare, look_through, open, resume, told};

/// Clients that push at the same time.
const CLIENTS: u8 = 3;
/// Pushes of each.
const PUSHES: u8 = 3;
/// How long the journal may take for what it does about twice a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// Pushes over HTTP to a server whose disk is watched; everything that happened, in order.
async fn record() -> Vec<Happened> {
    let place = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(place.path());
    let directory = DataDir::open(place.path()).unwrap().watched(Arc::clone(&recorder) as Arc<dyn Witness>);
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
                    let journal_grows = recorder.journal_grows.notified();
                    let pushed = client.push(&repository, &tag, &layer, way).await.unwrap();
                    recorder.note(Happened::Acknowledged(pushed));
                    // The next push runs while the journal is synced.
                    timeout(PATIENCE, journal_grows).await.unwrap();
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

/// What must be there on a disk that is left.
#[derive(Default)]
struct Promised {
    acknowledged: Vec<Acknowledged>,
    begun: Option<Begun>,
    /// The last record that was added to the journal, and the last that was there before anything more was added.
    appended: u64,
    journalled: u64,
}

impl Promised {
    fn take(&mut self, what: &Happened) {
        match what {
            Happened::Acknowledged(push) => self.acknowledged.push(push.clone()),
            Happened::Begun(upload) => self.begun = Some(upload.clone()),
            Happened::Appended(path, bytes) if path.starts_with(JOURNAL) => {
                self.journalled = self.appended;
                self.appended = last_number(bytes).unwrap_or(self.appended);
            }
            _ => {}
        }
    }

    /// Looks at a disk as the next server and its collector do, and then loses the index twice.
    async fn check(&self, data: &Path) -> Result<(), String> {
        let registry = open(data)?;
        compare(&look_through(&registry).await?, &self.acknowledged)?;
        every_file_is_known_whole(data)?;
        every_name_is_deserved(data)?;
        if let Some(begun) = &self.begun {
            resume(&registry, "power/begun", begun).await?;
        }
        drop(registry);
        compare(&collect(data).await?, &self.acknowledged)?;

        drop(DataDir::open(data).map_err(told)?);
        let journal = data.join(JOURNAL);
        let last = Journal::last_in(&journal).map_err(told)?;
        if last < self.journalled {
            return Err(format!("record {} of the journal was there, and {last} is the last", self.journalled));
        }
        let kept = data.join("kept.sqlite");
        fs::copy(data.join("index.sqlite"), &kept).map_err(told)?;
        rebuild(data, last).await?;
        fs::rename(&kept, data.join("index.sqlite")).map_err(told)?;
        let last = level(data)?;
        compare(&rebuild(data, last).await?, &self.acknowledged)
    }
}

/// The number of the last record in bytes that were added to a segment; none in its header.
fn last_number(mut bytes: &[u8]) -> Option<u64> {
    let mut last = None;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>()
        && let Some((number, rest)) = rest.get(4..)?.split_first_chunk::<8>()
        && let Some(rest) = rest.get(u32::from_le_bytes(*length) as usize..)
    {
        last = Some(u64::from_le_bytes(*number));
        bytes = rest;
    }
    last
}

/// Copies into the journal what is not there yet, as a server does that starts; the last event.
fn level(data: &Path) -> Result<u64, String> {
    let registry = open(data)?;
    let mut journal = Journal::open(&data.join(JOURNAL)).map_err(told)?;
    registry.check_journal(&journal).map_err(told)?;
    while registry.extend_journal(&mut journal).map_err(told)? > 0 {}
    Ok(journal.last())
}

/// Loses the index and builds it again from the journal: it must be as it was after the journal's last event.
async fn rebuild(data: &Path, last: u64) -> Result<Seen, String> {
    let index = data.join("index.sqlite");
    let before = tags_after(&index, last)?;
    fs::remove_file(&index).map_err(told)?;
    let rebuilt = reindex(data).await.map_err(told)?;
    // Without any record there is nothing that was acknowledged, only blobs that nobody was told of.
    let is_whole = rebuilt.losses.iter().all(|loss| last == 0 && loss.what == Lost::Everything);
    if rebuilt.last_event != last || !is_whole {
        return Err(format!("the journal ends with {last}, and gave {rebuilt:?}"));
    }
    let seen = look_through(&open(data)?).await?;
    if seen.tags == before { Ok(seen) } else { Err(format!("{:?} were rebuilt of {before:?}", seen.tags)) }
}

/// Where each tag pointed after an event; the index must have it.
fn tags_after(index: &Path, last: u64) -> Result<BTreeMap<String, Digest>, String> {
    let mut index = Reader::open(index).map_err(told)?;
    let (mut tags, mut found) = (BTreeMap::new(), 0);
    for (number, event) in events::since(&mut index, 0, 1_000).map_err(told)? {
        if number.unsigned_abs() > last {
            break;
        }
        found = number.unsigned_abs();
        if let (EventKind::TagMoved, Some(tag), Some(digest)) = (event.kind, event.tag, event.digest) {
            tags.insert(format!("{}:{tag}", event.repository), digest);
        }
    }
    if found == last { Ok(tags) } else { Err(format!("the journal ends with {last}, the index with {found}")) }
}

/// Cuts the power after every single thing that happened; the first loss is the error.
async fn cut_everywhere(happened: &[Happened], left: &[Left]) -> Result<usize, String> {
    let (mut disk, mut promised, mut cuts) = (Disk::default(), Promised::default(), 0);
    for (moment, what) in happened.iter().enumerate() {
        disk.take(what);
        promised.take(what);
        for left in left {
            let place = in_memory();
            disk.write(place.path(), *left);
            let whole = promised.check(place.path()).await;
            whole.map_err(|error| format!("power cut after {moment} {}, {left:?} left: {error}", short(what)))?;
            cuts += 1;
        }
    }
    Ok(cuts)
}

/// A folder for a disk that is left: hundreds are laid out, and none needs to survive anything itself.
pub(crate) fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
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

/// What nobody was told of may be left over, but not under the name of bytes that it does not have.
fn every_name_is_deserved(data: &Path) -> Result<(), String> {
    let folders = fs::read_dir(data.join("blobs/sha256")).map_err(told)?;
    for folder in folders {
        for file in fs::read_dir(folder.map_err(told)?.path()).map_err(told)? {
            let path = file.map_err(told)?.path();
            let bytes = fs::read(&path).map_err(told)?;
            if !path.ends_with(Digest::sha256(&bytes).hex()) {
                return Err(format!("{} has other bytes than its name says: {}", path.display(), bytes.len()));
            }
        }
    }
    Ok(())
}

pub(crate) fn short(what: &Happened) -> String {
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
    let is_in = |path: &Path, folder| path.starts_with(folder);
    let is_content = |what: &Happened| matches!(what, Happened::Synced(path) if !is_in(path, JOURNAL));
    let is_blob_name = |what: &Happened| matches!(what, Happened::FolderSynced(folder) if is_in(folder, "blobs"));
    let is_upload_name = |what: &Happened| matches!(what, Happened::FolderSynced(folder) if is_in(folder, "uploads"));
    let is_record = |what: &Happened| matches!(what, Happened::Synced(path) if is_in(path, JOURNAL));
    let is_segment = |what: &Happened| matches!(what, Happened::FolderSynced(folder) if is_in(folder, JOURNAL));
    for (left, is_forgotten) in [
        (Left::Names, &is_content as &dyn Fn(&Happened) -> bool),
        (Left::Nothing, &is_content),
        (Left::Nothing, &is_blob_name),
        (Left::Nothing, &is_upload_name),
        (Left::Names, &is_record),
        (Left::Nothing, &is_record),
        (Left::Nothing, &is_segment),
    ] {
        let rest: Vec<_> = happened.iter().filter(|what| !is_forgotten(what)).cloned().collect();
        let forgotten = happened.iter().find(|what| is_forgotten(what)).map(short);
        assert!(cut_everywhere(&rest, &[left]).await.is_err(), "nobody noticed the lack of {forgotten:?} and its like");
    }
    // A commit that comes before the sync of what it names.
    let mut early = happened.clone();
    let is_commit = |what: &Happened| matches!(what, Happened::Committed(_));
    let positions: Vec<usize> = (0..early.len()).filter(|position| is_commit(&early[*position])).collect();
    for pair in positions.windows(2) {
        let commit = early.remove(pair[1]);
        early.insert(pair[0] + 1, commit);
    }
    assert!(cut_everywhere(&early, &[Left::Nothing]).await.is_err(), "nobody noticed that commits come too early");
    // And one that comes after the record of what it did, which a server that starts refuses, whoever was told of it.
    let mut late = happened;
    late.retain(|what| !matches!(what, Happened::Acknowledged(_) | Happened::Begun(_)));
    let mut later = vec![];
    for what in std::mem::take(&mut late) {
        let ends_record = is_record(&what);
        if is_commit(&what) {
            later.push(what);
        } else {
            late.push(what);
        }
        if ends_record {
            late.append(&mut later);
        }
    }
    let noticed = cut_everywhere(&late, &[Left::Nothing]).await.unwrap_err();
    assert!(noticed.contains("the journal"), "{noticed}");
}
