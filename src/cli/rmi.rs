//! `agent rmi`: out of the local store. The registry is not touched.

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::registries::store;
use super::stored;
use super::text::size;
use super::wanted::Wanted;
use crate::client::Error as ClientError;
use crate::oci::{Digest, Reference};

/// Remove names, and what nothing else needs, from the local store
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent rmi my-agent:1.0.0\n  agent rmi my-agent --all-tags")]
pub(super) struct Rmi {
    /// Names with a tag or digest
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Do not fail for a name that is not there
    #[arg(long, short)]
    force: bool,

    /// Remove every tag of the name
    #[arg(long)]
    all_tags: bool,

    /// Print what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// One name that went.
#[derive(Serialize)]
struct Report {
    reference: String,
    digest: Digest,
    freed_bytes: u64,
    still: Vec<String>,
    dry_run: bool,
}

pub(super) fn rmi(context: &Context, arguments: &Rmi) -> Result<(), Error> {
    let mut reports = vec![];
    let mut missing = None;
    for text in &arguments.names {
        let wanted = Wanted::parse(text)?;
        for reference in references(context, arguments, &wanted)? {
            match remove(context, arguments, &reference) {
                Ok(report) => reports.push(report),
                Err(Error::Client(ClientError::NotStored(_))) if arguments.force => {}
                // What can be removed is, whatever the order on the command line.
                Err(error @ Error::Client(ClientError::NotStored(_))) => missing = missing.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
    }
    print(context, &reports)?;
    missing.map_or(Ok(()), Err)
}

fn references(context: &Context, arguments: &Rmi, wanted: &Wanted) -> Result<Vec<Reference>, Error> {
    let store = store(context)?;
    if !arguments.all_tags {
        // One that is not there is told by the removal itself.
        return Ok(vec![stored::find(&store, wanted)?.map_or_else(|| wanted.local(), Ok)?]);
    }
    let entries = store.entries()?.into_iter().map(|entry| entry.reference);
    let of_name = entries.filter(|reference| reference.name == wanted.name && reference.host == wanted.host);
    let found: Vec<_> = of_name.collect();
    Ok(if found.is_empty() { vec![wanted.local()?] } else { found })
}

fn remove(context: &Context, arguments: &Rmi, reference: &Reference) -> Result<Report, Error> {
    let store = store(context)?;
    let report = |digest, freed_bytes, still: Vec<Reference>| Report {
        reference: reference.to_string(),
        digest,
        freed_bytes,
        still: still.iter().map(ToString::to_string).collect(),
        dry_run: arguments.dry_run,
    };
    if arguments.dry_run {
        let found = store.find(reference)?.ok_or_else(|| ClientError::NotStored(Box::new(reference.clone())))?;
        return Ok(report(found.digest(), 0, vec![]));
    }
    let removed = store.remove(reference)?;
    Ok(report(removed.digest, removed.bytes, removed.still))
}

fn print(context: &Context, reports: &[Report]) -> Result<(), Error> {
    let printer = context.printer;
    if printer.format != Format::Table {
        return printer.json_list(reports);
    }
    for report in reports {
        Printer::data(&report.reference)?;
        if report.dry_run {
            printer.note("nothing was removed");
        } else if report.still.is_empty() {
            printer.done(&format!("removed, {} freed", size(report.freed_bytes)));
        } else {
            printer.done(&format!("removed; the same package is still there as {}", report.still.join(", ")));
        }
    }
    Ok(())
}
