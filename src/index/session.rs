//! The one thing index functions know about a database.

use super::{Error, Row, Value};

/// A connection inside a transaction, or a read-only one. Statements are constants with `?1`-style parameters.
pub trait Session {
    /// Runs a statement and collects its rows; callers bound them with `LIMIT` or a unique key.
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error>;

    /// Runs a statement that returns no rows; answers how many it changed.
    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error>;
}

impl dyn Session + '_ {
    /// The first row of an answer, if there is one.
    pub fn first(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, parameters)?.into_iter().next())
    }
}
