//! What `agent inspect` tells people: facts, then what there is several of.

use jiff::Timestamp;

use super::error::Error;
use super::inspection::{Inspection, Record};
use super::printer::Printer;
use super::table::{facts, table};
use super::text::{age, counted, safe, size};
use crate::package::Metadata;

/// Files shown where nobody asks for all.
const MAX_FILES_SHOWN: usize = 20;
/// Moves of tags shown, the newest; JSON has more.
const MAX_MOVES_SHOWN: usize = 10;

/// Prints all of it.
pub(super) fn print(inspection: &Inspection, with_files: bool) -> Result<(), Error> {
    let now = Timestamp::now();
    let when = |time: Option<Timestamp>| {
        time.map(|time| format!("{} ({})", age(time, now), time.strftime("%Y-%m-%d %H:%M:%S UTC"))).unwrap_or_default()
    };
    let record = inspection.record.as_ref();
    let mut rows = vec![("Reference", inspection.reference.clone()), ("Kind", inspection.kind.clone())];
    rows.extend(inspection.metadata.as_ref().map(of_metadata).unwrap_or_default());
    rows.extend([
        ("Digest", inspection.digest.to_string()),
        ("Size", size(inspection.size)),
        ("Tags", inspection.tags_in_registry.join(", ")),
        ("State", record.map(|record| state(record, now)).unwrap_or_default()),
        ("Created", when(inspection.created)),
        ("Updated", when(inspection.updated.filter(|updated| Some(*updated) != inspection.created))),
    ]);
    rows.extend(record.map(|record| of_record(record, inspection.metadata.as_ref())).unwrap_or_default());
    Printer::data(&facts(rows))?;
    if let Some(record) = record {
        print_referrers(record)?;
        print_moves(record, now)?;
    }
    if inspection.metadata.is_some() { print_files(inspection, with_files) } else { print_layers(inspection) }
}

fn of_metadata(metadata: &Metadata) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let labels = metadata.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let ports = metadata.ports.iter().map(ToString::to_string).collect::<Vec<_>>();
    vec![
        ("Name", metadata.display_name.clone().unwrap_or_else(|| metadata.name.clone())),
        ("Version", metadata.version.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("Description", text(&metadata.description)),
        ("Author", text(&metadata.author)),
        ("License", text(&metadata.license)),
        ("Capabilities", metadata.capabilities.join(", ")),
        ("Labels", metadata.tags.iter().chain(&labels).cloned().collect::<Vec<_>>().join(", ")),
        ("Model", metadata.model_reference().unwrap_or_default()),
        ("Runtime", text(&metadata.runtime)),
        ("Dependencies", metadata.dependencies.join(", ")),
        ("Ports", ports.join(", ")),
        ("Health check", text(&metadata.health_check)),
        ("Python", text(&metadata.compatibility.python)),
        ("Platforms", metadata.compatibility.platforms.join(", ")),
    ]
}

fn of_record(record: &Record, metadata: Option<&Metadata>) -> Vec<(&'static str, String)> {
    let this = metadata.and_then(|metadata| metadata.version.as_ref()).map(ToString::to_string);
    let downloads = match record.downloads {
        all if all == record.version_downloads => all.to_string(),
        all => format!("{all}, {} of them of this version", record.version_downloads),
    };
    let ratings = counted(usize::try_from(record.ratings).unwrap_or(usize::MAX), "rating");
    vec![
        ("Newest", record.latest.clone().filter(|latest| Some(latest) != this.as_ref()).unwrap_or_default()),
        ("Downloads", downloads),
        ("Rating", record.rating.map(|stars| format!("{stars:.1} of 5 ({ratings})")).unwrap_or_default()),
        ("Signed", if record.signed { "yes, not verified" } else { "no" }.to_owned()),
        ("Visible to", record.visibility.map(|visibility| visibility.to_string()).unwrap_or_default()),
        ("Files checked", if record.checked { String::new() } else { "not yet".to_owned() }),
    ]
}

/// What is said of it, without why: that stands among the warnings.
fn state(record: &Record, now: Timestamp) -> String {
    let said = |what: &str, at: Timestamp| format!("{what} {}", age(at, now));
    let yanked = record.state.yanked.iter().map(|notice| said("yanked", notice.at));
    let deprecated = record.state.deprecated.iter().map(|notice| said("deprecated", notice.at));
    yanked.chain(deprecated).collect::<Vec<_>>().join(", ")
}

fn print_referrers(record: &Record) -> Result<(), Error> {
    if record.referrers.is_empty() {
        return Ok(());
    }
    let rows = record.referrers.iter().map(|referrer| {
        let kind = referrer.artifact_type.as_ref().map(ToString::to_string).unwrap_or_default();
        [referrer.digest.short(), size(referrer.size), kind]
    });
    Printer::data(&format!("\n{}", table(["ABOUT IT", "SIZE", "TYPE"], rows)))
}

/// Only where a tag has pointed elsewhere before.
fn print_moves(record: &Record, now: Timestamp) -> Result<(), Error> {
    let has_moved = record.history.iter().any(|one| record.history.iter().filter(|it| it.tag == one.tag).count() > 1);
    if !has_moved {
        return Ok(());
    }
    let rows = record.history.iter().take(MAX_MOVES_SHOWN).map(|moved| {
        let digest = moved.digest.map_or_else(|| "(deleted)".to_owned(), |digest| digest.short());
        [moved.tag.to_string(), digest, age(moved.at, now), moved.actor.clone()]
    });
    Printer::data(&format!("\n{}", table(["TAG", "POINTED AT", "SINCE", "BY"], rows)))
}

fn print_files(inspection: &Inspection, with_files: bool) -> Result<(), Error> {
    let most = if with_files { usize::MAX } else { MAX_FILES_SHOWN };
    let shown = inspection.files.iter().take(most);
    let rows = shown.map(|file| [file.path.clone(), size(file.size), file.digest.short()]);
    Printer::data(&format!("\n{}", table(["FILE", "SIZE", "DIGEST"], rows)))?;
    let total = inspection.files_total.map_or(inspection.files.len(), |total| usize::try_from(total).unwrap_or(most));
    match total.saturating_sub(inspection.files.len().min(most)) {
        0 => Ok(()),
        more if with_files => Printer::data(&format!("… and {} more, which a pull brings", counted(more, "file"))),
        more => Printer::data(&format!("… and {} more; `--files` lists them", counted(more, "file"))),
    }
}

fn print_layers(inspection: &Inspection) -> Result<(), Error> {
    if inspection.layers.is_empty() {
        return Ok(());
    }
    let rows = inspection.layers.iter().map(|layer| {
        let title = layer.title.as_deref().map(|title| safe(title).into_owned()).unwrap_or_default();
        [layer.media_type.to_string(), size(layer.size), layer.digest.short(), title]
    });
    Printer::data(&format!("\n{}", table(["MEDIA TYPE", "SIZE", "DIGEST", "TITLE"], rows)))
}
