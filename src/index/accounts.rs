//! Accounts: users and organisations, which share one space of names.

use jiff::Timestamp;

use super::codes::code;
use super::repositories::page;
use super::{Error, Row, Session, Value, access};
use crate::auth::{AccountName, Visibility};

/// An account's row. It is never used again, not even by another account of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(pub(super) i64);

impl From<AccountId> for Value {
    fn from(id: AccountId) -> Self {
        Self::Integer(id.0)
    }
}

impl From<&AccountName> for Value {
    fn from(name: &AccountName) -> Self {
        name.as_str().into()
    }
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person, or a machine that acts as one.
    User,
    /// A group that owns a namespace.
    Organisation,
}

impl AccountKind {
    /// Part of the file format: never change a number.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Organisation => 2,
        }
    }
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its row.
    pub id: AccountId,
    /// Its name, which is also its namespace.
    pub name: AccountName,
    /// What it is.
    pub kind: AccountKind,
    /// Whether it may do everything.
    pub is_administrator: bool,
    /// What new repositories in its namespace are.
    pub default_visibility: Visibility,
    /// When its password was set; it has none otherwise.
    pub password_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was removed; only its name is still taken since.
    pub removed_at: Option<Timestamp>,
}

impl Account {
    /// Whether it was not removed.
    pub fn is_live(&self) -> bool {
        self.removed_at.is_none()
    }
}

