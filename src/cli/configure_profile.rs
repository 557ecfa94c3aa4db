//! `agent configure profile`: named registries with their tokens, in the settings file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::import;
use super::printer::{Format, Printer};
use super::profiles::Settings;
use super::prompt;
use super::registries::Registries;
use super::table::table;
use crate::api::Secret;
use crate::remote::{Credential, Endpoint, Remote, SignIn};

/// Longest name of a profile in characters.
const MAX_NAME_LENGTH: usize = 64;

/// Keep registries with their tokens under names, for `--profile`
#[derive(Args, Debug)]
pub(super) struct ProfileCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List the profiles; tokens are not shown
    List,
    /// Remove a profile with its token
    Remove(Remove),
    /// Ask the registry of a profile whether it takes its token
    Test(Name),
    /// Use a profile where none is named
    SetDefault(SetDefault),
    Import(Import),
}

/// Add a profile, or change the one of that name
#[derive(Args, Debug)]
#[command(
    after_help = "Example: agent configure profile add work --registry https://registry.example.com --pat-stdin --test"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Add {
    /// Name of the profile
    name: String,

    /// Token for the registry; others can read it from the process list, `--pat-stdin` keeps it to yourself
    #[arg(long, value_name = "TOKEN", conflicts_with = "pat_stdin")]
    pat: Option<Secret>,

    /// Read the token from stdin
    #[arg(long)]
    pat_stdin: bool,

    /// What the profile is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Namespace of names without one
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,

    /// Use it where no profile is named
    #[arg(long)]
    set_default: bool,

    /// Ask the registry whether it takes the token, and save nothing if not
    #[arg(long)]
    test: bool,

    /// Save nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct Name {
    /// Name of the profile; the default one when absent
    name: Option<String>,
}

#[derive(Args, Debug)]
struct Remove {
    /// Name of the profile
    name: String,

    /// Tell what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct SetDefault {
    /// Name of the profile
    name: String,

    /// Save nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take over the registries of `~/.aac/config.yaml`
#[derive(Args, Debug)]
struct Import {
    /// File to read instead
    file: Option<PathBuf>,

    /// Replace profiles of the same names
    #[arg(long)]
    force: bool,

    /// Save nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn profile(context: &Context, arguments: ProfileCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, arguments).await,
        Verb::List => list(context),
        Verb::Remove(arguments) => remove(context, &arguments),
        Verb::Test(arguments) => test(context, arguments.name.as_deref()).await,
        Verb::SetDefault(arguments) => set_default(context, &arguments),
        Verb::Import(Import { file, force, dry_run }) => import_file(context, file.as_deref(), force, dry_run),
    }
}

async fn add(context: &Context, arguments: Add) -> Result<(), Error> {
    let name = name_of(&arguments.name)?;
    let mut settings = context.settings()?;
    let existing = settings.profiles().get(name).cloned();
    let asked = context.global.registry.clone().or_else(|| existing.as_ref().map(|profile| profile.registry.clone()));
    let registry = asked.ok_or(Error::Missing { what: "the address of the registry", flag: "--registry URL" })?;
    let endpoint = Endpoint::parse(&registry, context.global.plain_http)?;
    let token = match (arguments.pat, arguments.pat_stdin) {
        (Some(token), _) => {
            context.printer.note("note: other users can read a token on the command line; `--pat-stdin` hides it");
            Some(token.expose().to_owned()).filter(|token| !token.is_empty())
        }
        (None, true) => Some(prompt::from_stdin()?),
        (None, false) => None,
    };
    // A token belongs to the registry it was given for, and goes to no other.
    let has_moved = existing
        .as_ref()
        .is_some_and(|profile| Endpoint::parse(&profile.registry, true).ok() != Endpoint::parse(&registry, true).ok());
    let kept = existing.as_ref().filter(|_| !has_moved && token.is_none());
    if arguments.test {
        let credential = token.clone().map(Credential::Token).or_else(|| kept?.credential());
        try_credential(context, Registries::load(context)?.connect_as(&endpoint, credential)?).await?;
    }
    let mut changes = vec![("registry", Some(registry))];
    if kept.is_none() {
        changes.extend([("pat", Some(token.unwrap_or_default())), ("user", None)]);
    }
    changes.extend(arguments.description.map(|text| ("description", Some(text))));
    changes.extend(arguments.namespace.map(|text| ("namespace", Some(text))));
    settings.put(name, &changes);
    let is_default = arguments.set_default || settings.profiles().len() == 1;
    if is_default {
        settings.set_default(name);
    }
    save(context, &settings, arguments.dry_run)?;
    let verb = if existing.is_some() { "changed" } else { "added" };
    tell(context, name, verb, is_default, arguments.dry_run)
}

fn name_of(text: &str) -> Result<&str, Error> {
    let is_name = !text.is_empty()
        && text.chars().count() <= MAX_NAME_LENGTH
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if is_name { Ok(text) } else { Err(Error::ProfileName(text.chars().take(MAX_NAME_LENGTH).collect())) }
}

