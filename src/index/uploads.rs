//! Upload sessions with acknowledged bytes: how far they are, and the hash so far.

use jiff::Timestamp;

use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value};
use crate::oci::{HashState, UploadId};

/// An upload session. It belongs to one repository and to who opened it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// The repository it fills.
    pub repository: RepositoryId,
    /// Who opened it, as [`crate::auth::Permit::actor`] says.
    pub owner: String,
    /// How many bytes are durable.
    pub offset: u64,
    /// The hash of these bytes.
    pub hash: HashState,
    /// When it ends if it does not go on.
    pub expires_at: Timestamp,
}

/// Writes a session for the first time, or how far it is now. Repository and owner never change.
pub fn save(session: &mut dyn Session, upload: &Upload) -> Result<(), Error> {
    let sql = "INSERT INTO upload (id, repository_id, owner, offset_bytes, algorithm, hash_state, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET \
               offset_bytes = excluded.offset_bytes, algorithm = excluded.algorithm, \
               hash_state = excluded.hash_state, expires_at = excluded.expires_at";
    let parameters = [
        (&upload.id).into(),
        upload.repository.into(),
        upload.owner.as_str().into(),
        Value::size(upload.offset)?,
        upload.hash.algorithm.as_str().into(),
        bytes::Bytes::from(upload.hash.bytes.clone()).into(),
        upload.expires_at.into(),
    ];
    session.execute(sql, &parameters).map(|_| ())
}

/// Finds a session that has not expired, in its own repository only.
pub fn find(
    session: &mut dyn Session,
    repository: RepositoryId,
    id: &UploadId,
    now: Timestamp,
) -> Result<Option<Upload>, Error> {
    let row = session.first(
        "SELECT id, repository_id, owner, offset_bytes, algorithm, hash_state, expires_at FROM upload \
         WHERE id = ?1 AND repository_id = ?2 AND expires_at > ?3",
        &[id.into(), repository.into(), now.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Whether a session has a row, in whichever repository and however old.
pub fn exists(session: &mut dyn Session, id: &UploadId) -> Result<bool, Error> {
    Ok(session.first("SELECT 1 FROM upload WHERE id = ?1", &[id.into()])?.is_some())
}

/// Takes a finished, cancelled or expired session away. Whether it was there.
pub fn remove(session: &mut dyn Session, id: &UploadId) -> Result<bool, Error> {
    Ok(session.execute("DELETE FROM upload WHERE id = ?1", &[id.into()])? > 0)
}

/// Forgets the sessions of an owner; their bytes are removed with those of others that nobody can continue.
pub fn remove_of(session: &mut dyn Session, owner: &str) -> Result<usize, Error> {
    session.execute("DELETE FROM upload WHERE owner = ?1", &[owner.into()])
}

/// Whether an owner has as many sessions.
pub fn has(session: &mut dyn Session, owner: &str, many: usize) -> Result<bool, Error> {
    let Some(before) = many.checked_sub(1) else { return Ok(true) };
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let sql = "SELECT 1 FROM upload WHERE owner = ?1 LIMIT 1 OFFSET ?2";
    Ok(session.first(sql, &[owner.into(), before.into()])?.is_some())
}

/// Takes every session away, as where their bytes were left behind.
pub fn remove_all(session: &mut dyn Session) -> Result<usize, Error> {
    session.execute("DELETE FROM upload", &[])
}

/// Sessions that have expired, the longest expired first, at most `limit`.
pub fn expired(session: &mut dyn Session, now: Timestamp, limit: usize) -> Result<Vec<UploadId>, Error> {
    let sql = "SELECT id FROM upload WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
    session.query(sql, &[now.into(), page(limit)])?.iter().map(|row| row.parsed(0)).collect()
}

fn read(row: &Row) -> Result<Upload, Error> {
    Ok(Upload {
        id: row.parsed(0)?,
        repository: RepositoryId(row.integer(1)?),
        owner: row.text(2)?.to_owned(),
        offset: row.size(3)?,
        hash: HashState { algorithm: row.parsed(4)?, bytes: row.bytes(5)?.to_vec() },
        expires_at: row.time(6)?,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, time};
    use super::*;
    use crate::oci::{Algorithm, Digest, Hasher};

    fn upload(repository: RepositoryId, content: &[u8], expires: i64) -> Upload {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(content);
        let (id, owner, offset) = (UploadId::random(), "ada".to_owned(), content.len() as u64);
        Upload { id, repository, owner, offset, hash: hasher.state(), expires_at: time(expires) }
    }

    #[test]
    fn a_session_goes_on_where_it_was_and_its_hash_does_too() {
        let mut index = Fixture::new();
        let (here, there) = (index.repository("a/b"), index.repository("a/c"));
        let first = upload(here, b"abc", 10);
        save(index.session(), &first).unwrap();
        assert_eq!(find(index.session(), here, &first.id, time(9)).unwrap(), Some(first.clone()));
        assert_eq!(find(index.session(), there, &first.id, time(9)).unwrap(), None);
        assert_eq!(find(index.session(), here, &first.id, time(10)).unwrap(), None, "it has expired");
        let mut hasher = Hasher::resume(&first.hash).unwrap();
        hasher.update(b"def");
        let further = Upload { offset: 6, hash: hasher.state(), expires_at: time(20), ..first.clone() };
        save(index.session(), &Upload { owner: "eve".to_owned(), repository: there, ..further.clone() }).unwrap();
        let found = find(index.session(), here, &first.id, time(19)).unwrap().unwrap();
        assert_eq!(found, further, "owner and repository stay");
        assert_eq!(Hasher::resume(&found.hash).unwrap().finish(), Digest::sha256(b"abcdef"));
        assert!(exists(index.session(), &first.id).unwrap());
        let mut has = |owner, many| has(index.session(), owner, many).unwrap();
        assert!(has("ada", 0) && has("ada", 1) && !has("ada", 2) && !has("eve", 1));
        assert!(remove(index.session(), &first.id).unwrap());
        assert!(!exists(index.session(), &first.id).unwrap());
        assert!(!remove(index.session(), &first.id).unwrap());
        save(index.session(), &first).unwrap();
        assert_eq!((remove_of(index.session(), "eve").unwrap(), remove_of(index.session(), "ada").unwrap()), (0, 1));
        assert!(!exists(index.session(), &first.id).unwrap());
    }

    #[test]
    fn expired_sessions_are_listed_oldest_first() {
        let mut index = Fixture::new();
        let here = index.repository("a/b");
        let all = [30, 10, 20].map(|expires| upload(here, b"", expires));
        for upload in &all {
            save(index.session(), upload).unwrap();
        }
        assert_eq!(expired(index.session(), time(20), 10).unwrap(), [all[1].id, all[2].id]);
        assert_eq!(expired(index.session(), time(20), 1).unwrap(), [all[1].id]);
        assert!(expired(index.session(), time(9), 10).unwrap().is_empty());
    }
}
