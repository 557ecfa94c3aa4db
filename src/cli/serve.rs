//! The registry inside the command: the only file here that knows the server.

use std::io::IsTerminal as _;
use std::path::Path;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::context::Context;
use super::error::Error;
use super::exit::ExitStatus;
use super::printer::Printer;
use super::registry::ServerFlags;
use super::stop::stop_signal;
use crate::server::{
    self, BackedUp, Config, ConfigError, FirstToken, LogFormat, Overrides, Rebuilt, Server, start_logs,
};

/// Runs a registry until a signal says stop.
pub(super) async fn serve(context: &Context, flags: &ServerFlags) -> Result<(), Error> {
    let config = config(context, flags)?;
    start_logs(&config.log).map_err(|error| failed(error.into()))?;
    // Before the URL is printed: who reads it may send the signal at once.
    let stop = stop_signal().map_err(Error::Runtime)?;
    let data = config.data.display().to_string();
    let mut server = Server::bind(config).await.map_err(failed)?;
    if let Some(token) = server.take_first_token() {
        tell_first_token(&token)?;
    }
    Printer::data(server.url())?;
    context.printer.detail(&format!("data directory: {data}"));
    server.run(stop).await.map_err(failed)
}

/// Shows the first administrator's token to a person, once; where nobody looks it goes into a file, since what is printed
/// there ends up in logs.
fn tell_first_token(token: &FirstToken) -> Result<(), Error> {
    if std::io::stderr().is_terminal() {
        Printer::line(&format!(
            "the first administrator is `admin`, with this token, which is not shown again:\n\n    {}\n",
            token.expose()
        ));
    } else {
        let path = token.store().map_err(failed)?;
        Printer::line(&format!("the token of the first administrator, `admin`, is in {}", path.display()));
    }
    Ok(())
}

/// Says what is wrong with the configuration.
pub(super) fn check(context: &Context, flags: &ServerFlags) -> Result<(), Error> {
    config(context, flags)?;
    context.printer.done("the configuration is right");
    Ok(())
}

/// Prints the configuration as a file would say it.
pub(super) fn show(context: &Context, flags: &ServerFlags) -> Result<(), Error> {
    let toml = config(context, flags)?.to_toml().map_err(|error| failed(error.into()))?;
    Printer::data(toml.trim_end())
}

fn config(context: &Context, flags: &ServerFlags) -> Result<Config, Error> {
    let overrides = Overrides {
        listen: flags.listen,
        data: flags.data.as_deref().map(|path| context.path(path)),
        insecure_no_auth: flags.insecure_no_auth,
        external_url: flags.external_url.as_deref().map(str::parse).transpose().map_err(|_| {
            let problem = "must be `http://host[:port]` or `https://host[:port]`, without a path";
            failed(ConfigError::Value { key: "auth.external-url", problem }.into())
        })?,
        admin_token_file: flags.admin_token_file.as_deref().map(|path| context.path(path)),
        tls_cert: flags.tls_cert.as_deref().map(|path| context.path(path)),
        tls_key: flags.tls_key.as_deref().map(|path| context.path(path)),
        log_format: flags.log_format.as_deref().map(|format| match format {
            "human" => LogFormat::Human,
            "json" => LogFormat::Json,
            _ => LogFormat::Auto,
        }),
        log_filter: flags.log.clone(),
    };
    let file = flags.config.as_deref().map(|path| context.path(path));
    Config::load(file.as_deref(), overrides).map_err(|error| failed(error.into()))
}

fn failed(error: server::Error) -> Error {
    use server::Error as Server;
    let status = match &error {
        Server::Config(_) | Server::Exposed(_) | Server::Tls { .. } | Server::AdminToken { .. } => ExitStatus::Config,
        Server::Listen { .. } | Server::Locked(_) => ExitStatus::Unavailable,
        Server::DataDir { .. } | Server::Storage(_) | Server::Index(_) => ExitStatus::Io,
        Server::Format { .. } | Server::IndexLost(_) | Server::NoBackup(_) => ExitStatus::Data,
        Server::IndexPresent(_) | Server::Occupied(_) => ExitStatus::Conflict,
        Server::NoDataDir(_) => ExitStatus::NoInput,
        Server::Registry(_) | Server::Stopped(_) => ExitStatus::Failure,
    };
    Error::Server { hint: error.hint(), status, source: Box::new(error) }
}

/// Builds a lost index again.
pub(super) async fn reindex(data: &Path) -> Result<Rebuilt, Error> {
    server::reindex(data).await.map_err(failed)
}

/// Makes a data directory from a backup.
pub(super) async fn restore(copy: &Path, data: &Path) -> Result<BackedUp, Error> {
    server::restore(copy, data).await.map_err(failed)
}

/// A registry that runs beside the verbs of this process, on a free port of this machine.
#[derive(Debug)]
pub(super) struct Embedded {
    url: String,
    token: Option<FirstToken>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), server::Error>>,
}

impl Embedded {
    /// Starts it over a data directory.
    pub(super) async fn start(data: &Path) -> Result<Self, Error> {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let overrides = Overrides { listen: Some(listen), data: Some(data.to_owned()), ..Overrides::default() };
        let config = Config::load(None, overrides).map_err(|error| failed(error.into()))?;
        let mut server = Server::bind(config).await.map_err(failed)?;
        let (url, token) = (server.url().to_owned(), server.take_first_token());
        let (stop, stopped) = oneshot::channel();
        // A sender that is gone means stop, too.
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Ok(Self { url, token, stop, running })
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The token of its administrator, whom its first start has made.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(FirstToken::expose)
    }

    /// Lets it finish and frees its data directory.
    pub(super) async fn stop(self) -> Result<(), Error> {
        // Fails when it has ended by itself; what it ended with comes next.
        let _ = self.stop.send(());
        let ended = self.running.await.map_err(|error| Error::Runtime(error.into()))?;
        ended.map_err(failed)
    }
}
