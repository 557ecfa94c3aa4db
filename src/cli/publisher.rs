//! `agent publisher`: which runs of continuous integration may publish without a stored secret.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{ago, done, dry, list};
use super::service::Service;
use crate::api::{NewPublisher, Publisher};
use crate::oci::percent_encode;

/// Issuers that have a short name here.
const ISSUERS: [(&str, &str); 2] =
    [("github", "https://token.actions.githubusercontent.com"), ("gitlab", "https://gitlab.com")];

/// Let continuous integration publish a package without a stored secret
#[derive(Args, Debug)]
pub(super) struct PublisherCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List who may publish a package
    List {
        /// Name of the package
        name: String,
    },
    Remove(Remove),
}

/// Let runs publish a package whose identity token has these claims
#[derive(Args, Debug)]
#[command(
    after_help = "Example: agent publisher add my-agent --issuer github --claim repository_id=1234 \\\n           \
                        --claim workflow_file=release.yml --claim environment=production"
)]
struct Add {
    /// Name of the package, which need not exist yet
    name: String,

    /// Who signs the identity tokens: `github`, `gitlab`, or an address an administrator has listed
    #[arg(long, value_name = "ISSUER")]
    issuer: String,

    /// What the identity token must say
    #[arg(long = "claim", value_name = "NAME=VALUE", required = true, value_parser = read_claim)]
    claims: Vec<(String, String)>,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take the right to publish away
#[derive(Args, Debug)]
struct Remove {
    /// Number of the publisher, as `agent publisher list` shows it
    id: i64,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

fn read_claim(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE"),
    }
}

pub(super) async fn publisher(context: &Context, arguments: PublisherCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, arguments).await,
        Verb::List { name } => list_all(context, &name).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
    }
}

async fn add(context: &Context, arguments: Add) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let name = located.full_name();
    if arguments.dry_run {
        return dry(context, &name, &format!("let runs of {} publish {name}", arguments.issuer));
    }
    let known = ISSUERS.iter().find(|(short, _)| *short == arguments.issuer);
    let issuer = known.map_or(arguments.issuer, |(_, address)| (*address).to_owned());
    let claims: BTreeMap<_, _> = arguments.claims.into_iter().collect();
    let wanted = NewPublisher { repository: located.repository.clone(), issuer, claims };
    let made: Publisher = service.post("/api/v1/publishers", &wanted).await?;
    let text = format!("runs with {} of {} may publish {name}", claims_of(&made), made.issuer);
    done(context, &made, &made.id.to_string(), &text)?;
    if let Some(audience) = &service.info().audience {
        context.printer.note(&format!("they ask for an identity token with the audience {audience}"));
    }
    Ok(())
}

fn claims_of(publisher: &Publisher) -> String {
    publisher.claims.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

async fn list_all(context: &Context, name: &str) -> Result<(), Error> {
    let (service, located) = Service::locate(context, name).await?;
    let base = format!("/api/v1/publishers?repository={}&", percent_encode(located.repository.as_str()));
    let all: Vec<Publisher> = service.list(&base, None, &located.full_name()).await?;
    list(context, &all, ["ID", "ISSUER", "CLAIMS", "MADE BY", "LAST USED"], |publisher| {
        [
            publisher.id.to_string(),
            publisher.issuer.clone(),
            claims_of(publisher),
            publisher.created_by.clone(),
            ago(publisher.last_used_at),
        ]
    })
}

async fn remove(context: &Context, arguments: &Remove) -> Result<(), Error> {
    let id = arguments.id;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &id.to_string(), &format!("remove the publisher {id}"));
    }
    let _: Value = service.delete(&format!("/api/v1/publishers/{id}")).await?;
    done(context, &json!({"id": id}), &id.to_string(), &format!("the publisher {id} may publish no more"))
}
