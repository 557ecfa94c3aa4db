//! Teams in organisations: who is in them, and what they may do to every repository of theirs.

use jiff::Timestamp;

use super::accounts::AccountId;
use super::codes::code;
use super::repositories::page;
use super::{Error, Row, Session, Value, access};
use crate::auth::{AccountName, Level};

/// A team's row. It is never used again, not even by another team of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TeamId(pub(super) i64);

impl From<TeamId> for Value {
    fn from(id: TeamId) -> Self {
        Self::Integer(id.0)
    }
}

/// A team as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its row.
    pub id: TeamId,
    /// Its name inside the organisation.
    pub name: String,
    /// What its members may do to every repository of the organisation.
    pub role: Option<Level>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes a team. Whether the name is free is the caller's question in the same closure.
pub fn create(
    session: &mut dyn Session,
    organisation: AccountId,
    name: &str,
    role: Option<Level>,
    now: Timestamp,
) -> Result<TeamId, Error> {
    let sql = "INSERT INTO team (organisation_id, name, role, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING id";
    let parameters = [organisation.into(), name.into(), Value::optional(role.map(code)), now.into()];
    let row = session.first(sql, &parameters)?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    access::bump(session)?;
    row.integer(0).map(TeamId)
}

/// Finds a team of an organisation.
pub fn find(session: &mut dyn Session, organisation: AccountId, name: &str) -> Result<Option<Team>, Error> {
    let sql = "SELECT id, name, role, created_at FROM team \
               WHERE organisation_id = ?1 AND name = ?2 AND removed_at IS NULL";
    session.first(sql, &[organisation.into(), name.into()])?.as_ref().map(read).transpose()
}

/// Teams of an organisation by name after `after`, at most `limit`.
pub fn list(
    session: &mut dyn Session,
    organisation: AccountId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Team>, Error> {
    let sql = "SELECT id, name, role, created_at FROM team \
               WHERE organisation_id = ?1 AND name > ?2 AND removed_at IS NULL ORDER BY name LIMIT ?3";
    let rows = session.query(sql, &[organisation.into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(read).collect()
}

/// Sets what a team's members may do to every repository of the organisation.
pub fn set_role(session: &mut dyn Session, team: TeamId, role: Option<Level>) -> Result<(), Error> {
    session.execute("UPDATE team SET role = ?2 WHERE id = ?1", &[team.into(), Value::optional(role.map(code))])?;
    access::bump(session)
}

/// Removes a team. Its members and grants stay as rows and do nothing.
pub fn remove(session: &mut dyn Session, team: TeamId, now: Timestamp) -> Result<(), Error> {
    session.execute("UPDATE team SET removed_at = ?2 WHERE id = ?1", &[team.into(), now.into()])?;
    access::bump(session)
}

/// Puts a user into a team. That they belong to the organisation is the caller's question.
pub fn add_member(session: &mut dyn Session, team: TeamId, user: AccountId, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO team_member (team_id, user_id, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    session.execute(sql, &[team.into(), user.into(), now.into()])?;
    access::bump(session)
}

/// Takes a user out of a team. Whether they were in it.
pub fn remove_member(session: &mut dyn Session, team: TeamId, user: AccountId) -> Result<bool, Error> {
    let sql = "DELETE FROM team_member WHERE team_id = ?1 AND user_id = ?2";
    let was_member = session.execute(sql, &[team.into(), user.into()])? > 0;
    access::bump(session)?;
    Ok(was_member)
}

/// How many users are in a team; the time grows with their number.
pub fn count_members(session: &mut dyn Session, team: TeamId) -> Result<u64, Error> {
    let row = session.first(
        "SELECT count(*) FROM team_member m JOIN account u ON u.id = m.user_id \
         WHERE m.team_id = ?1 AND u.removed_at IS NULL",
        &[team.into()],
    )?;
    row.map_or(Ok(0), |row| row.size(0))
}

/// The users in a team with since when, by name after `after`, at most `limit`.
pub fn members(
    session: &mut dyn Session,
    team: TeamId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(AccountName, Timestamp)>, Error> {
    let sql = "SELECT u.name, m.since FROM team_member m JOIN account u ON u.id = m.user_id \
               WHERE m.team_id = ?1 AND u.removed_at IS NULL AND u.name > ?2 ORDER BY u.name LIMIT ?3";
    let rows = session.query(sql, &[team.into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(|row| Ok((row.parsed(0)?, row.time(1)?))).collect()
}

fn read(row: &Row) -> Result<Team, Error> {
    let (id, name) = (TeamId(row.integer(0)?), row.text(1)?.to_owned());
    Ok(Team { id, name, role: row.optional(2, Row::word)?, created_at: row.time(3)? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, account, time};
    use super::*;

    #[test]
    fn teams_have_names_in_their_organisation_and_a_removed_one_is_gone() {
        let mut index = Fixture::new();
        let (acme, other) = (index.organisation("acme"), index.organisation("other"));
        let ada = index.user("ada");
        let devs = create(index.session(), acme, "devs", Some(Level::Write), time(1)).unwrap();
        create(index.session(), other, "devs", None, time(1)).unwrap();
        create(index.session(), acme, "all", None, time(1)).unwrap();
        assert!(matches!(create(index.session(), acme, "devs", None, time(1)), Err(Error::Statement(_))));
        let names = |index: &mut Fixture, after| {
            let teams = list(index.session(), acme, after, 10).unwrap();
            teams.into_iter().map(|team| (team.name, team.role)).collect::<Vec<_>>()
        };
        assert_eq!(names(&mut index, None), [("all".to_owned(), None), ("devs".to_owned(), Some(Level::Write))]);
        assert_eq!(names(&mut index, Some("all")).len(), 1);
        set_role(index.session(), devs, Some(Level::Admin)).unwrap();
        assert_eq!(find(index.session(), acme, "devs").unwrap().unwrap().role, Some(Level::Admin));

        add_member(index.session(), devs, ada, time(2)).unwrap();
        add_member(index.session(), devs, ada, time(3)).unwrap();
        assert_eq!(members(index.session(), devs, None, 10).unwrap(), [(account("ada"), time(2))]);
        assert_eq!(count_members(index.session(), devs).unwrap(), 1);
        assert!(remove_member(index.session(), devs, ada).unwrap());
        assert!(!remove_member(index.session(), devs, ada).unwrap());
        remove(index.session(), devs, time(2)).unwrap();
        assert_eq!(find(index.session(), acme, "devs").unwrap(), None);
        let again = create(index.session(), acme, "devs", None, time(3)).unwrap();
        assert_ne!(again, devs);
    }
}
