//! `agent pull`: from a registry to a folder.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::progress::Transfers;
use super::registries::{Located, Registries, cache, store};
use super::text::size;
use super::wanted::Wanted;
use crate::client::{self, PullReport, PullRequest, PullState};

/// Pull an agent into a folder of its name
///
/// Everything is verified before it is put in place, and nothing of it is executed. A folder with edits is left alone.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent pull my-agent:1.0.0\n  agent pull my-agent@^1.2 --directory agents\n  \
                        agent pull my-agent --pre\n  \
                        agent pull registry.example.com/team/my-agent@sha256:…")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Pull {
    /// Name as `name`, `name:tag`, `name@sha256:…` or `name@^1.2`; without a tag `latest`, else the highest version
    name: String,

    /// Folder in which its folder is put
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// Let pre-releases count in a range; alone, take the highest version, pre-release or not
    #[arg(long)]
    pre: bool,

    /// Replace what is there, edits included
    #[arg(long)]
    force: bool,

    /// Tell what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Not available yet
    #[arg(long, hide = true)]
    verify_signature: bool,

    /// Not available yet
    #[arg(long, short, hide = true)]
    all_tags: bool,
}

/// What was pulled.
#[derive(Serialize)]
struct Report {
    reference: String,
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    path: String,
    state: &'static str,
    transferred_bytes: u64,
    kept: Vec<String>,
    dry_run: bool,
}

pub(super) async fn pull(context: &Context, arguments: &Pull) -> Result<(), Error> {
    if arguments.verify_signature {
        return Err(Error::NotYet("--verify-signature"));
    }
    if arguments.all_tags {
        return Err(Error::NotYet("--all-tags"));
    }
    let wanted = Wanted::parse(&arguments.name)?;
    let wanted = if arguments.pre { wanted.with_pre_releases()? } else { wanted };
    let located = Registries::load(context)?.locate(&wanted).await?;
    let progress = Transfers::new(context.printer, "received");
    let request = PullRequest {
        remote: Some(&located.remote),
        repository: located.repository.clone(),
        selector: wanted.selector,
        directory: context.path(&arguments.directory),
        force: arguments.force,
        dry_run: arguments.dry_run,
        store: &store(context)?,
        cache: &cache(context)?,
        progress: &progress,
    };
    let pulled = client::pull(request).await;
    drop(progress);
    let pulled = pulled.map_err(|error| Error::of_client(error, located.remote.endpoint()))?;
    report(context, arguments, &located, &pulled)
}

fn report(context: &Context, arguments: &Pull, located: &Located, pulled: &PullReport) -> Result<(), Error> {
    let printer = context.printer;
    let tag = pulled.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
    let reference = format!("{}{tag}@{}", located.full_name(), pulled.digest);
    let path = context.shown(&pulled.path);
    if printer.format != Format::Table {
        return printer.json(&Report {
            reference,
            digest: pulled.digest.to_string(),
            tag: pulled.tag.as_ref().map(ToString::to_string),
            path,
            state: state(pulled.state),
            transferred_bytes: pulled.transferred_bytes,
            kept: pulled.kept.iter().map(ToString::to_string).collect(),
            dry_run: arguments.dry_run,
        });
    }
    let moved = size(pulled.transferred_bytes);
    match (arguments.dry_run, pulled.state) {
        (_, PullState::UpToDate) => printer.done(&format!("{path} is up to date")),
        (true, PullState::Written) => printer.note(&format!("would write {path}; nothing was written")),
        (true, PullState::Replaced) => printer.note(&format!("would replace {path}; nothing was written")),
        (false, PullState::Written) => printer.done(&format!("pulled into {path} ({moved} received)")),
        (false, PullState::Replaced) => printer.done(&format!("replaced {path} ({moved} received)")),
    }
    for kept in &pulled.kept {
        printer.note(&format!("kept:     {kept}, which is not part of the package"));
    }
    Printer::data(&reference)
}

fn state(state: PullState) -> &'static str {
    match state {
        PullState::Written => "written",
        PullState::UpToDate => "up-to-date",
        PullState::Replaced => "replaced",
    }
}
