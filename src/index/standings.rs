//! Standings: what a repository's downloads and ratings sum up to.

use super::repositories::RepositoryId;
use super::{Error, Session, Value};
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
