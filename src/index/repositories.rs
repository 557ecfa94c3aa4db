//! Repositories by name.

use jiff::Timestamp;

use super::{Error, Row, Session, Value};
use crate::auth::Sight;
use crate::oci::RepositoryName;

/// Most entries one page of any list holds, whatever the caller asks for.
pub const MAX_PAGE: usize = 1_000;

/// A repository's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RepositoryId(pub(super) i64);

impl From<RepositoryId> for Value {
    fn from(id: RepositoryId) -> Self {
        Self::Integer(id.0)
    }
}

/// Finds a repository.
pub fn find(session: &mut dyn Session, name: &RepositoryName) -> Result<Option<RepositoryId>, Error> {
    let row = session.first("SELECT id FROM repository WHERE name = ?1", &[name.into()])?;
    row.map(|row| row.integer(0).map(RepositoryId)).transpose()
}

/// Finds a repository or creates it.
pub fn create(session: &mut dyn Session, name: &RepositoryName, now: Timestamp) -> Result<RepositoryId, Error> {
    if let Some(id) = find(session, name)? {
        return Ok(id);
    }
    let sql = "INSERT INTO repository (name, created_at) VALUES (?1, ?2) RETURNING id";
    let row = session.first(sql, &[name.into(), now.into()])?;
    // RETURNING yields exactly one row for one that was inserted.
    row.ok_or(Error::Column { column: 0, wanted: "present" })?.integer(0).map(RepositoryId)
}

/// What a repository holds, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// When it was first pushed to.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: u64,
    /// Its manifests.
    pub manifests: u64,
}

/// Counts what a repository holds; the time grows with its size.
pub fn count(session: &mut dyn Session, name: &RepositoryName) -> Result<Option<Counted>, Error> {
    let row = session.first(
        "SELECT r.created_at, (SELECT count(*) FROM tag t WHERE t.repository_id = r.id), \
         (SELECT count(*) FROM manifest m WHERE m.repository_id = r.id) FROM repository r WHERE r.name = ?1",
        &[name.into()],
    )?;
    let read = |row: Row| Ok(Counted { created_at: row.time(0)?, tags: row.size(1)?, manifests: row.size(2)? });
    row.map(read).transpose()
}

/// What a whole index holds, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Repositories.
    pub repositories: u64,
    /// Manifests in them.
    pub manifests: u64,
    /// Tags in them.
    pub tags: u64,
    /// Blobs, each once.
    pub blobs: u64,
    /// Manifests that are agent packages.
    pub packages: u64,
}

/// Counts everything; the time grows with the index.
pub fn totals(session: &mut dyn Session) -> Result<Totals, Error> {
    let sql = "SELECT (SELECT count(*) FROM repository), (SELECT count(*) FROM manifest), (SELECT count(*) FROM tag), \
               (SELECT count(*) FROM blob), (SELECT count(*) FROM package)";
    let row = session.first(sql, &[])?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    Ok(Totals {
        repositories: row.size(0)?,
        manifests: row.size(1)?,
        tags: row.size(2)?,
        blobs: row.size(3)?,
        packages: row.size(4)?,
    })
}

/// Names a caller may see, bytewise in order, after `after` (which need not exist), at most `limit` and [`MAX_PAGE`].
pub fn list(
    session: &mut dyn Session,
    sight: &Sight,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<RepositoryName>, Error> {
    if !sight.is_everything() {
        return Ok(vec![]);
    }
    // Every name sorts after the empty text, so one statement serves the first page too.
    let sql = "SELECT name FROM repository WHERE name > ?1 ORDER BY name LIMIT ?2";
    let rows = session.query(sql, &[after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// A page's length as a parameter. One more than a page may be asked for, to know whether the list goes on.
pub(super) fn page(limit: usize) -> Value {
    Value::Integer(i64::try_from(limit.min(MAX_PAGE + 1)).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, name, time};
    use super::*;
    use crate::auth::{Caller, Origin};

    #[test]
    fn creating_twice_is_creating_once() {
        let mut index = Fixture::new();
        assert_eq!(find(index.session(), &name("a/b")).unwrap(), None);
        let id = create(index.session(), &name("a/b"), time(1)).unwrap();
        assert_eq!(create(index.session(), &name("a/b"), time(2)).unwrap(), id);
        assert_eq!(find(index.session(), &name("a/b")).unwrap(), Some(id));
        assert_eq!(find(index.session(), &name("a")).unwrap(), None);
        let empty = Counted { created_at: time(1), tags: 0, manifests: 0 };
        assert_eq!(count(index.session(), &name("a/b")).unwrap(), Some(empty));
        assert_eq!(count(index.session(), &name("a")).unwrap(), None);
    }

    #[test]
    fn names_come_bytewise_in_pages_and_only_in_sight() {
        let mut index = Fixture::new();
        for text in ["b", "a/b", "a-b", "a"] {
            create(index.session(), &name(text), time(1)).unwrap();
        }
        let mut page = |after, limit| {
            let names = list(index.session(), &Sight::system(), after, limit).unwrap();
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(page(None, 3), ["a", "a-b", "a/b"]);
        assert_eq!(page(Some("a/b"), 3), ["b"]);
        assert_eq!(page(Some("a.not-there"), usize::MAX), ["a/b", "b"]);
        assert!(page(None, 0).is_empty());
        let nothing = Sight::of(&Caller::anonymous(Origin::none()), false);
        assert!(list(index.session(), &nothing, None, 10).unwrap().is_empty());
    }
}
