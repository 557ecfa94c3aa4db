//! `agent registry`: the registry this same program runs, and questions to any.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::audit::{self, Audit};
use super::context::Context;
use super::error::Error;
#[cfg(feature = "server")]
use super::recovery::{BackupCommand, ReindexCommand, RestoreCommand};
use super::whoami::{self, AuthCommand, Ping};

/// Run a registry, or ask one
#[derive(Args, Debug)]
pub(super) struct RegistryCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a registry until it is told to stop
    ///
    /// Prints its URL on one line when it is ready.
    #[command(after_help = "Example: agent registry serve --listen 127.0.0.1:5050 --data ./registry-data")]
    Serve(ServerFlags),
    Ping(Ping),
    Auth(AuthCommand),
    Audit(Audit),
    /// Check or show the configuration a registry would run with
    Config(ConfigCommand),
    #[cfg(feature = "server")]
    Backup(BackupCommand),
    #[cfg(feature = "server")]
    Restore(RestoreCommand),
    #[cfg(feature = "server")]
    Reindex(ReindexCommand),
}

#[derive(Args, Debug)]
struct ConfigCommand {
    #[command(subcommand)]
    command: ConfigVerb,
}

#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Check the configuration, and print nothing if it is right
    Check(ServerFlags),
    /// Print the whole configuration as TOML: file, flags, variables and defaults
    Show(ServerFlags),
}

/// Flags that go before the configuration file.
#[derive(Args, Debug)]
pub(super) struct ServerFlags {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", env = "AGENT_REGISTRY_LISTEN", hide_env_values = true)]
    pub listen: Option<SocketAddr>,

    /// Data directory, made where there is none
    #[arg(long, value_name = "DIR", env = "AGENT_REGISTRY_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,

    /// Configuration file, TOML
    #[arg(long, value_name = "FILE", env = "AGENT_REGISTRY_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,

    /// Check nobody: everyone may do everything; only on loopback addresses
    #[arg(long, env = "AGENT_REGISTRY_INSECURE_NO_AUTH", hide_env_values = true)]
    pub insecure_no_auth: bool,

    /// PEM file with the certificate; turns TLS on
    #[arg(long, value_name = "FILE", env = "AGENT_REGISTRY_TLS_CERT", hide_env_values = true)]
    pub tls_cert: Option<PathBuf>,

    /// PEM file with the key of the certificate
    #[arg(long, value_name = "FILE", env = "AGENT_REGISTRY_TLS_KEY", hide_env_values = true)]
    pub tls_key: Option<PathBuf>,

    /// What to log, such as `info` or `warn,agent_registry=debug`
    #[arg(long, value_name = "FILTER", env = "AGENT_REGISTRY_LOG", hide_env_values = true)]
    pub log: Option<String>,

    /// How to log: `auto` is for people on a terminal, JSON otherwise
    #[arg(long, value_name = "FORMAT", value_parser = ["auto", "human", "json"])]
    #[arg(env = "AGENT_REGISTRY_LOG_FORMAT", hide_env_values = true)]
    pub log_format: Option<String>,

    /// Where clients reach the registry, such as `https://registry.example.com`; by default where each request came to
    #[arg(long, value_name = "URL", env = "AGENT_REGISTRY_EXTERNAL_URL", hide_env_values = true)]
    pub external_url: Option<String>,

    /// File with the token that the first administrator, `admin`, gets at first start
    #[arg(long, value_name = "FILE", env = "AGENT_REGISTRY_ADMIN_TOKEN_FILE", hide_env_values = true)]
    pub admin_token_file: Option<PathBuf>,
}

#[cfg(feature = "server")]
pub(super) async fn registry(context: &Context, arguments: RegistryCommand) -> Result<(), Error> {
    use super::{recovery, serve};
    match arguments.command {
        Verb::Serve(flags) => serve::serve(context, &flags).await,
        Verb::Ping(arguments) => whoami::ping(context, &arguments).await,
        Verb::Auth(arguments) => whoami::auth(context, &arguments).await,
        Verb::Audit(arguments) => audit::audit(context, &arguments).await,
        Verb::Config(ConfigCommand { command: ConfigVerb::Check(flags) }) => serve::check(context, &flags),
        Verb::Config(ConfigCommand { command: ConfigVerb::Show(flags) }) => serve::show(context, &flags),
        Verb::Backup(arguments) => recovery::backup(context, &arguments).await,
        Verb::Restore(arguments) => recovery::restore(context, &arguments).await,
        Verb::Reindex(arguments) => recovery::reindex(context, &arguments).await,
    }
}

#[cfg(not(feature = "server"))]
pub(super) async fn registry(context: &Context, arguments: RegistryCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Ping(arguments) => whoami::ping(context, &arguments).await,
        Verb::Auth(arguments) => whoami::auth(context, &arguments).await,
        Verb::Audit(arguments) => audit::audit(context, &arguments).await,
        Verb::Serve(_) | Verb::Config(ConfigCommand { command: ConfigVerb::Check(_) | ConfigVerb::Show(_) }) => {
            Err(Error::NoServer)
        }
    }
}
