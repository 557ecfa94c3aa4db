//! `agent inspect`: everything known of one package, on disk, in the store or in a registry.

use std::path::Path;

use clap::Args;

use super::context::Context;
use super::error::Error;
use super::inspection::Inspection;
use super::printer::{Format, Printer};
use super::registries::{Located, Registries, store};
use super::stored;
use super::validate;
use super::wanted::Wanted;
use crate::client::{self, Catalogue, Selector};
use crate::oci::{ManifestKind, Tag, Target};
use crate::package::{Overrides, kind_of};

/// Show everything known of a package
///
/// A path, such as `./agent.yaml` or `./my-agent`, is read from disk; a name is asked of the registry.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent inspect my-agent:latest\n  agent inspect my-agent@^1.2 --files\n  \
                        agent inspect ./agent.yaml\n  \
                        agent inspect my-agent:1.0.0 --local --format json")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Inspect {
    /// Name as `name`, `name:tag`, `name@sha256:…` or `name@^1.2`; or a path
    name: String,

    /// Look into the local store instead of the registry
    #[arg(long)]
    local: bool,

    /// List all files, not only the first
    #[arg(long)]
    files: bool,

    /// Let pre-releases count in a range; alone, take the highest version, pre-release or not
    #[arg(long, conflicts_with = "local")]
    pre: bool,

    /// Not available yet
    #[arg(long, hide = true)]
    security_report: bool,
}

pub(super) async fn inspect(context: &Context, arguments: &Inspect) -> Result<(), Error> {
    if arguments.security_report {
        return Err(Error::NotYet("--security-report"));
    }
    let inspection = if is_path(context, &arguments.name) {
        of_path(context, Path::new(&arguments.name))?
    } else {
        let wanted = Wanted::parse(&arguments.name)?;
        let wanted = if arguments.pre { wanted.with_pre_releases()? } else { wanted };
        if arguments.local { of_store(context, &wanted)? } else { of_registry(context, &wanted).await? }
    };
    let printer = context.printer;
    if printer.quiet && printer.format == Format::Table {
        return Printer::data(&inspection.reference);
    }
    if printer.format == Format::Table {
        return inspection.print(printer, arguments.files);
    }
    printer.json(&inspection)
}

/// Whether a text can only mean a file or folder, or names a file that is there: a document, not a folder that happens
/// to have the package's name.
fn is_path(context: &Context, text: &str) -> bool {
    let is_written_as_path = ["./", "../", "/", ".\\"].iter().any(|start| text.starts_with(start));
    is_written_as_path || matches!(text, "." | "..") || context.path(Path::new(text)).is_file()
}

fn of_path(context: &Context, path: &Path) -> Result<Inspection, Error> {
    let source = validate::open(context, &context.path(path))?;
    let artifact = source.draft(&Overrides::default())?.pack()?;
    let shown = context.shown(source.document());
    let inspection = Inspection::of_manifest(shown, "disk", artifact.manifest());
    Ok(inspection.configured(artifact.config()))
}

fn of_store(context: &Context, wanted: &Wanted) -> Result<Inspection, Error> {
    let store = store(context)?;
    let reference = stored::require(&store, wanted)?;
    let manifest = store.find(&reference)?.ok_or_else(|| client::Error::NotStored(Box::new(reference.clone())))?;
    let entries = store.entries()?;
    let entry = entries.iter().find(|entry| entry.manifest == manifest.digest());
    let mut inspection = Inspection::of_manifest(reference.to_string(), "local", &manifest);
    inspection.created = entry.map(|entry| entry.stored_at);
    inspection.tag = reference.tag;
    Ok(match (manifest.kind(), entry.and_then(|entry| entry.config.as_ref())) {
        (ManifestKind::Image { .. }, Some(config)) => inspection.configured(config),
        _ => inspection.foreign(&kind_of(&manifest), None),
    })
}

async fn of_registry(context: &Context, wanted: &Wanted) -> Result<Inspection, Error> {
    let located = Registries::load(context)?.locate(wanted).await?;
    let failed = |error| Error::of_client(error, located.remote.endpoint());
    let (remote, name) = (&located.remote, &located.repository);
    if let Some(catalogue) = Catalogue::detect(remote).await.map_err(failed)? {
        let target = client::resolve_in(&catalogue, name, &wanted.selector).await.map_err(failed)?;
        if let Some(package) = catalogue.package(name, Some(&target)).await.map_err(failed)? {
            let inspection = Inspection::of_package(reference(&located, &target), tag(&target), package);
            for notice in inspection.notices() {
                Printer::warn(&notice);
            }
            return Ok(inspection);
        }
    }
    of_artifact(&located, &wanted.selector).await
}

/// Anything in any registry, as its manifest and configuration describe it.
async fn of_artifact(located: &Located, selector: &Selector) -> Result<Inspection, Error> {
    let endpoint = located.remote.endpoint();
    let failed = |error| Error::of_client(error, endpoint);
    let (remote, name) = (&located.remote, &located.repository);
    let target = client::resolve(remote, name, selector).await.map_err(failed)?;
    let described = client::describe(remote, name, &target).await.map_err(failed)?;
    let found = described.ok_or_else(|| Error::NotFound {
        what: format!("{}{}", located.full_name(), suffix(&target)),
        place: format!("the registry {endpoint}"),
    })?;
    let mut inspection = Inspection::of_manifest(reference(located, &target), "registry", &found.manifest);
    inspection.tag = tag(&target);
    if let Some(problem) = &found.problem {
        Printer::warn(&format!("the package contradicts itself: {problem}"));
    }
    Ok(match &found.config {
        Some(config) => inspection.configured(config),
        None => inspection.foreign(&found.kind, found.facts),
    })
}

fn reference(located: &Located, target: &Target) -> String {
    match target {
        Target::Tag(tag) => located.tagged(tag).to_string(),
        Target::Digest(_) => located.full_name(),
    }
}

fn tag(target: &Target) -> Option<Tag> {
    if let Target::Tag(tag) = target { Some(tag.clone()) } else { None }
}

fn suffix(target: &Target) -> String {
    match target {
        Target::Tag(tag) => format!(":{tag}"),
        Target::Digest(digest) => format!("@{digest}"),
    }
}
