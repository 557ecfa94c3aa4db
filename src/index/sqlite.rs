//! The `SQLite` driver: how connections are set up, and sessions over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, ToSql};
use tokio::sync::watch;

use super::readers::Readers;
use super::writer::{Commits, Writer};
use super::{Error, Row, Session, Value, migrations};

/// Page size in bytes. A commit writes every page it touches whole, and digests touch pages at random: with 4 KiB a push
/// writes 130 KiB to the disk, with 8 KiB 200 and with 16 KiB 305 (2,500, 2,100 and 2,000 pushes a second). 16 KiB would
/// keep 2-KiB manifests in 38 % less space.
const PAGE_SIZE_BYTES: i64 = 4 * 1024;
/// Pages in the write-ahead log after which the writer copies them into the database.
const CHECKPOINT_PAGES: i64 = 1_000;
/// Statements each connection keeps prepared; there are fewer in the whole program.
const CACHED_STATEMENTS: usize = 256;

/// An index in one `SQLite` file, of which there is one at a time. Dropping it ends the writing thread after the writes
/// that wait.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    readers: Arc<Readers>,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, creating it and its schema where needed, and starts the writing thread.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::over(path, None)
    }

    /// Opens the file while somebody watches its commits.
    pub fn open_watched(path: &Path, commits: Arc<dyn Commits>) -> Result<Self, Error> {
        Self::over(path, Some(commits))
    }

    fn over(path: &Path, commits: Option<Arc<dyn Commits>>) -> Result<Self, Error> {
        let opening = |source| Error::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(opening)?;
        set_up_writer(&connection).map_err(opening)?;
        migrations::migrate(&mut connection)?;
        let (path, readers) = (path.to_owned(), Arc::new(Readers::new(path.to_owned())));
        let writer = Writer::start(connection, Arc::clone(&readers), commits)?;
        Ok(Self { path, readers, writer })
    }

    /// Runs a closure in a transaction that others may share; it has taken effect, durably, when this answers `Ok`.
    ///
    /// The closure's error undoes what it did and nothing else. It is `Fn` because a driver may have to run it again.
    pub async fn write<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut dyn Session) -> Result<T, E> + Send + 'static,
    {
        self.writer.write(closure).await
    }

    /// What [`super::access::generation`] says in the newest commit, without asking the database. What was remembered
    /// at another one is no longer true.
    pub fn access_generation(&self) -> u64 {
        self.writer.generation()
    }

    /// How many commits this process has made: whoever waits for it to change is woken by the next one, after
    /// [`Self::access_generation`] says what is true then.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }

    /// Runs a closure whose statements all see the same commit, the newest that was answered or one after it. On the
    /// thread that asks: a small read costs less than a hop.
    pub fn read<T, E: From<Error>>(&self, closure: impl FnOnce(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.readers.read(closure)
    }

    /// Copies the whole index, as it is at one moment, into a new file, durably. Blocks; writes go on meanwhile.
    pub fn back_up(&self, target: &Path) -> Result<(), Error> {
        let source = self.reader()?.connection;
        let mut copy = Connection::open(target)?;
        // In one step: a copy in several begins again whenever somebody writes.
        let done = Backup::new(&source, &mut copy)?.step(-1)?;
        copy.close().map_err(|(_, error)| error)?;
        let synced = std::fs::File::open(target).and_then(|file| file.sync_all());
        synced.map_err(|source| Error::Copy { path: target.to_owned(), source })?;
        if done == StepResult::Done { Ok(()) } else { Err(Error::CopyBusy) }
    }

    /// Opens a read-only connection of the caller's own.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }
}

/// A read-only connection. Each statement sees the newest commit.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens an index to read it alone.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opening = |source| Error::Open { path: path.to_owned(), source };
        let connection = Connection::open_with_flags(path, flags).map_err(opening)?;
        set_up_any(&connection).map_err(opening)?;
        Ok(Self { connection })
    }

    /// Runs a closure whose statements all see the same commit.
    pub fn snapshot<T, E: From<Error>>(
        &mut self,
        closure: impl FnOnce(&mut dyn Session) -> Result<T, E>,
    ) -> Result<T, E> {
        // Dropping the transaction rolls it back, which for a reader only ends it.
        let transaction = self.connection.transaction().map_err(Error::from)?;
        closure(&mut Connected(&transaction))
    }

    /// Lets all statements from the next one on see the commit that is newest then.
    pub(super) fn open_view(&mut self) -> Result<(), Error> {
        if self.connection.is_autocommit() { self.run("BEGIN") } else { Ok(()) }
    }

    /// Ends what [`Reader::open_view`] began.
    pub(super) fn close_view(&mut self) -> Result<(), Error> {
        if self.connection.is_autocommit() { Ok(()) } else { self.run("COMMIT") }
    }

    /// Beside the statements of a question: whether a view is open already depends on others, not on what is asked.
    fn run(&mut self, sql: &'static str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }
}

impl Session for Reader {
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        Connected(&self.connection).query(sql, parameters)
    }

    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error> {
        Connected(&self.connection).execute(sql, parameters)
    }
}

fn set_up_writer(connection: &Connection) -> rusqlite::Result<()> {
    // Has an effect only before the first table, and not in WAL mode: it comes first.
    connection.pragma_update(None, "page_size", PAGE_SIZE_BYTES)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint may have to undo is copied aside; on the disk that is a file made and removed in nearly every
    // commit, and a fifth of a push's time.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    set_up_any(connection)
}

fn set_up_any(connection: &Connection) -> rusqlite::Result<()> {
    // Without it every use of a cached join is prepared again: 15k instead of 43k reads a second.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}

/// A session on a borrowed connection.
pub(super) struct Connected<'a>(pub(super) &'a Connection);

#[cfg(test)]
thread_local! {
    /// Statements that ran on this thread, for tests that compare how many two questions take.
    static STATEMENTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many statements have run on this thread.
#[cfg(test)]
pub(crate) fn statements() -> usize {
    STATEMENTS.get()
}

impl Connected<'_> {
    fn bound(&self, sql: &'static str, parameters: &[Value]) -> Result<CachedStatement<'_>, Error> {
        #[cfg(test)]
        STATEMENTS.set(STATEMENTS.get() + 1);
        let mut statement = self.0.prepare_cached(sql)?;
        for (index, value) in (1..).zip(parameters) {
            statement.raw_bind_parameter(index, value)?;
        }
        Ok(statement)
    }
}

impl Session for Connected<'_> {
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let mut statement = self.bound(sql, parameters)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| read(row.get_ref(column)?, column)).collect::<Result<_, Error>>()?;
            answer.push(Row(values));
        }
        Ok(answer)
    }

    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error> {
        Ok(self.bound(sql, parameters)?.raw_execute()?)
    }
}

fn read(value: ValueRef<'_>, column: usize) -> Result<Value, Error> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| Error::Column { column, wanted: "UTF-8" })?;
            Ok(Value::Text(text.to_owned()))
        }
        ValueRef::Blob(bytes) => Ok(Value::Bytes(Bytes::copy_from_slice(bytes))),
        ValueRef::Real(_) => Err(Error::Column { column, wanted: "a supported value" }),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn commits_are_durable_and_plans_stable() {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("x")).unwrap();
        set_up_writer(&connection).unwrap();
        let pragma =
            |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((pragma("synchronous"), pragma("foreign_keys")), (2, 1), "2 is FULL");
        assert_eq!(pragma("wal_autocheckpoint"), CHECKPOINT_PAGES);
        assert_eq!(pragma("temp_store"), 2, "2 is MEMORY");
        assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).unwrap());
    }
}