fn save(context: &Context, settings: &Settings, dry_run: bool) -> Result<(), Error> {
    if dry_run {
        context.printer.note("nothing was saved");
        return Ok(());
    }
    settings.save()
}

fn tell(context: &Context, name: &str, verb: &str, is_default: bool, dry_run: bool) -> Result<(), Error> {
    if context.printer.format != Format::Table {
        return context.printer.json(&json!({"profile": name, "is_default": is_default, "dry_run": dry_run}));
    }
    if !dry_run {
        let text = if is_default { ", used where no profile is named" } else { "" };
        context.printer.done(&format!("{verb} profile {name}{text}"));
    }
    Ok(())
}

fn list(context: &Context) -> Result<(), Error> {
    let settings = context.settings()?;
    let is_default = |name: &str| settings.default() == Some(name);
    if context.printer.quiet {
        return settings.profiles().keys().try_for_each(|name| Printer::data(&super::text::safe(name)));
    }
    if context.printer.format != Format::Table {
        let rows = settings.profiles().iter().map(|(name, profile)| {
            json!({
                "name": name, "registry": profile.registry, "description": profile.description,
                "namespace": profile.namespace, "user": profile.user, "has_token": profile.credential().is_some(),
                "is_default": is_default(name),
            })
        });
        return context.printer.json_list(&rows.collect::<Vec<_>>());
    }
    if settings.profiles().is_empty() {
        context.printer.note("there are no profiles; add one with `agent configure profile add NAME --registry URL`");
        import::hint(context);
        return Ok(());
    }
    let yes = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
    let rows = settings.profiles().iter().map(|(name, profile)| {
        [
            name.clone(),
            profile.registry.clone(),
            yes(profile.credential().is_some(), "yes"),
            yes(is_default(name), "yes"),
            profile.description.clone().unwrap_or_default(),
        ]
    });
    Printer::data(&table(["NAME", "REGISTRY", "TOKEN", "DEFAULT", "DESCRIPTION"], rows))
}

fn remove(context: &Context, arguments: &Remove) -> Result<(), Error> {
    let mut settings = context.settings()?;
    settings.get(&arguments.name)?;
    let was_default = settings.default() == Some(arguments.name.as_str());
    settings.remove(&arguments.name);
    save(context, &settings, arguments.dry_run)?;
    tell(context, &arguments.name, "removed", false, arguments.dry_run)?;
    if was_default && !settings.profiles().is_empty() {
        context.printer.note("there is no default profile now; choose one with `agent configure profile set-default`");
    }
    Ok(())
}

fn set_default(context: &Context, arguments: &SetDefault) -> Result<(), Error> {
    let mut settings = context.settings()?;
    settings.get(&arguments.name)?;
    settings.set_default(&arguments.name);
    save(context, &settings, arguments.dry_run)?;
    tell(context, &arguments.name, "chose", true, arguments.dry_run)
}

async fn test(context: &Context, name: Option<&str>) -> Result<(), Error> {
    let settings = context.settings()?;
    let asked = name.or(context.global.profile.as_deref());
    let Some((name, profile)) = settings.choose(asked)? else {
        return Err(Error::NoProfile { endpoint: None });
    };
    let endpoint = Endpoint::parse(&profile.registry, context.global.plain_http)?;
    let remote = Registries::load(context)?.connect_as(&endpoint, profile.credential())?;
    let (has_token, answer) = (profile.credential().is_some(), try_credential(context, remote).await?);
    if context.printer.format != Format::Table {
        return context.printer.json(&json!({
            "profile": name, "registry": endpoint.to_string(), "has_token": has_token,
            "accepted": answer == SignIn::Accepted,
        }));
    }
    Ok(())
}

/// Whether the registry takes a credential, and tells it.
async fn try_credential(context: &Context, remote: Remote) -> Result<SignIn, Error> {
    let endpoint = remote.endpoint();
    let answer = remote.sign_in().await.map_err(|error| Error::of_client(error.into(), endpoint))?;
    match (answer, remote.has_credential()) {
        (SignIn::Accepted, true) => context.printer.done(&format!("{endpoint} takes the token")),
        (SignIn::Accepted, false) => context.printer.done(&format!("{endpoint} lets strangers in, with less to see")),
        (SignIn::NotAsked, _) => context.printer.done(&format!("{endpoint} answers, and asks nobody for a token")),
    }
    Ok(answer)
}

fn import_file(context: &Context, file: Option<&std::path::Path>, force: bool, dry_run: bool) -> Result<(), Error> {
    let mut settings = context.settings()?;
    let taken = import::import(context, file, &mut settings, force)?;
    save(context, &settings, dry_run)?;
    if context.printer.format != Format::Table {
        return context.printer.json(&json!({"profiles": taken, "dry_run": dry_run}));
    }
    for name in &taken {
        Printer::data(&super::text::safe(name))?;
    }
    Ok(())
}
