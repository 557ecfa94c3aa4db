//! `agent registry reindex`, `backup` and `restore`: a registry's data kept, and got back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::registries::Registries;
use super::serve;
use super::text::{counted, safe, size};
use crate::api::{Backup, BackupState, NewBackup};
use crate::remote::Remote;

/// Where backups are asked for.
const BACKUP: &str = "/api/v1/admin/backup";
/// Largest answer in bytes: a backup names the blobs its registry has lost.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// How often the registry is asked how far it is.
const PAUSE: Duration = Duration::from_millis(200);
/// Losses named one by one.
const MAX_SHOWN: usize = 20;

/// Build the lost index of a data directory again
///
/// For a directory whose `index.sqlite` is lost, while no registry runs on it: repositories, manifests, tags, versions
/// and referrers come from the recovery journal, contents from the blobs that are there. What was pushed in the last
/// second before the loss may be missing.
#[derive(Args, Debug)]
#[command(after_help = "Example: agent registry reindex --data ./registry-data")]
pub(super) struct ReindexCommand {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

/// Copy everything a running registry holds into a folder on its machine
///
/// The registry goes on serving. The copy holds what it had when the command began; `restore` makes a registry of it.
#[derive(Args, Debug)]
#[command(after_help = "Example: agent registry backup /var/backups/registry-2026-01-31")]
pub(super) struct BackupCommand {
    /// Folder to copy into; empty, or not there
    pub directory: PathBuf,
}

/// Make a data directory from a backup
#[derive(Args, Debug)]
#[command(after_help = "Example: agent registry restore /var/backups/registry-2026-01-31 --data ./registry-data")]
pub(super) struct RestoreCommand {
    /// Folder that `backup` has written
    pub backup: PathBuf,

    /// Data directory to make; empty, or not there
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

pub(super) async fn reindex(context: &Context, arguments: &ReindexCommand) -> Result<(), Error> {
    let rebuilt = serve::reindex(&context.path(&arguments.data)).await?;
    let losses: Vec<String> = rebuilt.losses.iter().map(ToString::to_string).collect();
    let totals = rebuilt.totals;
    if context.printer.format == Format::Table {
        let (manifests, tags) = (of(totals.manifests, "manifest"), of(totals.tags, "tag"));
        context.printer.done(&format!("rebuilt {manifests} and {tags} up to event {}", rebuilt.last_event));
        losses.iter().take(MAX_SHOWN).for_each(|loss| Printer::warn(&safe(&format!("lost: {loss}"))));
    } else {
        context.printer.json(&json!({
            "last_event": rebuilt.last_event, "repositories": totals.repositories, "manifests": totals.manifests,
            "tags": totals.tags, "blobs": totals.blobs, "packages": totals.packages, "lost": losses,
        }))?;
    }
    if losses.is_empty() { Ok(()) } else { Err(Error::Lost(losses.len())) }
}

pub(super) async fn backup(context: &Context, arguments: &BackupCommand) -> Result<(), Error> {
    let directory = context.path(&arguments.directory);
    let directory = std::path::absolute(&directory).map_err(|source| Error::io("find", &directory, source))?;
    let remote = Registries::load(context)?.connect(None)?;
    let wanted = NewBackup { directory: directory.display().to_string() };
    let begun = remote.post_json(BACKUP, &wanted, MAX_ANSWER_BYTES).await?;
    let made = wait(&remote, begun).await?;
    let Some(held) = &made.content else {
        return Err(Error::Backup(made.problem.unwrap_or_else(|| "the registry was restarted".to_owned())));
    };
    if context.printer.format == Format::Table {
        let (manifests, tags) = (of(held.manifests, "manifest"), of(held.tags, "tag"));
        context.printer.done(&format!("backed up {manifests} and {tags}"));
        let files = format!("{} of {}", of(held.files, "large blob"), size(held.bytes));
        context.printer.detail(&format!("{files} up to event {}", held.last_event));
        Printer::data(&made.directory)?;
    } else {
        context.printer.json(&made)?;
    }
    if held.lost.is_empty() { Ok(()) } else { Err(Error::Lost(held.lost.len())) }
}

pub(super) async fn restore(context: &Context, arguments: &RestoreCommand) -> Result<(), Error> {
    let (copy, data) = (context.path(&arguments.backup), context.path(&arguments.data));
    let restored = serve::restore(&copy, &data).await?;
    let totals = restored.totals;
    if context.printer.format == Format::Table {
        let (manifests, tags) = (of(totals.manifests, "manifest"), of(totals.tags, "tag"));
        context.printer.done(&format!("restored {manifests} and {tags}"));
        Printer::data(&shown(&data))?;
    } else {
        context.printer.json(&json!({
            "data": shown(&data), "last_event": restored.last_event, "repositories": totals.repositories,
            "manifests": totals.manifests, "tags": totals.tags, "blobs": totals.blobs, "files": restored.files,
            "bytes": restored.bytes, "lost": restored.lost,
        }))?;
    }
    if restored.lost.is_empty() { Ok(()) } else { Err(Error::Lost(restored.lost.len())) }
}

async fn wait(remote: &Remote, begun: Backup) -> Result<Backup, Error> {
    let mut newest = begun;
    while newest.state == BackupState::Running {
        tokio::time::sleep(PAUSE).await;
        match remote.get_json(BACKUP, MAX_ANSWER_BYTES).await? {
            Some(found) => newest = found,
            None => newest.state = BackupState::Failed,
        }
    }
    Ok(newest)
}

fn of(count: u64, noun: &str) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
