//! `agent configure`: what this program keeps for the user, and what a registry keeps about a repository.

use clap::{Args, Subcommand};

use super::configure_profile::{self, ProfileCommand};
use super::context::Context;
use super::error::Error;
use super::permission::{self, PermissionCommand};
use super::tag_rule::{self, TagRuleCommand};

/// Set up profiles, and who may do what with a repository
#[derive(Args, Debug)]
pub(super) struct Configure {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Profile(ProfileCommand),
    Permission(PermissionCommand),
    TagRule(TagRuleCommand),
}

pub(super) async fn configure(context: &Context, arguments: Configure) -> Result<(), Error> {
    match arguments.command {
        Verb::Profile(arguments) => configure_profile::profile(context, arguments).await,
        Verb::Permission(arguments) => permission::permission(context, arguments).await,
        Verb::TagRule(arguments) => tag_rule::tag_rule(context, arguments).await,
    }
}
