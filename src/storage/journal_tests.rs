//! What the journal promises: order, durability of what was answered, and a clean end after every kind of crash.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use super::{Damage, Journal, JournalReader};

fn records(numbers: std::ops::RangeInclusive<u64>, size: usize) -> Vec<(u64, Vec<u8>)> {
    numbers.map(|number| (number, vec![u8::try_from(number % 251).unwrap(); size])).collect()
}

fn read(folder: &Path) -> (Vec<u64>, Vec<Damage>) {
    let mut reader = JournalReader::open(folder).unwrap();
    let (mut numbers, mut damages) = (vec![], vec![]);
    while let Some(next) = reader.next_record().unwrap() {
        match next {
            Ok(record) => {
                assert!(record.content.iter().all(|byte| u64::from(*byte) == record.number % 251));
                numbers.push(record.number);
            }
            Err(damage) => damages.push(damage),
        }
    }
    (numbers, damages)
}

fn segment(folder: &Path, first: u64) -> std::path::PathBuf {
    folder.join(format!("{first:020}.log"))
}

#[test]
fn records_come_back_in_order_after_reopening_and_none_twice() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("deep/journal");
    assert_eq!(read(&folder), (vec![], vec![]));
    assert!(!Journal::is_in(&folder).unwrap());
    let mut journal = Journal::open(&folder).unwrap();
    assert_eq!(journal.last(), 0);
    journal.append(&[]).unwrap();
    assert!(!Journal::is_in(&folder).unwrap());
    journal.append(&records(1..=5, 100)).unwrap();
    journal.append(&records(4..=7, 100)).unwrap();
    assert_eq!(journal.last(), 7);
    let mut journal = Journal::open(&folder).unwrap();
    assert_eq!(journal.last(), 7);
    journal.append(&records(9..=9, 1)).unwrap();
    assert_eq!(read(&folder), (vec![1, 2, 3, 4, 5, 6, 7, 9], vec![]));
    assert!(Journal::is_in(&folder).unwrap());
    assert!(journal.append(&[(10, vec![])]).is_err(), "an empty record would read as none");
}

#[test]
fn segments_are_bounded_and_follow_one_another() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(place.path()).unwrap();
    journal.append(&records(1..=40, 1_000_000)).unwrap();
    assert_eq!(journal.last(), 40);
    let sizes: Vec<u64> = fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size < 18_000_000), "{sizes:?}");
    assert_eq!(read(place.path()), ((1..=40).collect(), vec![]));
    drop(journal);
    assert_eq!(Journal::open(place.path()).unwrap().last(), 40);
}

#[test]
fn a_crash_in_the_middle_of_a_record_loses_that_record_alone() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(place.path()).unwrap();
    journal.append(&records(1..=3, 50)).unwrap();
    let path = segment(place.path(), 1);
    let whole = fs::read(&path).unwrap();
    let second_ends = whole.len() - 66;
    for cut in (second_ends..whole.len()).step_by(5) {
        for tail in [&b""[..], &[0; 200]] {
            fs::write(&path, [&whole[..cut], tail].concat()).unwrap();
            assert_eq!(read(place.path()), (vec![1, 2], vec![]), "{cut}");
            let mut journal = Journal::open(place.path()).unwrap();
            assert_eq!(journal.last(), 2);
            journal.append(&records(3..=4, 50)).unwrap();
            assert_eq!(read(place.path()), (vec![1, 2, 3, 4], vec![]));
        }
    }
}

#[test]
fn a_segment_begun_in_a_crash_is_begun_again() {
    let place = tempfile::tempdir().unwrap();
    Journal::open(place.path()).unwrap().append(&records(1..=3, 50)).unwrap();
    for torn in [&b""[..], b"agent-reg", b"agent-registry journal 1\n", &[0; 4096]] {
        fs::write(segment(place.path(), 4), torn).unwrap();
        assert_eq!(read(place.path()), (vec![1, 2, 3], vec![]));
        assert_eq!(Journal::open(place.path()).unwrap().last(), 3);
        assert!(!segment(place.path(), 4).exists());
    }
}

#[test]
fn damage_is_told_and_later_segments_are_read() {
    let place = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(place.path()).unwrap();
    journal.append(&records(1..=40, 1_000_000)).unwrap();
    let path = segment(place.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[2_500_000] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (numbers, damages) = read(place.path());
    assert_eq!((numbers[..3].to_vec(), numbers.last()), (vec![1, 2, 18], Some(&40)));
    assert_eq!(damages, [Damage { path, good: 25 + 2 * 1_000_016 }]);
}
