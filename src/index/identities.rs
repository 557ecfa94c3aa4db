//! Identities at an issuer elsewhere that sign users in.

use jiff::Timestamp;

use super::accounts::AccountId;
use super::repositories::page;
use super::{Error, Row, Session};
use crate::auth::AccountName;

/// An identity as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    /// Who vouches for it.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// Since when it signs the user in.
    pub linked_at: Timestamp,
}

/// Links an identity to a user. False when it is linked already, to whomever.
pub fn link(
    session: &mut dyn Session,
    account: AccountId,
    (issuer, subject): (&str, &str),
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "INSERT INTO user_identity (issuer, subject, account_id, linked_at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (issuer, subject) DO NOTHING";
    Ok(session.execute(sql, &[issuer.into(), subject.into(), account.into(), now.into()])? > 0)
}

/// Ends that an identity signs a user in. Whether it did.
pub fn unlink(session: &mut dyn Session, account: AccountId, issuer: &str, subject: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM user_identity WHERE issuer = ?1 AND subject = ?2 AND account_id = ?3";
    Ok(session.execute(sql, &[issuer.into(), subject.into(), account.into()])? > 0)
}

/// The user an identity signs in. One who was removed is not signed in, and neither is who has the name now.
pub fn user(session: &mut dyn Session, issuer: &str, subject: &str) -> Result<Option<(AccountId, AccountName)>, Error> {
    let row = session.first(
        "SELECT a.id, a.name FROM user_identity i JOIN account a ON a.id = i.account_id \
         WHERE i.issuer = ?1 AND i.subject = ?2 AND a.removed_at IS NULL AND a.kind = 1",
        &[issuer.into(), subject.into()],
    )?;
    row.map(|row| Ok((AccountId(row.integer(0)?), row.parsed(1)?))).transpose()
}

/// Whether an identity is linked, to a removed user too.
pub fn is_linked(session: &mut dyn Session, issuer: &str, subject: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM user_identity WHERE issuer = ?1 AND subject = ?2";
    Ok(session.first(sql, &[issuer.into(), subject.into()])?.is_some())
}

/// The identities of a user, at most `limit`.
pub fn list(session: &mut dyn Session, account: AccountId, limit: usize) -> Result<Vec<StoredIdentity>, Error> {
    let sql = "SELECT issuer, subject, linked_at FROM user_identity WHERE account_id = ?1 \
               ORDER BY issuer, subject LIMIT ?2";
    let read = |row: &Row| {
        let (issuer, subject) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        Ok(StoredIdentity { issuer, subject, linked_at: row.time(2)? })
    };
    session.query(sql, &[account.into(), page(limit)])?.iter().map(read).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::accounts;
    use super::super::fixture::{Fixture, account, time};
    use super::*;

    const ISSUER: &str = "https://id.example";

    #[test]
    fn an_identity_signs_in_one_user_and_never_the_next_of_that_name() {
        let mut index = Fixture::new();
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        assert!(link(index.session(), ada, (ISSUER, "1"), time(1)).unwrap());
        assert!(!link(index.session(), bob, (ISSUER, "1"), time(2)).unwrap());
        assert_eq!(user(index.session(), ISSUER, "1").unwrap(), Some((ada, account("ada"))));
        for (issuer, subject) in [(ISSUER, "2"), ("https://other.example", "1"), (ISSUER, "")] {
            assert_eq!(user(index.session(), issuer, subject).unwrap(), None);
        }
        let listed = list(index.session(), ada, 10).unwrap();
        assert_eq!((listed.len(), listed[0].subject.as_str(), listed[0].linked_at), (1, "1", time(1)));
        assert!(!unlink(index.session(), bob, ISSUER, "1").unwrap());

        accounts::remove(index.session(), ada, time(3)).unwrap();
        assert_eq!(user(index.session(), ISSUER, "1").unwrap(), None);
        assert!(accounts::free(index.session(), ada, time(4)).unwrap());
        let next = index.user("ada");
        assert_eq!(user(index.session(), ISSUER, "1").unwrap(), None);
        assert!(is_linked(index.session(), ISSUER, "1").unwrap());
        assert!(unlink(index.session(), ada, ISSUER, "1").unwrap());
        assert!(link(index.session(), next, (ISSUER, "1"), time(5)).unwrap());
        assert_eq!(user(index.session(), ISSUER, "1").unwrap(), Some((next, account("ada"))));
    }
}
