//! `agent watch`: new versions as they come.

use std::fmt::Write as _;

use clap::Args;
use jiff::Unit;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::query;
use super::reader::gone;
use super::registries::{Located, Registries};
use super::text::{safe, shortened};
use super::wanted::Wanted;
use crate::api::{Event, Package};
use crate::client::{self, Catalogue, Follow, Followed, Since};
use crate::oci::{Digest, Host, Reference, RepositoryName};
use crate::package::{Summary, Version};
use crate::remote::Remote;

/// The kind of events that new versions begin with.
const TAG_MOVED: &str = "tag.moved";
/// Characters of a description in a line.
const DESCRIPTION_CHARACTERS: usize = 60;
/// Digits of a digest that people tell packages apart by.
const DIGEST_DIGITS: usize = 12;

/// Print new versions as they are pushed
///
/// Goes on until Ctrl-C. A connection that breaks is made again, and nothing is left out or told twice. The query is that
/// of `agent search`, and its words are looked for in name, description, capabilities and tags.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent watch\n  agent watch capability:code-review\n  \
                        agent watch --repository ai-team/my-agent --format jsonl\n  agent watch --events --since oldest")]
pub(super) struct Watch {
    /// Only what matches; words are joined by spaces
    #[arg(value_name = "QUERY", conflicts_with = "events")]
    query: Vec<String>,

    /// Only this repository
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,

    /// Begin after the event of this number, with the next one (`latest`), or with the first one there is (`oldest`)
    #[arg(long, value_name = "EVENT", default_value = "latest", value_parser = read_since)]
    since: Since,

    /// Print whatever happens, not new versions alone
    #[arg(long)]
    events: bool,
}

fn read_since(text: &str) -> Result<Since, String> {
    match text {
        "latest" => Ok(Since::Latest),
        "oldest" => Ok(Since::Oldest),
        number => number.parse().map(Since::Event).map_err(|_| "write a number, `latest` or `oldest`".to_owned()),
    }
}

pub(super) async fn watch(context: &Context, arguments: &Watch) -> Result<(), Error> {
    let query = query::read([&arguments.query.join(" ")])?;
    let (remote, repository) = place(context, arguments.repository.as_deref()).await?;
    let failed = |error: client::Error| Error::of_client(error, remote.endpoint());
    let nowhere = || Error::NoEvents(Box::new(remote.endpoint().clone()));
    let catalogue = Catalogue::detect(&remote).await.map_err(failed)?.ok_or_else(nowhere)?;
    let kinds = if arguments.events { vec![] } else { vec![TAG_MOVED.to_owned()] };
    let wanted = client::Wanted { repository, kinds };
    let begun = Follow::begin(&catalogue, &remote, &wanted, arguments.since).await.map_err(failed)?;
    let mut follow = begun.ok_or_else(nowhere)?;
    context.printer.detail(&format!("following {}", remote.endpoint()));
    let host = remote.endpoint().host();
    loop {
        let followed = tokio::select! {
            followed = follow.next() => followed.map_err(failed)?,
            () = gone() => return Ok(()),
        };
        match followed {
            Followed::Event(event) if arguments.events => print(context, host, &event, None)?,
            Followed::Event(event) => {
                let found = follow.package(&event).await.map_err(failed)?;
                if let Some(package) = found.filter(|package| is_news(&event, package))
                    && query.matches(&package.summary(), &package.standing())
                {
                    print(context, host, &event, Some(&package))?;
                }
            }
            Followed::Lost(error) => {
                let why =
                    error.map_or_else(|| "the registry ended the connection".to_owned(), |error| error.to_string());
                Printer::warn(&format!("{why}; connecting again"));
            }
            Followed::Again => context.printer.note("connected again"),
        }
    }
}

/// Where to look, and at which repository alone.
async fn place(context: &Context, repository: Option<&str>) -> Result<(Remote, Option<RepositoryName>), Error> {
    let registries = Registries::load(context)?;
    let Some(name) = repository else { return Ok((registries.connect(None)?, None)) };
    let Located { remote, repository } = registries.locate(&Wanted::parse(name)?).await?;
    Ok((remote, Some(repository)))
}

/// Whether a tag that moved is a new version: a version, or what stands for a package that has none. `latest` beside
/// `1.2.0` is none of its own.
fn is_news(event: &Event, package: &Package) -> bool {
    let is_version = |tag| Version::from_tag(tag).is_some();
    event.tag.as_ref().is_some_and(is_version) || !package.registry_tags.iter().any(is_version)
}

/// An event as JSON.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// What to type to mean it.
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<Summary>,
}

fn print(context: &Context, host: &Host, event: &Event, package: Option<&Package>) -> Result<(), Error> {
    let printer = context.printer;
    let digest = event.digest.filter(|_| event.tag.is_none());
    let name = event.repository.clone();
    let reference = Reference { host: Some(host.clone()), name, tag: event.tag.clone(), digest }.to_string();
    if printer.format != Format::Table {
        // A list without end is no JSON value: each event has a line, whichever of the two is wanted.
        let printer = Printer { format: Format::Jsonl, ..printer };
        return printer.json(&Told { event, reference, package: package.map(Package::summary) });
    }
    if printer.quiet {
        return Printer::data(&reference);
    }
    let at = event.at.round(Unit::Second).unwrap_or(event.at);
    let mut line = format!("{at}  {}", safe(&reference));
    if package.is_none() {
        let _ = write!(line, "  {}", safe(&event.kind));
    }
    if let Some(digest) = event.digest.filter(|_| event.tag.is_some()) {
        let _ = write!(line, "  {}", digits(&digest));
    }
    let _ = write!(line, "  {}", safe(&event.actor));
    let said = package.and_then(|package| package.description.as_ref()).or(event.detail.as_ref());
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        let _ = write!(line, "  {}", shortened(said, DESCRIPTION_CHARACTERS));
    }
    Printer::data(&line)
}

fn digits(digest: &Digest) -> String {
    digest.hex().chars().take(DIGEST_DIGITS).collect()
}
