//! `agent versions`: the versions of one package, the newest first.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::notice::why;
use super::printer::{Format, Printer};
use super::registries::{Located, Registries};
use super::table::table;
use super::text::{age, size};
use super::wanted::Wanted;
use crate::api::{Hit, VersionState};
use crate::client::{Catalogue, Ranged, Selector};
use crate::oci::{Digest, Tag, Target};
use crate::package::{CREATED, Version};
use crate::remote;

/// Versions listed where nobody says how many.
const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(100).expect("more than zero");
/// Most tags that are no versions and are looked up in a registry without catalogue.
const MAX_OTHER_TAGS: usize = 20;
/// Manifests asked for at once.
const PARALLEL: usize = 8;

/// List the versions of a package, the newest first
///
/// In a registry of another kind they are read from the tags: downloads and states are known only to ours.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent versions my-agent\n  agent versions my-agent@^1 --format json\n  \
                        agent versions registry.example.com/team/my-agent --limit 10")]
pub(super) struct Versions {
    /// Name as `name` or `namespace/name`; with `@^1.2` only the versions in a range
    name: String,

    /// Let pre-releases count in the range
    #[arg(long)]
    pre: bool,

    /// Most versions to list
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_LIMIT)]
    limit: NonZeroUsize,
}

/// One version, or what the other tags of a package without versions point at.
#[derive(Debug, Serialize)]
struct Line {
    version: Option<String>,
    /// What to type to mean it.
    reference: String,
    digest: Digest,
    created: Option<Timestamp>,
    /// Bytes as transferred.
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    downloads: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<bool>,
    #[serde(flatten)]
    state: VersionState,
    /// Tags that point at it.
    tags: Vec<Tag>,
}

pub(super) async fn versions(context: &Context, arguments: &Versions) -> Result<(), Error> {
    let wanted = Wanted::parse(&arguments.name)?;
    let range = match &wanted.selector {
        Selector::Default => None,
        Selector::Range(ranged) => Some(Ranged { pre: arguments.pre, ..ranged.clone() }),
        Selector::Tag(_) | Selector::Digest(_) => {
            let (problem, hint) = ("names one version", "write the name alone, or with a range as in `name@^1.2`");
            return Err(Error::WrongReference { text: wanted.text, problem, hint });
        }
    };
    let located = Registries::load(context)?.locate(&wanted).await?;
    let limit = arguments.limit.get();
    let lines = match of_catalogue(&located, range.as_ref(), limit).await? {
        Some(lines) => lines,
        None => of_tags(&located, range.as_ref(), limit).await?,
    };
    print(context, &lines, limit)
}

/// Whether a version is asked for; what is none only where no range is.
fn is_in(range: Option<&Ranged>, version: Option<&Version>) -> bool {
    range.is_none_or(|ranged| version.is_some_and(|version| ranged.range.matches(version, ranged.pre)))
}

/// What our registry says; `None` from another one, and of a repository that it knows no version of.
async fn of_catalogue(located: &Located, range: Option<&Ranged>, limit: usize) -> Result<Option<Vec<Line>>, Error> {
    let failed = |error| Error::of_client(error, located.remote.endpoint());
    let Some(catalogue) = Catalogue::detect(&located.remote).await.map_err(failed)? else { return Ok(None) };
    // A range may begin far below the newest version.
    let most = range.is_none().then_some(limit);
    let hits = catalogue.versions(&located.repository, most).await.map_err(failed)?.unwrap_or_default();
    if hits.is_empty() {
        return Ok(None);
    }
    let line = |hit: Hit| {
        let version = hit.summary.version.as_deref().and_then(|text| text.parse::<Version>().ok());
        is_in(range, version.as_ref()).then(|| Line::of_hit(located, hit, version.as_ref()))
    };
    Ok(Some(hits.into_iter().filter_map(line).take(limit).collect()))
}

impl Line {
    fn of_hit(located: &Located, hit: Hit, version: Option<&Version>) -> Self {
        let tag = version.map(Version::tag).or(hit.registry_tags.first());
        let full_name = located.full_name();
        Self {
            reference: tag
                .map_or_else(|| format!("{full_name}@{}", hit.summary.digest), |tag| format!("{full_name}:{tag}")),
            version: hit.summary.version,
            digest: hit.summary.digest,
            created: Some(hit.created_at),
            size: hit.size,
            downloads: Some(hit.standing.downloads),
            signed: Some(hit.standing.signed),
            state: hit.state,
            tags: hit.registry_tags,
        }
    }
}

