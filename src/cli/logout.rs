//! `agent logout`: forget a registry's credential, wherever it is kept.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::login::{profile_of, shown};
use super::printer::Format;
use super::registries::Registries;
use crate::remote::forget_docker_credential;

/// Forget the credential for a registry
///
/// It is removed from the profile in use, from docker's config.json and from credential helpers. The registry goes on
/// taking it: `agent token revoke` ends an access token.
#[derive(Args, Debug)]
#[command(after_help = "Example: agent logout registry.example.com")]
pub(super) struct Logout {
    /// Host or address of the registry; by default that of names without a host
    #[arg(value_name = "REGISTRY")]
    host: Option<String>,

    /// Tell where it would be removed from for sure, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn logout(context: &Context, arguments: &Logout) -> Result<(), Error> {
    let endpoint = Registries::load(context)?.endpoint(arguments.host.as_deref())?;
    let mut places = vec![];
    if let Some(name) = profile_of(context, &endpoint)? {
        let mut settings = context.settings()?;
        if settings.get(&name)?.credential().is_some() {
            settings.put(&name, &[("pat", Some(String::new())), ("user", None)]);
            places.push(format!("profile {name} ({})", context.shown(settings.path())));
            if !arguments.dry_run {
                settings.save()?;
            }
        }
    }
    if !arguments.dry_run {
        for file in context.docker_files() {
            let was = forget_docker_credential(&file, endpoint.host())?;
            places.extend(was.iter().map(|kept| shown(context, kept)));
        }
    }
    if context.printer.format != Format::Table {
        let (registry, dry_run) = (endpoint.to_string(), arguments.dry_run);
        return context.printer.json(&json!({"registry": registry, "removed_from": places, "dry_run": dry_run}));
    }
    match (arguments.dry_run, places.is_empty()) {
        (true, _) => context.printer.note(&format!("nothing was removed{}", listed(&places))),
        (false, true) => context.printer.note(&format!("nothing was kept for {endpoint}")),
        (false, false) => context.printer.done(&format!("signed out of {endpoint}{}", listed(&places))),
    }
    Ok(())
}

fn listed(places: &[String]) -> String {
    if places.is_empty() { String::new() } else { format!(": {}", places.join(", ")) }
}
