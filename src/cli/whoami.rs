//! `agent whoami` and `agent registry ping | auth test`: who one is to a registry, and whether it answers at all.

use std::time::Instant;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::login::MAX_ANSWER_BYTES;
use super::printer::{Format, Printer};
use super::registries::Registries;
use super::table::facts;
use super::text::safe;
use crate::api::{CallerCredential, Me};
use crate::client::{self, Catalogue};
use crate::remote::{Remote, SignIn};

/// Print who you are to a registry
#[derive(Args, Debug)]
#[command(after_help = "Example: agent whoami")]
pub(super) struct Whoami {
    /// Host or address of the registry; by default that of names without a host
    #[arg(value_name = "REGISTRY")]
    host: Option<String>,
}

/// Try the credential for a registry
#[derive(Args, Debug)]
pub(super) struct AuthCommand {
    #[command(subcommand)]
    command: AuthVerb,
}

#[derive(Debug, Subcommand)]
enum AuthVerb {
    /// Ask the registry what it makes of the credential, and how far that reaches
    Test(Whoami),
}

/// Ask whether a registry answers
#[derive(Args, Debug)]
pub(super) struct Ping {
    /// Host or address of the registry; by default that of names without a host
    #[arg(value_name = "REGISTRY")]
    host: Option<String>,
}

pub(super) async fn whoami(context: &Context, arguments: &Whoami) -> Result<(), Error> {
    let remote = connect(context, arguments.host.as_deref())?;
    let endpoint = remote.endpoint();
    let anonymous = || Error::Anonymous(Box::new(endpoint.clone()));
    if !remote.has_credential() {
        return Err(anonymous());
    }
    let failed = |error: crate::remote::Error| Error::of_client(error.into(), endpoint);
    match me(&remote).await? {
        Some(me) if context.printer.format == Format::Table => Printer::data(&safe(&me.name)),
        Some(me) => context.printer.json(&me),
        // Other registries have no names for people, only for their credentials.
        None => {
            remote.sign_in().await.map_err(failed)?;
            let user = remote.user().ok_or_else(anonymous)?;
            match context.printer.format {
                Format::Table => Printer::data(&safe(user)),
                Format::Json | Format::Jsonl => context.printer.json(&json!({"name": user})),
            }
        }
    }
}

pub(super) async fn auth(context: &Context, arguments: &AuthCommand) -> Result<(), Error> {
    let AuthVerb::Test(arguments) = &arguments.command;
    let remote = connect(context, arguments.host.as_deref())?;
    let endpoint = remote.endpoint();
    let answer = if remote.has_credential() {
        Some(remote.sign_in().await.map_err(|error| Error::of_client(error.into(), endpoint))?)
    } else {
        None
    };
    let me = if answer.is_some() { me(&remote).await? } else { None };
    let state = match answer {
        None => "anonymous",
        Some(SignIn::Accepted) => "accepted",
        Some(SignIn::NotAsked) => "not asked for",
    };
    if context.printer.format != Format::Table {
        let me = serde_json::to_value(&me).unwrap_or(Value::Null);
        return context.printer.json(&json!({"registry": endpoint.to_string(), "credential": state, "caller": me}));
    }
    let user = me.as_ref().map(|me| me.name.clone()).or_else(|| remote.user().map(str::to_owned));
    let (scopes, repositories, expires) = me.as_ref().map(|me| reach(&me.credential)).unwrap_or_default();
    let administrator = me.as_ref().filter(|me| me.is_administrator).map(|_| "yes".to_owned());
    Printer::data(&facts([
        ("Registry", endpoint.to_string()),
        ("Credential", state.to_owned()),
        ("User", user.unwrap_or_default()),
        ("Administrator", administrator.unwrap_or_default()),
        ("Scopes", scopes),
        ("Repositories", repositories),
        ("Expires", expires),
    ]))
}

fn reach(credential: &CallerCredential) -> (String, String, String) {
    let scopes: Vec<_> = credential.scopes.iter().map(|scope| scope.as_str()).collect();
    let repositories =
        if credential.repositories.is_empty() { "all".to_owned() } else { credential.repositories.join(", ") };
    (scopes.join(", "), repositories, credential.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()))
}

pub(super) async fn ping(context: &Context, arguments: &Ping) -> Result<(), Error> {
    let registries = Registries::load(context)?;
    let endpoint = registries.endpoint(arguments.host.as_deref())?;
    // Without a credential: whether one is right is another question.
    let remote = registries.connect_as(&endpoint, None)?;
    let failed = |error: client::Error| Error::of_client(error, &endpoint);
    let begun = Instant::now();
    let is_open = match remote.ping().await {
        Ok(()) => true,
        Err(error) if error.kind() == crate::remote::ErrorKind::Denied => false,
        Err(error) => return Err(failed(error.into())),
    };
    let milliseconds = begun.elapsed().as_millis();
    let catalogue = Catalogue::detect(&remote).await.map_err(failed)?;
    let version = catalogue.as_ref().map(|catalogue| catalogue.info().version.clone());
    if context.printer.format != Format::Table {
        return context.printer.json(&json!({
            "registry": endpoint.to_string(), "milliseconds": u64::try_from(milliseconds).unwrap_or(u64::MAX),
            "version": version, "asks_strangers_to_sign_in": !is_open,
        }));
    }
    let what = version.map_or_else(|| "an OCI registry".to_owned(), |version| format!("Agent Registry {version}"));
    let door = if is_open { "" } else { ", asks to sign in" };
    context.printer.done(&format!("{what} answers in {milliseconds} ms{door}"));
    Printer::data(&endpoint.to_string())
}

fn connect(context: &Context, host: Option<&str>) -> Result<Remote, Error> {
    let registries = Registries::load(context)?;
    let endpoint = registries.endpoint(host)?;
    registries.connect_to(&endpoint)
}

/// What a registry of this program says of the caller; of others nothing.
async fn me(remote: &Remote) -> Result<Option<Me>, Error> {
    let failed = |error: client::Error| Error::of_client(error, remote.endpoint());
    let Some(catalogue) = Catalogue::detect(remote).await.map_err(failed)? else { return Ok(None) };
    if !catalogue.info().authentication {
        return Ok(None);
    }
    remote.get_json("/api/v1/me", MAX_ANSWER_BYTES).await.map_err(|error| failed(error.into()))
}
