//! `agent delete`: take a tag, or a manifest with its tags, out of a registry.

use std::io::IsTerminal as _;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::prompt;
use super::registries::{Located, Registries};
use super::text::counted;
use super::wanted::Wanted;
use crate::client::Selector;
use crate::oci::{Digest, ErrorCode, Tag, Target};
use crate::remote;

/// Tags of a repository that are looked at, to tell which of them go with a digest.
const MAX_LOOKED_AT: usize = 500;

/// Questions to a registry at a time.
const AT_ONCE: usize = 6;

/// Delete a tag, or a manifest with all its tags, from a registry
///
/// A tag goes alone, and what it points at stays; a digest goes with every tag that points at it. On a terminal you are
/// asked first. To keep a version from being chosen, yank it instead: whoever depends on it can still pull it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent delete my-agent:1.2.0\n  agent delete my-agent@sha256:… --yes")]
pub(super) struct Delete {
    /// Name as `name:tag` or `name@sha256:…`
    name: String,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Print what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is to go.
struct Doomed {
    target: Target,
    digest: Digest,
    /// The tags that go, those that are versions among them.
    tags: Vec<Tag>,
    /// Whether there are more tags than were looked at.
    is_partial: bool,
}

pub(super) async fn delete(context: &Context, arguments: &Delete) -> Result<(), Error> {
    let wanted = Wanted::parse(&arguments.name)?;
    let target = target(&wanted)?;
    let located = Registries::load(context)?.locate(&wanted).await?;
    let doomed = look(&located, target).await?;
    let name = full_name(&located, &doomed);
    if !arguments.dry_run && !arguments.yes && !is_meant(&name, &doomed).await? {
        context.printer.note("nothing was deleted");
        return Ok(());
    }
    if !arguments.dry_run {
        let deleted = located.remote.delete_manifest(&located.repository, &doomed.target).await;
        let is_deleted = deleted.map_err(|error| refused(error, &located, &doomed))?;
        if !is_deleted {
            return Err(missing(&located, &doomed.target));
        }
    }
    print(context, &name, &doomed, arguments.dry_run)
}

fn target(wanted: &Wanted) -> Result<Target, Error> {
    match &wanted.selector {
        Selector::Tag(tag) => Ok(Target::Tag(tag.clone())),
        Selector::Digest(digest) => Ok(Target::Digest(*digest)),
        Selector::Default | Selector::Range(_) => Err(Error::WrongReference {
            text: wanted.text.clone(),
            problem: "names neither a tag nor a digest",
            hint: "write `name:tag` or `name@sha256:…`: only what is named exactly is deleted",
        }),
    }
}

async fn look(located: &Located, target: Target) -> Result<Doomed, Error> {
    let failed = |error: remote::Error| Error::of_client(error.into(), located.remote.endpoint());
    let (remote, repository) = (&located.remote, &located.repository);
    let found = remote.head_manifest(repository, &target).await.map_err(failed)?;
    let digest = found.ok_or_else(|| missing(located, &target))?.digest;
    if let Target::Tag(tag) = &target {
        let tags = vec![tag.clone()];
        return Ok(Doomed { target, digest, tags, is_partial: false });
    }
    let all = remote.tags(repository).await.map_err(failed)?.unwrap_or_default();
    let is_partial = all.len() > MAX_LOOKED_AT;
    let looked_at = futures_util::stream::iter(all.into_iter().take(MAX_LOOKED_AT)).map(|tag| async move {
        let at = remote.head_manifest(repository, &Target::Tag(tag.clone())).await?;
        Ok::<_, remote::Error>(at.is_some_and(|at| at.digest == digest).then_some(tag))
    });
    let tags: Vec<Option<Tag>> = looked_at.buffered(AT_ONCE).try_collect().await.map_err(failed)?;
    Ok(Doomed { target, digest, tags: tags.into_iter().flatten().collect(), is_partial })
}

fn full_name(located: &Located, doomed: &Doomed) -> String {
    match &doomed.target {
        Target::Tag(tag) => located.tagged(tag).to_string(),
        Target::Digest(digest) => format!("{}@{digest}", located.full_name()),
    }
}

fn missing(located: &Located, target: &Target) -> Error {
    let suffix = if let Target::Tag(tag) = target { format!(":{tag}") } else { format!("@{target}") };
    let place = format!("the registry {}", located.remote.endpoint());
    Error::NotFound { what: format!("{}{suffix}", located.full_name()), place }
}

/// The tags that go with a digest, in words.
fn with_tags(doomed: &Doomed) -> String {
    if !matches!(doomed.target, Target::Digest(_)) {
        return String::new();
    }
    let names: Vec<_> = doomed.tags.iter().map(Tag::as_str).collect();
    let more = if doomed.is_partial { ", and perhaps others: there are too many to look at all" } else { "" };
    match names.len() {
        0 if doomed.is_partial => ", which has perhaps tags: there are too many to look at all".to_owned(),
        0 => ", which has no tag".to_owned(),
        count => format!(" with {}: {}{more}", counted(count, "tag"), names.join(", ")),
    }
}

/// Whether it is meant, which only somebody at a terminal is asked.
async fn is_meant(name: &str, doomed: &Doomed) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Ok(true);
    }
    let answer = prompt::line(&format!("Delete {name}{}? [y/N] ", with_tags(doomed))).await?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A registry that deletes nothing, or nothing by tag, says so in several ways.
fn refused(error: remote::Error, located: &Located, doomed: &Doomed) -> Error {
    match error {
        remote::Error::Refused(refusal)
            if matches!(refusal.status, 405 | 501) || refusal.is(ErrorCode::Unsupported) =>
        {
            let by_digest =
                matches!(doomed.target, Target::Tag(_)).then(|| format!("{}@{}", located.full_name(), doomed.digest));
            let endpoint = Box::new(located.remote.endpoint().clone());
            Error::NoDeletion { endpoint, by_digest, source: remote::Error::Refused(refusal) }
        }
        other => Error::of_client(other.into(), located.remote.endpoint()),
    }
}

fn print(context: &Context, name: &str, doomed: &Doomed, dry_run: bool) -> Result<(), Error> {
    let printer = context.printer;
    if printer.format != Format::Table {
        return printer.json(&json!({
            "reference": name, "digest": doomed.digest, "tags": doomed.tags, "dry_run": dry_run,
        }));
    }
    let what = format!("{name}{}", with_tags(doomed));
    if dry_run {
        printer.note(&format!("would delete {what}; nothing was done"));
    } else {
        printer.done(&format!("deleted {what}"));
        if matches!(doomed.target, Target::Tag(_)) {
            printer.note(&format!("what it pointed at is still there as {}", doomed.digest));
        }
    }
    Printer::data(name)
}
