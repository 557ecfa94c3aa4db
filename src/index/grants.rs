//! Grants: what a user, a team or an organisation may do to one repository, perhaps for a while.

use jiff::Timestamp;

use super::accounts::{self, AccountId};
use super::codes::code;
use super::repositories::{RepositoryId, page};
use super::teams::{self, TeamId};
use super::{Error, Row, Session, Value, access};
use crate::auth::{Grantee, Level};

/// The row a grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GranteeId {
    /// A user or an organisation.
    Account(AccountId),
    /// A team.
    Team(TeamId),
}

impl GranteeId {
    /// Kind and row. Part of the file format: never change a number.
    fn key(self) -> [Value; 2] {
        match self {
            Self::Account(id) => [Value::Integer(1), id.into()],
            Self::Team(id) => [Value::Integer(2), id.into()],
        }
    }
}

/// A grant as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who has it.
    pub grantee: Grantee,
    /// What it allows.
    pub level: Level,
    /// When it was given, or last changed.
    pub granted_at: Timestamp,
    /// From when on it allows nothing.
    pub expires_at: Option<Timestamp>,
    /// Where a list goes on after it.
    pub cursor: Cursor,
}

/// A place in the list of a repository's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The kind of grantee of the row before.
    pub kind: i64,
    /// Its row.
    pub id: i64,
}

/// Finds the row of somebody who can be granted something: a live account of the right kind, or a live team.
pub fn grantee(session: &mut dyn Session, grantee: &Grantee) -> Result<Option<GranteeId>, Error> {
    let account = |account: accounts::Account| GranteeId::Account(account.id);
    match grantee {
        Grantee::User(name) => Ok(accounts::user(session, name)?.map(account)),
        Grantee::Organisation(name) => Ok(accounts::organisation(session, name)?.map(account)),
        Grantee::Team(name) => {
            let Some(organisation) = accounts::organisation(session, name.organisation())? else { return Ok(None) };
            Ok(teams::find(session, organisation.id, name.team())?.map(|team| GranteeId::Team(team.id)))
        }
    }
}

/// Grants a level on a repository, instead of what was granted before.
pub fn set(
    session: &mut dyn Session,
    repository: RepositoryId,
    grantee: GranteeId,
    level: Level,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO access_grant (repository_id, grantee_kind, grantee_id, level, granted_at, expires_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (repository_id, grantee_kind, grantee_id) DO UPDATE SET \
               level = excluded.level, granted_at = excluded.granted_at, expires_at = excluded.expires_at";
    let [kind, id] = grantee.key();
    session.execute(sql, &[repository.into(), kind, id, code(level), now.into(), Value::optional(expires_at)])?;
    access::bump(session)
}

/// Takes a grant back. Whether there was one.
pub fn remove(session: &mut dyn Session, repository: RepositoryId, grantee: GranteeId) -> Result<bool, Error> {
    let sql = "DELETE FROM access_grant WHERE repository_id = ?1 AND grantee_kind = ?2 AND grantee_id = ?3";
    let [kind, id] = grantee.key();
    let was_granted = session.execute(sql, &[repository.into(), kind, id])? > 0;
    access::bump(session)?;
    Ok(was_granted)
}

/// The grants on a repository to those who are still there, expired ones included, at most `limit`.
pub fn list(
    session: &mut dyn Session,
    repository: RepositoryId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Vec<Grant>, Error> {
    let sql = "SELECT g.grantee_kind, g.grantee_id, coalesce(a.kind, 0), coalesce(a.name, o.name), t.name, \
               g.level, g.granted_at, g.expires_at FROM access_grant g \
               LEFT JOIN account a ON g.grantee_kind = 1 AND a.id = g.grantee_id AND a.removed_at IS NULL \
               LEFT JOIN team t ON g.grantee_kind = 2 AND t.id = g.grantee_id AND t.removed_at IS NULL \
               LEFT JOIN account o ON o.id = t.organisation_id AND o.removed_at IS NULL \
               WHERE g.repository_id = ?1 AND g.grantee_kind >= ?2 AND (g.grantee_kind > ?2 OR g.grantee_id > ?3) \
               AND coalesce(a.name, o.name) IS NOT NULL ORDER BY g.grantee_kind, g.grantee_id LIMIT ?4";
    let after = after.unwrap_or(Cursor { kind: 0, id: 0 });
    let rows = session.query(sql, &[repository.into(), after.kind.into(), after.id.into(), page(limit)])?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Grant, Error> {
    Ok(Grant {
        grantee: read_grantee(row, [2, 3, 4])?,
        level: row.word(5)?,
        granted_at: row.time(6)?,
        expires_at: row.optional(7, Row::time)?,
        cursor: Cursor { kind: row.integer(0)?, id: row.integer(1)? },
    })
}

/// Reads a grantee from the columns kind of account, account and team.
pub(super) fn read_grantee(row: &Row, [kind, account, team]: [usize; 3]) -> Result<Grantee, Error> {
    if let Some(name) = row.optional(team, |row, column| row.text(column).map(str::to_owned))? {
        let full = format!("{}/{name}", row.text(account)?);
        return full.parse().map(Grantee::Team).map_err(|_| Error::Column { column: team, wanted: "a team's name" });
    }
    match row.integer(kind)? {
        1 => Ok(Grantee::User(row.parsed(account)?)),
        2 => Ok(Grantee::Organisation(row.parsed(account)?)),
        _ => Err(Error::Column { column: kind, wanted: "a kind of account" }),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, account, time};
    use super::*;

    #[test]
    fn grants_come_page_by_page_with_who_has_them_and_only_while_those_are_there() {
        let mut index = Fixture::new();
        let (here, there) = (index.repository("acme/agent"), index.repository("acme/other"));
        let (acme, _) = (index.organisation("acme"), index.user("ada"));
        teams::create(index.session(), acme, "devs", None, time(1)).unwrap();
        let all: [Grantee; 3] = [
            Grantee::User(account("ada")),
            Grantee::Organisation(account("acme")),
            Grantee::Team("acme/devs".parse().unwrap()),
        ];
        for who in &all {
            let id = grantee(index.session(), who).unwrap().unwrap();
            set(index.session(), here, id, Level::Read, None, time(2)).unwrap();
            set(index.session(), here, id, Level::Write, Some(time(9)), time(3)).unwrap();
        }
        let mut found = vec![];
        while let [grant] = &list(index.session(), here, found.last().map(|g: &Grant| g.cursor), 1).unwrap()[..] {
            found.push(grant.clone());
        }
        assert_eq!(found.len(), 3);
        for grant in &found {
            assert!(all.contains(&grant.grantee));
            assert_eq!((grant.level, grant.granted_at, grant.expires_at), (Level::Write, time(3), Some(time(9))));
        }
        assert!(list(index.session(), there, None, 10).unwrap().is_empty());

        let ada = grantee(index.session(), &all[0]).unwrap().unwrap();
        assert!(remove(index.session(), here, ada).unwrap());
        assert!(!remove(index.session(), here, ada).unwrap());
        teams::remove(index.session(), TeamId(1), time(4)).unwrap();
        let left = list(index.session(), here, None, 10).unwrap();
        assert_eq!(left.iter().map(|grant| &grant.grantee).collect::<Vec<_>>(), [&all[1]]);
        assert_eq!(grantee(index.session(), &all[2]).unwrap(), None);
        assert_eq!(grantee(index.session(), &Grantee::User(account("acme"))).unwrap(), None, "it is no user");
    }
}
