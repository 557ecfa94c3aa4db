//! A journal: numbered records in append-only files, each with a checksum, cut into segments.
//!
//! A segment `<number of its first record>.log` begins with [`HEADER`]; each record is its length and its checksum (4
//! bytes each, little endian), its number (8 bytes) and its content. Numbers grow. What the records mean is decided
//! above.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Crc;

use super::disk::{Disk, Witness};
use super::{Error, create_folder_durably, sync_folder};

/// What a segment begins with.
const HEADER: &[u8] = b"agent-registry journal 1\n";
/// Bytes after which a segment is followed by the next; opening a journal reads the last one.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Largest content of a record in bytes: a manifest and what is said of it.
pub const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;
/// Bytes before a record's content.
const FRAME_BYTES: usize = 16;

/// A journal that can be added to. One process at a time may open a folder.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    disk: Disk,
    segment_bytes: u64,
    segment: Option<Segment>,
    last: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Journal {
    /// Opens a journal, creating its folder where needed. What a crash left of a last record is cut off.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::over(folder, Disk::default())
    }

    /// Opens a journal while somebody watches what is done to it.
    pub fn open_watched(folder: &Path, witness: Arc<dyn Witness>) -> Result<Self, Error> {
        Self::over(folder, Disk::watched(witness))
    }

    fn over(folder: &Path, disk: Disk) -> Result<Self, Error> {
        create_folder_durably(folder).map_err(|error| Error::io(folder, error))?;
        let mut journal =
            Self { folder: folder.to_owned(), disk, segment_bytes: SEGMENT_BYTES, segment: None, last: 0 };
        for path in segments(folder)?.into_iter().rev() {
            if journal.continue_at(&path).map_err(|error| Error::io(&path, error))? {
                break;
            }
        }
        Ok(journal)
    }

    /// Begins a new segment after so many bytes of one; 16 MiB where nobody says.
    #[must_use]
    pub fn with_segments_of(self, bytes: u64) -> Self {
        Self { segment_bytes: bytes, ..self }
    }

    /// Whether a folder holds records, as far as their files' names say.
    pub fn is_in(folder: &Path) -> Result<bool, Error> {
        Ok(folder.is_dir() && !segments(folder)?.is_empty())
    }

    /// The number of the last record in a folder, which is left as it is.
    pub fn last_in(folder: &Path) -> Result<u64, Error> {
        let segments = if folder.is_dir() { segments(folder)? } else { vec![] };
        for path in segments.into_iter().rev() {
            let reading = File::open(&path).and_then(Reading::begin).map_err(|error| Error::io(&path, error))?;
            if let Some(last) = reading.map_while(Result::ok).last() {
                return Ok(last.number);
            }
        }
        Ok(0)
    }

    /// Copies a journal into an empty folder, durably. One that is written to meanwhile is copied up to some record.
    pub fn copy(folder: &Path, target: &Path) -> Result<(), Error> {
        create_folder_durably(target).map_err(|error| Error::io(target, error))?;
        let segments = if folder.is_dir() { segments(folder)? } else { vec![] };
        for path in segments {
            // Copied and not linked: a journal goes on where its last segments end.
            let copy = target.join(path.file_name().unwrap_or_default());
            let copied = fs::copy(&path, &copy).and_then(|_| File::open(&copy)?.sync_all());
            copied.map_err(|error| Error::io(&copy, error))?;
        }
        sync_folder(target).map_err(|error| Error::io(target, error))
    }

    /// The number of the last record; 0 while there is none.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Adds records, which are durable when this answers. Those numbered no higher than the last one are there already.
    ///
    /// After an error the journal must be opened again.
    pub fn append(&mut self, records: &[(u64, Vec<u8>)]) -> Result<(), Error> {
        let mut rest = &records[records.partition_point(|(number, _)| *number <= self.last)..];
        while let Some((first, _)) = rest.first() {
            let mut buffer = Vec::new();
            let room = self.segment_bytes;
            let segment = self.segment_for(*first)?;
            let room = room.saturating_sub(segment.length);
            let mut last = 0;
            while let Some(((number, content), others)) = rest.split_first()
                && (buffer.len() as u64) < room
            {
                frame(&mut buffer, *number, content)?;
                (last, rest) = (*number, others);
            }
            self.write(&buffer)?;
            self.last = last;
        }
        Ok(())
    }

    /// The segment that a record goes into: the last one, or a new one where that is full.
    fn segment_for(&mut self, number: u64) -> Result<&Segment, Error> {
        if self.segment.as_ref().is_none_or(|segment| segment.length >= self.segment_bytes) {
            let path = self.folder.join(format!("{number:020}.log"));
            let made = self.disk.create(&path).and_then(|file| {
                self.disk.append(&file, &path, HEADER)?;
                self.disk.sync_folder(&self.folder)?;
                Ok(file)
            });
            let file = made.map_err(|error| Error::io(&path, error))?;
            self.segment = Some(Segment { path, file, length: HEADER.len() as u64 });
        }
        self.segment.as_ref().ok_or(Error::WriterFailed)
    }

    fn write(&mut self, buffer: &[u8]) -> Result<(), Error> {
        let segment = self.segment.as_mut().ok_or(Error::WriterFailed)?;
        let (file, path) = (&segment.file, &segment.path);
        let written = self.disk.append(file, path, buffer).and_then(|()| self.disk.sync(file, path));
        written.map_err(|error| Error::io(path, error))?;
        segment.length += buffer.len() as u64;
        Ok(())
    }

    /// Takes up a segment after its last good record. One without any is removed, and `false` says so.
    fn continue_at(&mut self, path: &Path) -> io::Result<bool> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut reading = Reading::begin(file.try_clone()?)?;
        let last = reading.by_ref().map_while(Result::ok).last();
        let Some(last) = last else {
            drop(reading);
            self.disk.remove(path)?;
            return Ok(false);
        };
        let length = reading.good;
        if file.metadata()?.len() > length {
            self.disk.cut(&file, path, length)?;
        }
        // Records that a killed process left unsynced count from here on, and the next may go into another segment.
        self.disk.sync(&file, path)?;
        file.seek(SeekFrom::Start(length))?;
        self.last = last.number;
        self.segment = Some(Segment { path: path.to_owned(), file, length });
        Ok(true)
    }
}

