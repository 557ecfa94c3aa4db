//! `agent init`: a new agent that validates and runs as it is written.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::templates::{File, PURPOSES, Purpose, Runtime, SKILL, SKILL_FILES};
use crate::oci::RepositoryName;
use crate::package::slug;

/// Write a new agent into a folder of its name
#[derive(Args, Debug)]
#[command(after_help = "Example: agent init my-agent --runtime nodejs --template summarizer")]
pub(super) struct Init {
    /// Name of the agent and its folder
    name: String,

    /// What it is for
    #[arg(long, short, value_name = "TEMPLATE", default_value = PURPOSES[0].name, value_parser = template_names())]
    template: String,

    /// Language of its program
    #[arg(long, short, value_enum, value_name = "RUNTIME", default_value = "python")]
    runtime: Runtime,

    /// Model it talks to, as provider/name
    #[arg(long, short, value_name = "MODEL", default_value = "openai/gpt-4")]
    model: String,

    /// Folder in which its folder is made
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

fn template_names() -> PossibleValuesParser {
    PURPOSES.iter().map(|purpose| purpose.name).chain([SKILL.name]).collect::<Vec<_>>().into()
}

pub(super) fn init(context: &Context, arguments: &Init) -> Result<(), Error> {
    if !RepositoryName::is_component(&arguments.name) {
        let suggestion = slug(&arguments.name);
        return Err(Error::Name { name: arguments.name.clone(), suggestion });
    }
    let files = files(arguments)?;
    let root = context.path(&arguments.directory).join(&arguments.name);
    let shown = context.shown(&root);
    if !is_free(&root)? {
        return Err(Error::Occupied(shown));
    }
    if !arguments.dry_run {
        for (path, text) in &files {
            write(&root.join(path), text)?;
        }
    }
    if context.printer.format == Format::Table {
        for (path, _) in &files {
            Printer::data(&format!("{shown}/{path}"))?;
        }
    } else {
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        context.printer.json(&json!({"path": shown, "files": paths, "dry_run": arguments.dry_run}))?;
    }
    if arguments.dry_run {
        context.printer.note("nothing was written");
    } else {
        // A folder of the package's name is found without being named.
        let is_here = shown == arguments.name;
        let path = if is_here { String::new() } else { format!(" --path {shown}") };
        let name = &arguments.name;
        context.printer.note(&format!("next: agent validate {shown}, then agent push {name}:latest{path}"));
    }
    Ok(())
}

/// The files with everything filled in.
fn files(arguments: &Init) -> Result<Vec<(&'static str, String)>, Error> {
    let wrong_model = || Error::Model(arguments.model.clone());
    let (provider, model) = arguments.model.split_once('/').ok_or_else(wrong_model)?;
    if !is_plain(provider) || !is_plain(model) {
        return Err(wrong_model());
    }
    let runtime = arguments.runtime;
    let purpose = PURPOSES.iter().find(|purpose| purpose.name == arguments.template).unwrap_or(&SKILL);
    let fill = |&(path, text): &File| {
        let values = [("name", arguments.name.as_str()), ("provider", provider), ("model", model)];
        let program = [("runtime", runtime.as_str()), ("start", runtime.start())];
        (path, filled(text, values.into_iter().chain(program).chain(of(purpose))))
    };
    Ok(if purpose.name == SKILL.name {
        SKILL_FILES.iter().map(fill).collect()
    } else {
        runtime.files().iter().map(fill).collect()
    })
}

fn of(purpose: &Purpose) -> [(&'static str, &'static str); 3] {
    [("description", purpose.description), ("capabilities", purpose.capabilities), ("prompt", purpose.prompt)]
}

fn filled<'a>(text: &str, values: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    values.fold(text.to_owned(), |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value))
}

/// Names of providers and models stand in YAML, Python, JavaScript and Go without quotes of their own.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
}

/// Whether nothing is there that would be lost.
fn is_free(root: &Path) -> Result<bool, Error> {
    match fs::read_dir(root) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Error::io("read", root, error)),
    }
}

/// Writes a file that must not be there yet.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::io("write", path, source);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
