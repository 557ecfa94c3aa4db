//! Events with what the journal keeps of them: the bytes of manifests and small blobs.

use bytes::Bytes;

use super::blobs::StoredBlob;
use super::events::{self, Event};
use super::repositories::page;
use super::{Error, Row, Session};
use crate::oci::MediaType;

/// Most entries read at a time.
const MAX_ENTRIES: usize = 500;

/// An event with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event's number.
    pub number: i64,
    /// What happened.
    pub event: Event,
    /// What it is about, if that is still there.
    pub subject: Subject,
}

/// What an event is about, as far as it is more than names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A manifest that was pushed.
    Manifest(MediaType, Bytes),
    /// A blob that was added.
    Blob(StoredBlob),
    /// Nothing more; or it is gone again, and a later event says so.
    None,
}

/// Entries after an event's number, oldest first, of about `max_bytes` of content in memory, but at least one.
pub fn entries(session: &mut dyn Session, after: i64, max_bytes: u64) -> Result<Vec<Entry>, Error> {
    let sizes = "SELECT e.id, coalesce(length(m.bytes), 0) + coalesce(length(b.bytes), 0) FROM event e \
                 LEFT JOIN repository r ON e.kind = 'manifest.pushed' AND r.name = e.repository \
                 LEFT JOIN manifest m ON m.repository_id = r.id AND m.digest = e.digest \
                 LEFT JOIN blob b ON e.kind = 'blob.added' AND b.digest = e.digest \
                 WHERE e.id > ?1 ORDER BY e.id LIMIT ?2";
    let (mut total, mut last) = (0, after);
    for row in session.query(sizes, &[after.into(), page(MAX_ENTRIES)])? {
        total += row.size(1)?;
        if last > after && total > max_bytes {
            break;
        }
        last = row.integer(0)?;
    }
    let sql = "SELECT e.id, e.kind, e.repository, e.digest, e.tag, e.actor, e.at, e.detail, \
               m.media_type, m.bytes, b.size, b.bytes \
               FROM event e \
               LEFT JOIN repository r ON e.kind = 'manifest.pushed' AND r.name = e.repository \
               LEFT JOIN manifest m ON m.repository_id = r.id AND m.digest = e.digest \
               LEFT JOIN blob b ON e.kind = 'blob.added' AND b.digest = e.digest \
               WHERE e.id > ?1 AND e.id <= ?2 ORDER BY e.id";
    session.query(sql, &[after.into(), last.into()])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Entry, Error> {
    let (number, event) = events::read(row)?;
    let manifest = row.optional(8, Row::parsed)?.zip(row.optional(9, Row::bytes)?);
    let blob = match row.optional(10, Row::size)? {
        Some(size) => Some(StoredBlob { size, inline: row.optional(11, Row::bytes)? }),
        None => None,
    };
    let subject = match (manifest, blob) {
        (Some((media_type, bytes)), _) => Subject::Manifest(media_type, bytes),
        (None, Some(blob)) => Subject::Blob(blob),
        (None, None) => Subject::None,
    };
    Ok(Entry { number, event, subject })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, manifest, name, tag, time};
    use super::super::tags::Change;
    use super::super::{blobs, manifests};
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn entries_carry_what_they_are_about_in_bounded_pages() {
        let mut index = Fixture::new();
        let here = name("a/b");
        let change = Change { id: index.repository("a/b"), repository: &here, actor: "ada", at: time(1) };
        let small = StoredBlob { size: 2, inline: Some(Bytes::from_static(b"{}")) };
        let large = StoredBlob { size: 5_000_000, inline: None };
        for (digest, blob) in [(Digest::sha256(b"{}"), &small), (Digest::sha256(b"large"), &large)] {
            blobs::add(index.session(), &change, &digest, blob, time(9)).unwrap();
            blobs::add(index.session(), &change, &digest, blob, time(10)).unwrap();
        }
        let pushed = manifest("application/vnd.example.thing", "", None);
        manifests::put(index.session(), &change, &pushed, &[tag("latest")]).unwrap();
        blobs::disown(index.session(), &change, &Digest::sha256(b"large")).unwrap();

        let all = entries(index.session(), 0, u64::MAX).unwrap();
        let manifest = Subject::Manifest(pushed.media_type().clone(), pushed.bytes().clone());
        let subjects: Vec<_> = all.iter().map(|entry| (entry.event.kind.as_str(), entry.subject.clone())).collect();
        let expected = [
            ("blob.added", Subject::Blob(small)),
            ("blob.added", Subject::Blob(large)),
            ("manifest.pushed", manifest),
            ("tag.moved", Subject::None),
            ("blob.removed", Subject::None),
        ];
        assert_eq!(subjects, expected);
        let mut paged = vec![];
        loop {
            let page = entries(index.session(), paged.last().map_or(0, |last: &Entry| last.number), 1).unwrap();
            assert!(page.len() <= 2);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, all);
        manifests::delete(index.session(), &change, &pushed.digest()).unwrap();
        assert_eq!(entries(index.session(), all[1].number, 1).unwrap()[0].subject, Subject::None);
    }
}
