//! Publishers: who may publish to a repository with an identity from elsewhere, and which of these were used already.

use bytes::Bytes;
use jiff::Timestamp;

use super::repositories::page;
use super::{Error, Row, Session, Value, access};
use crate::auth::{PublisherId, TokenId};
use crate::oci::RepositoryName;

impl From<PublisherId> for Value {
    fn from(id: PublisherId) -> Self {
        Self::Integer(id.get())
    }
}

/// A publisher as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPublisher {
    /// Its row.
    pub id: PublisherId,
    /// Where it may publish; the repository need not exist.
    pub repository: RepositoryName,
    /// Who vouches for it.
    pub issuer: String,
    /// What an identity must claim, as JSON.
    pub rule: Bytes,
    /// Who configured it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When an identity was last taken for it.
    pub last_used_at: Option<Timestamp>,
}

/// A publisher about to be configured.
#[derive(Clone, Debug)]
pub struct NewPublisher<'a> {
    /// Where it may publish.
    pub repository: &'a RepositoryName,
    /// Who vouches for it.
    pub issuer: &'a str,
    /// What [`candidates`] finds it by.
    pub selector: &'a str,
    /// What an identity must claim, as JSON.
    pub rule: Bytes,
    /// Who configures it.
    pub created_by: &'a str,
}

/// Configures a publisher.
pub fn add(session: &mut dyn Session, new: &NewPublisher<'_>, now: Timestamp) -> Result<PublisherId, Error> {
    let sql = "INSERT INTO publisher (repository, issuer, selector, rule, created_by, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
    let parameters = [
        new.repository.into(),
        new.issuer.into(),
        new.selector.into(),
        new.rule.clone().into(),
        new.created_by.into(),
        now.into(),
    ];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    access::bump(session)?;
    row.integer(0).map(PublisherId::new)
}

/// Finds a publisher.
pub fn find(session: &mut dyn Session, id: PublisherId) -> Result<Option<StoredPublisher>, Error> {
    let sql = "SELECT id, repository, issuer, rule, created_by, created_at, last_used_at FROM publisher WHERE id = ?1";
    session.first(sql, &[id.into()])?.as_ref().map(read).transpose()
}

/// Publishers of a repository, which need not exist, in the order they were made, after one, at most `limit`.
pub fn list(
    session: &mut dyn Session,
    repository: &RepositoryName,
    after: Option<PublisherId>,
    limit: usize,
) -> Result<Vec<StoredPublisher>, Error> {
    let sql = "SELECT id, repository, issuer, rule, created_by, created_at, last_used_at FROM publisher \
               WHERE repository = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let after = after.map_or(Value::Integer(0), Into::into);
    session.query(sql, &[repository.into(), after, page(limit)])?.iter().map(read).collect()
}

/// Publishers of an issuer that an identity with this selector might be, at most `limit`.
pub fn candidates(
    session: &mut dyn Session,
    issuer: &str,
    selector: &str,
    limit: usize,
) -> Result<Vec<StoredPublisher>, Error> {
    let sql = "SELECT id, repository, issuer, rule, created_by, created_at, last_used_at FROM publisher \
               WHERE issuer = ?1 AND selector = ?2 ORDER BY id LIMIT ?3";
    session.query(sql, &[issuer.into(), selector.into(), page(limit)])?.iter().map(read).collect()
}

/// Takes a publisher away. Whether it was there.
pub fn remove(session: &mut dyn Session, id: PublisherId) -> Result<bool, Error> {
    let was_there = session.execute("DELETE FROM publisher WHERE id = ?1", &[id.into()])? > 0;
    access::bump(session)?;
    Ok(was_there)
}

/// Remembers when a publisher was last used. Nothing is decided from it.
pub fn touch(session: &mut dyn Session, id: PublisherId, at: Timestamp) -> Result<(), Error> {
    session.execute("UPDATE publisher SET last_used_at = ?2 WHERE id = ?1", &[id.into(), at.into()]).map(|_| ())
}

