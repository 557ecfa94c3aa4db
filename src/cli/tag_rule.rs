//! `agent configure tag-rule`: which tags never move, and who may move others.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry, list};
use super::registries::Located;
use super::service::Service;
use crate::api::{Grantee, Level, TagRule, TagRuleKind, TagRules};
use crate::oci::percent_encode;

/// Say which tags of a package never move, and who may move others
#[derive(Args, Debug)]
pub(super) struct TagRuleCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Add),
    /// List the rules about the tags of a package
    List {
        /// Name of the package
        name: String,
    },
    Remove(Remove),
}

/// Add a rule, or replace the one of that pattern
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent configure tag-rule add my-agent semver --immutable\n  \
                        agent configure tag-rule add my-agent latest --level admin")]
#[group(id = "what", args = ["immutable", "level", "users", "teams"], required = true, multiple = true)]
struct Add {
    /// Name of the package
    name: String,

    /// The tags: `*` stands for anything, `?` for one character, `semver` for every version
    pattern: String,

    /// They never move, and are not deleted
    #[arg(long, conflicts_with_all = ["level", "users", "teams"])]
    immutable: bool,

    /// Only who is allowed this may move them
    #[arg(long, value_name = "PERMISSION", conflicts_with_all = ["users", "teams"])]
    #[arg(value_parser = PossibleValuesParser::new(Level::WORDS).try_map(|text| text.parse::<Level>()))]
    level: Option<Level>,

    /// Only these users may move them
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,

    /// Only these teams may move them
    #[arg(long = "team", value_name = "ORGANISATION/TEAM")]
    teams: Vec<String>,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove a rule
#[derive(Args, Debug)]
struct Remove {
    /// Name of the package
    name: String,

    /// The tags of the rule, as it has them
    pattern: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Add {
    fn rule(&self) -> TagRule {
        let users = self.users.iter().cloned().map(Grantee::User);
        let grantees = users.chain(self.teams.iter().cloned().map(Grantee::Team)).collect();
        let kind = if self.immutable { TagRuleKind::Immutable } else { TagRuleKind::Restricted };
        TagRule { pattern: self.pattern.clone(), kind, level: self.level, grantees }
    }
}

pub(super) async fn tag_rule(context: &Context, arguments: TagRuleCommand) -> Result<(), Error> {
    match arguments.command {
        Verb::Add(arguments) => add(context, &arguments).await,
        Verb::List { name } => list_all(context, &name).await,
        Verb::Remove(arguments) => remove(context, &arguments).await,
    }
}

fn path(located: &Located) -> String {
    format!("/api/v1/tag-rules?repository={}", percent_encode(located.repository.as_str()))
}

/// What the rule says, for people.
fn effect(rule: &TagRule) -> String {
    match (rule.kind, rule.level) {
        (TagRuleKind::Immutable, _) => "never move".to_owned(),
        (TagRuleKind::Restricted, Some(level)) => format!("moved with {level} only"),
        (TagRuleKind::Restricted, None) => {
            let names: Vec<_> = rule.grantees.iter().map(Grantee::name).collect();
            format!("moved by {} only", names.join(", "))
        }
    }
}

async fn add(context: &Context, arguments: &Add) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let (name, rule) = (located.full_name(), arguments.rule());
    let text = format!("tags {} of {name}: {}", rule.pattern, effect(&rule));
    if arguments.dry_run {
        return dry(context, &name, &format!("add the rule for {text}"));
    }
    let mut rules: TagRules = service.get(&path(&located), &name).await?;
    rules.rules.retain(|other| other.pattern != rule.pattern);
    rules.rules.push(rule);
    let _: Value = service.put(&path(&located), &rules).await?;
    done(context, &rules, &name, &text)
}

async fn list_all(context: &Context, name: &str) -> Result<(), Error> {
    let (service, located) = Service::locate(context, name).await?;
    let rules: TagRules = service.get(&path(&located), &located.full_name()).await?;
    list(context, &rules.rules, ["TAGS", "RULE"], |rule| [rule.pattern.clone(), effect(rule)])
}

async fn remove(context: &Context, arguments: &Remove) -> Result<(), Error> {
    let (service, located) = Service::locate(context, &arguments.name).await?;
    let (name, pattern) = (located.full_name(), &arguments.pattern);
    if arguments.dry_run {
        return dry(context, &name, &format!("remove the rule for tags {pattern} of {name}"));
    }
    let mut rules: TagRules = service.get(&path(&located), &name).await?;
    let before = rules.rules.len();
    rules.rules.retain(|rule| rule.pattern != *pattern);
    if rules.rules.len() == before {
        return Err(Error::NotFound { what: format!("a rule for tags {pattern}"), place: name });
    }
    let _: Value = if rules.rules.is_empty() {
        service.delete(&path(&located)).await?
    } else {
        service.put(&path(&located), &rules).await?
    };
    done(context, &rules, &name, &format!("no rule for tags {pattern} of {name} any more"))
}
