//! Blobs: which are known, which repository may read them, and the bytes of the small ones.

use bytes::Bytes;
use jiff::Timestamp;

use super::events::EventKind;
use super::repositories::{RepositoryId, page};
use super::sight::{in_sight, viewer, within_reach};
use super::tags::Change;
use super::{Error, Row, Session, Value};
use crate::auth::{ActionKind, Sight};
use crate::oci::{Digest, Manifest, RepositoryName};

/// Largest blob whose bytes ride along in the database; larger ones are files (measured: 14 against 5 times the
/// reference registry's pushes).
pub const MAX_INLINE_BYTES: usize = 64 * 1024;

/// A blob that a repository may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes, if they are in the database; else the store has them.
    pub inline: Option<Bytes>,
}

/// Gives a repository a blob whose bytes were just verified and are durable, or ride along as `inline`.
///
/// That the bytes are there and right is also what takes a collector's condemnation back.
pub fn add(
    session: &mut dyn Session,
    change: &Change<'_>,
    digest: &Digest,
    blob: &StoredBlob,
    leased_until: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO blob (digest, size, created_at, bytes) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (digest) DO UPDATE SET condemned_at = NULL, bytes = coalesce(blob.bytes, excluded.bytes)";
    let bytes = Value::optional(blob.inline.clone());
    session.execute(sql, &[digest.into(), Value::size(blob.size)?, change.at.into(), bytes])?;
    own(session, change, digest, leased_until)
}

