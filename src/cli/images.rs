//! `agent images`: what the registry and the local store have.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::error::Error;
use super::image_row::{Row, Rows, Where, of_tags};
use super::printer::{Format, Printer};
use super::query;
use super::registries::{Registries, existing_store};
use super::table::table;
use super::text::{age, shortened, size};
use super::wanted::Wanted;
use crate::api::{Query, Standing};
use crate::client::{Catalogue, Store};
use crate::remote::{Endpoint, Remote};

/// Most versions of a registry that are listed where nobody says how many.
const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(1_000).expect("more than zero");
/// Characters of a description in a table.
const DESCRIPTION_CHARACTERS: usize = 48;

/// List the agents of the registry and of the local store
///
/// Of the registry it lists each package once, with its best version; name a repository to see all its tags. Filters are
/// queries, as `agent search --help` tells them; all of them must hold.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent images\n  agent images --filter \"sentiment*\" --filter author:ai-team\n  \
                        agent images --filter since:7d --format json\n  agent images registry.example.com/team/my-agent")]
pub(super) struct Images {
    /// One repository, with all its tags; works with any registry
    #[arg(value_name = "REPOSITORY")]
    repository: Option<String>,

    /// Show only what matches; may be given several times
    #[arg(long, short, value_name = "FILTER")]
    filter: Vec<String>,

    /// List also what no tag points at any more
    #[arg(long, short)]
    all: bool,

    /// List only the local store
    #[arg(long, conflicts_with = "remote")]
    local: bool,

    /// List only the registry
    #[arg(long)]
    remote: bool,

    /// Most versions to take from the registry
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_LIMIT)]
    limit: NonZeroUsize,
}

pub(super) async fn images(context: &Context, arguments: &Images) -> Result<(), Error> {
    let query = query::read(&arguments.filter)?;
    let wanted = arguments.repository.as_deref().map(Wanted::parse).transpose()?;
    let mut rows = Rows::default();
    if !arguments.remote
        && let Some(store) = existing_store(context)?
    {
        of_store(&store, wanted.as_ref(), &query, &mut rows)?;
    }
    // A registry that is down does not hide what is here.
    let told = if arguments.local { Ok(()) } else { of_registry(context, arguments, wanted, &query, &mut rows).await };
    let rows = rows.sorted(arguments.all);
    if rows.is_empty() && told.is_err() {
        return told;
    }
    print(context, &rows)?;
    told
}

fn of_store(store: &Store, wanted: Option<&Wanted>, query: &Query, rows: &mut Rows) -> Result<(), Error> {
    for entry in store.entries()? {
        let reference = &entry.reference;
        let is_meant = wanted.is_none_or(|wanted| {
            (reference.name == wanted.name || reference.name.package() == wanted.name.as_str())
                && (wanted.host.is_none() || reference.host == wanted.host)
        });
        let matches = match &entry.config {
            Some(config) => {
                let summary = config.summary(reference.name.clone(), entry.manifest, entry.stored_at);
                query.matches(&summary, &Standing::default())
            }
            None => query.terms.is_empty(),
        };
        if is_meant && matches {
            rows.add(Row::of_entry(&entry));
        }
    }
    Ok(())
}

async fn of_registry(
    context: &Context,
    arguments: &Images,
    wanted: Option<Wanted>,
    query: &Query,
    rows: &mut Rows,
) -> Result<(), Error> {
    let registries = Registries::load(context)?;
    let Some(wanted) = wanted else {
        let remote = registries.connect(None)?;
        return of_catalogue(context, arguments, &remote, rows).await;
    };
    let located = registries.locate(&wanted).await?;
    let (remote, name) = (&located.remote, &located.repository);
    let failed = |error| Error::of_client(error, remote.endpoint());
    let hits = match Catalogue::detect(remote).await.map_err(failed)? {
        Some(catalogue) => catalogue.versions(name, None).await.map_err(failed)?.unwrap_or_default(),
        None => vec![],
    };
    for hit in hits.iter().filter(|hit| query.matches(&hit.summary, &hit.standing)) {
        rows.add_hit(remote.endpoint().host(), hit);
    }
    let tags = remote.tags(name).await.map_err(|error| failed(error.into()))?;
    let not_found =
        || Error::NotFound { what: located.full_name(), place: format!("the registry {}", remote.endpoint()) };
    // The catalogue knows versions; of a repository that is named, people also want its other tags.
    let listed: BTreeSet<_> = hits.iter().flat_map(|hit| &hit.registry_tags).collect();
    let rest = tags.ok_or_else(not_found)?.into_iter().filter(|tag| !listed.contains(tag)).collect();
    for row in of_tags(&located, rest).await? {
        if query.terms.is_empty() || row.summary().is_some_and(|summary| query.matches(summary, &Standing::default())) {
            rows.add(row);
        }
    }
    Ok(())
}

async fn of_catalogue(context: &Context, arguments: &Images, remote: &Remote, rows: &mut Rows) -> Result<(), Error> {
    let failed = |error| Error::of_client(error, remote.endpoint());
    let Some(catalogue) = Catalogue::detect(remote).await.map_err(failed)? else {
        return no_catalogue(context, arguments, remote.endpoint());
    };
    // Each filter was read alone, so its quotes are closed and it can stand beside the others.
    let text = arguments.filter.join(" ");
    let limit = arguments.limit.get();
    let hits = catalogue.search(&text, Some(limit)).await.map_err(failed)?;
    if hits.len() == limit {
        context.printer.note(&format!("only the first {} are shown: filter, or raise --limit", hits.len()));
    }
    let host = remote.endpoint().host();
    for hit in &hits {
        rows.add_hit(host, hit);
    }
    Ok(())
}

/// Only who asked for the registry alone is refused; others still see the local store.
fn no_catalogue(context: &Context, arguments: &Images, endpoint: &Endpoint) -> Result<(), Error> {
    let error = Error::NoCatalogue(Box::new(endpoint.clone()));
    if arguments.remote {
        return Err(error);
    }
    Printer::warn(&error.to_string());
    if let Some(hint) = error.hint() {
        context.printer.note(&hint);
    }
    Ok(())
}

fn print(context: &Context, rows: &[Row]) -> Result<(), Error> {
    let printer = context.printer;
    if printer.quiet {
        return rows.iter().try_for_each(|row| Printer::data(&row.reference));
    }
    if printer.format != Format::Table {
        return printer.json_list(rows);
    }
    if rows.is_empty() {
        printer.note("nothing found");
        return Ok(());
    }
    let now = Timestamp::now();
    let headings = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SOURCE", "DESCRIPTION"];
    Printer::data(&table(
        headings,
        rows.iter().map(|row| {
            let created = row.created.map(|created| age(created, now)).unwrap_or_default();
            let bytes = row.size.map(size).unwrap_or_default();
            let id = row.digest.short();
            let (repository, tag, source) = (row.repository.clone(), row.shown_tag(), row.source.as_str());
            let description = shortened(&row.description, DESCRIPTION_CHARACTERS);
            [repository, tag, id, created, bytes, source.to_owned(), description]
        }),
    ))
}

impl Where {
    fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Local => "local",
            Self::Both => "both",
        }
    }
}