/// What the tags of any registry say.
async fn of_tags(located: &Located, range: Option<&Ranged>, limit: usize) -> Result<Vec<Line>, Error> {
    let (remote, name) = (&located.remote, &located.repository);
    let failed = |error: remote::Error| Error::of_client(error.into(), remote.endpoint());
    let tags = remote.tags(name).await.map_err(failed)?.ok_or_else(|| Error::NotFound {
        what: located.full_name(),
        place: format!("the registry {}", remote.endpoint()),
    })?;
    let mut versions: Vec<Version> = tags.iter().filter_map(Version::from_tag).collect();
    versions.retain(|version| is_in(range, Some(version)));
    versions.sort_by_key(|version| std::cmp::Reverse(version.sort_key()));
    versions.truncate(limit);
    let others = tags.into_iter().filter(|tag| Version::from_tag(tag).is_none()).take(MAX_OTHER_TAGS);
    let heads = stream::iter(others).map(|tag| async move {
        let head = remote.head_manifest(name, &Target::Tag(tag.clone())).await?;
        Ok::<_, remote::Error>(head.map(|head| (tag, head.digest)))
    });
    let heads: Vec<_> = heads.buffered(PARALLEL).try_collect().await.map_err(failed)?;
    let mut pointers: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
    for (tag, digest) in heads.into_iter().flatten() {
        pointers.entry(digest).or_default().push(tag);
    }
    let lines = stream::iter(versions).map(|version| of_version(located, version, &pointers));
    let lines: Vec<Option<Line>> = lines.buffered(PARALLEL).try_collect().await.map_err(failed)?;
    Ok(lines.into_iter().flatten().collect())
}

/// Nothing where the tag has gone since the tags were listed.
async fn of_version(
    located: &Located,
    version: Version,
    pointers: &BTreeMap<Digest, Vec<Tag>>,
) -> Result<Option<Line>, remote::Error> {
    let target = Target::Tag(version.tag().clone());
    let Some(manifest) = located.remote.manifest(&located.repository, &target).await? else { return Ok(None) };
    let mut tags = vec![version.tag().clone()];
    tags.extend(pointers.get(&manifest.digest()).cloned().unwrap_or_default());
    Ok(Some(Line {
        reference: located.tagged(version.tag()).to_string(),
        version: Some(version.to_string()),
        digest: manifest.digest(),
        created: manifest.annotations().get(CREATED).and_then(|text| text.parse().ok()),
        size: manifest.content_bytes(),
        downloads: None,
        signed: None,
        state: VersionState::default(),
        tags,
    }))
}

fn print(context: &Context, lines: &[Line], limit: usize) -> Result<(), Error> {
    let printer = context.printer;
    if lines.len() == limit {
        printer.note(&format!("only the first {limit} are shown: name a range, or raise --limit"));
    }
    if printer.format != Format::Table {
        return printer.json_list(lines);
    }
    if printer.quiet {
        return lines.iter().try_for_each(|line| Printer::data(&line.reference));
    }
    if lines.is_empty() {
        printer.note("there are no versions");
        return Ok(());
    }
    let now = Timestamp::now();
    let headings = ["VERSION", "CREATED", "SIZE", "DOWNLOADS", "TAGS", "STATE"];
    Printer::data(&table(headings, lines.iter().map(|line| line.row(now))))
}

impl Line {
    fn row(&self, now: Timestamp) -> [String; 6] {
        let is_itself = |tag: &&Tag| Version::from_tag(tag).map(|version| version.to_string()) == self.version;
        let tags: Vec<_> = self.tags.iter().filter(|tag| self.version.is_none() || !is_itself(tag)).collect();
        [
            self.version.clone().unwrap_or_else(|| "-".to_owned()),
            self.created.map(|created| age(created, now)).unwrap_or_default(),
            size(self.size),
            self.downloads.map(|count| count.to_string()).unwrap_or_default(),
            tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            self.shown_state(),
        ]
    }

    fn shown_state(&self) -> String {
        let yanked = self.state.yanked.iter().map(|notice| format!("yanked{}", why(notice)));
        let deprecated = self.state.deprecated.iter().map(|notice| format!("deprecated{}", why(notice)));
        yanked.chain(deprecated).collect::<Vec<_>>().join("; ")
    }
}
