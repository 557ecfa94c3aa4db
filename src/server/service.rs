//! The running server: opened over its data directory, bound, and drained when it is told to stop.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::first_token::first_start;
use super::http::State;
use super::oidc::Elsewhere;
use super::{Config, DataDir, Error, FirstToken, MissingLayers, listen, tls};
use crate::index::Sqlite;
use crate::jobs::{keep_downloads, keep_journal, keep_retention, keep_search};
use crate::registry::{self, Mode, Registry, Retention};
use crate::storage::{FileStore, Journal};

/// How often abandoned uploads are ended.
const SWEEP: Duration = Duration::from_hours(1);

/// How often denials and the use of tokens are written; a second of them is lost with the power.
const NOTING: Duration = Duration::from_secs(1);

/// How long the last owners of the registry have to let go of it.
const CLOSING: Duration = Duration::from_secs(5);

/// A registry that listens. It answers once [`Server::run`] is awaited.
pub struct Server {
    state: State,
    serving: dev::Server,
    url: String,
    drain: Duration,
    retention: Retention,
    closed: mpsc::Receiver<()>,
    first_token: Option<FirstToken>,
    // After the registry, which must be closed before another process may have the directory.
    directory: DataDir,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Server {
    /// Opens the data directory and takes the address.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let listener = take_address(&config)?;
        let directory = DataDir::open(&config.data)?;
        let registry = open(&directory, &config)?;
        Self::start(&config, listener, directory, registry).await
    }

    /// Takes the address for a registry that stands on this directory, opened by who calls: with a store of its own,
    /// or a watched one.
    pub async fn bind_over(config: Config, directory: DataDir, registry: Registry) -> Result<Self, Error> {
        Self::start(&config, take_address(&config)?, directory, registry).await
    }

    async fn start(
        config: &Config,
        listener: TcpListener,
        directory: DataDir,
        registry: Registry,
    ) -> Result<Self, Error> {
        // Whoever opened the index: events numbered like those that are in the journal would never be copied.
        let journal = directory.journal_opener()().map_err(registry::Error::from)?;
        registry.check_journal(&journal)?;
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
        let address = listener.local_addr().map_err(|source| Error::Listen { address: config.listen, source })?;
        let registry = registry
            .accepting_missing_layers(config.manifests.missing_layers == MissingLayers::Accept)
            .limiting_uploads(config.limits.uploads_per_identity)
            .signing_for(SignedDuration::from_secs(config.auth.token_seconds.into()));
        let first_token = prepare(&registry, &directory, config).await?;
        let url = url(address, config.tls.is_some());
        let elsewhere = Elsewhere::new(&config.auth, Some(url.as_str()).filter(|_| address.ip().is_loopback()))?;
        let (state, closed) = State::new(Arc::new(registry), directory.root(), config, elsewhere);
        let serving = listen::serve(config, listener, tls, state.clone());
        let serving = serving.map_err(|source| Error::Listen { address, source })?;
        let drain = Duration::from_secs(config.limits.drain_seconds);
        let retention = Retention::new(config.events.keep_days, config.events.keep_count);
        Ok(Self { state, serving, url, drain, retention, closed, first_token, directory })
    }

    /// Where it is reached from this machine.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of the first administrator, if this start has made one up; once.
    pub fn take_first_token(&mut self) -> Option<FirstToken> {
        self.first_token.take()
    }

