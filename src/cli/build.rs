//! `agent build`: pack an agent into the local store.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::push::{self, Push};
use super::registries::store;
use super::sources::Changes;
use super::text::{counted, size};
use super::validate;
use super::wanted::Wanted;
use crate::oci::{Digest, Reference};
use crate::package::{Artifact, Draft, Source};

/// Pack an agent into the local store
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent build ./my-agent\n  agent build ./my-agent --tag my-agent:1.0.0 --dry-run")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Build {
    /// Folder, agent.yaml, SKILL.md or Markdown file with front matter
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,

    /// Name for the result, as `name:tag`; may be given several times. Without it: its version and `latest`
    #[arg(long = "tag", short, value_name = "NAME")]
    tags: Vec<String>,

    #[command(flatten)]
    changes: Changes,

    /// Pack and print the digest, but store nothing
    #[arg(long)]
    dry_run: bool,

    /// Check the package, and pack nothing
    #[arg(long, alias = "check-deps")]
    validate_only: bool,

    /// Push it afterwards
    #[arg(long)]
    push: bool,

    /// Accepted for scripts written for images; packages have no build cache
    #[arg(long, hide = true)]
    no_cache: bool,

    /// Accepted for scripts written for images; a package says in agent.yaml what it runs on
    #[arg(long, hide = true, value_name = "PLATFORM")]
    platform: Option<String>,
}

/// What was built.
#[derive(Serialize)]
struct Report {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    digest: Digest,
    references: Vec<String>,
    size: u64,
    files: Vec<String>,
    left_out: Vec<Rule>,
    dry_run: bool,
}

/// A file that was left out.
#[derive(Serialize)]
struct Rule {
    path: String,
    rule: String,
}

pub(super) async fn build(context: &Context, arguments: &Build) -> Result<(), Error> {
    if arguments.platform.is_some() || arguments.no_cache {
        context.printer.note("note: --platform and --no-cache mean images, a package is the same on every platform");
    }
    let source = validate::open(context, &context.path(&arguments.path))?;
    let tags = names(arguments, &source)?;
    let overrides = arguments.changes.overrides(&tags[0], &source)?;
    let draft = source.draft(&overrides)?;
    tell_files(context, &source, &draft);
    if arguments.validate_only {
        context.printer.done(&format!("{} is valid", context.shown(source.document())));
        return Ok(());
    }
    let artifact = draft.pack()?;
    let references = tags.iter().map(Wanted::local).collect::<Result<Vec<_>, _>>()?;
    if !arguments.dry_run {
        store(context)?.add_artifact(&artifact, &references)?;
    }
    report(context, arguments, &source, &artifact, &references)?;
    if arguments.push && !arguments.dry_run {
        for tag in &tags {
            push::push(context, &Push::of_path(tag, &arguments.path, &arguments.changes)).await?;
        }
    }
    Ok(())
}

/// The names for the result; all have the same last component, which is the package's name.
fn names(arguments: &Build, source: &Source) -> Result<Vec<Wanted>, Error> {
    let metadata = source.metadata();
    let mut texts = arguments.tags.clone();
    if texts.is_empty() {
        let version = metadata.version.as_ref().map(|version| format!("{}:{}", metadata.name, version.tag()));
        texts.extend(version.into_iter().chain([format!("{}:latest", metadata.name)]));
    }
    let names = texts.iter().map(|text| Wanted::parse(text)).collect::<Result<Vec<_>, _>>()?;
    match names.iter().find(|other| other.name.package() != names[0].name.package()) {
        None => Ok(names),
        Some(other) => Err(Error::WrongReference {
            text: other.text.clone(),
            problem: "names another package than the first tag",
            hint: "build once for each name: it is part of the package",
        }),
    }
}

/// What is in the package, and what was left out by which rule.
pub(super) fn tell_files(context: &Context, source: &Source, draft: &Draft) {
    let printer = context.printer;
    let files = &draft.config().files;
    let bytes = files.iter().map(|file| file.size).sum();
    printer.note(&format!("{}, {}", counted(files.len(), "file"), size(bytes)));
    for file in files {
        printer.detail(&format!("  {} {}", file.path, size(file.size)));
    }
    for link in &source.tree().copied_links {
        printer.note(&format!("copied:   {link} is a symbolic link, its content is packed"));
    }
    for left in &source.tree().left_out {
        printer.note(&format!("left out: {} by {}", left.path, left.rule));
    }
    let (packed, written) = (&draft.config().metadata.name, &source.metadata().name);
    if packed != written {
        printer.note(&format!("named `{packed}` as the reference says; {} says `{written}`", shown(context, source)));
    }
}

fn shown(context: &Context, source: &Source) -> String {
    context.shown(source.document())
}

fn report(
    context: &Context,
    arguments: &Build,
    source: &Source,
    artifact: &Artifact,
    references: &[Reference],
) -> Result<(), Error> {
    let (manifest, metadata) = (artifact.manifest(), &artifact.config().metadata);
    let digest = manifest.digest();
    let size_bytes: u64 = artifact.blobs().iter().map(|blob| blob.descriptor.size).sum();
    if context.printer.format != Format::Table {
        return context.printer.json(&Report {
            name: metadata.name.clone(),
            version: metadata.version.as_ref().map(ToString::to_string),
            digest,
            references: references.iter().map(ToString::to_string).collect(),
            size: size_bytes,
            files: artifact.config().files.iter().map(|file| file.path.to_string()).collect(),
            left_out: (source.tree().left_out.iter())
                .map(|left| Rule { path: left.path.to_string(), rule: left.rule.clone() })
                .collect(),
            dry_run: arguments.dry_run,
        });
    }
    if arguments.dry_run {
        context.printer.note("nothing was stored");
    } else {
        context.printer.done(&format!("built {} into the local store", size(size_bytes)));
    }
    for reference in references {
        Printer::data(&format!("{reference}@{digest}"))?;
    }
    Ok(())
}
