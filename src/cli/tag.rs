//! `agent tag`: another name for something in the local store.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::registries::store;
use super::stored;
use super::wanted::Wanted;

/// Give something in the local store another name
#[derive(Args, Debug)]
#[command(after_help = "Example: agent tag my-agent:1.0.0 registry.example.com/team/my-agent:1.0.0")]
pub(super) struct TagCommand {
    /// Name it has, with a tag or digest
    source: String,

    /// Name to give it, with a tag
    target: String,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn tag(context: &Context, arguments: &TagCommand) -> Result<(), Error> {
    let wanted = Wanted::parse(&arguments.target)?;
    wanted.tag()?;
    let to = wanted.local()?;
    let store = store(context)?;
    let from = stored::require(&store, &Wanted::parse(&arguments.source)?)?;
    let digest = if arguments.dry_run {
        let found = store.find(&from)?.map(|manifest| manifest.digest());
        found.ok_or_else(|| crate::client::Error::NotStored(Box::new(from)))?
    } else {
        store.tag(&from, &to)?
    };
    if context.printer.format != Format::Table {
        let dry_run = arguments.dry_run;
        return context.printer.json(&json!({"reference": to.to_string(), "digest": digest, "dry_run": dry_run}));
    }
    if arguments.dry_run {
        context.printer.note("nothing was tagged");
    }
    Printer::data(&format!("{to}@{digest}"))
}