    /// Serves until `stop` is ready; then no request is taken any more, and running ones have the configured time to
    /// end. The data directory is free when this answers.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { state, serving, drain, retention, mut closed, directory, .. } = self;
        let handle = serving.handle();
        let sweeper = tokio::spawn(sweep(Arc::clone(&state.registry)));
        let noter = tokio::spawn(keep_noting(Arc::clone(&state.registry)));
        let follower = Arc::clone(&state.registry);
        let seen = move || follower.search_position();
        let remover = tokio::spawn(keep_retention(Arc::clone(&state.registry), retention, seen));
        let (rest, told) = tokio::sync::oneshot::channel::<()>();
        let told = async { drop(told.await) };
        let search = tokio::spawn(keep_search(Arc::clone(&state.registry), told));
        let (quit, told) = tokio::sync::oneshot::channel::<()>();
        // A sender that is gone means the same.
        let told = async { drop(told.await) };
        let journal = tokio::spawn(keep_journal(Arc::clone(&state.registry), directory.journal_opener(), told));
        let (counted, told) = tokio::sync::oneshot::channel::<()>();
        let told = async { drop(told.await) };
        let downloads = tokio::spawn(keep_downloads(Arc::clone(&state.registry), told));
        let serving = tokio::spawn(serving);
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = stop => {
                tracing::info!(drain_seconds = drain.as_secs(), "stopping");
                state.followers.stop();
                handle.stop(true).await;
                serving.await
            }
        };
        sweeper.abort();
        noter.abort();
        remover.abort();
        // They end with an error, since they were aborted; awaited, so that they hold the registry no longer.
        let _ = tokio::join!(sweeper, noter, remover);
        note(&state.registry).await;
        drop(counted);
        // All that was served is counted.
        let _ = downloads.await;
        state.backups.stop().await;
        drop(rest);
        let _ = search.await;
        drop(quit);
        // Level when it ends, so that a stopped registry can be rebuilt whole.
        let _ = journal.await;
        // The last owner closes the index, which then is whole without its log. Threads that have served drop their
        // shares a moment after they have stopped; a request that does not end may not keep the server from it.
        drop(state);
        if tokio::time::timeout(CLOSING, closed.recv()).await.is_err() {
            tracing::warn!("a request has not ended; the index keeps its log");
        }
        drop(directory);
        ended.map_err(std::io::Error::other).and_then(|result| result).map_err(Error::Stopped)
    }
}

/// Makes what a registry with accounts needs before it can serve: a key, and somebody who may make others.
async fn prepare(registry: &Registry, directory: &DataDir, config: &Config) -> Result<Option<FirstToken>, Error> {
    if registry.mode() == Mode::Open {
        return Ok(None);
    }
    registry.ensure_signing_key().await?;
    first_start(registry, directory, config.auth.admin_token_file.as_deref()).await
}

/// Takes the address, unless strangers could reach it.
fn take_address(config: &Config) -> Result<TcpListener, Error> {
    if config.insecure_no_auth && !config.listen.ip().is_loopback() {
        return Err(Error::Exposed(config.listen));
    }
    TcpListener::bind(config.listen).map_err(|source| Error::Listen { address: config.listen, source })
}

/// Opens store and index, if the index is there or there is nothing to lose.
fn open(directory: &DataDir, config: &Config) -> Result<Registry, Error> {
    if !directory.index().exists() && Journal::is_in(&directory.journal())? {
        return Err(Error::IndexLost(directory.root().to_owned()));
    }
    let store = FileStore::open(directory.root(), config.limits.store_bytes)?;
    let mode = if config.insecure_no_auth { Mode::Open } else { Mode::Accounts };
    let registry = Registry::new(Arc::new(store), Sqlite::open(&directory.index())?, mode);
    Ok(registry.searching_in(&directory.search()))
}

/// Writes now and then what requests leave behind: denials, and the use of tokens.
async fn keep_noting(registry: Arc<Registry>) {
    let mut interval = tokio::time::interval(NOTING);
    loop {
        interval.tick().await;
        note(&registry).await;
    }
}

async fn note(registry: &Registry) {
    let written = registry.write_denials().await.and(registry.write_last_used().await);
    if let Err(error) = written {
        tracing::error!(error = &error as &dyn std::error::Error, "cannot write denials and the use of tokens");
    }
}

async fn sweep(registry: Arc<Registry>) {
    let mut interval = tokio::time::interval(SWEEP);
    loop {
        interval.tick().await;
        match registry.expire_uploads(Timestamp::now()).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "ended abandoned uploads"),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "cannot end abandoned uploads"),
        }
    }
}

/// An unspecified address is reached through loopback.
fn url(address: SocketAddr, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    if address.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}
