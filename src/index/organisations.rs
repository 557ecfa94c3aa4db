//! Who belongs to which organisation, and as what.

use jiff::Timestamp;

use super::accounts::AccountId;
use super::codes::code;
use super::repositories::page;
use super::{Error, Row, Session, access};
use crate::auth::{AccountName, Role};

/// A user in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: AccountName,
    /// As what.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

/// Makes a user a member or an owner of an organisation, or changes which.
pub fn set_member(
    session: &mut dyn Session,
    organisation: AccountId,
    user: AccountId,
    role: Role,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO member (organisation_id, user_id, role, since) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (organisation_id, user_id) DO UPDATE SET role = excluded.role";
    session.execute(sql, &[organisation.into(), user.into(), code(role), now.into()])?;
    access::bump(session)
}

/// Takes a user out of an organisation and its teams. Whether they were in it.
pub fn remove_member(session: &mut dyn Session, organisation: AccountId, user: AccountId) -> Result<bool, Error> {
    let sql = "DELETE FROM member WHERE organisation_id = ?1 AND user_id = ?2";
    let was_member = session.execute(sql, &[organisation.into(), user.into()])? > 0;
    let sql = "DELETE FROM team_member WHERE user_id = ?2 AND team_id IN \
               (SELECT m.team_id FROM team_member m JOIN team t ON t.id = m.team_id \
               WHERE m.user_id = ?2 AND t.organisation_id = ?1)";
    session.execute(sql, &[organisation.into(), user.into()])?;
    access::bump(session)?;
    Ok(was_member)
}

/// What a user is in an organisation; nothing if they are not in it.
pub fn role(session: &mut dyn Session, organisation: AccountId, user: AccountId) -> Result<Option<Role>, Error> {
    let sql = "SELECT role FROM member WHERE organisation_id = ?1 AND user_id = ?2";
    session.first(sql, &[organisation.into(), user.into()])?.map(|row| row.word(0)).transpose()
}

/// Whether an organisation has an owner besides this user.
pub fn has_other_owner(session: &mut dyn Session, organisation: AccountId, user: AccountId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM member m JOIN account u ON u.id = m.user_id \
               WHERE m.organisation_id = ?1 AND m.role = 2 AND m.user_id <> ?2 AND u.removed_at IS NULL LIMIT 1";
    Ok(session.first(sql, &[organisation.into(), user.into()])?.is_some())
}

/// An organisation that would have no owner without this user.
pub fn only_owned_by(session: &mut dyn Session, user: AccountId) -> Result<Option<AccountName>, Error> {
    let row = session.first(
        "SELECT o.name FROM member m JOIN account o ON o.id = m.organisation_id \
         WHERE m.user_id = ?1 AND m.role = 2 AND o.removed_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM member other JOIN account u ON u.id = other.user_id \
         WHERE other.organisation_id = m.organisation_id AND other.role = 2 AND other.user_id <> ?1 \
         AND u.removed_at IS NULL) LIMIT 1",
        &[user.into()],
    )?;
    row.map(|row| row.parsed(0)).transpose()
}

/// How many users are in an organisation; the time grows with their number.
pub fn count_members(session: &mut dyn Session, organisation: AccountId) -> Result<u64, Error> {
    let row = session.first(
        "SELECT count(*) FROM member m JOIN account u ON u.id = m.user_id \
         WHERE m.organisation_id = ?1 AND u.removed_at IS NULL",
        &[organisation.into()],
    )?;
    row.map_or(Ok(0), |row| row.size(0))
}

