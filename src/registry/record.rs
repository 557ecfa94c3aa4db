//! One record of the recovery journal: an event as a line of JSON, then the bytes it is about; or why numbers are
//! missing before the next one.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::index::blobs::StoredBlob;
use crate::index::events::{Event, EventKind};
use crate::index::feed::{Entry, Subject};
use crate::oci::{Digest, MediaType, RepositoryName, Tag};

/// Why a record cannot be read although its checksum is right.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It has no first line.
    #[error("it has no head")]
    NoHead,
    /// Its first line is not what this program writes.
    #[error("its head is not valid")]
    Head(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("it is of a kind this program does not know: `{0}`")]
    Kind(String),
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// What happened.
    Entry(Box<Entry>),
    /// That no event from the first number up to the record's own is in the journal, nor will be.
    Gap(Gap),
}

/// Numbers without events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gap {
    /// The first of them.
    pub(super) first: u64,
    /// Why.
    pub(super) reason: GapReason,
}

/// Why numbers have no events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GapReason {
    /// They were left out on purpose: nothing happened under them.
    Unused,
    /// The feed no longer had the events when this journal was begun: what they were about is lost to it.
    Removed,
}

#[derive(Serialize, Deserialize)]
struct GapHead {
    gap: Gap,
}

/// A gap as the journal keeps it, under the number of its last event.
pub(super) fn write_gap(gap: Gap) -> Result<Vec<u8>, RecordError> {
    let mut record = serde_json::to_vec(&GapHead { gap })?;
    record.push(b'\n');
    Ok(record)
}

#[derive(Serialize, Deserialize)]
struct Head {
    kind: String,
    repository: RepositoryName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<Tag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    actor: String,
    at: Timestamp,
    /// Of a manifest whose bytes follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    /// Of a blob; its bytes follow if they are as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

/// An entry as the journal keeps it.
pub(super) fn write(entry: &Entry) -> Result<Vec<u8>, RecordError> {
    let (media_type, size, bytes) = match &entry.subject {
        Subject::Manifest(media_type, bytes) => (Some(media_type.clone()), None, Some(bytes)),
        Subject::Blob(blob) => (None, Some(blob.size), blob.inline.as_ref()),
        Subject::None => (None, None, None),
    };
    let Event { kind, repository, digest, tag, detail, actor, at } = entry.event.clone();
    let head = Head { kind: kind.as_str().to_owned(), repository, digest, tag, detail, actor, at, media_type, size };
    let mut record = serde_json::to_vec(&head)?;
    record.push(b'\n');
    record.extend_from_slice(bytes.map_or(&[], |bytes| bytes));
    Ok(record)
}

/// A record as it was kept.
pub(super) fn read(number: i64, record: &Bytes) -> Result<Record, RecordError> {
    // JSON escapes line ends, so the first one ends the head.
    let end = record.iter().position(|byte| *byte == b'\n').ok_or(RecordError::NoHead)?;
    if record.starts_with(b"{\"gap\":") {
        return Ok(Record::Gap(serde_json::from_slice::<GapHead>(&record[..end])?.gap));
    }
    let head: Head = serde_json::from_slice(&record[..end])?;
    let bytes = record.slice(end + 1..);
    let subject = match (head.media_type, head.size) {
        (Some(media_type), _) => Subject::Manifest(media_type, bytes),
        (None, Some(size)) => Subject::Blob(StoredBlob { size, inline: (bytes.len() as u64 == size).then_some(bytes) }),
        (None, None) => Subject::None,
    };
    let kind = EventKind::from_name(&head.kind).ok_or_else(|| RecordError::Kind(head.kind.clone()))?;
    let Head { repository, digest, tag, detail, actor, at, .. } = head;
    let event = Event { kind, repository, digest, tag, detail, actor, at };
    Ok(Record::Entry(Box::new(Entry { number, event, subject })))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let event = Event {
            kind: EventKind::TagMoved,
            repository: "a/b".parse().unwrap(),
            digest: Some(Digest::sha256(b"x")),
            tag: Some("latest".parse().unwrap()),
            detail: Some("more\n".to_owned()),
            actor: "line\nend".to_owned(),
            at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        };
        let manifest = Subject::Manifest("application/x.y".parse().unwrap(), Bytes::from_static(b"{\n}\n"));
        let small = Subject::Blob(StoredBlob { size: 3, inline: Some(Bytes::from_static(b"\n\n\n")) });
        let empty = Subject::Blob(StoredBlob { size: 0, inline: Some(Bytes::new()) });
        let large = Subject::Blob(StoredBlob { size: 9, inline: None });
        for subject in [Subject::None, manifest, small, empty, large] {
            let entry = Entry { number: 7, event: event.clone(), subject };
            assert_eq!(read(7, &write(&entry).unwrap().into()).unwrap(), Record::Entry(Box::new(entry)));
        }
        for reason in [GapReason::Unused, GapReason::Removed] {
            let gap = Gap { first: 3, reason };
            assert_eq!(read(7, &write_gap(gap).unwrap().into()).unwrap(), Record::Gap(gap));
        }
        let foreign = write(&Entry { number: 1, event, subject: Subject::None }).unwrap();
        let foreign = String::from_utf8(foreign).unwrap().replace("tag.moved", "tag.sung");
        assert!(matches!(read(1, &foreign.into()), Err(RecordError::Kind(kind)) if kind == "tag.sung"));
        assert!(matches!(read(1, &Bytes::from_static(b"{}\n")), Err(RecordError::Head(_))));
        assert!(matches!(read(1, &Bytes::from_static(b"{}")), Err(RecordError::NoHead)));
    }
}
