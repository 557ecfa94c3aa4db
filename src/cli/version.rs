//! `agent version`.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};

/// Print the version of this program
#[derive(Args, Debug)]
pub(super) struct Version {}

pub(super) fn version(context: &Context) -> Result<(), Error> {
    let has_server = cfg!(feature = "server");
    match context.printer.format {
        Format::Table => Printer::data(&format!("agent {}", env!("CARGO_PKG_VERSION"))),
        Format::Json | Format::Jsonl => context.printer.json(&json!({
            "name": "agent",
            "version": env!("CARGO_PKG_VERSION"),
            "registry": has_server,
        })),
    }
}
