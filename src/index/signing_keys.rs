//! Keys that sign short tokens: one signs, those before it still verify for a while.

use bytes::Bytes;
use jiff::Timestamp;

use super::{Error, Row, Session, access};

/// Most keys kept at a time, retired ones included.
const MAX_KEYS: i64 = 16;

/// A key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name in a token's head.
    pub kid: String,
    /// The private key (PKCS#8).
    pub private: Bytes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another one took over.
    pub retired_at: Option<Timestamp>,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key itself must not reach a log.
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

/// Lets a new key sign from now on; the one before it only verifies.
pub fn rotate(session: &mut dyn Session, kid: &str, private: Bytes, now: Timestamp) -> Result<(), Error> {
    session.execute("UPDATE signing_key SET retired_at = ?1 WHERE retired_at IS NULL", &[now.into()])?;
    let sql = "INSERT INTO signing_key (kid, private, created_at) VALUES (?1, ?2, ?3)";
    session.execute(sql, &[kid.into(), private.into(), now.into()])?;
    access::bump(session)
}

/// The key that signs, and those that were retired after `retired_after`, the newest first.
pub fn list(session: &mut dyn Session, retired_after: Timestamp) -> Result<Vec<StoredKey>, Error> {
    let sql = "SELECT kid, private, created_at, retired_at FROM signing_key \
               WHERE retired_at IS NULL OR retired_at > ?1 ORDER BY created_at DESC LIMIT ?2";
    session.query(sql, &[retired_after.into(), MAX_KEYS.into()])?.iter().map(read).collect()
}

/// Forgets keys that were retired by then. How many.
pub fn forget(session: &mut dyn Session, retired_by: Timestamp) -> Result<usize, Error> {
    session.execute("DELETE FROM signing_key WHERE retired_at <= ?1", &[retired_by.into()])
}

fn read(row: &Row) -> Result<StoredKey, Error> {
    let (kid, private) = (row.text(0)?.to_owned(), row.bytes(1)?);
    Ok(StoredKey { kid, private, created_at: row.time(2)?, retired_at: row.optional(3, Row::time)? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, time};
    use super::*;

    #[test]
    fn the_newest_key_signs_and_retired_ones_verify_for_a_while() {
        let mut index = Fixture::new();
        assert!(list(index.session(), time(0)).unwrap().is_empty());
        for (number, kid) in (1..).zip(["one", "two", "three"]) {
            rotate(index.session(), kid, Bytes::from_static(b"secret key"), time(number * 10)).unwrap();
        }
        let kids = |index: &mut Fixture, after| {
            let keys = list(index.session(), time(after)).unwrap();
            keys.into_iter().map(|key| (key.kid, key.retired_at.is_none())).collect::<Vec<_>>()
        };
        let [three, two, one] = [("three", true), ("two", false), ("one", false)].map(|(k, v)| (k.to_owned(), v));
        assert_eq!(kids(&mut index, 0), [three.clone(), two.clone(), one]);
        assert_eq!(kids(&mut index, 20), [three.clone(), two.clone()]);
        assert_eq!(kids(&mut index, 30), std::slice::from_ref(&three));
        assert_eq!(forget(index.session(), time(20)).unwrap(), 1);
        assert_eq!(kids(&mut index, 0), [three, two]);
        let key = &list(index.session(), time(0)).unwrap()[0];
        assert!(!format!("{key:?}").contains("secret"));
    }
}
