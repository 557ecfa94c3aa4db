//! `agent completions`: scripts that complete the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::arguments::Arguments;
use super::error::Error;
use super::printer::Printer;

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "Example: agent completions bash > ~/.local/share/bash-completion/completions/agent")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(arguments: &Completions) -> Result<(), Error> {
    let mut script = vec![];
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "agent", &mut script);
    Printer::data(String::from_utf8_lossy(&script).trim_end())
}
