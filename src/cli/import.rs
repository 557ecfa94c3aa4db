//! The registries of `~/.aac/config.yaml`, an older settings file of the reference tool, as profiles.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::context::Context;
use super::error::Error;
use super::printer::Printer;
use super::profiles::Settings;
use crate::remote::Endpoint;

/// Largest such file in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Most YAML nodes in it, aliases expanded.
const MAX_NODES: usize = 10_000;

#[derive(Default, Deserialize)]
struct Document {
    #[serde(default)]
    registries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    url: String,
    #[serde(default)]
    auth: Auth,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    token: Option<String>,
    username: Option<String>,
    password: Option<String>,
    client_id: Option<String>,
}

/// Takes over each registry as a profile; the names of those that were.
pub(super) fn import(
    context: &Context,
    file: Option<&Path>,
    settings: &mut Settings,
    force: bool,
) -> Result<Vec<String>, Error> {
    let path = match file {
        Some(file) => context.path(file),
        None => usual_place()?,
    };
    let mut taken = vec![];
    for (name, entry) in read(&path)?.registries {
        if settings.profiles().contains_key(&name) && !force {
            context.printer.note(&format!("left alone: {name} is a profile already; `--force` replaces it"));
            continue;
        }
        if let Err(error) = Endpoint::parse(&entry.url, true) {
            Printer::warn(&format!("left out: {name}: {error}"));
            continue;
        }
        let (user, secret) = credential(context, &name, entry.auth);
        settings.put(&name, &[("registry", Some(entry.url)), ("pat", secret), ("user", user)]);
        context.printer.done(&format!("took over {name}"));
        taken.push(name);
    }
    if settings.default().is_none() {
        // There it is the registry of that name that is used where none is named.
        if let Some(name) = taken.iter().find(|name| *name == "default").or(taken.first()) {
            settings.set_default(name);
        }
    }
    Ok(taken)
}

/// Tells that there is a file to take over.
pub(super) fn hint(context: &Context) {
    if usual_place().is_ok_and(|path| path.is_file()) {
        context.printer.note("~/.aac/config.yaml has some: take them over with `agent configure profile import`");
    }
}

fn usual_place() -> Result<PathBuf, Error> {
    Ok(etcetera::home_dir().map_err(|_| Error::NoHome)?.join(".aac").join("config.yaml"))
}

fn read(path: &Path) -> Result<Document, Error> {
    let failed = |source: io::Error| Error::io("read", path, source);
    let mut text = String::new();
    fs::File::open(path).map_err(failed)?.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: MAX_NODES, max_depth: 16, max_documents: 1 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
        // The lines around an error may hold a secret.
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let at = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
        Error::Import { path: path.to_owned(), line: at.line(), column: at.column() }
    })
}

/// User and secret of an entry, as far as a profile can hold them.
fn credential(context: &Context, name: &str, auth: Auth) -> (Option<String>, Option<String>) {
    let stands_for_variable = |text: &String| text.starts_with("${") || text.starts_with('$');
    if auth.client_id.is_some() {
        Printer::warn(&format!(
            "{name} signs in by OAuth, which is not taken over: use `agent login --profile {name}`"
        ));
        return (None, None);
    }
    let (user, secret) = match (auth.token, auth.username, auth.password) {
        (Some(token), _, _) => (None, token),
        (None, Some(user), Some(password)) => (Some(user), password),
        _ => return (None, None),
    };
    if stands_for_variable(&secret) || user.as_ref().is_some_and(stands_for_variable) {
        let how = format!("`agent login --profile {name}`, or AGENT_REGISTRY_TOKEN");
        context.printer.note(&format!("note: the token of {name} is a variable there; set it with {how}"));
        return (None, None);
    }
    (user, Some(secret))
}
