//! What every driver of the index must hold: grouped closures, undone one by one, durable when answered.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use futures_util::future::join_all;

use super::{Error, Session, Sqlite, Value, access};

const INSERT: &str = "INSERT INTO repository (name, created_at) VALUES (?1, 0)";
const NAMES: &str = "SELECT name FROM repository ORDER BY name";

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("refused")]
    OnPurpose,
    #[error(transparent)]
    Index(#[from] Error),
}

fn open(directory: &tempfile::TempDir) -> Sqlite {
    Sqlite::open(&directory.path().join("index.sqlite")).unwrap()
}

fn names(index: &Sqlite) -> Vec<String> {
    let rows = index.reader().unwrap().query(NAMES, &[]).unwrap();
    rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
}

async fn insert(index: &Sqlite, name: &'static str) -> Result<usize, Error> {
    index.write(move |session| session.execute(INSERT, &[name.into()])).await
}

#[tokio::test]
async fn a_failing_closure_undoes_only_itself_and_the_rest_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    let writes = (0..50).map(|number: i64| {
        index.write(move |session| {
            session.execute(INSERT, &[Value::Text(format!("r{number:02}"))])?;
            if number % 10 == 3 { Err(Refused::OnPurpose) } else { Ok(number) }
        })
    });
    for (number, result) in (0..).zip(join_all(writes).await) {
        match result {
            Ok(answer) => assert_eq!(answer, number),
            Err(error) => assert!(number % 10 == 3 && matches!(error, Refused::OnPurpose), "{number}: {error}"),
        }
    }
    let expected: Vec<String> = (0..50).filter(|n| n % 10 != 3).map(|n| format!("r{n:02}")).collect();
    assert_eq!(names(&index), expected);
    drop(index);
    assert_eq!(names(&open(&directory)), expected);
}

#[tokio::test]
async fn closures_that_wait_share_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    let (release, held) = std::sync::mpsc::channel();
    let (start, mut started) = tokio::sync::mpsc::unbounded_channel();
    let first = index.write(move |session| {
        // Holds the writer, in a batch of its own, until the others wait.
        start.send(()).unwrap();
        held.recv().unwrap();
        session.execute(INSERT, &["0".into()])?;
        Ok::<_, Error>((0, 0))
    });
    let path = directory.path().join("index.sqlite");
    let others = ["1", "2", "3"].map(|name| {
        let path = path.clone();
        index.write(move |session| {
            session.execute(INSERT, &[name.into()])?;
            let outside = rusqlite::Connection::open(&path)?;
            let committed: i64 = outside.query_row("SELECT count(*) FROM repository", [], |row| row.get(0))?;
            Ok::<_, Error>((session.query(NAMES, &[])?.len(), committed))
        })
    });
    let following = async move {
        started.recv().await.unwrap();
        // Polled in this order, so all of them wait before the first is released.
        tokio::join!(biased; join_all(others), async move { release.send(()).unwrap() }).0
    };
    let (first, others) = tokio::join!(first, following);
    first.unwrap();
    let seen: Vec<_> = others.into_iter().map(Result::unwrap).collect();
    assert_eq!(seen, [(2, 1), (3, 1), (4, 1)], "each sees those before it, of which only the first is committed");
    assert_eq!(names(&index), ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn a_refused_statement_and_a_panic_leave_the_writer_alive() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    insert(&index, "a").await.unwrap();
    assert!(matches!(insert(&index, "a").await, Err(Error::Statement(_))), "names are unique");
    let panicking = index.write::<(), Error, _>(|session| {
        session.execute(INSERT, &["lost".into()])?;
        panic!("a bug in a closure")
    });
    assert!(matches!(panicking.await, Err(Error::WriterGone)));
    insert(&index, "b").await.unwrap();
    assert_eq!(names(&index), ["a", "b"]);
}

#[tokio::test]
async fn readers_cannot_write_and_a_snapshot_does_not_move() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    let mut reader = index.reader().unwrap();
    assert!(matches!(reader.execute(INSERT, &["a".into()]), Err(Error::Statement(_))));
    let second = open(&directory);
    let counts = reader
        .snapshot(|session| {
            let before = session.query(NAMES, &[])?.len();
            // Another thread, since a snapshot holds no lock over an await.
            std::thread::scope(|scope| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                scope.spawn(move || runtime.block_on(insert(&second, "a")).unwrap()).join().unwrap()
            });
            Ok::<_, Error>((before, session.query(NAMES, &[])?.len()))
        })
        .unwrap();
    assert_eq!(counts, (0, 0));
    assert_eq!(reader.query(NAMES, &[]).unwrap().len(), 1);
}

#[test]
fn settings_hold_and_a_newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.sqlite");
    drop(open(&directory));
    let plain = rusqlite::Connection::open(&path).unwrap();
    let pragma = |name: &str| plain.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((pragma("page_size"), pragma("user_version")), (4 * 1024, 3));
    let mode: String = plain.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    plain.pragma_update(None, "user_version", 999).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(Error::NewerSchema { found: 999, known: 3 })));
}

#[tokio::test]
async fn whoever_is_answered_finds_the_access_generation_published() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    let first = index.access_generation();
    insert(&index, "a").await.unwrap();
    assert_eq!(index.access_generation(), first, "nothing was decided from it");
    index.write(access::bump).await.unwrap();
    assert_eq!(index.access_generation(), first + 1);
    let undone = index.write(|session| {
        access::bump(session)?;
        Err::<(), _>(Refused::OnPurpose)
    });
    undone.await.unwrap_err();
    assert_eq!(index.access_generation(), first + 1, "what was undone moves nothing");
    assert_eq!(access::generation(&mut index.reader().unwrap()).unwrap(), first + 1);
    drop(index);
    assert_eq!(open(&directory).access_generation(), first + 1);
}

#[tokio::test]
async fn whoever_waits_for_a_commit_is_woken_when_it_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let index = open(&directory);
    let mut commits = index.commits();
    let waiting = async {
        commits.changed().await.unwrap();
        names(&index)
    };
    let (seen, written) = futures_util::join!(waiting, insert(&index, "a"));
    written.unwrap();
    assert_eq!(seen, ["a"]);
    assert!(!commits.has_changed().unwrap());
    insert(&index, "b").await.unwrap();
    assert!(commits.has_changed().unwrap(), "whoever was answered finds it told");
    drop(index);
    commits.borrow_and_update();
    commits.changed().await.unwrap_err();
}

#[test]
fn repositories_from_before_there_were_people_are_private_and_know_their_namespace() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.sqlite");
    let plain = rusqlite::Connection::open(&path).unwrap();
    plain.execute_batch(include_str!("migrations/0001_first.sql")).unwrap();
    plain.pragma_update(None, "user_version", 1).unwrap();
    for name in ["acme/agent", "acme/deep/er", "single"] {
        plain.execute(INSERT, [name]).unwrap();
    }
    drop(plain);
    let index = Sqlite::open(&path).unwrap();
    let sql = "SELECT name, namespace, visibility FROM repository ORDER BY name";
    let rows = index.reader().unwrap().query(sql, &[]).unwrap();
    let found: Vec<_> =
        rows.iter().map(|row| (row.text(0).unwrap(), row.text(1).unwrap(), row.integer(2).unwrap())).collect();
    assert_eq!(found, [("acme/agent", "acme", 1), ("acme/deep/er", "acme", 1), ("single", "", 1)]);
}
