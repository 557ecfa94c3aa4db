//! The server that crashes: this test program again, as a process of its own, which ends itself where it is told to.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use agent_registry::index::{Commits, Sqlite};
use agent_registry::registry::{Mode, Registry};
use agent_registry::server::{Config, DataDir, Server};
use agent_registry::storage::{FileStore, Step, Witness};

/// The data directory, in the process that serves.
const DATA: &str = "CRASH_DATA";
/// Where that process ends itself: `point:count`, the count-th time it gets there.
const POINT: &str = "CRASH_POINT";

/// The places where a crash would be worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Bytes of a blob are in its file, which nothing has synced.
    Written,
    /// A blob has its name, which is not durable and which the index does not know.
    Renamed,
    /// Everything of a transaction is done but its commit.
    Committing,
    /// It is durable, and nobody has been told.
    Committed,
}

impl Point {
    pub(crate) const ALL: [Self; 4] = [Self::Written, Self::Renamed, Self::Committing, Self::Committed];

    fn name(self) -> String {
        format!("{self:?}")
    }
}

/// A server in a process of its own. Dropping it kills it.
pub(crate) struct Crashing {
    pub(crate) url: String,
    child: Child,
    // The server ends in order when this does.
    stdin: Option<ChildStdin>,
    // Open until it has ended, or it could not say its last words.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Crashing {
    pub(crate) fn start(data: &Path, crash: Option<(Point, u64)>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "server::serves_until_it_crashes", "--nocapture"]).env(DATA, data);
        if let Some((point, count)) = crash {
            command.env(POINT, format!("{}:{count}", point.name()));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = stdout.by_ref().map(Result::unwrap).find(|line| line.starts_with("http://"));
        Self { url: url.expect("it says where it listens"), child, stdin, _stdout: stdout }
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Lets it end in order.
    pub(crate) fn stop(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Crashing {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends the process at the chosen point.
#[derive(Debug)]
struct Fuse {
    point: String,
    left: AtomicI64,
}

impl Fuse {
    fn at(&self, point: Point) {
        if self.point == point.name() && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

impl Witness for Fuse {
    fn saw(&self, step: Step<'_>) {
        match step {
            Step::Appended(..) => self.at(Point::Written),
            Step::Renamed(..) => self.at(Point::Renamed),
            _ => {}
        }
    }
}

impl Commits for Fuse {
    fn committing(&self) {
        self.at(Point::Committing);
    }

    fn committed(&self) {
        self.at(Point::Committed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the process of the server starts")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How often the server is to be killed.
pub(crate) fn rounds() -> u64 {
    variable("CRASH_ROUNDS").map_or(10, |rounds| rounds.parse().expect("CRASH_ROUNDS is a number"))
}

/// Where [`Crashing::start`] begins; in any other run there is nothing to serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "who started it waits for the address")]
async fn serves_until_it_crashes() {
    let Some(data) = variable(DATA) else { return };
    let crash = variable(POINT).unwrap_or_default();
    let (point, count) = crash.split_once(':').unwrap_or(("", "0"));
    let fuse = Arc::new(Fuse { point: point.to_owned(), left: AtomicI64::new(count.parse().unwrap()) });
    let directory = DataDir::open(Path::new(&data)).unwrap();
    let store = FileStore::open_watched(directory.root(), None, Arc::clone(&fuse) as Arc<dyn Witness>).unwrap();
    let index = Sqlite::open_watched(&directory.index(), fuse).unwrap();
    let registry = Registry::new(Arc::new(store), index, Mode::Open);
    let config =
        Config { listen: ([127, 0, 0, 1], 0).into(), data: data.into(), insecure_no_auth: true, ..Config::default() };
    let server = Server::bind_over(config, directory, registry).await.unwrap();
    println!("\n{}", server.url());
    let ended = tokio::task::spawn_blocking(|| {
        // Nobody writes there: what comes is the end.
        let _ = std::io::stdin().lines().next();
    });
    server.run(async { drop(ended.await) }).await.unwrap();
}
