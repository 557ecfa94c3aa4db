//! The writing thread: it takes every closure that waits, runs each in its savepoint, and commits them together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::readers::Readers;
use super::sqlite::Connected;
use super::{Error, Session, access};

/// Closures that may wait; further callers wait for a place.
const MAX_WAITING: usize = 1_024;
/// Most closures in one commit, so that the first of them does not wait long for the last.
const MAX_BATCH: usize = 256;

/// Watches commits, on the thread that makes them.
pub trait Commits: std::fmt::Debug + Send + Sync {
    /// A transaction is about to be committed.
    fn committing(&self);
    /// It is durable; nobody has been told yet.
    fn committed(&self);
}

/// The writing thread's handle.
#[derive(Debug)]
pub(super) struct Writer {
    // None only while it is dropped: closing the channel is what ends the thread.
    sender: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    generation: Arc<AtomicU64>,
    count: watch::Receiver<u64>,
}

/// What the writing thread tells after a commit, before it answers anybody.
struct Told {
    commits: Option<Arc<dyn Commits>>,
    /// [`access::generation`] of the newest commit.
    generation: Arc<AtomicU64>,
    /// How many commits there were; whoever waits for the next is woken. Where nobody waits that costs next to nothing.
    count: watch::Sender<u64>,
}

impl Writer {
    /// `readers` are told of commits, and closed at the end: the last connection clears the log away, which theirs
    /// cannot.
    pub(super) fn start(
        mut connection: Connection,
        readers: Arc<Readers>,
        commits: Option<Arc<dyn Commits>>,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let generation = Arc::new(AtomicU64::new(access::generation(&mut Connected(&connection))?));
        let (counting, count) = watch::channel(0);
        let told = Told { commits, generation: Arc::clone(&generation), count: counting };
        let thread = std::thread::Builder::new().name("index-writer".to_owned());
        let work = move || {
            run(&mut connection, receiver, &readers, &told);
            readers.close();
        };
        let thread = thread.spawn(work).map_err(Error::Thread)?;
        Ok(Self { sender: Some(sender), thread: Some(thread), generation, count })
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.count.clone()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) async fn write<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut dyn Session) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let sender = self.sender.as_ref().ok_or(Error::WriterGone)?;
        let job = Closure { body: closure, result: None, reply };
        sender.send(Box::new(job)).await.map_err(|_| Error::WriterGone)?;
        answer.await.map_err(|_| Error::WriterGone)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            // The connection closes there; after this the file may be opened by another process.
            let _ = thread.join();
        }
    }
}

/// A waiting closure whose types are forgotten.
trait Job: Send {
    /// Runs it and keeps its result; whether that is a success.
    fn run(&mut self, session: &mut dyn Session) -> bool;
    /// Replaces a kept success by an error.
    fn fail(&mut self, error: Error);
    /// Hands the result to the caller.
    fn answer(self: Box<Self>);
}

struct Closure<F, T, E> {
    body: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Closure<F, T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: Fn(&mut dyn Session) -> Result<T, E> + Send,
{
    fn run(&mut self, session: &mut dyn Session) -> bool {
        // One closure's bug must not take everybody's writer away; its own caller gets `WriterGone`.
        self.result = catch_unwind(AssertUnwindSafe(|| (self.body)(session))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn fail(&mut self, error: Error) {
        // A closure's own error says more than that of the batch.
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(error.into()));
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(result) = self.result {
            // A caller that went away does not matter: the write has happened.
            let _ = self.reply.send(result);
        }
    }
}

fn run(connection: &mut Connection, mut receiver: mpsc::Receiver<Box<dyn Job>>, readers: &Readers, told: &Told) {
    while let Some(first) = receiver.blocking_recv() {
        let mut batch = vec![first];
        // What waits already shares the commit; waiting for more makes every push slower (measured).
        while batch.len() < MAX_BATCH
            && let Ok(job) = receiver.try_recv()
        {
            batch.push(job);
        }
        match commit(connection, &mut batch, readers, told) {
            Ok(()) => {}
            Err(Failure::Database(error)) => {
                let error = Arc::new(error);
                for job in &mut batch {
                    job.fail(Error::Commit(Arc::clone(&error)));
                }
            }
            Err(Failure::RolledBack) => batch.iter_mut().for_each(|job| job.fail(Error::RolledBack)),
        }
        batch.into_iter().for_each(Job::answer);
    }
}

enum Failure {
    Database(rusqlite::Error),
    RolledBack,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

fn commit(
    connection: &mut Connection,
    batch: &mut [Box<dyn Job>],
    readers: &Readers,
    told: &Told,
) -> Result<(), Failure> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in batch {
        let savepoint = transaction.savepoint()?;
        if job.run(&mut Connected(&savepoint)) {
            savepoint.commit()?;
        } else if savepoint.is_autocommit() {
            // A full disk or an IO error ends the whole transaction, not only the statement.
            return Err(Failure::RolledBack);
        } else {
            // Dropping a savepoint rolls back to it and releases it.
            savepoint.finish()?;
        }
    }
    let generation: i64 = transaction.prepare_cached(access::GENERATION)?.query_row([], |row| row.get(0))?;
    if let Some(commits) = &told.commits {
        commits.committing();
    }
    readers.committing();
    let done = transaction.commit();
    readers.committed();
    done?;
    // Before anybody hears of the commit: whoever was told that something was revoked may rely on it.
    told.generation.store(generation.unsigned_abs(), Ordering::Release);
    told.count.send_modify(|count| *count += 1);
    if let Some(commits) = &told.commits {
        commits.committed();
    }
    Ok(())
}
