//! `agent token`: access tokens, which sign programs in.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{ago, done, dry, ends, list};
use super::printer::{Format, Printer};
use super::prompt;
use super::service::Service;
use super::text::safe;
use crate::api::{Expiry, NewToken, Scope, Secret, Token, TokenRequest, TokenRotation};
use crate::oci::percent_encode;

/// Make, list and end access tokens
#[derive(Args, Debug)]
pub(super) struct TokenCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(Create),
    List(List),
    Revoke(Revoke),
    Rotate(Rotate),
}

/// Make a token, and print it this once
#[derive(Args, Debug)]
#[command(
    after_help = "Example: agent token create --name ci --scope read,write --repository 'ai-team/*' --expires 90d"
)]
struct Create {
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    name: String,

    /// What it may be used for, by commas; everything you may do when absent. `write` includes `read`
    #[arg(long = "scope", value_name = "SCOPES", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(Scope::WORDS).try_map(|text| text.parse::<Scope>()))]
    scopes: Vec<Scope>,

    /// The repositories it reaches: `*` is one part of a name, `**` any number; all when absent
    #[arg(long = "repository", value_name = "PATTERN")]
    repositories: Vec<String>,

    /// When it ends: `90d`, `12h`, a time, or for administrators `never`; 90 days when absent
    #[arg(long, value_name = "TIME", value_parser = str::parse::<Expiry>)]
    expires: Option<Expiry>,

    /// Make it for another user, as an administrator
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Accept a token of 64 hexadecimal digits, read from stdin, instead of making one
    #[arg(long)]
    existing_stdin: bool,

    /// Make nothing
    #[arg(long)]
    dry_run: bool,
}

/// List your tokens; the tokens themselves are not kept
#[derive(Args, Debug)]
struct List {
    /// Those of another user, as an administrator
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// End a token at once
#[derive(Args, Debug)]
struct Revoke {
    /// Number of the token, as `agent token list` shows it
    id: i64,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Replace a token by a new one that reaches as far
#[derive(Args, Debug)]
#[command(after_help = "Example: agent token rotate 7 --overlap 1h")]
struct Rotate {
    /// Number of the token, as `agent token list` shows it
    id: i64,

    /// How long the old one goes on working, such as `1h` or `7d`
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = read_overlap)]
    overlap: u64,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Seconds of a time such as `1h`; `0` is a time, too.
fn read_overlap(text: &str) -> Result<u64, String> {
    const SECONDS_PER_HOUR: u64 = 3_600;
    match text.parse::<Expiry>() {
        _ if text == "0" => Ok(0),
        Ok(Expiry::Hours(hours)) => Ok(u64::from(hours) * SECONDS_PER_HOUR),
        _ => Err("write 0, 1h, 7d or the like".to_owned()),
    }
}

pub(super) async fn token(context: &Context, arguments: TokenCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Create(arguments) => create(context, arguments).await,
        Verb::List(arguments) => list_all(context, &arguments).await,
        Verb::Revoke(arguments) => revoke(context, &arguments).await,
        Verb::Rotate(arguments) => rotate(context, &arguments).await,
    }
}

fn path(user: Option<&str>) -> String {
    user.map_or_else(|| "/api/v1/tokens?".to_owned(), |user| format!("/api/v1/tokens?user={}&", percent_encode(user)))
}

async fn create(context: &Context, arguments: Create) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &arguments.name, &format!("make the token {}", arguments.name));
    }
    let token = if arguments.existing_stdin { Some(Secret::new(prompt::from_stdin()?)) } else { None };
    let is_existing = token.is_some();
    let wanted = TokenRequest {
        name: arguments.name,
        scopes: Some(arguments.scopes).filter(|scopes| !scopes.is_empty()),
        repositories: arguments.repositories,
        expires: arguments.expires,
        token,
    };
    let made: NewToken = service.post(path(arguments.user.as_deref()).trim_end_matches(['?', '&']), &wanted).await?;
    if is_existing {
        let text = format!("the token {} is accepted, {}", made.details.id, reach(&made.details));
        return done(context, &made.details, &made.details.id.to_string(), &text);
    }
    show(context, &made, "made")
}

/// Prints a token, for the only time.
fn show(context: &Context, made: &NewToken, verb: &str) -> Result<(), Error> {
    if context.printer.format != Format::Table {
        return context.printer.json(made);
    }
    let Token { id, name, user, .. } = &made.details;
    context.printer.done(&format!("{verb} the token {id} ({name}) of {user}, {}", reach(&made.details)));
    context.printer.note("it is shown this once:");
    Printer::data(&safe(made.token.expose()))
}

fn reach(token: &Token) -> String {
    let where_to =
        if token.repositories.is_empty() { "all repositories".to_owned() } else { token.repositories.join(", ") };
    let until = token.expires_at.map_or_else(|| "for ever".to_owned(), |_| format!("until {}", ends(token.expires_at)));
    format!("for {} in {where_to} {until}", words(&token.scopes))
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

async fn list_all(context: &Context, arguments: &List) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let all: Vec<Token> = service.list(&path(arguments.user.as_deref()), None, "the list of tokens").await?;
    list(context, &all, ["ID", "NAME", "SCOPES", "REPOSITORIES", "EXPIRES", "LAST USED"], |token| {
        let expires = if token.revoked_at.is_some() { "revoked".to_owned() } else { ends(token.expires_at) };
        let repositories = if token.repositories.is_empty() { "all".to_owned() } else { token.repositories.join(", ") };
        [token.id.to_string(), token.name.clone(), words(&token.scopes), repositories, expires, ago(token.last_used_at)]
    })
}

async fn revoke(context: &Context, arguments: &Revoke) -> Result<(), Error> {
    let id = arguments.id;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &id.to_string(), &format!("revoke the token {id}"));
    }
    let _: Value = service.delete(&format!("/api/v1/tokens/{id}")).await?;
    done(context, &json!({"id": id}), &id.to_string(), &format!("the token {id} is worth nothing from now on"))
}

async fn rotate(context: &Context, arguments: &Rotate) -> Result<(), Error> {
    let id = arguments.id;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &id.to_string(), &format!("replace the token {id}"));
    }
    let wanted = TokenRotation { overlap_seconds: arguments.overlap };
    let made: NewToken = service.post(&format!("/api/v1/tokens/{id}/rotate"), &wanted).await?;
    show(context, &made, "instead of the old one, made")
}
