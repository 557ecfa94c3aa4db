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

/// Reads the columns `name`, `stars`, `comment`, `rated_at`.
fn read(row: &Row) -> Result<UserRating, Error> {
    let stars = u8::try_from(row.integer(1)?).map_err(|_| Error::Column { column: 1, wanted: "stars" })?;
    Ok(UserRating {
        user: row.text(0)?.to_owned(),
        stars,
        comment: row.optional(2, |row, column| row.text(column).map(str::to_owned))?,
        at: row.time(3)?,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Fixture, time};
    use super::*;
    use crate::api::Rating;

    fn rating(stars: u8, comment: Option<&str>) -> NewRating {
        NewRating { stars, comment: comment.map(str::to_owned) }
    }

    fn sum(index: &mut Fixture, repository: RepositoryId) -> Rating {
        standings::of_repository(index.session(), repository).unwrap().rating
    }

    #[test]
    fn each_user_counts_once_and_may_think_again() {
        let mut index = Fixture::new();
        let (here, there) = (index.repository("a/b"), index.repository("a/c"));
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        assert_eq!(sum(&mut index, here), Rating::default());
        set(index.session(), here, bob, &rating(2, None), time(1)).unwrap();
        set(index.session(), here, ada, &rating(5, Some("good")), time(2)).unwrap();
        set(index.session(), there, ada, &rating(1, None), time(3)).unwrap();
        assert_eq!(sum(&mut index, here), Rating { average: Some(3.5), count: 2 });
        set(index.session(), here, bob, &rating(4, Some("better")), time(4)).unwrap();
        assert_eq!(sum(&mut index, here), Rating { average: Some(4.5), count: 2 });
        let found = find(index.session(), here, bob).unwrap().unwrap();
        let expected = UserRating { user: "bob".to_owned(), stars: 4, comment: Some("better".to_owned()), at: time(4) };
        assert_eq!(found, expected);
        let mut names = |after, limit| {
            let found = list(index.session(), here, after, limit).unwrap();
            found.into_iter().map(|rating| rating.user).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(None, 9), names(None, 1), names(Some("ada"), 9)),
            (vec!["ada".to_owned(), "bob".to_owned()], vec!["ada".to_owned()], vec!["bob".to_owned()])
        );
        assert!(remove(index.session(), here, ada).unwrap());
        assert!(!remove(index.session(), here, ada).unwrap());
        assert_eq!(sum(&mut index, here), Rating { average: Some(4.0), count: 1 });
        assert_eq!((count_of(index.session(), ada).unwrap(), count_of(index.session(), bob).unwrap()), (1, 1));
    }

    #[test]
    fn the_ratings_of_an_account_go_together_and_the_sums_stay_right() {
        let mut index = Fixture::new();
        let (ada, bob) = (index.user("ada"), index.user("bob"));
        let repositories = ["a/b", "a/c", "a/d"].map(|text| index.repository(text));
        for (repository, stars) in repositories.into_iter().zip(1..) {
            set(index.session(), repository, ada, &rating(stars, None), time(1)).unwrap();
        }
        set(index.session(), repositories[1], bob, &rating(5, None), time(1)).unwrap();
        let mut changed = remove_of(index.session(), ada).unwrap();
        changed.sort_by_key(|id| id.0);
        assert_eq!(changed, repositories);
        assert_eq!(repositories.map(|id| sum(&mut index, id).count), [0, 1, 0]);
        assert_eq!(sum(&mut index, repositories[1]).average, Some(5.0));
        assert_eq!(count_of(index.session(), ada).unwrap(), 0);
        assert!(remove_of(index.session(), ada).unwrap().is_empty());
    }
}
