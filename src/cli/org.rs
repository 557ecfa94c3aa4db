//! `agent org`: organisations and who is in them.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{ago, done, dry, list};
use super::service::Service;
use super::user::tell_heir;
use crate::api::{Member, MemberChange, NewOrganisation, Organisation, OrganisationChange, Removed, Role, Visibility};
use crate::oci::percent_encode;

/// Add, list and remove organisations, and their members
#[derive(Args, Debug)]
pub(super) struct OrgCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List the organisations you may see
    List,
    Set(Set),
    Remove(Named),
    /// List the members of an organisation
    Members(Org),
    /// Let users in, or out
    Member(MemberCommand),
}

/// Add an organisation, whose owner you are
#[derive(Args, Debug)]
#[command(after_help = "Example: agent org add ai-team --default-visibility org")]
struct Add {
    /// Name of the organisation; its packages are named `NAME/…`
    name: String,

    /// Who may see new packages without a grant; private when absent
    #[arg(long, value_name = "VISIBILITY")]
    #[arg(value_parser = PossibleValuesParser::new(Visibility::WORDS).try_map(|text| text.parse::<Visibility>()))]
    default_visibility: Option<Visibility>,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Change what holds for new packages of an organisation
#[derive(Args, Debug)]
struct Set {
    /// Name of the organisation
    name: String,

    /// Who may see new packages without a grant
    #[arg(long, value_name = "VISIBILITY")]
    #[arg(value_parser = PossibleValuesParser::new(Visibility::WORDS).try_map(|text| text.parse::<Visibility>()))]
    default_visibility: Visibility,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove an organisation; its packages stay
#[derive(Args, Debug)]
struct Named {
    /// Name of the organisation
    name: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct Org {
    /// Name of the organisation
    name: String,
}

#[derive(Args, Debug)]
struct MemberCommand {
    #[command(subcommand)]
    command: MemberVerb,
}

#[derive(Debug, Subcommand)]
enum MemberVerb {
    /// Let a user into an organisation, or change the user's role
    #[command(after_help = "Example: agent org member add ai-team ada --role owner")]
    Add {
        #[command(flatten)]
        who: Who,

        /// What the user is there
        #[arg(long, value_name = "ROLE", default_value = "member")]
        #[arg(value_parser = PossibleValuesParser::new(Role::WORDS).try_map(|text| text.parse::<Role>()))]
        role: Role,
    },
    /// Take a user out of an organisation and its teams
    Remove(Who),
}

#[derive(Args, Debug)]
struct Who {
    /// Name of the organisation
    #[arg(value_name = "ORGANISATION")]
    name: String,

    /// Name of the user
    user: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn org(context: &Context, arguments: OrgCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, &arguments).await,
        Verb::List => list_all(context).await,
        Verb::Set(arguments) => set(context, &arguments).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
        Verb::Members(arguments) => members(context, &arguments.name).await,
        Verb::Member(MemberCommand { command: MemberVerb::Add { who, role } }) => put(context, &who, role).await,
        Verb::Member(MemberCommand { command: MemberVerb::Remove(who) }) => take_out(context, &who).await,
    }
}

pub(super) fn path(name: &str) -> String {
    format!("/api/v1/organisations/{}", percent_encode(name))
}

async fn add(context: &Context, arguments: &Add) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("add the organisation {name}"));
    }
    let wanted = NewOrganisation { name: name.clone(), default_visibility: arguments.default_visibility };
    let made: Organisation = service.post("/api/v1/organisations", &wanted).await?;
    done(context, &made, &made.name, &format!("added the organisation {}", made.name))
}

async fn list_all(context: &Context) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let all: Vec<Organisation> = service.list("/api/v1/organisations?", None, "the list of organisations").await?;
    list(context, &all, ["NAME", "YOUR ROLE", "MEMBERS", "NEW PACKAGES", "CREATED"], |org| {
        [
            org.name.clone(),
            org.role.map(|role| role.to_string()).unwrap_or_default(),
            org.members.to_string(),
            org.default_visibility.to_string(),
            ago(Some(org.created_at)),
        ]
    })
}

async fn set(context: &Context, arguments: &Set) -> Result<(), Error> {
    let (name, visibility) = (&arguments.name, arguments.default_visibility);
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("make new packages of {name} {visibility}"));
    }
    let change = OrganisationChange { default_visibility: Some(visibility) };
    let _: Value = service.patch(&path(name), &change).await?;
    let report = json!({"name": name, "default_visibility": visibility});
    done(context, &report, name, &format!("new packages of {name} are {visibility} from now on"))
}

async fn remove(context: &Context, arguments: &Named) -> Result<(), Error> {
    let name = &arguments.name;
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, name, &format!("remove the organisation {name}"));
    }
    let removed: Removed = service.delete(&path(name)).await?;
    done(context, &removed, &removed.name, &format!("removed the organisation {}", removed.name))?;
    tell_heir(context, &removed);
    Ok(())
}

async fn members(context: &Context, name: &str) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let all: Vec<Member> = service.list(&format!("{}/members?", path(name)), None, name).await?;
    list(context, &all, ["USER", "ROLE", "SINCE"], |member| {
        [member.user.clone(), member.role.to_string(), ago(Some(member.since))]
    })
}

async fn put(context: &Context, who: &Who, role: Role) -> Result<(), Error> {
    let Who { name, user, dry_run } = who;
    let service = Service::connect(context).await?;
    if *dry_run {
        return dry(context, user, &format!("make {user} {role} of {name}"));
    }
    let path = format!("{}/members/{}", path(name), percent_encode(user));
    let _: Value = service.put(&path, &MemberChange { role }).await?;
    let report = json!({"organisation": name, "user": user, "role": role});
    done(context, &report, user, &format!("{user} is {role} of {name} now"))
}

async fn take_out(context: &Context, who: &Who) -> Result<(), Error> {
    let Who { name, user, dry_run } = who;
    let service = Service::connect(context).await?;
    if *dry_run {
        return dry(context, user, &format!("take {user} out of {name}"));
    }
    let _: Value = service.delete(&format!("{}/members/{}", path(name), percent_encode(user))).await?;
    let report = json!({"organisation": name, "user": user});
    done(context, &report, user, &format!("{user} is no member of {name} any more"))
}
