//! `agent visibility`, and `agent push --visibility`: who may see a repository without a grant.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry};
use super::printer::{Format, Printer};
use super::registries::Located;
use super::service::Service;
use crate::api::{Repository, RepositorySettings, Visibility, WordError};

/// Show or change who may see a package without a grant
#[derive(Args, Debug)]
pub(super) struct VisibilityCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the visibility of a package
    Get {
        /// Name of the package
        name: String,
    },
    Set(Set),
}

/// Change the visibility of a package, or make one that has it
#[derive(Args, Debug)]
#[command(after_help = "Example: agent visibility set my-agent public")]
struct Set {
    /// Name of the package; a tag is accepted, all its tags are meant
    name: String,

    /// Everybody, members of the organisation, or those with a grant
    #[arg(value_parser = visibility_parser())]
    visibility: Visibility,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Reads a visibility, also in the words of other registries.
pub(super) fn visibility_parser() -> impl TypedValueParser<Value = Visibility> {
    let words = [
        PossibleValue::new("public"),
        PossibleValue::new("private"),
        PossibleValue::new("org").aliases(["internal", "organization", "organisation"]),
    ];
    PossibleValuesParser::new(words).try_map(|text| match text.as_str() {
        "internal" | "organization" | "organisation" => Ok::<_, WordError>(Visibility::Org),
        word => word.parse(),
    })
}

pub(super) async fn visibility(context: &Context, arguments: VisibilityCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Get { name } => get(context, &name).await,
        Verb::Set(arguments) => set(context, &arguments).await,
    }
}

fn path(located: &Located) -> String {
    format!("/api/v1/repositories/{}", located.repository)
}

async fn get(context: &Context, name: &str) -> Result<(), Error> {
    let (service, located) = Service::locate(context, name).await?;
    let repository: Repository = service.get(&path(&located), &located.full_name()).await?;
    if context.printer.format != Format::Table {
        return context.printer.json(&repository);
    }
    match repository.visibility {
        Some(visibility) => Printer::data(visibility.as_str()),
        None => Printer::data(Visibility::Public.as_str()),
    }
}

async fn set(context: &Context, arguments: &Set) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let (name, visibility) = (located.full_name(), arguments.visibility);
    if arguments.dry_run {
        return dry(context, &name, &format!("make {name} {visibility}"));
    }
    put(&service, &located, visibility).await?;
    let report = serde_json::json!({"repository": name, "visibility": visibility});
    done(context, &report, &name, &format!("{name} is {visibility} now"))
}

async fn put(service: &Service, located: &Located, visibility: Visibility) -> Result<(), Error> {
    let _: Value = service.put(&path(located), &RepositorySettings { visibility }).await?;
    Ok(())
}

/// Makes the repository of a push, or changes it, before the first byte is sent: nothing is public for a moment.
pub(super) async fn settle(
    context: &Context,
    located: &Located,
    visibility: Visibility,
    dry_run: bool,
) -> Result<(), Error> {
    let service = match Service::of(&located.remote).await {
        Err(Error::NoPeople(endpoint)) => return Err(Error::NoVisibility(endpoint)),
        other => other?,
    };
    if !service.info().authentication {
        Printer::warn(&format!(
            "--visibility {visibility} has no effect: {} asks nobody to sign in, so everybody who reaches it sees \
             everything",
            service.place()
        ));
        return Ok(());
    }
    if dry_run {
        context.printer.note(&format!("would make {} {visibility}", located.full_name()));
        return Ok(());
    }
    put(&service, located, visibility).await
}
