//! The command: one file a verb, a printer, and errors with exit codes.

mod arguments;
mod audit;
mod build;
mod ci;
mod completions;
mod configure;
mod configure_profile;
mod context;
mod delete;
mod deprecate;
mod error;
#[cfg(feature = "server")]
mod examples;
mod exit;
mod image_row;
mod images;
mod import;
mod init;
mod inspect;
mod inspection;
mod inspection_table;
mod listing;
mod login;
mod logout;
mod notice;
mod oidc;
mod org;
mod permission;
mod printer;
mod profiles;
mod progress;
mod prompt;
mod publisher;
mod pull;
mod push;
mod query;
mod quickstart;
mod rate;
mod reader;
#[cfg(feature = "server")]
mod recovery;
mod registries;
mod registry;
mod rmi;
mod scope;
mod search;
#[cfg(feature = "server")]
mod serve;
mod service;
mod sources;
mod stop;
mod stored;
#[cfg(feature = "server")]
mod story;
mod table;
mod tag;
mod tag_rule;
mod team;
mod templates;
mod text;
mod token;
mod user;
mod user_identity;
mod validate;
mod version;
mod versions;
mod visibility;
mod wanted;
mod watch;
mod whoami;
mod yank;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command};
use context::Context;
use error::Error;
pub use exit::ExitStatus;
use printer::Printer;

/// Runs the command line of this process; the code it ends with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let printer =
        Printer { format: arguments.global.format, quiet: arguments.global.quiet, verbose: arguments.global.verbose };
    let Arguments { global, config, command } = arguments;
    let Some(command) = command else {
        Printer::line(&Arguments::command().render_help().ansi().to_string());
        return ExitStatus::Usage.into();
    };
    let context = Context { global, printer, config, directory: PathBuf::new() };
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
        .and_then(|runtime| stop::run_until_stopped(runtime, context, command));
    match ended {
        Ok(()) => ExitStatus::Success,
        Err(error) => {
            let status = error.status();
            if status != ExitStatus::Success {
                Printer::error(&error);
            }
            status
        }
    }
    .into()
}

/// Runs one verb.
async fn run(context: &Context, command: Command) -> Result<(), Error> {
    match command {
        Command::Quickstart(arguments) => Box::pin(quickstart::quickstart(context, &arguments)).await,
        Command::Init(arguments) => init::init(context, &arguments),
        Command::Validate(arguments) => validate::validate(context, &arguments),
        Command::Build(arguments) => build::build(context, &arguments).await,
        Command::Push(arguments) => push::push(context, &arguments).await,
        Command::Pull(arguments) => pull::pull(context, &arguments).await,
        Command::Images(arguments) => images::images(context, &arguments).await,
        Command::Search(arguments) => search::search(context, &arguments).await,
        Command::Inspect(arguments) => inspect::inspect(context, &arguments).await,
        Command::Watch(arguments) => watch::watch(context, &arguments).await,
        Command::Versions(arguments) => versions::versions(context, &arguments).await,
        Command::Tag(arguments) => tag::tag(context, &arguments),
        Command::Rmi(arguments) => rmi::rmi(context, &arguments),
        Command::Yank(arguments) => yank::yank(context, &arguments).await,
        Command::Unyank(arguments) => yank::unyank(context, &arguments).await,
        Command::Deprecate(arguments) => deprecate::deprecate(context, &arguments).await,
        Command::Delete(arguments) => delete::delete(context, &arguments).await,
        Command::Rate(arguments) => rate::rate(context, &arguments).await,
        Command::Login(arguments) => login::login(context, &arguments).await,
        Command::Logout(arguments) => logout::logout(context, &arguments),
        Command::Whoami(arguments) => whoami::whoami(context, &arguments).await,
        Command::User(arguments) => user::user(context, arguments).await,
        Command::Org(arguments) => org::org(context, arguments).await,
        Command::Team(arguments) => team::team(context, arguments).await,
        Command::Token(arguments) => token::token(context, arguments).await,
        Command::Visibility(arguments) => visibility::visibility(context, arguments).await,
        Command::Permission(arguments) => permission::explain(context, arguments).await,
        Command::Publisher(arguments) => publisher::publisher(context, arguments).await,
        Command::Auth(arguments) => whoami::auth(context, &arguments).await,
        Command::Configure(arguments) => Box::pin(configure::configure(context, arguments)).await,
        Command::Registry(arguments) => registry::registry(context, arguments).await,
        Command::Version(_) => version::version(context),
        Command::Completions(arguments) => completions::completions(&arguments),
        Command::Run(_) => scope::out_of_scope("run"),
        Command::Test(_) => scope::out_of_scope("test"),
        Command::Llm(_) => scope::out_of_scope("llm"),
    }
}
