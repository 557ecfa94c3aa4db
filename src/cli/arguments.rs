//! The command line: global flags and the verbs. Each verb's own flags stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::printer::Format;
use super::{
    build, completions, configure, delete, deprecate, images, init, inspect, login, logout, org, permission, publisher,
    pull, push, quickstart, rate, registry, rmi, scope, tag, team, token, user, validate, version, versions,
    visibility, whoami, yank,
};
use crate::api::Secret;

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 failure, 2 wrong command line, 65 invalid package or data, 66 no source found, 69 registry \
unavailable, 70 out of scope, 74 file system, 77 denied, 78 wrong settings, 79 not found, 80 conflict (see --force), \
130 interrupted.";

/// Store, find and ship AI agents as OCI artifacts
#[derive(Debug, Parser)]
#[command(name = "agent", version, after_long_help = EXIT_CODES, max_term_width = 100)]
#[command(disable_help_subcommand = true, override_usage = "agent [OPTIONS] <COMMAND>")]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,

    /// Settings file instead of `config.json` in the agent folder
    #[arg(long, value_name = "FILE", hide = true)]
    pub config: Option<PathBuf>,

    // Optional here, since a set variable counts as an argument for clap: nothing typed gets the help all the same.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags every verb takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Registry for names without a host, such as `http://127.0.0.1:5050` [env: `AGENT_REGISTRY_URL`]
    #[arg(long, global = true, value_name = "URL")]
    pub registry: Option<String>,

    // An argument of its own: a profile asked for by flag goes before the variable.
    #[arg(long, global = true, value_name = "URL", env = "AGENT_REGISTRY_URL", hide = true, hide_env_values = true)]
    pub registry_variable: Option<String>,

    /// Profile of the settings file to take registry and token from
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Speak plain HTTP to hosts other than this machine
    #[arg(long, global = true)]
    pub plain_http: bool,

    /// PEM file with a further authority to trust
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_certificate: Option<PathBuf>,

    /// How to print data on stdout
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,

    /// Print references only, and nothing that is no error or warning
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Tell how registry, credentials and source were chosen
    #[arg(long, global = true)]
    pub verbose: bool,

    #[arg(long, global = true, value_name = "DIR", env = "AGENT_HOME", hide = true, hide_env_values = true)]
    pub home: Option<PathBuf>,

    // Secrets come from variables: on a command line everybody on the machine could read them.
    #[arg(long, global = true, value_name = "TOKEN", env = "AGENT_REGISTRY_TOKEN", hide = true)]
    #[arg(hide_env_values = true)]
    pub token_variable: Option<Secret>,

    #[arg(long, global = true, value_name = "PAT", env = "AGENTS_REGISTRY_PAT", hide = true)]
    #[arg(hide_env_values = true)]
    pub pat_variable: Option<Secret>,

    // What GitHub gives a run that may say who it is, and what a job on GitLab is told to put here.
    #[arg(long, global = true, value_name = "URL", env = "ACTIONS_ID_TOKEN_REQUEST_URL", hide = true)]
    #[arg(hide_env_values = true)]
    pub id_token_address: Option<String>,

    #[arg(long, global = true, value_name = "TOKEN", env = "ACTIONS_ID_TOKEN_REQUEST_TOKEN", hide = true)]
    #[arg(hide_env_values = true)]
    pub id_token_request: Option<Secret>,

    #[arg(long, global = true, value_name = "TOKEN", env = "AGENT_REGISTRY_ID_TOKEN", hide = true)]
    #[arg(hide_env_values = true)]
    pub id_token: Option<Secret>,

    #[arg(long, global = true, value_name = "DIR", env = "DOCKER_CONFIG", hide = true, hide_env_values = true)]
    pub docker_config: Option<PathBuf>,

    #[arg(long, global = true, value_name = "FILE", env = "REGISTRY_AUTH_FILE", hide = true, hide_env_values = true)]
    pub auth_file: Option<PathBuf>,

    #[arg(long, global = true, value_name = "DIR", env = "XDG_RUNTIME_DIR", hide = true, hide_env_values = true)]
    pub runtime_directory: Option<PathBuf>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Quickstart(quickstart::Quickstart),
    Init(init::Init),
    Validate(validate::Validate),
    Build(build::Build),
    Push(push::Push),
    Pull(pull::Pull),
    Images(images::Images),
    Inspect(inspect::Inspect),
    Versions(versions::Versions),
    Tag(tag::TagCommand),
    Rmi(rmi::Rmi),
    Yank(yank::Yank),
    Unyank(yank::Unyank),
    Deprecate(deprecate::Deprecate),
    Delete(delete::Delete),
    Rate(rate::Rate),
    Login(login::Login),
    Logout(logout::Logout),
    Whoami(whoami::Whoami),
    User(user::UserCommand),
    Org(org::OrgCommand),
    Team(team::TeamCommand),
    Token(token::TokenCommand),
    Visibility(visibility::VisibilityCommand),
    Permission(permission::ExplainCommand),
    Publisher(publisher::PublisherCommand),
    Configure(configure::Configure),
    Registry(registry::RegistryCommand),
    #[command(hide = true)]
    Auth(whoami::AuthCommand),
    Version(version::Version),
    Completions(completions::Completions),
    #[command(hide = true)]
    Run(scope::Anything),
    #[command(hide = true)]
    Test(scope::Anything),
    #[command(hide = true)]
    Llm(scope::Anything),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
