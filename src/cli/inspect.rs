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
use crate::client::{self, Catalogue};
use crate::oci::{ManifestKind, Tag, Target};
use crate::package::{Config, Overrides, kind_of};

/// Show everything known of a package
///
/// A path, such as `./agent.yaml` or `./my-agent`, is read from disk; a name is asked of the registry.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent inspect my-agent:latest\n  agent inspect ./agent.yaml\n  \
                        agent inspect my-agent:1.0.0 --local --format json")]
pub(super) struct Inspect {
    /// Name as `name`, `name:tag`, `name@sha256:…` or `name@^1.2`; or a path
    name: String,

    /// Look into the local store instead of the registry
    #[arg(long)]
    local: bool,

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
        if arguments.local { of_store(context, &wanted)? } else { of_registry(context, &wanted).await? }
    };
    let printer = context.printer;
    if printer.quiet && printer.format == Format::Table {
        return Printer::data(&inspection.reference);
    }
    if printer.format == Format::Table { inspection.print(printer) } else { printer.json(&inspection) }
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
    let endpoint = located.remote.endpoint();
    let failed = |error| Error::of_client(error, endpoint);
    let (remote, name) = (&located.remote, &located.repository);
    let target = client::resolve(remote, name, &wanted.selector).await.map_err(failed)?;
    let described = client::describe(remote, name, &target).await.map_err(failed)?;
    let found = described.ok_or_else(|| Error::NotFound {
        what: format!("{}{}", located.full_name(), suffix(&target)),
        place: format!("the registry {endpoint}"),
    })?;
    let reference = match &target {
        Target::Tag(tag) => located.tagged(tag).to_string(),
        Target::Digest(_) => located.full_name(),
    };
    let mut inspection = Inspection::of_manifest(reference, "registry", &found.manifest);
    if let Target::Tag(tag) = &target {
        inspection.tag = Some(tag.clone());
    }
    if let Some(problem) = &found.problem {
        Printer::warn(&format!("the package contradicts itself: {problem}"));
    }
    let inspection = match &found.config {
        Some(config) => with_catalogue(&located, inspection, config).await.map_err(failed)?,
        None => inspection.foreign(&found.kind, found.facts),
    };
    Ok(inspection)
}

/// What only a registry of this project knows: the times, and the other tags.
async fn with_catalogue(
    located: &Located,
    inspection: Inspection,
    config: &Config,
) -> Result<Inspection, client::Error> {
    let mut inspection = inspection.configured(config);
    if let Some(catalogue) = Catalogue::detect(&located.remote).await? {
        let target = Target::Digest(inspection.digest);
        if let Some(package) = catalogue.package(&located.repository, Some(&target)).await? {
            inspection.created = Some(package.created_at);
            inspection.updated = Some(package.updated_at);
            inspection.tags_in_registry = package.registry_tags.iter().map(Tag::to_string).collect();
            inspection.checked = Some(package.checked);
        }
    }
    Ok(inspection)
}

fn suffix(target: &Target) -> String {
    match target {
        Target::Tag(tag) => format!(":{tag}"),
        Target::Digest(digest) => format!("@{digest}"),
    }
}
