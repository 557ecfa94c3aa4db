//! Ratings: what users think of packages, one of each user, and the sums in the standings.

use jiff::Timestamp;

use super::accounts::AccountId;
use super::repositories::{RepositoryId, page};
use super::standings::{self, Change};
use super::{Error, Row, Session, Value};
use crate::api::{NewRating, UserRating};

/// Most packages one user rates: they go with the account, in one transaction.
pub const MAX_RATINGS_PER_ACCOUNT: usize = 400;

/// Rates a package, or rates it anew.
pub fn set(
    session: &mut dyn Session,
    repository: RepositoryId,
    account: AccountId,
    rating: &NewRating,
    now: Timestamp,
) -> Result<(), Error> {
    let before = stars(session, repository, account)?;
    let sql = "INSERT INTO rating (repository_id, account_id, stars, comment, rated_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (repository_id, account_id) DO UPDATE SET stars = excluded.stars, \
               comment = excluded.comment, rated_at = excluded.rated_at";
    let stars = i64::from(rating.stars);
    let comment = Value::optional(rating.comment.as_deref());
    session.execute(sql, &[repository.into(), account.into(), stars.into(), comment, now.into()])?;
    let (ratings, stars) = before.map_or((1, stars), |before| (0, stars - before));
    standings::add(session, repository, Change { ratings, stars, ..Change::default() })
}

fn stars(session: &mut dyn Session, repository: RepositoryId, account: AccountId) -> Result<Option<i64>, Error> {
    let sql = "SELECT stars FROM rating WHERE repository_id = ?1 AND account_id = ?2";
    session.first(sql, &[repository.into(), account.into()])?.map(|row| row.integer(0)).transpose()
}

/// Takes a rating away. Whether there was one.
pub fn remove(session: &mut dyn Session, repository: RepositoryId, account: AccountId) -> Result<bool, Error> {
    let sql = "DELETE FROM rating WHERE repository_id = ?1 AND account_id = ?2 RETURNING stars";
    let Some(row) = session.first(sql, &[repository.into(), account.into()])? else { return Ok(false) };
    let change = Change { ratings: -1, stars: -row.integer(0)?, ..Change::default() };
    standings::add(session, repository, change).map(|()| true)
}

/// Takes all ratings of an account away: of these packages.
pub fn remove_of(session: &mut dyn Session, account: AccountId) -> Result<Vec<RepositoryId>, Error> {
    let sql = "DELETE FROM rating WHERE account_id = ?1 RETURNING repository_id, stars";
    let mut changed = vec![];
    for row in session.query(sql, &[account.into()])? {
        let repository = RepositoryId(row.integer(0)?);
        let change = Change { ratings: -1, stars: -row.integer(1)?, ..Change::default() };
        standings::add(session, repository, change)?;
        changed.push(repository);
    }
    Ok(changed)
}

/// How many packages an account has rated.
pub fn count_of(session: &mut dyn Session, account: AccountId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM rating WHERE account_id = ?1";
    session.first(sql, &[account.into()])?.map_or(Ok(0), |row| row.size(0))
}

/// What one account thinks of a package.
pub fn find(
    session: &mut dyn Session,
    repository: RepositoryId,
    account: AccountId,
) -> Result<Option<UserRating>, Error> {
    let sql = "SELECT a.name, g.stars, g.comment, g.rated_at FROM rating g JOIN account a ON a.id = g.account_id \
               WHERE g.repository_id = ?1 AND g.account_id = ?2";
    session.first(sql, &[repository.into(), account.into()])?.as_ref().map(read).transpose()
}

/// What users think of a package, bytewise by their names, after one; at most `limit`.
pub fn list(
    session: &mut dyn Session,
    repository: RepositoryId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<UserRating>, Error> {
    let sql = "SELECT a.name, g.stars, g.comment, g.rated_at FROM rating g JOIN account a ON a.id = g.account_id \
               WHERE g.repository_id = ?1 AND a.name > ?2 ORDER BY a.name LIMIT ?3";
    let rows = session.query(sql, &[repository.into(), after.unwrap_or_default().into(), page(limit)])?;
    rows.iter().map(read).collect()
}

/// Reads the columns name, stars, comment, rated_at.
fn read(row: &Row) -> Result<UserRating, Error> {
    let stars = u8::try_from(row.integer(1)?).map_err(|_| Error::Column { column: 1, wanted: "stars" })?;
    Ok(UserRating {
        user: row.text(0)?.to_owned(),
        stars,
        comment: row.optional(2, |row, column| row.text(column).map(str::to_owned))?,
        at: row.time(3)?,
    })
}
