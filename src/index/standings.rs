//! Standings: what a repository's downloads and ratings sum up to.

use super::repositories::{RepositoryId, page};
use super::{Error, Row, Session, Value};
use crate::api::{Rating, Standing};

/// What changes in the sums of a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Further downloads.
    pub(super) downloads: i64,
    /// Further ratings.
    pub(super) ratings: i64,
    /// Further stars.
    pub(super) stars: i64,
}

/// The sums of a repository; whether a version has a signature is not among them.
pub fn of_repository(session: &mut dyn Session, repository: RepositoryId) -> Result<Standing, Error> {
    let sql = "SELECT downloads, ratings, stars FROM standing WHERE repository_id = ?1";
    let Some(row) = session.first(sql, &[repository.into()])? else { return Ok(Standing::default()) };
    Ok(Standing { downloads: row.size(0)?, rating: Rating::of(row.size(1)?, row.size(2)?), signed: false })
}

/// Standings of repositories that have one, in the order they came into being, after one, at most `limit`.
pub fn after(
    session: &mut dyn Session,
    after: RepositoryId,
    limit: usize,
) -> Result<Vec<(RepositoryId, Standing)>, Error> {
    let sql = "SELECT repository_id, downloads, ratings, stars FROM standing WHERE repository_id > ?1 \
               ORDER BY repository_id LIMIT ?2";
    let read = |row: &Row| {
        let rating = Rating::of(row.size(2)?, row.size(3)?);
        Ok((RepositoryId::new(row.integer(0)?), Standing { downloads: row.size(1)?, rating, signed: false }))
    };
    session.query(sql, &[after.into(), page(limit)])?.iter().map(read).collect()
}

/// Changes the sums of a repository.
pub(super) fn add(session: &mut dyn Session, repository: RepositoryId, change: Change) -> Result<(), Error> {
    let sql = "INSERT INTO standing (repository_id, downloads, ratings, stars) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (repository_id) DO UPDATE SET downloads = standing.downloads + excluded.downloads, \
               ratings = standing.ratings + excluded.ratings, stars = standing.stars + excluded.stars";
    let parameters = [
        repository.into(),
        Value::Integer(change.downloads),
        Value::Integer(change.ratings),
        Value::Integer(change.stars),
    ];
    session.execute(sql, &parameters).map(|_| ())
}