/// Takes note that an identity was exchanged. Whether this was the first time.
pub fn use_once(session: &mut dyn Session, hash: &[u8; 32], expires_at: Timestamp) -> Result<bool, Error> {
    let sql = "INSERT INTO used_assertion (hash, expires_at) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING";
    Ok(session.execute(sql, &[Bytes::copy_from_slice(hash).into(), expires_at.into()])? > 0)
}

/// Forgets used identities that nobody accepts any more, at most `limit`. How many.
pub fn forget_used(session: &mut dyn Session, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let sql = "DELETE FROM used_assertion WHERE hash IN \
               (SELECT hash FROM used_assertion WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    session.execute(sql, &[now.into(), page(limit)])
}

/// A token of a publisher, and what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The token.
    pub token: TokenId,
    /// The publisher it was made for.
    pub id: PublisherId,
    /// The repository it reaches.
    pub repository: RepositoryName,
    /// From when on it is refused.
    pub expires_at: Timestamp,
}

/// Stores a token for a publisher; `hash` is of its whole text. Nobody was refused it before, so that whatever was
/// decided stays true.
pub fn add_token(
    session: &mut dyn Session,
    id: PublisherId,
    hash: &[u8; 32],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<TokenId, Error> {
    let sql = "INSERT INTO access_token (publisher_id, kind, hash, name, scopes, patterns, created_at, expires_at) \
               VALUES (?1, 1, ?2, '', '', '', ?3, ?4) RETURNING id";
    let parameters = [id.into(), Bytes::copy_from_slice(hash).into(), now.into(), expires_at.into()];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    row.integer(0).map(TokenId::new)
}

/// Finds the accepted token of a hash: not expired, not revoked, of a publisher that is still there.
pub fn bearer(session: &mut dyn Session, hash: &[u8; 32], now: Timestamp) -> Result<Option<Bearer>, Error> {
    let row = session.first(
        "SELECT t.id, p.id, p.repository, t.expires_at FROM access_token t JOIN publisher p ON p.id = t.publisher_id \
         WHERE t.hash = ?1 AND t.revoked_at IS NULL AND t.expires_at > ?2",
        &[Bytes::copy_from_slice(hash).into(), now.into()],
    )?;
    let read = |row: Row| {
        let (token, id) = (TokenId::new(row.integer(0)?), PublisherId::new(row.integer(1)?));
        Ok(Bearer { token, id, repository: row.parsed(2)?, expires_at: row.time(3)? })
    };
    row.map(read).transpose()
}

/// Forgets tokens of publishers that have expired, at most `limit`. How many.
pub fn forget_tokens(session: &mut dyn Session, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let sql = "DELETE FROM access_token WHERE id IN (SELECT id FROM access_token \
               WHERE publisher_id IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    session.execute(sql, &[now.into(), page(limit)])
}

fn read(row: &Row) -> Result<StoredPublisher, Error> {
    Ok(StoredPublisher {
        id: PublisherId::new(row.integer(0)?),
        repository: row.parsed(1)?,
        issuer: row.text(2)?.to_owned(),
        rule: row.bytes(3)?,
        created_by: row.text(4)?.to_owned(),
        created_at: row.time(5)?,
        last_used_at: row.optional(6, Row::time)?,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, name, time};
    use super::*;

    fn new<'a>(repository: &'a RepositoryName, selector: &'a str) -> NewPublisher<'a> {
        NewPublisher {
            repository,
            issuer: "https://ci.example",
            selector,
            rule: Bytes::from_static(b"{}"),
            created_by: "ada",
        }
    }

    #[test]
    fn publishers_are_found_by_repository_and_by_what_an_identity_claims() {
        let mut index = Fixture::new();
        let (here, there) = (name("acme/agent"), name("acme/other"));
        let first = add(index.session(), &new(&here, "repository_id=1"), time(1)).unwrap();
        let second = add(index.session(), &new(&here, "repository_id=2"), time(1)).unwrap();
        let third = add(index.session(), &new(&there, "repository_id=1"), time(1)).unwrap();
        let ids = |found: Vec<StoredPublisher>| found.into_iter().map(|publisher| publisher.id).collect::<Vec<_>>();
        assert_eq!(ids(list(index.session(), &here, None, 10).unwrap()), [first, second]);
        assert_eq!(ids(list(index.session(), &here, Some(first), 10).unwrap()), [second]);
        let found =
            |index: &mut Fixture, issuer, selector| ids(candidates(index.session(), issuer, selector, 10).unwrap());
        assert_eq!(found(&mut index, "https://ci.example", "repository_id=1"), [first, third]);
        assert!(found(&mut index, "https://evil.example", "repository_id=1").is_empty());
        assert!(found(&mut index, "https://ci.example", "repository_id=3").is_empty());
        assert!(remove(index.session(), first).unwrap());
        assert!(!remove(index.session(), first).unwrap());
        assert_eq!(find(index.session(), first).unwrap(), None);
        touch(index.session(), second, time(7)).unwrap();
        let kept = find(index.session(), second).unwrap().unwrap();
        assert_eq!(kept.last_used_at, Some(time(7)));
        assert_eq!((kept.repository, kept.created_by.as_str(), kept.created_at), (here, "ada", time(1)));
    }

    #[test]
    fn a_publishers_token_lasts_as_long_as_it_and_its_publisher_do() {
        let mut index = Fixture::new();
        let here = name("acme/agent");
        let id = add(index.session(), &new(&here, "repository_id=1"), time(1)).unwrap();
        let token = add_token(index.session(), id, &[1; 32], time(1), time(100)).unwrap();
        let expected = Bearer { token, id, repository: here, expires_at: time(100) };
        assert_eq!(bearer(index.session(), &[1; 32], time(99)).unwrap(), Some(expected));
        assert_eq!(bearer(index.session(), &[2; 32], time(99)).unwrap(), None);
        assert_eq!(bearer(index.session(), &[1; 32], time(100)).unwrap(), None);
        assert_eq!(access::caller(index.session(), &[1; 32], time(99)).unwrap(), None, "it is nobody's account");
        assert!(access::is_unrevoked(index.session(), token).unwrap());

        assert_eq!(forget_tokens(index.session(), time(99), 10).unwrap(), 0);
        add_token(index.session(), id, &[3; 32], time(1), time(200)).unwrap();
        assert_eq!(forget_tokens(index.session(), time(100), 10).unwrap(), 1);
        assert!(bearer(index.session(), &[3; 32], time(150)).unwrap().is_some());
        assert!(remove(index.session(), id).unwrap());
        assert_eq!(bearer(index.session(), &[3; 32], time(150)).unwrap(), None);
        let other = index.user("ada");
        let hash = Bytes::from_static(&[9; 32]);
        let both = "INSERT INTO access_token (account_id, publisher_id, kind, hash, name, scopes, patterns, created_at) \
                    VALUES (?1, 1, 1, ?2, '', '', '', 0)";
        assert!(index.session().execute(both, &[other.into(), hash.into()]).is_err(), "a token is of one or the other");
    }

    #[test]
    fn an_identity_is_used_once_until_nobody_accepts_it() {
        let mut index = Fixture::new();
        assert!(use_once(index.session(), &[1; 32], time(10)).unwrap());
        assert!(!use_once(index.session(), &[1; 32], time(10)).unwrap());
        assert!(use_once(index.session(), &[2; 32], time(20)).unwrap());
        assert_eq!(forget_used(index.session(), time(10), 10).unwrap(), 1);
        assert!(use_once(index.session(), &[1; 32], time(30)).unwrap());
        assert!(!use_once(index.session(), &[2; 32], time(20)).unwrap());
    }
}
