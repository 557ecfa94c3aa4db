//! `agent deprecate`: say that a version, or all of a package, should no longer be begun with.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry};
use super::yank::Place;
use crate::api::{NewNotice, VersionState};

/// Say that a version, or a whole package, should no longer be begun with
///
/// Nothing leaves it out, but whoever pulls it is told. Of a name without version, all versions are meant.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent deprecate my-agent:1.2.0 --message \"slow; use 2.0.0\"\n  \
                        agent deprecate my-agent --message \"no longer maintained\" --superseded-by team/new-agent\n  \
                        agent deprecate my-agent --undo")]
pub(super) struct Deprecate {
    /// Name, or name and version as `name:1.2.0`
    name: String,

    /// Why; whoever pulls it is told
    #[arg(long, value_name = "TEXT", required_unless_present = "undo")]
    message: Option<String>,

    /// What to use instead
    #[arg(long, value_name = "REFERENCE", conflicts_with = "undo")]
    superseded_by: Option<String>,

    /// Take the deprecation back
    #[arg(long, conflicts_with = "message")]
    undo: bool,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn deprecate(context: &Context, arguments: &Deprecate) -> Result<(), Error> {
    let place = Place::find_any(context, &arguments.name).await?;
    let (name, path) = (place.name(), place.path("deprecation"));
    if arguments.dry_run {
        let what = if arguments.undo { "take the deprecation back of" } else { "deprecate" };
        return dry(context, &name, &format!("{what} {name}"));
    }
    let (state, text): (VersionState, _) = if arguments.undo {
        (place.service.delete(&path).await?, format!("{name} is not deprecated by itself any more"))
    } else {
        let message = arguments.message.clone().unwrap_or_default();
        let notice = NewNotice { message, superseded_by: arguments.superseded_by.clone() };
        (place.service.put(&path, &notice).await?, format!("deprecated {name}"))
    };
    let is_left = arguments.undo && state.deprecated.is_some();
    done(context, &json!({"reference": name, "state": state}), &name, &text)?;
    if is_left {
        context.printer.note("the whole package is deprecated still");
    }
    Ok(())
}
