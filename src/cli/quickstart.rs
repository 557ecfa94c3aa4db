//! `agent quickstart`: the whole way of an agent, against a registry that this command starts.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::error::Error;

/// Show the whole way of an agent: validate, push, find, pull
///
/// Starts a registry on a free port of this machine, in a temporary folder, and runs the commands it prints.
#[derive(Args, Debug)]
pub(super) struct Quickstart {
    /// Folder to work in; it is kept. Without it a temporary one is used and removed
    #[arg(long, short, value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Leave the registry running, and say how to use it
    #[arg(long)]
    pub keep: bool,
}

#[cfg(feature = "server")]
pub(super) async fn quickstart(context: &Context, arguments: &Quickstart) -> Result<(), Error> {
    super::story::tell(context, arguments).await
}

#[cfg(not(feature = "server"))]
pub(super) async fn quickstart(_: &Context, _: &Quickstart) -> Result<(), Error> {
    Err(Error::NoServer)
}
