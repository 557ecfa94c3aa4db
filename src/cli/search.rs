//! `agent search`: the packages of a registry by what they are and can do.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::printer::{Format, Printer};
use super::registries::Registries;
use super::table::{facts, texts};
use super::text::{counted, grouped, shortened};
use super::{image_row, query};
use crate::api::{FacetCount, Facets, Hit, SearchPage, Sort};
use crate::client::Catalogue;
use crate::oci::Host;

/// Most packages that are listed where nobody says how many: about a screen.
const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(25).expect("more than zero");
/// Most characters of a description in a table.
const DESCRIPTION_CHARACTERS: usize = 120;
/// Values of a facet that a table names.
const SHOWN_VALUES: usize = 8;
/// What a query is made of, for `--help`.
const HELP: &str = concat!(
    "Queries:\n",
    include_str!("../api/grammar.txt"),
    "\nExamples:\n  agent search pull request review\n  agent search 'capability:chat -author:nobody' --sort downloads\n  ",
    "agent search 'version:^1.2 updated:>2026-01-01' --format json\n  agent search -- -name:test review"
);

/// Find agents in the registry
///
/// Words are looked for in name, description, README, capabilities and tags; they may be incomplete, in another form, or
/// have a typing error. Without a query everything is listed. Each package is listed once, with its best version.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  agent search pull request review\n  agent search capability:chat --sort downloads\n\n\
                        `agent search --help` tells how queries are written."
)]
#[command(after_long_help = HELP)]
pub(super) struct Search {
    /// What to look for: words, and `field:value` such as `author:ai-team` or `version:^1.2`
    #[arg(value_name = "QUERY")]
    query: Vec<String>,

    /// Only what can do this; may be given several times
    #[arg(long, value_name = "CAPABILITY")]
    capability: Vec<String>,

    /// Only what they have made
    #[arg(long, value_name = "AUTHOR")]
    author: Option<String>,

    /// Most packages to list
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_LIMIT)]
    limit: NonZeroUsize,

    /// What comes first
    #[arg(long, value_enum, value_name = "ORDER")]
    sort: Option<Order>,

    /// Tell also what all that is found can do, who made it, and so on
    #[arg(long)]
    facets: bool,

    /// With `--format json`: one object with `images`, `total`, `page` and `per_page`, as agent-as-code prints it
    #[arg(long, conflicts_with = "facets")]
    compat: bool,
}

/// What packages are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Relevance,
    Updated,
    Downloads,
    Rating,
    Name,
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        match order {
            Order::Relevance => Self::Relevance,
            Order::Updated => Self::Updated,
            Order::Downloads => Self::Downloads,
            Order::Rating => Self::Rating,
            Order::Name => Self::Name,
        }
    }
}

pub(super) async fn search(context: &Context, arguments: &Search) -> Result<(), Error> {
    let asked = asked(arguments)?;
    query::read(&asked)?;
    let remote = Registries::load(context)?.connect(None)?;
    let failed = |error| Error::of_client(error, remote.endpoint());
    let Some(catalogue) = Catalogue::detect(&remote).await.map_err(failed)? else {
        return Err(Error::NoCatalogue(Box::new(remote.endpoint().clone())));
    };
    let (sort, limit) = (arguments.sort.map(Into::into), arguments.limit.get());
    let found = catalogue.find(&asked.join(" "), sort, limit, arguments.facets).await.map_err(failed)?;
    print(context, arguments, remote.endpoint().host(), &found)
}

/// What is asked, in the language of queries.
fn asked(arguments: &Search) -> Result<Vec<String>, Error> {
    let typed = arguments.query.join(" ");
    let capabilities = arguments.capability.iter().map(|value| query::field("capability", value));
    let author = arguments.author.iter().map(|value| query::field("author", value));
    let mut texts = capabilities.chain(author).collect::<Result<Vec<_>, _>>()?;
    if !typed.trim().is_empty() {
        texts.insert(0, typed);
    }
    Ok(texts)
}

