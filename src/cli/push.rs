//! `agent push`: from a folder or the local store to a registry.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::build::tell_files;
use super::ci;
use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::progress::Transfers;
use super::registries::{Located, Registries};
use super::sources::{self, Changes, Found};
use super::text::{counted, size};
use super::visibility;
use super::wanted::Wanted;
use crate::api::Visibility;
use crate::client::{self, PushReport, PushRequest, PushStoredRequest, Store};
use crate::oci::{Manifest, Tag};
use crate::package::Source;

/// Push an agent to a registry
///
/// The source is `--path`; else the folder one is in, if its agent.yaml or SKILL.md has that name; else the folder
/// of that name; else the local store. The last line of the output is the pinned reference.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  agent push my-agent:latest\n  agent push my-agent:1.0.0 --path ./src/my-agent\n  \
                        agent push registry.example.com/team/my-agent:1.0.0 --dry-run"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Push {
    /// Name of the package as `name:tag`; the tag is `latest` where none is written
    name: String,

    /// Folder or file to push
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,

    #[command(flatten)]
    changes: Changes,

    /// Replace other content behind a version tag
    #[arg(long)]
    force: bool,

    /// Tell what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Push every tag that the local store has of this name
    #[arg(long, short, conflicts_with = "path")]
    all_tags: bool,

    /// Who may see it without a grant; settled before anything is sent
    #[arg(long, value_name = "VISIBILITY", value_parser = visibility::visibility_parser())]
    visibility: Option<Visibility>,

    /// Not available yet
    #[arg(long, hide = true)]
    sign: bool,

    /// Not available yet
    #[arg(long, hide = true)]
    security_scan: bool,
}

/// What was pushed.
#[derive(Serialize)]
struct Report<'a> {
    reference: String,
    repository: String,
    digest: String,
    tags: &'a [Tag],
    uploaded_blobs: usize,
    uploaded_bytes: u64,
    existing_blobs: usize,
    unchanged: bool,
    dry_run: bool,
    warnings: &'a [String],
}

impl Push {
    /// The push of a package just built.
    pub(super) fn of_path(name: &Wanted, path: &Path, changes: &Changes) -> Self {
        Self { name: name.text.clone(), path: Some(path.to_owned()), changes: changes.clone(), ..Self::default() }
    }

    /// A promise that would not be kept must not look as if it was.
    fn refuse_unavailable(&self) -> Result<(), Error> {
        if self.sign {
            return Err(Error::NotYet("--sign"));
        }
        if self.security_scan { Err(Error::NotYet("--security-scan")) } else { Ok(()) }
    }
}

pub(super) async fn push(context: &Context, arguments: &Push) -> Result<(), Error> {
    arguments.refuse_unavailable()?;
    let wanted = Wanted::parse(&arguments.name)?;
    wanted.tag()?;
    let registries = Registries::load(context)?;
    if arguments.all_tags {
        return push_all_tags(context, arguments, &registries, &wanted).await;
    }
    match sources::find(context, arguments.path.as_deref(), &wanted)? {
        Found::Disk(source) => push_source(context, arguments, &registries, &wanted, &source).await,
        Found::Stored(manifest, store) => {
            arguments.changes.refuse_for_stored()?;
            let located = locate(context, arguments, &registries, &wanted).await?;
            push_stored(context, arguments, &located, wanted.tag()?, &manifest, &store).await
        }
    }
}

async fn push_source(
    context: &Context,
    arguments: &Push,
    registries: &Registries<'_>,
    wanted: &Wanted,
    source: &Source,
) -> Result<(), Error> {
    let tag = wanted.tag()?;
    let draft = source.draft(&arguments.changes.overrides(wanted, source)?)?;
    tell_files(context, source, &draft);
    // Before packing: a registry that is down is told at once.
    let located = locate(context, arguments, registries, wanted).await?;
    let failed = |error| Error::of_client(error, located.remote.endpoint());
    let found = client::find_unchanged(&located.remote, &located.repository, &tag, &draft).await;
    if let Some(unchanged) = found.map_err(failed)? {
        return report(context, arguments, &located, &tag, &unchanged);
    }
    let artifact = draft.pack()?;
    let progress = Transfers::new(context.printer, "sent");
    let request = PushRequest {
        remote: &located.remote,
        repository: located.repository.clone(),
        tag: tag.clone(),
        artifact: &artifact,
        force: arguments.force,
        dry_run: arguments.dry_run,
        progress: &progress,
    };
    let pushed = client::push(request).await;
    drop(progress);
    report(context, arguments, &located, &tag, &pushed.map_err(failed)?)
}