/// The users in an organisation by name after `after`, at most `limit`.
pub fn members(
    session: &mut dyn Session,
    organisation: AccountId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Member>, Error> {
    // By name: a person reads it. An organisation's members are few enough to be sorted.
    let sql = "SELECT u.name, m.role, m.since FROM member m JOIN account u ON u.id = m.user_id \
               WHERE m.organisation_id = ?1 AND u.removed_at IS NULL AND u.name > ?2 ORDER BY u.name LIMIT ?3";
    let rows = session.query(sql, &[organisation.into(), after.unwrap_or_default().into(), page(limit)])?;
    let read = |row: &Row| Ok(Member { user: row.parsed(0)?, role: row.word(1)?, since: row.time(2)? });
    rows.iter().map(read).collect()
}

/// The organisations a user belongs to, with what they are there, by name after `after`, at most `limit`.
pub fn of_user(
    session: &mut dyn Session,
    user: AccountId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(AccountName, Role)>, Error> {
    let sql = "SELECT o.name, m.role FROM member m JOIN account o ON o.id = m.organisation_id \
               WHERE m.user_id = ?1 AND o.removed_at IS NULL AND o.name > ?2 ORDER BY o.name LIMIT ?3";
    let rows = session.query(sql, &[user.into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(|row| Ok((row.parsed(0)?, row.word(1)?))).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, account, time};
    use super::super::{accounts, teams};
    use super::*;

    #[test]
    fn members_come_with_their_role_and_leave_their_teams_with_the_organisation() {
        let mut index = Fixture::new();
        let (acme, other) = (index.organisation("acme"), index.organisation("other"));
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        set_member(index.session(), acme, bob, Role::Member, time(1)).unwrap();
        set_member(index.session(), acme, ada, Role::Owner, time(1)).unwrap();
        set_member(index.session(), other, bob, Role::Owner, time(1)).unwrap();
        let all = members(index.session(), acme, None, 10).unwrap();
        let named: Vec<_> = all.iter().map(|member| (member.user.as_str(), member.role)).collect();
        assert_eq!(named, [("ada", Role::Owner), ("bob", Role::Member)]);
        assert_eq!(count_members(index.session(), acme).unwrap(), 2);
        assert_eq!(members(index.session(), acme, Some("ada"), 10).unwrap(), all[1..]);
        let mine = of_user(index.session(), bob, None, 10).unwrap();
        assert_eq!(mine, [(account("acme"), Role::Member), (account("other"), Role::Owner)]);

        let devs = teams::create(index.session(), acme, "devs", None, time(2)).unwrap();
        let rest = teams::create(index.session(), other, "rest", None, time(2)).unwrap();
        for team in [devs, rest] {
            teams::add_member(index.session(), team, bob, time(2)).unwrap();
        }
        assert!(remove_member(index.session(), acme, bob).unwrap());
        assert!(!remove_member(index.session(), acme, bob).unwrap());
        assert_eq!(role(index.session(), acme, bob).unwrap(), None);
        assert!(teams::members(index.session(), devs, None, 10).unwrap().is_empty());
        assert_eq!(teams::members(index.session(), rest, None, 10).unwrap(), [(account("bob"), time(2))]);
    }

    #[test]
    fn an_owner_counts_only_while_they_are_there() {
        let mut index = Fixture::new();
        let acme = index.organisation("acme");
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        set_member(index.session(), acme, ada, Role::Owner, time(1)).unwrap();
        set_member(index.session(), acme, bob, Role::Member, time(1)).unwrap();
        assert!(!has_other_owner(index.session(), acme, ada).unwrap());
        assert_eq!(only_owned_by(index.session(), ada).unwrap(), Some(account("acme")));
        assert_eq!(only_owned_by(index.session(), bob).unwrap(), None);
        set_member(index.session(), acme, bob, Role::Owner, time(2)).unwrap();
        assert!(has_other_owner(index.session(), acme, ada).unwrap());
        assert_eq!(only_owned_by(index.session(), ada).unwrap(), None);
        accounts::remove(index.session(), bob, time(3)).unwrap();
        assert!(!has_other_owner(index.session(), acme, ada).unwrap());
        assert_eq!(only_owned_by(index.session(), ada).unwrap(), Some(account("acme")));
        let left = members(index.session(), acme, None, 10).unwrap();
        assert_eq!(left, [Member { user: account("ada"), role: Role::Owner, since: time(1) }]);
        assert_eq!(count_members(index.session(), acme).unwrap(), 1);
    }
}
