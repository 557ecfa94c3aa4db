//! `agent registry audit`: who did what, and who was not let.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::error::Error;
use super::listing::list;
use super::service::Service;
use crate::api::{AuditEntry, Expiry};
use crate::oci::percent_encode;

/// Entries shown when nobody says how many.
const DEFAULT_LIMIT: &str = "100";

/// Show who did what, and what was refused; for administrators
#[derive(Args, Debug)]
#[command(after_help = "Example: agent registry audit --user john --action push --since 7d --format json")]
pub(super) struct Audit {
    /// What this user did
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// What was done, such as `push` or `account.create`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// From when on: `7d`, `12h`, or a time
    #[arg(long, value_name = "TIME", value_parser = read_since)]
    since: Option<Timestamp>,

    /// Most entries to show, the newest first
    #[arg(long, value_name = "NUMBER", default_value = DEFAULT_LIMIT)]
    limit: std::num::NonZeroUsize,
}

/// A moment, or how long ago one was.
fn read_since(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Expiry>() {
        Ok(Expiry::At(time)) => Ok(time),
        Ok(Expiry::Hours(hours)) => Timestamp::now()
            .checked_sub(SignedDuration::from_hours(i64::from(hours)))
            .map_err(|_| "that is before time begins".to_owned()),
        Ok(Expiry::Never) | Err(_) => Err("write 7d, 12h or 2026-01-31T12:00:00Z".to_owned()),
    }
}

pub(super) async fn audit(context: &Context, arguments: &Audit) -> Result<(), Error> {
    let service = Service::connect(context).await?;
    let since = arguments.since.map(|time| time.to_string());
    let filters = [("user", &arguments.user), ("action", &arguments.action), ("since", &since)];
    let base = filters
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .fold("/api/v1/audit?".to_owned(), |base, (name, value)| format!("{base}{name}={}&", percent_encode(value)));
    let found: Vec<AuditEntry> = service.list(&base, Some(arguments.limit.get()), "the audit").await?;
    list(context, &found, ["TIME", "WHO", "ACTION", "ON", "OUTCOME", "RULE", "FROM"], |entry| {
        [
            entry.at.to_string(),
            entry.actor.clone(),
            entry.action.clone(),
            entry.object.clone(),
            entry.outcome.to_string(),
            entry.rule.clone(),
            entry.address.clone().unwrap_or_default(),
        ]
    })
}