/// Where it goes. What was asked for about its visibility is so before anything is sent there.
async fn locate(
    context: &Context,
    arguments: &Push,
    registries: &Registries<'_>,
    wanted: &Wanted,
) -> Result<Located, Error> {
    let located = ci::as_run(context, registries, registries.locate(wanted).await?).await?;
    if let Some(visibility) = arguments.visibility {
        visibility::settle(context, &located, visibility, arguments.dry_run).await?;
    }
    Ok(located)
}

async fn push_stored(
    context: &Context,
    arguments: &Push,
    located: &Located,
    tag: Tag,
    manifest: &Manifest,
    store: &Store,
) -> Result<(), Error> {
    let progress = Transfers::new(context.printer, "sent");
    let request = PushStoredRequest {
        remote: &located.remote,
        repository: located.repository.clone(),
        tag: tag.clone(),
        manifest,
        store,
        force: arguments.force,
        dry_run: arguments.dry_run,
        progress: &progress,
    };
    let pushed = client::push_stored(request).await;
    drop(progress);
    let pushed = pushed.map_err(|error| Error::of_client(error, located.remote.endpoint()))?;
    report(context, arguments, located, &tag, &pushed)
}

/// Every tag the store has under exactly the name as typed.
async fn push_all_tags(
    context: &Context,
    arguments: &Push,
    registries: &Registries<'_>,
    wanted: &Wanted,
) -> Result<(), Error> {
    arguments.changes.refuse_for_stored()?;
    let store = super::registries::store(context)?;
    let mut entries = store.entries()?;
    entries.retain(|entry| entry.reference.name == wanted.name && entry.reference.host == wanted.host);
    if entries.is_empty() {
        let looked = vec![format!("the local store (nothing named {})", wanted.name)];
        return Err(Error::NoSource { name: wanted.text.clone(), looked });
    }
    let located = locate(context, arguments, registries, wanted).await?;
    for entry in entries {
        let Some(tag) = entry.reference.tag.clone() else { continue };
        if let Some(manifest) = store.find(&entry.reference)? {
            push_stored(context, arguments, &located, tag, &manifest, &store).await?;
        }
    }
    Ok(())
}

fn report(context: &Context, arguments: &Push, located: &Located, tag: &Tag, pushed: &PushReport) -> Result<(), Error> {
    let printer = context.printer;
    for warning in &pushed.warnings {
        Printer::warn(warning);
    }
    let reference = format!("{}@{}", located.tagged(tag), pushed.digest);
    if printer.format != Format::Table {
        return printer.json(&Report {
            reference,
            repository: located.full_name(),
            digest: pushed.digest.to_string(),
            tags: &pushed.tags,
            uploaded_blobs: pushed.uploaded_blobs,
            uploaded_bytes: pushed.uploaded_bytes,
            existing_blobs: pushed.existing_blobs,
            unchanged: pushed.is_unchanged,
            dry_run: arguments.dry_run,
            warnings: &pushed.warnings,
        });
    }
    let blobs = format!("{} ({})", counted(pushed.uploaded_blobs, "blob"), size(pushed.uploaded_bytes));
    let tags = pushed.tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
    if pushed.is_unchanged {
        printer.done(&format!("unchanged: {} has it as {tags}", located.full_name()));
    } else if arguments.dry_run {
        printer.note(&format!("would send {blobs}, {} there already; nothing was sent", pushed.existing_blobs));
    } else {
        let existing = pushed.existing_blobs;
        let there = if existing == 0 { String::new() } else { format!(", {existing} there already") };
        printer.done(&format!("pushed {blobs}{there}; tags: {tags}"));
    }
    Printer::data(&reference)
}
