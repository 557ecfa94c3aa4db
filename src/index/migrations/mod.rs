//! The schema, step by step. These files alone know which database it is.

use rusqlite::Connection;

use super::Error;

/// Every step in order; the schema's version is how many have run. A released step never changes.
const STEPS: [&str; 3] =
    [include_str!("0001_first.sql"), include_str!("0002_people.sql"), include_str!("0003_catalogue.sql")];

/// Brings a database up to the newest schema, each step in a transaction with its version number.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for (version, step) in (1_i64..).zip(STEPS).filter(|(version, _)| *version > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