/// Reads a blob of a repository, with its bytes if they are in the database.
///
/// A condemned blob is not there: its file may be about to go.
pub fn get(
    session: &mut dyn Session,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Option<StoredBlob>, Error> {
    let row = session.first(
        "SELECT b.size, b.bytes FROM repository r JOIN repository_blob o ON o.repository_id = r.id \
         JOIN blob b ON b.digest = o.digest WHERE r.name = ?1 AND o.digest = ?2 AND b.condemned_at IS NULL",
        &[repository.into(), digest.into()],
    )?;
    row.map(|row| Ok(StoredBlob { size: row.size(0)?, inline: row.optional(1, Row::bytes)? })).transpose()
}

/// The size of a repository's blob, without reading its bytes.
pub fn size(session: &mut dyn Session, repository: &RepositoryName, digest: &Digest) -> Result<Option<u64>, Error> {
    let row = session.first(
        "SELECT b.size FROM repository r JOIN repository_blob o ON o.repository_id = r.id \
         JOIN blob b ON b.digest = o.digest WHERE r.name = ?1 AND o.digest = ?2 AND b.condemned_at IS NULL",
        &[repository.into(), digest.into()],
    )?;
    row.map(|row| row.size(0)).transpose()
}

/// Gives a repository a blob that another one has. Whether that one has it; the right to read it is the caller's
/// question.
pub fn mount(
    session: &mut dyn Session,
    from: &RepositoryName,
    into: &Change<'_>,
    digest: &Digest,
    leased_until: Timestamp,
) -> Result<bool, Error> {
    let found = size(session, from, digest)?.is_some();
    if found {
        own(session, into, digest, leased_until)?;
    }
    Ok(found)
}

/// A repository in sight that has a blob.
pub fn owner_in_sight(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    digest: &Digest,
) -> Result<Option<RepositoryName>, Error> {
    let read = |after: &i64| owners(session, sight, now, digest, *after);
    // To see a name is not enough: the blob is going to be read.
    let is_reached = |name: &RepositoryName| sight.reach().narrows(ActionKind::Pull, name).is_none();
    let found = within_reach(is_reached, MAX_OWNERS, 0, read, |(id, name)| (name, *id))?;
    Ok(found.into_iter().next().map(|(_, name)| name))
}

/// Owners of a blob read at a time.
const MAX_OWNERS: usize = 8;

fn owners(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    digest: &Digest,
    after: i64,
) -> Result<Vec<(i64, RepositoryName)>, Error> {
    let rows = if sight.is_administrator() {
        session.query(
            "SELECT r.id, r.name FROM repository_blob o JOIN repository r ON r.id = o.repository_id \
             JOIN blob b ON b.digest = o.digest WHERE o.digest = ?1 AND o.repository_id > ?2 \
             AND b.condemned_at IS NULL ORDER BY o.repository_id LIMIT ?3",
            &[digest.into(), after.into(), page(MAX_OWNERS)],
        )
    } else {
        let sql = concat!(
            "SELECT r.id, r.name FROM repository_blob o CROSS JOIN repository r CROSS JOIN blob b ",
            "WHERE o.digest = ?4 AND o.repository_id > ?5 AND r.id = o.repository_id AND b.digest = o.digest ",
            "AND b.condemned_at IS NULL AND ",
            in_sight!(),
            " ORDER BY o.repository_id LIMIT ?6"
        );
        let (user, publisher) = viewer(sight);
        session.query(sql, &[user, publisher, now.into(), digest.into(), after.into(), page(MAX_OWNERS)])
    }?;
    rows.iter().map(|row| Ok((row.integer(0)?, row.parsed(1)?))).collect()
}

/// Takes a blob from a repository; its bytes stay for the others and the collector. Whether it had it.
pub fn disown(session: &mut dyn Session, change: &Change<'_>, digest: &Digest) -> Result<bool, Error> {
    let sql = "DELETE FROM repository_blob WHERE repository_id = ?1 AND digest = ?2";
    let was_owned = session.execute(sql, &[change.id.into(), digest.into()])? > 0;
    if was_owned {
        change.announce(session, EventKind::BlobRemoved, Some(*digest), None)?;
    }
    Ok(was_owned)
}

/// The blobs a manifest needs and its repository lacks.
pub fn missing(session: &mut dyn Session, repository: RepositoryId, manifest: &Manifest) -> Result<Vec<Digest>, Error> {
    let sql = "SELECT 1 FROM repository_blob o JOIN blob b ON b.digest = o.digest \
               WHERE o.repository_id = ?1 AND o.digest = ?2 AND b.condemned_at IS NULL";
    let mut missing = vec![];
    for digest in manifest.needed_blobs() {
        if session.first(sql, &[repository.into(), (&digest).into()])?.is_none() {
            missing.push(digest);
        }
    }
    Ok(missing)
}

/// The blobs whose bytes are files, by digest after `after`, with their sizes; those condemned may be gone already.
pub fn files(session: &mut dyn Session, after: Option<&Digest>, limit: usize) -> Result<Vec<(Digest, u64)>, Error> {
    let sql = "SELECT digest, size FROM blob WHERE digest > ?1 AND bytes IS NULL AND condemned_at IS NULL \
               ORDER BY digest LIMIT ?2";
    let after = after.map_or(Value::Bytes(Bytes::new()), Into::into);
    session.query(sql, &[after, page(limit)])?.iter().map(|row| Ok((row.digest(0)?, row.size(1)?))).collect()
}

/// Whether anything is known of a blob; a file of which nothing is known may go.
pub fn is_known(session: &mut dyn Session, digest: &Digest) -> Result<bool, Error> {
    Ok(session.first("SELECT 1 FROM blob WHERE digest = ?1", &[digest.into()])?.is_some())
}

fn own(session: &mut dyn Session, change: &Change<'_>, digest: &Digest, until: Timestamp) -> Result<(), Error> {
    let parameters = [change.id.into(), digest.into(), until.into()];
    let sql = "INSERT INTO repository_blob (repository_id, digest, leased_until) VALUES (?1, ?2, ?3) \
               ON CONFLICT (repository_id, digest) DO NOTHING";
    if session.execute(sql, &parameters)? > 0 {
        return change.announce(session, EventKind::BlobAdded, Some(*digest), None);
    }
    let sql = "UPDATE repository_blob SET leased_until = ?3 \
               WHERE repository_id = ?1 AND digest = ?2 AND leased_until < ?3";
    session.execute(sql, &parameters).map(|_| ())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, caller, manifest, name, time};
    use super::*;

    fn change<'a>(index: &mut Fixture, repository: &'a RepositoryName) -> Change<'a> {
        Change { id: index.repository(repository.as_str()), repository, actor: "ada", at: time(1) }
    }

    fn small(content: &'static [u8]) -> StoredBlob {
        StoredBlob { size: content.len() as u64, inline: Some(Bytes::from_static(content)) }
    }

    #[test]
    fn a_digest_is_no_right_to_read_and_mounting_gives_it() {
        let mut index = Fixture::new();
        let names = [name("a/b"), name("a/c")];
        let (here, there) = (change(&mut index, &names[0]), change(&mut index, &names[1]));
        let digest = Digest::sha256(b"{}");
        add(index.session(), &here, &digest, &small(b"{}"), time(2)).unwrap();
        assert_eq!(get(index.session(), &name("a/b"), &digest).unwrap(), Some(small(b"{}")));
        assert_eq!(get(index.session(), &name("a/c"), &digest).unwrap(), None);
        assert_eq!(size(index.session(), &name("a/c"), &digest).unwrap(), None);
        assert!(!mount(index.session(), &name("a/c"), &here, &digest, time(3)).unwrap());
        assert!(mount(index.session(), &name("a/b"), &there, &digest, time(3)).unwrap());
        let owner = |index: &mut Fixture, sight| owner_in_sight(index.session(), &sight, time(1), &digest).unwrap();
        assert!(owner(&mut index, Sight::system()).is_some());
        assert_eq!(owner(&mut index, Sight::of(&caller(""), false)), None);
        assert!(disown(index.session(), &here, &digest).unwrap());
        assert_eq!(owner(&mut index, Sight::system()), Some(name("a/c")));
        assert!(!disown(index.session(), &here, &digest).unwrap());
        assert_eq!(size(index.session(), &name("a/b"), &digest).unwrap(), None);
        assert_eq!(size(index.session(), &name("a/c"), &digest).unwrap(), Some(2));
    }

    #[test]
    fn a_large_blob_has_no_bytes_here_and_leases_only_grow() {
        let mut index = Fixture::new();
        let repository = name("a/b");
        let here = change(&mut index, &repository);
        let digest = Digest::of(crate::oci::Algorithm::Sha512, b"large");
        let large = StoredBlob { size: 5_000_000_000, inline: None };
        for until in [9, 4] {
            add(index.session(), &here, &digest, &large, time(until)).unwrap();
        }
        assert_eq!(get(index.session(), &name("a/b"), &digest).unwrap(), Some(large));
        assert_eq!(index.count("SELECT leased_until FROM repository_blob"), 9_000);
        let too_large = StoredBlob { size: u64::MAX, inline: None };
        let refused = add(index.session(), &here, &Digest::sha256(b"x"), &too_large, time(2));
        assert!(matches!(refused, Err(Error::TooLarge(u64::MAX))));
    }

    #[test]
    fn a_condemned_blob_is_missing_until_its_bytes_come_again() {
        let mut index = Fixture::new();
        let repository = name("a/b");
        let here = change(&mut index, &repository);
        let digest = Digest::sha256(b"{}");
        let pushed = manifest("application/vnd.example.thing", "", None);
        assert_eq!(missing(index.session(), here.id, &pushed).unwrap(), [digest]);
        add(index.session(), &here, &digest, &small(b"{}"), time(2)).unwrap();
        assert!(missing(index.session(), here.id, &pushed).unwrap().is_empty());
        index.execute("UPDATE blob SET condemned_at = 1", &[]).unwrap();
        assert_eq!(missing(index.session(), here.id, &pushed).unwrap(), [digest]);
        assert_eq!(get(index.session(), &name("a/b"), &digest).unwrap(), None);
        add(index.session(), &here, &digest, &StoredBlob { size: 2, inline: None }, time(2)).unwrap();
        assert_eq!(get(index.session(), &name("a/b"), &digest).unwrap(), Some(small(b"{}")));
    }
}