fn print(context: &Context, arguments: &Search, host: &Host, found: &SearchPage) -> Result<(), Error> {
    let printer = context.printer;
    if arguments.compat {
        return printer.json(&compatible(found, arguments.limit.get()));
    }
    match printer.format {
        Format::Table if printer.quiet => {
            found.items.iter().try_for_each(|hit| Printer::data(&image_row::reference(host, hit)))
        }
        Format::Table => print_table(printer, arguments, found),
        Format::Json => printer.json(found),
        Format::Jsonl => printer.json_list(&found.items),
    }
}

fn print_table(printer: Printer, arguments: &Search, found: &SearchPage) -> Result<(), Error> {
    if found.items.is_empty() {
        printer.note("nothing found; `agent search` without a query lists everything");
        return Ok(());
    }
    if found.relaxed {
        printer.note("nothing has all of these words; this has most of them");
    }
    let headings = ["NAME", "VERSION", "DOWNLOADS", "RATING", "DESCRIPTION"];
    let rows: Vec<_> = found
        .items
        .iter()
        .map(|hit| [name(hit), version(hit), downloads(hit), rating(hit), description(hit)])
        .collect();
    Printer::data(&texts(headings, &rows))?;
    if let Some(facets) = &found.facets {
        Printer::data("")?;
        Printer::data(&facts(counts(facets)))?;
    }
    let total = usize::try_from(found.total).unwrap_or(usize::MAX);
    let shown = found.items.len();
    if shown < total {
        let more = if arguments.limit == DEFAULT_LIMIT { "; --limit shows more" } else { "" };
        printer.note(&format!("{shown} of {}{more}", counted(total, "package")));
    } else {
        printer.note(&counted(total, "package"));
    }
    Ok(())
}

fn name(hit: &Hit) -> String {
    hit.summary.repository.to_string()
}

fn version(hit: &Hit) -> String {
    let tag = || hit.registry_tags.first().map(ToString::to_string);
    hit.summary.version.clone().or_else(tag).unwrap_or_default()
}

fn downloads(hit: &Hit) -> String {
    // A column of nothing takes the place of what says something.
    if hit.standing.downloads == 0 { String::new() } else { grouped(hit.standing.downloads) }
}

fn rating(hit: &Hit) -> String {
    let rating = hit.standing.rating;
    rating.average.map(|average| format!("{average:.1} ({})", rating.count)).unwrap_or_default()
}

fn description(hit: &Hit) -> String {
    let summary = &hit.summary;
    let text = if summary.description.is_empty() && !matches!(summary.kind.as_str(), "agent" | "skill") {
        format!("({})", summary.kind)
    } else {
        summary.description.clone()
    };
    let instead = |notice: &crate::api::Notice| match &notice.superseded_by {
        Some(other) => format!("[deprecated: use {other}] "),
        None => "[deprecated] ".to_owned(),
    };
    let mark = hit.state.deprecated.as_ref().map(instead).unwrap_or_default();
    shortened(&format!("{mark}{text}"), DESCRIPTION_CHARACTERS)
}

/// The most frequent values of each facet, on a line.
fn counts(facets: &Facets) -> [(&'static str, String); 6] {
    let line = |values: &[FacetCount]| {
        let shown = values.iter().take(SHOWN_VALUES).map(|it| format!("{} ({})", it.value, it.count));
        let more = (values.len() > SHOWN_VALUES).then(|| "…".to_owned());
        shown.chain(more).collect::<Vec<_>>().join(", ")
    };
    [
        ("CAPABILITIES", line(&facets.capabilities)),
        ("TAGS", line(&facets.tags)),
        ("MODELS", line(&facets.models)),
        ("RUNTIMES", line(&facets.runtimes)),
        ("AUTHORS", line(&facets.authors)),
        ("KINDS", line(&facets.kinds)),
    ]
}

/// The form that agent-as-code has for what is found.
fn compatible(found: &SearchPage, limit: usize) -> serde_json::Value {
    let image = |hit: &Hit| {
        json!({
            "name": hit.summary.repository, "tag": image_row::tag(hit), "description": hit.summary.description,
            "author": hit.summary.author, "capabilities": hit.summary.capabilities, "size": hit.size,
            "created": hit.created_at, "downloads": hit.standing.downloads, "rating": hit.standing.rating.average,
        })
    };
    let images: Vec<_> = found.items.iter().map(image).collect();
    json!({ "images": images, "total": found.total, "page": 1, "per_page": limit })
}
