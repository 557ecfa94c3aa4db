//! Access tokens and refresh tokens: what they reach and how long, never their text.

use bytes::Bytes;
use jiff::Timestamp;

use super::accounts::AccountId;
use super::repositories::page;
use super::{Error, Row, Session, Value, access};
use crate::auth::{AccountName, RepositoryPattern, Scopes, TokenId};

/// Most patterns kept of one token; more are not read either.
const MAX_PATTERNS: usize = 64;

impl From<TokenId> for Value {
    fn from(id: TokenId) -> Self {
        Self::Integer(id.get())
    }
}

/// What a stored token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A person's or machine's own, usable everywhere.
    Access,
    /// Only to get short tokens.
    Refresh,
}

impl TokenKind {
    /// Part of the file format: never change a number.
    const fn number(self) -> i64 {
        match self {
            Self::Access => 1,
            Self::Refresh => 2,
        }
    }
}

/// A token about to be stored.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    /// Whose it is.
    pub account: AccountId,
    /// What it is for.
    pub kind: TokenKind,
    /// SHA-256 of its whole text.
    pub hash: &'a [u8; 32],
    /// What its owner calls it.
    pub name: &'a str,
    /// What it may be used for.
    pub scopes: &'a Scopes,
    /// Where it may be used; everywhere without any.
    pub patterns: &'a [RepositoryPattern],
    /// The token it was made with, and with which it ends.
    pub parent: Option<TokenId>,
    /// From when on it is refused; never without.
    pub expires_at: Option<Timestamp>,
}

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredToken {
    /// Its row, by which people name it.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountName,
    /// What it is for.
    pub kind: TokenKind,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Where it may be used; everywhere without any.
    pub patterns: Vec<RepositoryPattern>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, within a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Stores a token. A hash that is stored already is refused by the database.
pub fn insert(session: &mut dyn Session, token: &NewToken<'_>, now: Timestamp) -> Result<TokenId, Error> {
    let sql = "INSERT INTO access_token (account_id, kind, hash, name, scopes, patterns, parent_id, created_at, \
               expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id";
    let patterns = token.patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let parameters = [
        token.account.into(),
        token.kind.number().into(),
        Bytes::copy_from_slice(token.hash).into(),
        token.name.into(),
        Value::Text(token.scopes.to_string()),
        Value::Text(patterns),
        Value::optional(token.parent),
        now.into(),
        Value::optional(token.expires_at),
    ];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    access::bump(session)?;
    row.integer(0).map(TokenId::new)
}

/// Finds a token, whether it is still accepted or not.
pub fn find(session: &mut dyn Session, id: TokenId) -> Result<Option<StoredToken>, Error> {
    let row = session.first(
        "SELECT t.id, a.name, t.kind, t.name, t.scopes, t.patterns, t.created_at, t.expires_at, t.last_used_at, \
         t.revoked_at FROM access_token t JOIN account a ON a.id = t.account_id WHERE t.id = ?1",
        &[id.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Whether a text of this hash is known, from whichever account.
pub fn is_known(session: &mut dyn Session, hash: &[u8; 32]) -> Result<bool, Error> {
    let hash = Bytes::copy_from_slice(hash);
    Ok(session.first("SELECT 1 FROM access_token WHERE hash = ?1", &[hash.into()])?.is_some())
}

/// An account's tokens of one kind that were not revoked, in the order they were made, after one, at most `limit`.
pub fn list(
    session: &mut dyn Session,
    account: AccountId,
    kind: TokenKind,
    after: Option<TokenId>,
    limit: usize,
) -> Result<Vec<StoredToken>, Error> {
    let sql = "SELECT t.id, a.name, t.kind, t.name, t.scopes, t.patterns, t.created_at, t.expires_at, t.last_used_at, \
               t.revoked_at FROM access_token t JOIN account a ON a.id = t.account_id \
               WHERE t.account_id = ?1 AND t.kind = ?2 AND t.id > ?3 AND t.revoked_at IS NULL ORDER BY t.id LIMIT ?4";
    let after = after.map_or(Value::Integer(0), Into::into);
    let rows = session.query(sql, &[account.into(), kind.number().into(), after, page(limit)])?;
    rows.iter().map(read).collect()
}

/// Whether an account has as many tokens of a kind that were not revoked.
pub fn has(session: &mut dyn Session, account: AccountId, kind: TokenKind, many: usize) -> Result<bool, Error> {
    let Some(before) = many.checked_sub(1) else { return Ok(true) };
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let sql = "SELECT 1 FROM access_token WHERE account_id = ?1 AND kind = ?2 AND revoked_at IS NULL LIMIT 1 OFFSET ?3";
    Ok(session.first(sql, &[account.into(), kind.number().into(), before.into()])?.is_some())
}

/// Revokes a token, and with it what was made with it. Whether it was accepted until now.
pub fn revoke(session: &mut dyn Session, id: TokenId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE access_token SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    let was_live = session.execute(sql, &[id.into(), now.into()])? > 0;
    access::bump(session)?;
    Ok(was_live)
}

/// Revokes refresh tokens that were made with a password, as when that changes. At most `limit`; whether some are left.
pub fn revoke_sessions(
    session: &mut dyn Session,
    account: AccountId,
    now: Timestamp,
    limit: usize,
) -> Result<bool, Error> {
    let sql = "UPDATE access_token SET revoked_at = ?2 WHERE id IN (SELECT id FROM access_token \
               WHERE account_id = ?1 AND kind = 2 AND parent_id IS NULL AND revoked_at IS NULL LIMIT ?3)";
    let revoked = session.execute(sql, &[account.into(), now.into(), page(limit)])?;
    access::bump(session)?;
    Ok(revoked >= limit)
}

/// Lets a token end at a moment, unless it ends sooner anyway.
pub fn expire_at(session: &mut dyn Session, id: TokenId, at: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE access_token SET expires_at = ?2 WHERE id = ?1 AND (expires_at IS NULL OR expires_at > ?2)";
    session.execute(sql, &[id.into(), at.into()])?;
    access::bump(session)
}

/// Remembers when a token was last used. Nothing is decided from it, so that nothing else is forgotten.
pub fn touch(session: &mut dyn Session, id: TokenId, at: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE access_token SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2";
    session.execute(sql, &[id.into(), at.into()]).map(|_| ())
}

/// Reads the columns id, account, kind, name, scopes, patterns, created, expires, last used, revoked.
pub(super) fn read(row: &Row) -> Result<StoredToken, Error> {
    let kind = match row.integer(2)? {
        1 => TokenKind::Access,
        2 => TokenKind::Refresh,
        _ => return Err(Error::Column { column: 2, wanted: "a kind of token" }),
    };
    Ok(StoredToken {
        id: TokenId::new(row.integer(0)?),
        account: row.parsed(1)?,
        kind,
        name: row.text(3)?.to_owned(),
        scopes: row.parsed(4)?,
        patterns: read_patterns(row, 5)?,
        created_at: row.time(6)?,
        expires_at: row.optional(7, Row::time)?,
        last_used_at: row.optional(8, Row::time)?,
        revoked_at: row.optional(9, Row::time)?,
    })
}

/// Reads patterns, one a line. One that cannot be read is an error: left out, it would widen the token.
pub(super) fn read_patterns(row: &Row, column: usize) -> Result<Vec<RepositoryPattern>, Error> {
    let text = row.text(column)?;
    let wrong = Error::Column { column, wanted: "repository patterns" };
    if text.is_empty() {
        return Ok(vec![]);
    }
    let patterns: Result<Vec<_>, _> = text.split('\n').map(str::parse).collect();
    patterns.ok().filter(|patterns| patterns.len() <= MAX_PATTERNS).ok_or(wrong)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, time};
    use super::*;

    fn new<'a>(account: AccountId, hash: &'a [u8; 32], scopes: &'a Scopes) -> NewToken<'a> {
        let (kind, name, parent) = (TokenKind::Access, "laptop", None);
        NewToken { account, kind, hash, name, scopes, patterns: &[], parent, expires_at: Some(time(100)) }
    }

    #[test]
    fn a_token_comes_back_as_it_was_stored_and_its_hash_is_unique() {
        let mut index = Fixture::new();
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        let (scopes, patterns) = ("read,write".parse().unwrap(), ["team/*", "a/**"].map(|text| text.parse().unwrap()));
        let first = NewToken { patterns: &patterns, ..new(ada, &[1; 32], &scopes) };
        let id = insert(index.session(), &first, time(1)).unwrap();
        assert!(matches!(insert(index.session(), &new(bob, &[1; 32], &scopes), time(1)), Err(Error::Statement(_))));
        let stored = find(index.session(), id).unwrap().unwrap();
        assert_eq!((stored.account.as_str(), &*stored.name, &stored.scopes), ("ada", "laptop", &scopes));
        assert_eq!(stored.patterns, patterns);
        assert_eq!((stored.created_at, stored.expires_at), (time(1), Some(time(100))));
        assert!(is_known(index.session(), &[1; 32]).unwrap());
        assert!(!is_known(index.session(), &[2; 32]).unwrap());

        expire_at(index.session(), id, time(200)).unwrap();
        assert_eq!(find(index.session(), id).unwrap().unwrap().expires_at, Some(time(100)), "it never grows longer");
        expire_at(index.session(), id, time(50)).unwrap();
        touch(index.session(), id, time(20)).unwrap();
        touch(index.session(), id, time(10)).unwrap();
        let stored = find(index.session(), id).unwrap().unwrap();
        assert_eq!((stored.expires_at, stored.last_used_at), (Some(time(50)), Some(time(20))));
    }

    #[test]
    fn lists_hold_ones_own_live_tokens_of_one_kind() {
        let mut index = Fixture::new();
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        let scopes = Scopes::all();
        let mut ids = vec![];
        for number in 0..3 {
            ids.push(insert(index.session(), &new(ada, &[number; 32], &scopes), time(1)).unwrap());
        }
        let refresh = NewToken { kind: TokenKind::Refresh, ..new(ada, &[7; 32], &scopes) };
        let refresh = insert(index.session(), &refresh, time(1)).unwrap();
        insert(index.session(), &new(bob, &[8; 32], &scopes), time(1)).unwrap();
        assert!(revoke(index.session(), ids[0], time(2)).unwrap());
        assert!(!revoke(index.session(), ids[0], time(2)).unwrap());
        let listed = |index: &mut Fixture, kind, after| {
            list(index.session(), ada, kind, after, 10).unwrap().into_iter().map(|token| token.id).collect::<Vec<_>>()
        };
        let many = |index: &mut Fixture, many| has(index.session(), ada, TokenKind::Access, many).unwrap();
        assert!(many(&mut index, 2) && !many(&mut index, 3));
        assert_eq!(listed(&mut index, TokenKind::Access, None), ids[1..]);
        assert_eq!(listed(&mut index, TokenKind::Access, Some(ids[1])), ids[2..]);
        assert_eq!(listed(&mut index, TokenKind::Refresh, None), [refresh]);
        assert!(!revoke_sessions(index.session(), ada, time(3), 10).unwrap());
        assert!(listed(&mut index, TokenKind::Refresh, None).is_empty());
        assert_eq!(listed(&mut index, TokenKind::Access, None), ids[1..]);
    }
}
