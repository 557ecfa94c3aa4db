//! Verbs of the reference tool that run agents or models: this program stores and ships them.

use std::ffi::OsString;

use clap::Args;

use super::error::Error;

/// Not part of this program
#[derive(Args, Debug)]
pub(super) struct Anything {
    /// Whatever the reference tool takes here
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<OsString>,
}

/// The verb, and where to turn instead.
pub(super) fn out_of_scope(verb: &'static str) -> Result<(), Error> {
    let instead = match verb {
        "run" => "`agent pull` the package and start it with its own runtime",
        "test" => "`agent validate` checks a package; its own tests run with its own runtime",
        _ => "local models are the business of tools such as ollama",
    };
    Err(Error::OutOfScope { verb, instead })
}