/// A record as it was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its number.
    pub number: u64,
    /// Its content.
    pub content: Bytes,
}

/// A place from which on a segment cannot be read; what follows in later segments can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub path: PathBuf,
    /// Bytes of it that are good.
    pub good: u64,
}

/// Reads a journal from its first record on. A last record that a crash cut short is no damage.
#[derive(Debug)]
pub struct JournalReader {
    segments: std::vec::IntoIter<PathBuf>,
    current: Option<(PathBuf, Reading)>,
}

impl JournalReader {
    /// Opens a journal for reading; one that does not exist has no records.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let segments = if folder.is_dir() { segments(folder)? } else { vec![] };
        Ok(Self { segments: segments.into_iter(), current: None })
    }

    /// The next record, or where some are damaged; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<Result<JournalRecord, Damage>>, Error> {
        loop {
            let Some((path, reading)) = &mut self.current else {
                let Some(path) = self.segments.next() else { return Ok(None) };
                let reading = File::open(&path).and_then(Reading::begin).map_err(|error| Error::io(&path, error))?;
                self.current = Some((path, reading));
                continue;
            };
            match reading.next() {
                Some(Ok(record)) => return Ok(Some(Ok(record))),
                Some(Err(error)) if error.kind() != io::ErrorKind::InvalidData => return Err(Error::io(path, error)),
                Some(Err(_)) => {
                    let damage = Damage { path: path.clone(), good: reading.good };
                    self.current = None;
                    if self.segments.len() > 0 {
                        return Ok(Some(Err(damage)));
                    }
                }
                None => self.current = None,
            }
        }
    }
}

/// One segment being read. Bytes that are no record give [`io::ErrorKind::InvalidData`].
#[derive(Debug)]
struct Reading {
    input: BufReader<File>,
    /// Bytes up to the end of the last good record.
    good: u64,
    left: u64,
}

impl Reading {
    fn begin(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let left = file.metadata()?.len();
        Ok(Self { input: BufReader::new(file), good: 0, left })
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        self.left = self.left.checked_sub(length as u64).ok_or_else(invalid)?;
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => invalid(),
            _ => error,
        })?;
        Ok(bytes)
    }

    fn read(&mut self) -> io::Result<JournalRecord> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        if self.good == 0 {
            if self.take(HEADER.len())? != HEADER {
                return Err(invalid());
            }
            self.good = HEADER.len() as u64;
        }
        let head = self.take(FRAME_BYTES)?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let length = word(0) as usize;
        if length == 0 || length > MAX_RECORD_BYTES {
            return Err(invalid());
        }
        let content = self.take(length)?;
        if checksum(&head[8..], &content) != word(4) {
            return Err(invalid());
        }
        self.good += (FRAME_BYTES + length) as u64;
        let number = u64::from(word(8)) | (u64::from(word(12)) << 32);
        Ok(JournalRecord { number, content: content.into() })
    }
}

impl Iterator for Reading {
    type Item = io::Result<JournalRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 && self.good > 0 { None } else { Some(self.read()) }
    }
}

fn frame(buffer: &mut Vec<u8>, number: u64, content: &[u8]) -> Result<(), Error> {
    let length =
        u32::try_from(content.len()).ok().filter(|length| (1..=MAX_RECORD_BYTES).contains(&(*length as usize)));
    let length = length.ok_or(Error::RecordSize(content.len()))?;
    let number = number.to_le_bytes();
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&checksum(&number, content).to_le_bytes());
    buffer.extend_from_slice(&number);
    buffer.extend_from_slice(content);
    Ok(())
}

fn checksum(number: &[u8], content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(number);
    crc.update(content);
    crc.sum()
}

/// The segments in the order of their records.
fn segments(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let names = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = names.map_err(|error: io::Error| Error::io(folder, error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    Ok(paths)
}
