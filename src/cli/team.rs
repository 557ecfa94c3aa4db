//! `agent team`: teams of organisations.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{ago, done, dry, list};
use super::org;
use super::service::Service;
use crate::api::{Level, NewTeam, Team, TeamChange, TeamMember};
use crate::oci::percent_encode;

/// The word for a team without a role.
const NO_ROLE: &str = "none";

/// Add, list and remove the teams of an organisation, and their members
#[derive(Args, Debug)]
pub(super) struct TeamCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    List(Org),
    Set(Set),
    Remove(Named),
    /// List the members of a team
    Members(Which),
    /// Let users in, or out
    Member(MemberCommand),
}

/// Add a team
///
/// A role holds for every package of the organisation; without one the team has what grants give it.
#[derive(Args, Debug)]
#[command(after_help = "Example: agent team add ai-team/developers --role write")]
struct Add {
    #[command(flatten)]
    team: Which,

    /// What the team may do with every package of its organisation
    #[arg(long, value_name = "ROLE")]
    #[arg(value_parser = PossibleValuesParser::new(Level::WORDS).try_map(|text| text.parse::<Level>()))]
    role: Option<Level>,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// List the teams of an organisation
#[derive(Args, Debug)]
struct Org {
    /// Name of the organisation
    #[arg(value_name = "ORGANISATION")]
    name: String,
}

/// Change what a team may do with every package of its organisation
#[derive(Args, Debug)]
struct Set {
    #[command(flatten)]
    team: Which,

    /// The role, or `none`
    #[arg(long, value_name = "ROLE", value_parser = [Level::Read.as_str(), "write", "admin", NO_ROLE])]
    role: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove a team, and with it what was granted to it
#[derive(Args, Debug)]
struct Named {
    #[command(flatten)]
    team: Which,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
struct Which {
    /// The team
    #[arg(value_name = "ORGANISATION/TEAM", value_parser = read_name)]
    team: TeamName,
}

#[derive(Args, Debug)]
struct MemberCommand {
    #[command(subcommand)]
    command: MemberVerb,
}

#[derive(Debug, Subcommand)]
enum MemberVerb {
    /// Let a member of the organisation into a team
    Add(Who),
    /// Take a user out of a team
    Remove(Who),
}

#[derive(Args, Debug)]
struct Who {
    #[command(flatten)]
    team: Which,

    /// Name of the user
    user: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// `organisation/team`.
#[derive(Clone, Debug)]
struct TeamName {
    organisation: String,
    team: String,
}

fn read_name(text: &str) -> Result<TeamName, &'static str> {
    match text.split_once('/') {
        Some((organisation, team)) if !organisation.is_empty() && !team.is_empty() && !team.contains('/') => {
            Ok(TeamName { organisation: organisation.to_owned(), team: team.to_owned() })
        }
        _ => Err("write ORGANISATION/TEAM"),
    }
}

impl TeamName {
    fn path(&self) -> String {
        format!("{}/teams/{}", org::path(&self.organisation), percent_encode(&self.team))
    }

    fn text(&self) -> String {
        format!("{}/{}", self.organisation, self.team)
    }
}

pub(super) async fn team(context: &Context, arguments: TeamCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, &arguments).await,
        Verb::List(arguments) => list_all(context, &arguments.name).await,
        Verb::Set(arguments) => set(context, &arguments).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
        Verb::Members(arguments) => members(context, &arguments.team).await,
        Verb::Member(MemberCommand { command: MemberVerb::Add(who) }) => put(context, &who).await,
        Verb::Member(MemberCommand { command: MemberVerb::Remove(who) }) => take_out(context, &who).await,
    }
}

async fn add(context: &Context, arguments: &Add) -> Result<(), Error> {
    let (team, name) = (&arguments.team.team, arguments.team.team.text());
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &name, &format!("add the team {name}"));
    }
    let wanted = NewTeam { name: team.team.clone(), role: arguments.role };
    let made: Team = service.post(&format!("{}/teams", org::path(&team.organisation)), &wanted).await?;
    done(context, &made, &name, &format!("added the team {name}{}", role_of(&made)))
}

fn role_of(team: &Team) -> String {
    team.role.map(|role| format!(" with role {role}")).unwrap_or_default()
}

async fn list_all(context: &Context, organisation: &str) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let all: Vec<Team> = service.list(&format!("{}/teams?", org::path(organisation)), None, organisation).await?;
    list(context, &all, ["TEAM", "ROLE", "MEMBERS", "CREATED"], |team| {
        [
            format!("{}/{}", team.organisation, team.name),
            team.role.map_or_else(|| NO_ROLE.to_owned(), |role| role.to_string()),
            team.members.to_string(),
            ago(Some(team.created_at)),
        ]
    })
}

async fn set(context: &Context, arguments: &Set) -> Result<(), Error> {
    let (team, name) = (&arguments.team.team, arguments.team.team.text());
    // The parser let nothing else through but the word for none.
    let role: Option<Level> = arguments.role.parse().ok();
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &name, &format!("give the team {name} the role {}", arguments.role));
    }
    let _: Value = service.patch(&team.path(), &TeamChange { role }).await?;
    let report = json!({"team": name, "role": role});
    done(context, &report, &name, &format!("the role of {name} is {} now", arguments.role))
}

async fn remove(context: &Context, arguments: &Named) -> Result<(), Error> {
    let (team, name) = (&arguments.team.team, arguments.team.team.text());
    let service = Service::connect(context).await?;
    if arguments.dry_run {
        return dry(context, &name, &format!("remove the team {name}"));
    }
    let _: Value = service.delete(&team.path()).await?;
    done(context, &json!({"team": name}), &name, &format!("removed the team {name}"))
}

async fn members(context: &Context, team: &TeamName) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let all: Vec<TeamMember> = service.list(&format!("{}/members?", team.path()), None, &team.text()).await?;
    list(context, &all, ["USER", "SINCE"], |member| [member.user.clone(), ago(Some(member.since))])
}

async fn put(context: &Context, who: &Who) -> Result<(), Error> {
    let (team, name, user) = (&who.team.team, who.team.team.text(), &who.user);
    let service = Service::connect(context).await?;
    if who.dry_run {
        return dry(context, user, &format!("let {user} into {name}"));
    }
    let _: Value = service.put(&format!("{}/members/{}", team.path(), percent_encode(user)), &json!({})).await?;
    done(context, &json!({"team": name, "user": user}), user, &format!("{user} is in {name} now"))
}

async fn take_out(context: &Context, who: &Who) -> Result<(), Error> {
    let (team, name, user) = (&who.team.team, who.team.team.text(), &who.user);
    let service = Service::connect(context).await?;
    if who.dry_run {
        return dry(context, user, &format!("take {user} out of {name}"));
    }
    let _: Value = service.delete(&format!("{}/members/{}", team.path(), percent_encode(user))).await?;
    done(context, &json!({"team": name, "user": user}), user, &format!("{user} is in {name} no more"))
}