/// Finds who holds a name, removed accounts included.
pub fn find(session: &mut dyn Session, name: &AccountName) -> Result<Option<Account>, Error> {
    let row = session.first(
        "SELECT id, name, kind, is_administrator, default_visibility, password_at, created_at, removed_at \
         FROM account WHERE name = ?1 AND freed_at IS NULL",
        &[name.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Finds a live user.
pub fn user(session: &mut dyn Session, name: &AccountName) -> Result<Option<Account>, Error> {
    live(session, name, AccountKind::User)
}

/// Finds a live organisation.
pub fn organisation(session: &mut dyn Session, name: &AccountName) -> Result<Option<Account>, Error> {
    live(session, name, AccountKind::Organisation)
}

fn live(session: &mut dyn Session, name: &AccountName, kind: AccountKind) -> Result<Option<Account>, Error> {
    Ok(find(session, name)?.filter(|account| account.is_live() && account.kind == kind))
}

/// Makes a user. Whether the name is free, and may be used, is the caller's question in the same closure.
pub fn create_user(
    session: &mut dyn Session,
    name: &AccountName,
    is_administrator: bool,
    now: Timestamp,
) -> Result<AccountId, Error> {
    create(session, name, AccountKind::User, is_administrator, now)
}

/// Makes an organisation, which has no owner yet. Whether the name is free is the caller's question.
pub fn create_organisation(session: &mut dyn Session, name: &AccountName, now: Timestamp) -> Result<AccountId, Error> {
    create(session, name, AccountKind::Organisation, false, now)
}

fn create(
    session: &mut dyn Session,
    name: &AccountName,
    kind: AccountKind,
    is_administrator: bool,
    now: Timestamp,
) -> Result<AccountId, Error> {
    let sql = "INSERT INTO account (name, kind, is_administrator, default_visibility, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
    let administrator = Value::Integer(is_administrator.into());
    let parameters = [name.into(), kind.number().into(), administrator, code(Visibility::Private), now.into()];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    access::bump(session)?;
    row.integer(0).map(AccountId)
}

/// Whether any account was ever made: a registry without one has had no first start.
pub fn is_any(session: &mut dyn Session) -> Result<bool, Error> {
    Ok(session.first("SELECT 1 FROM account LIMIT 1", &[])?.is_some())
}

/// Accounts of a kind that were not removed, bytewise in order after a name, at most `limit`.
pub fn list(
    session: &mut dyn Session,
    kind: AccountKind,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Account>, Error> {
    let sql = "SELECT id, name, kind, is_administrator, default_visibility, password_at, created_at, removed_at \
               FROM account WHERE kind = ?1 AND name > ?2 AND removed_at IS NULL ORDER BY name LIMIT ?3";
    let rows = session.query(sql, &[kind.number().into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(read).collect()
}

/// The hash of a live user's password, as a PHC string.
pub fn password(session: &mut dyn Session, name: &AccountName) -> Result<Option<String>, Error> {
    let row = session.first(
        "SELECT password FROM account WHERE name = ?1 AND freed_at IS NULL AND removed_at IS NULL AND kind = 1",
        &[name.into()],
    )?;
    let text = |row: &Row, column| row.text(column).map(str::to_owned);
    row.map_or(Ok(None), |row| row.optional(0, text))
}

/// Sets the hash of a user's password, or takes it away.
pub fn set_password(session: &mut dyn Session, id: AccountId, hash: Option<&str>, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE account SET password = ?2, password_at = ?3 WHERE id = ?1";
    session.execute(sql, &[id.into(), Value::optional(hash), Value::optional(hash.map(|_| now))])?;
    access::bump(session)
}

/// Makes a user an administrator, or takes that back.
pub fn set_administrator(session: &mut dyn Session, id: AccountId, is_administrator: bool) -> Result<(), Error> {
    let sql = "UPDATE account SET is_administrator = ?2 WHERE id = ?1";
    session.execute(sql, &[id.into(), Value::Integer(is_administrator.into())])?;
    access::bump(session)
}

/// An administrator besides this account, the one that was made first.
pub fn other_administrator(session: &mut dyn Session, id: AccountId) -> Result<Option<Account>, Error> {
    let row = session.first(
        "SELECT id, name, kind, is_administrator, default_visibility, password_at, created_at, removed_at \
         FROM account WHERE is_administrator = 1 AND removed_at IS NULL AND id <> ?1 ORDER BY id LIMIT 1",
        &[id.into()],
    )?;
    row.as_ref().map(read).transpose()
}

/// The administrator that was made first.
pub fn first_administrator(session: &mut dyn Session) -> Result<Option<Account>, Error> {
    // Rows are numbered from 1.
    other_administrator(session, AccountId(0))
}

/// Sets what new repositories in an account's namespace are; those that are there stay as they are.
pub fn set_default_visibility(session: &mut dyn Session, id: AccountId, visibility: Visibility) -> Result<(), Error> {
    session.execute("UPDATE account SET default_visibility = ?2 WHERE id = ?1", &[id.into(), code(visibility)])?;
    access::bump(session)
}

/// Removes an account. Its name stays taken; its memberships, grants and tokens stay as rows and do nothing.
pub fn remove(session: &mut dyn Session, id: AccountId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE account SET removed_at = ?2, is_administrator = 0, password = NULL, password_at = NULL \
               WHERE id = ?1 AND removed_at IS NULL";
    session.execute(sql, &[id.into(), now.into()])?;
    access::bump(session)
}

/// Frees the name of a removed account: another may have it. Whether there was such a name.
pub fn free(session: &mut dyn Session, id: AccountId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE account SET freed_at = ?2 WHERE id = ?1 AND removed_at IS NOT NULL AND freed_at IS NULL";
    let is_freed = session.execute(sql, &[id.into(), now.into()])? > 0;
    access::bump(session)?;
    Ok(is_freed)
}

fn read(row: &Row) -> Result<Account, Error> {
    let kind = match row.integer(2)? {
        1 => AccountKind::User,
        2 => AccountKind::Organisation,
        _ => return Err(Error::Column { column: 2, wanted: "a kind of account" }),
    };
    Ok(Account {
        id: AccountId(row.integer(0)?),
        name: row.parsed(1)?,
        kind,
        is_administrator: row.flag(3)?,
        default_visibility: row.word(4)?,
        password_at: row.optional(5, Row::time)?,
        created_at: row.time(6)?,
        removed_at: row.optional(7, Row::time)?,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, account, time};
    use super::*;

    #[test]
    fn a_name_belongs_to_one_account_until_it_is_freed_and_the_next_one_is_another() {
        let mut index = Fixture::new();
        assert!(!is_any(index.session()).unwrap());
        let ada = create_user(index.session(), &account("ada"), true, time(1)).unwrap();
        assert!(is_any(index.session()).unwrap());
        let taken = create_organisation(index.session(), &account("ada"), time(2));
        assert!(matches!(taken, Err(Error::Statement(_))));
        set_password(index.session(), ada, Some("$argon2id$x"), time(3)).unwrap();
        assert_eq!(password(index.session(), &account("ada")).unwrap().as_deref(), Some("$argon2id$x"));
        assert!(!free(index.session(), ada, time(4)).unwrap(), "it is not removed");

        remove(index.session(), ada, time(5)).unwrap();
        let removed = find(index.session(), &account("ada")).unwrap().unwrap();
        assert_eq!((removed.removed_at, removed.is_administrator), (Some(time(5)), false));
        assert_eq!(user(index.session(), &account("ada")).unwrap(), None);
        assert_eq!(password(index.session(), &account("ada")).unwrap(), None);
        assert!(create_user(index.session(), &account("ada"), false, time(6)).is_err(), "the name stays taken");
        assert!(free(index.session(), ada, time(7)).unwrap());
        assert_eq!(find(index.session(), &account("ada")).unwrap(), None);
        let second = create_user(index.session(), &account("ada"), false, time(8)).unwrap();
        assert_ne!(second, ada);
        assert_eq!(user(index.session(), &account("ada")).unwrap().unwrap().created_at, time(8));
    }

    #[test]
    fn lists_hold_one_kind_without_the_removed_and_someone_stays_administrator() {
        let mut index = Fixture::new();
        for name in ["zoe", "ada", "bob"] {
            create_user(index.session(), &account(name), name == "ada", time(1)).unwrap();
        }
        let acme = create_organisation(index.session(), &account("acme"), time(1)).unwrap();
        let found = |index: &mut Fixture, kind, after, limit| {
            let accounts = list(index.session(), kind, after, limit).unwrap();
            accounts.iter().map(|account| account.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(&mut index, AccountKind::User, None, 2), ["ada", "bob"]);
        assert_eq!(found(&mut index, AccountKind::User, Some("bob"), 2), ["zoe"]);
        assert_eq!(found(&mut index, AccountKind::Organisation, None, 2), ["acme"]);
        assert!(organisation(index.session(), &account("ada")).unwrap().is_none());
        remove(index.session(), acme, time(2)).unwrap();
        assert!(found(&mut index, AccountKind::Organisation, None, 2).is_empty());

        let id = |index: &mut Fixture, name| user(index.session(), &account(name)).unwrap().unwrap().id;
        let (ada, bob) = (id(&mut index, "ada"), id(&mut index, "bob"));
        let other = |index: &mut Fixture| other_administrator(index.session(), ada).unwrap().map(|found| found.id);
        assert_eq!(other(&mut index), None);
        set_administrator(index.session(), bob, true).unwrap();
        assert_eq!(other(&mut index), Some(bob));
        remove(index.session(), bob, time(3)).unwrap();
        assert_eq!(other(&mut index), None);
        set_default_visibility(index.session(), ada, Visibility::Public).unwrap();
        assert_eq!(user(index.session(), &account("ada")).unwrap().unwrap().default_visibility, Visibility::Public);
    }
}
