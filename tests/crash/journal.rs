//! A journal whose writer is killed at every moment, whose next writer's power fails at every moment: what either was
//! told is there, in order and without a hole.

use std::path::Path;
use std::sync::Arc;

use agent_registry::storage::{Journal, JournalReader, Witness};

use crate::disk::{Disk, Happened, JOURNAL, Left, Recorder};
use crate::inspect::told;
use crate::power::{in_memory, short};

/// Records in all.
const RECORDS: u64 = 7;
/// Bytes of each.
const RECORD_BYTES: usize = 100;
/// Two records of these, and some more bytes, make a segment.
const SEGMENT_BYTES: u64 = 200;

/// Opens a journal, adds everything in portions of up to three records, and tells what happened.
fn write(root: &Path) -> Result<Vec<Happened>, String> {
    let recorder = Recorder::new(root);
    let journal = Journal::open_watched(&root.join(JOURNAL), Arc::clone(&recorder) as Arc<dyn Witness>);
    let mut journal = journal.map_err(told)?.with_segments_of(SEGMENT_BYTES);
    recorder.note(Happened::Journalled(journal.last()));
    let records: Vec<_> = (1..=RECORDS).map(|number| (number, content(number))).collect();
    for portion in records.chunks(3) {
        journal.append(portion).map_err(told)?;
        recorder.note(Happened::Journalled(journal.last()));
    }
    Ok(recorder.happened())
}

fn content(number: u64) -> Vec<u8> {
    vec![u8::try_from(number).unwrap(); RECORD_BYTES]
}

/// Kills and cuts everywhere; the first loss is the error.
fn crash_everywhere(is_forgotten: &dyn Fn(&Happened) -> bool) -> Result<usize, String> {
    let place = in_memory();
    let (mut killed, mut told_before, mut cuts) = (Disk::default(), 0, 0);
    for what in &write(place.path())? {
        if !is_forgotten(what) {
            killed.take(what);
        }
        if let Happened::Journalled(last) = what {
            told_before = *last;
        }
        let mut promised = told_before;
        let place = in_memory();
        killed.write(place.path(), Left::Everything);
        let mut disk = killed.clone();
        for (moment, next) in write(place.path())?.iter().enumerate() {
            if !is_forgotten(next) {
                disk.take(next);
            }
            if let Happened::Journalled(last) = next {
                promised = promised.max(*last);
            }
            for left in Left::ALL {
                let place = in_memory();
                disk.write(place.path(), left);
                let whole = look_at(&place.path().join(JOURNAL), promised);
                whole.map_err(|error| {
                    format!("killed after {}, power cut {moment} steps later, {left:?} left: {error}", short(what))
                })?;
                cuts += 1;
            }
        }
    }
    Ok(cuts)
}

/// Reads the journal as `reindex` does, and then as a server does.
fn look_at(folder: &Path, promised: u64) -> Result<(), String> {
    let mut reader = JournalReader::open(folder).map_err(told)?;
    let mut last = 0;
    while let Some(next) = reader.next_record().map_err(told)? {
        let record = next.map_err(|damage| format!("{damage:?}"))?;
        if record.number != last + 1 || record.content != content(record.number) {
            return Err(format!("after record {last} comes {record:?}"));
        }
        last = record.number;
    }
    let taken_up = Journal::open(folder).map_err(told)?.last();
    if last < promised || taken_up != last {
        return Err(format!("{promised} records were promised, {last} are read, {taken_up} taken up"));
    }
    Ok(())
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was tried is the point")]
fn a_journal_survives_a_kill_and_then_a_power_failure_at_every_moment() {
    let cuts = crash_everywhere(&|_| false).unwrap_or_else(|error| panic!("{error}"));
    println!("{cuts} power failures of a journal");
}

#[test]
fn a_journal_that_leaves_out_a_sync_is_found_out() {
    let is_sync = |what: &Happened| matches!(what, Happened::Synced(_));
    let is_name = |what: &Happened| matches!(what, Happened::FolderSynced(_));
    for is_forgotten in [&is_sync as &dyn Fn(&Happened) -> bool, &is_name] {
        assert!(crash_everywhere(is_forgotten).is_err());
    }
}
