//! `agent user`: the users of a registry.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{ago, done, dry, list};
use super::prompt;
use super::service::Service;
use super::user_identity::{Link, Unlink, link, unlink};
use crate::api::{AdministratorChange, NewPassword, NewUser, Removed, Secret, User};
use crate::oci::percent_encode;

/// Add, list and remove the users of a registry
#[derive(Args, Debug)]
pub(super) struct UserCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List the users
    List,
    Remove(Remove),
    Set(Set),
    Password(Password),
    Free(Free),
    Link(Link),
    Unlink(Unlink),
}

/// Add a user
///
/// Without a password the user signs in with access tokens; an administrator makes the first one with
/// `agent token create --user NAME`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent user add ada\n  agent user add ada --password-stdin < password.txt")]
struct Add {
    /// Name of the user; packages of the user are named `NAME/…`
    name: String,

    /// Allow everything
    #[arg(long)]
    administrator: bool,

    /// Read a password from stdin
    #[arg(long)]
    password_stdin: bool,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove a user; the user's packages stay
#[derive(Args, Debug)]
struct Remove {
    /// Name of the user
    name: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Make a user an administrator, or no longer
#[derive(Args, Debug)]
struct Set {
    /// Name of the user
    name: String,

    /// Whether everything is allowed
    #[arg(long, value_name = "BOOL", num_args = 1, action = clap::ArgAction::Set)]
    administrator: bool,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Set a password
#[derive(Args, Debug)]
#[expect(clippy::struct_field_names, reason = "the name of its flag")]
struct Password {
    /// Name of the user
    name: String,

    /// Read the password from stdin instead of the terminal
    #[arg(long)]
    password_stdin: bool,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Let the name of a removed user or organisation be taken again
#[derive(Args, Debug)]
struct Free {
    /// The name
    name: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn user(context: &Context, arguments: UserCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, &arguments).await,
        Verb::List => list_all(context).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
        Verb::Set(arguments) => set(context, &arguments).await,
        Verb::Password(arguments) => password(context, &arguments).await,
        Verb::Free(arguments) => free(context, &arguments).await,
        Verb::Link(arguments) => link(context, arguments).await,
        Verb::Unlink(arguments) => unlink(context, arguments).await,
    }
}

fn path(name: &str) -> String {
    format!("/api/v1/users/{}", percent_encode(name))
}

async fn add(context: &Context, arguments: &Add) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("add the user {name}"));
    }
    let password = if arguments.password_stdin { Some(Secret::new(prompt::from_stdin()?)) } else { None };
    let wanted = NewUser { name: name.clone(), password, is_administrator: arguments.administrator };
    let made: User = service.post("/api/v1/users", &wanted).await?;
    let kind = if made.is_administrator { "administrator" } else { "user" };
    done(context, &made, &made.name, &format!("added the {kind} {}", made.name))?;
    if !made.has_password {
        context.printer.note(&format!(
            "{0} has no password; `agent token create --user {0} --name NAME` makes a token to sign in with",
            made.name
        ));
    }
    Ok(())
}

async fn list_all(context: &Context) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let users: Vec<User> = service.list("/api/v1/users?", None, "the list of users").await?;
    let yes = |is: bool| if is { "yes".to_owned() } else { String::new() };
    list(context, &users, ["NAME", "ADMINISTRATOR", "PASSWORD", "CREATED"], |user| {
        [user.name.clone(), yes(user.is_administrator), yes(user.has_password), ago(Some(user.created_at))]
    })
}

async fn remove(context: &Context, arguments: &Remove) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("remove the user {name}"));
    }
    let removed: Removed = service.delete(&path(name)).await?;
    done(context, &removed, &removed.name, &format!("removed the user {}", removed.name))?;
    tell_heir(context, &removed);
    Ok(())
}

/// Whose the packages of a removed account are now.
pub(super) fn tell_heir(context: &Context, removed: &Removed) {
    let count = usize::try_from(removed.repositories).unwrap_or(usize::MAX);
    if let Some(heir) = removed.packages_now_owned_by.as_ref().filter(|_| count > 0) {
        let what = if count == 1 { "1 repository".to_owned() } else { format!("{count} repositories") };
        context.printer.note(&format!("{what} stay, now owned by {heir}"));
    }
}

async fn set(context: &Context, arguments: &Set) -> Result<(), Error> {
    let (name, is_administrator) = (&arguments.name, arguments.administrator);
    let service = Service::connect(context).await?;
    let text = if is_administrator { "an administrator" } else { "no administrator" };
    if arguments.dry_run {
        return dry(context, name, &format!("make {name} {text}"));
    }
    let _: Value =
        service.put(&format!("{}/administrator", path(name)), &AdministratorChange { is_administrator }).await?;
    let report = json!({"name": name, "is_administrator": is_administrator});
    done(context, &report, name, &format!("{name} is {text} now"))
}

async fn password(context: &Context, arguments: &Password) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("set the password of {name}"));
    }
    let password =
        if arguments.password_stdin { prompt::from_stdin()? } else { prompt::new_secret("New password").await? };
    let wanted = NewPassword { password: Secret::new(password) };
    let _: Value = service.put(&format!("{}/password", path(name)), &wanted).await?;
    done(context, &json!({"name": name}), name, &format!("set the password of {name}"))
}

async fn free(context: &Context, arguments: &Free) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("free the name {name}"));
    }
    let path = format!("/api/v1/accounts/{}/free", percent_encode(name));
    let _: Value = service.post(&path, &json!({})).await?;
    done(context, &json!({"name": name}), name, &format!("{name} can be taken again"))
}
