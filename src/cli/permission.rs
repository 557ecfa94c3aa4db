//! `agent configure permission` and `agent permission explain`: who may do what with a repository, and why.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry, ends, list};
use super::printer::{Format, Printer};
use super::registries::Located;
use super::service::Service;
use super::text::safe;
use crate::api::{Expiry, Explanation, Grantee, Level, NewPermission, Permission, RepositoryAction};
use crate::oci::percent_encode;

/// Grant, list and take back permissions on a package
///
/// `read` is to pull; `write` is to push as well, and to create and move tags; `admin` is to delete as well, and to
/// change visibility and permissions.
#[derive(Args, Debug)]
pub(super) struct PermissionCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List who has been granted something
    List {
        /// Name of the package
        name: String,
    },
    Remove(Remove),
}

/// Grant a permission, or change it
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent configure permission add my-agent:latest --user john --permission read\n  \
                        agent configure permission add my-agent --team ai-team/developers --permission write")]
struct Add {
    /// Name of the package; a tag is accepted, all its tags are meant
    name: String,

    #[command(flatten)]
    who: Who,

    /// What is allowed
    #[arg(long, value_name = "PERMISSION")]
    #[arg(value_parser = PossibleValuesParser::new(Level::WORDS).try_map(|text| text.parse::<Level>()))]
    permission: Level,

    /// When it ends, such as `30d`; never when absent
    #[arg(long, value_name = "TIME", value_parser = str::parse::<Expiry>)]
    expires: Option<Expiry>,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take a permission back
#[derive(Args, Debug)]
#[command(after_help = "Example: agent configure permission remove my-agent --user john")]
struct Remove {
    /// Name of the package; a tag is accepted, all its tags are meant
    name: String,

    #[command(flatten)]
    who: Who,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Who {
    /// A user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// A team
    #[arg(long, value_name = "ORGANISATION/TEAM")]
    team: Option<String>,

    /// The members of an organisation
    #[arg(long, value_name = "NAME", alias = "organisation", alias = "organization")]
    org: Option<String>,
}

impl Who {
    fn grantee(&self) -> Grantee {
        let Self { user, team, org } = self;
        let found = user.clone().map(Grantee::User).or_else(|| team.clone().map(Grantee::Team));
        // The parser insists on one of the three.
        found.unwrap_or_else(|| Grantee::Organisation(org.clone().unwrap_or_default()))
    }
}

/// Find out who may do what
#[derive(Args, Debug)]
pub(super) struct ExplainCommand {
    #[command(subcommand)]
    command: ExplainVerb,
}

#[derive(Debug, Subcommand)]
enum ExplainVerb {
    Explain(Explain),
}

/// Say which rule lets a user do something, or why none does
#[derive(Args, Debug)]
#[command(after_help = "Example: agent permission explain john pull my-agent")]
struct Explain {
    /// Name of the user
    user: String,

    /// What is done: `pull`, `push`, `delete` or `admin`
    #[arg(value_parser = action_parser())]
    action: RepositoryAction,

    /// Name of the package
    repository: String,
}

/// Reads an action; the names of permissions mean what they add.
fn action_parser() -> impl clap::builder::TypedValueParser<Value = RepositoryAction> {
    use clap::builder::PossibleValue;
    let words = [
        PossibleValue::new("pull").alias("read"),
        PossibleValue::new("push").alias("write"),
        PossibleValue::new("delete"),
        PossibleValue::new("admin"),
    ];
    PossibleValuesParser::new(words).try_map(|text| match text.as_str() {
        "read" => Ok(RepositoryAction::Pull),
        "write" => Ok(RepositoryAction::Push),
        word => word.parse(),
    })
}

pub(super) async fn permission(context: &Context, arguments: PermissionCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, &arguments).await,
        Verb::List { name } => list_all(context, &name).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
    }
}

fn path(located: &Located) -> String {
    format!("/api/v1/permissions?repository={}", percent_encode(located.repository.as_str()))
}

async fn add(context: &Context, arguments: &Add) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let (name, level, grantee) = (located.full_name(), arguments.permission, arguments.who.grantee());
    let text = format!("{} {} may {level} {name}, all its tags", grantee.kind(), grantee.name());
    if arguments.dry_run {
        return dry(context, &name, &format!("see to it that {text}"));
    }
    let repository = located.repository.clone();
    let wanted = NewPermission { repository, grantee, level, expires: arguments.expires };
    let made: Permission = service.put("/api/v1/permissions", &wanted).await?;
    let until = made.expires_at.map(|_| format!(", until {}", ends(made.expires_at))).unwrap_or_default();
    done(context, &made, &name, &format!("{text}{until}"))
}

async fn list_all(context: &Context, name: &str) -> Result<(), Error> {
    let (service, located) = Service::locate(context, name).await?;
    let all: Vec<Permission> = service.list(&format!("{}&", path(&located)), None, &located.full_name()).await?;
    list(context, &all, ["WHO", "KIND", "PERMISSION", "EXPIRES"], |permission| {
        let grantee = &permission.grantee;
        [
            grantee.name().to_owned(),
            grantee.kind().to_owned(),
            permission.level.to_string(),
            ends(permission.expires_at),
        ]
    })
}

async fn remove(context: &Context, arguments: &Remove) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let (name, grantee) = (located.full_name(), arguments.who.grantee());
    let who = format!("{} {}", grantee.kind(), grantee.name());
    if arguments.dry_run {
        return dry(context, &name, &format!("take back what {who} was granted on {name}"));
    }
    let path = format!("{}&{}={}", path(&located), grantee.kind(), percent_encode(grantee.name()));
    let _: Value = service.delete(&path).await?;
    let report = json!({"repository": located.repository, "grantee": grantee});
    done(context, &report, &name, &format!("{who} has no grant on {name} any more"))
}

pub(super) async fn explain(context: &Context, arguments: ExplainCommand) -> Result<(), Error> {
    let ExplainVerb::Explain(Explain { user, action, repository }) = arguments.command;
    let (service, located) = Service::locate(context, &repository).await?;
    let path = format!(
        "/api/v1/permissions/explain?user={}&action={action}&repository={}",
        percent_encode(&user),
        percent_encode(located.repository.as_str())
    );
    let told: Explanation = service.get(&path, &located.full_name()).await?;
    if context.printer.format != Format::Table {
        return context.printer.json(&told);
    }
    let verdict = if told.allowed { "may" } else { "may not" };
    let by = told.rule.as_ref().map(|rule| format!(": {rule}")).unwrap_or_default();
    Printer::data(&safe(&format!("{} {verdict} {} {}{by}", told.user, told.action, located.full_name())))?;
    for tried in &told.tried {
        let text = format!("  not by {}: {}", tried.rule, tried.reason);
        if told.allowed { context.printer.detail(&text) } else { Printer::data(&safe(&text))? }
    }
    Ok(())
}
