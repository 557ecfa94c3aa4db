//! Where the package to push is: `--path`, the folder one is in, a folder of its name, or the local store.

use std::path::Path;

use super::context::Context;
use super::error::Error;
use super::registries::existing_store;
use super::stored;
use super::validate;
use super::wanted::Wanted;
use crate::client::Store;
use crate::oci::Manifest;
use crate::package::{AGENT_YAML_NAMES, Overrides, Source, SourceError, Version};

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// On disk.
    Disk(Box<Source>),
    /// In the local store.
    Stored(Box<Manifest>, Store),
}

/// What flags say of the package.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct Changes {
    /// Description instead of the one in the package
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// Version instead of the one in the package; without a value, the one of the tag
    #[arg(long, value_name = "VERSION", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "a flag that may have a value")]
    pub set_version: Option<Option<String>>,

    /// Time of making to record, in seconds since 1970 or as 2026-01-31T12:00:00Z; without it none is
    #[arg(long, value_name = "TIME", env = "SOURCE_DATE_EPOCH", hide_env_values = true)]
    pub created: Option<String>,
}

impl Changes {
    /// What goes into the package: the flags, its name in the repository, and the version its tag says.
    pub(super) fn overrides(&self, wanted: &Wanted, source: &Source) -> Result<Overrides, Error> {
        Ok(Overrides {
            name: Some(wanted.name.package().to_owned()),
            description: self.description.clone(),
            version: self.version(wanted, source)?,
            created: self.created.as_deref().filter(|text| !text.is_empty()).map(read_time).transpose()?,
            ..Overrides::default()
        })
    }

    fn version(&self, wanted: &Wanted, source: &Source) -> Result<Option<Version>, Error> {
        let tag = wanted.tag()?;
        let of_tag = Version::from_tag(&tag);
        let differs = |tag: &Version, document: String, inside: &Version| Error::VersionDiffers {
            tag: tag.to_string(),
            document,
            inside: inside.to_string(),
        };
        match (&self.set_version, of_tag) {
            (Some(Some(text)), of_tag) => {
                let set: Version = text.parse()?;
                match of_tag {
                    Some(tag) if tag != set => Err(differs(&tag, "--set-version".to_owned(), &set)),
                    _ => Ok(Some(set)),
                }
            }
            (Some(None), Some(tag)) => Ok(Some(tag)),
            (Some(None), None) => Err(Error::WrongReference {
                text: wanted.text.clone(),
                problem: "has no version as its tag",
                hint: "write the version: `--set-version 1.2.0`",
            }),
            (None, of_tag) => match (of_tag, &source.metadata().version) {
                (Some(tag), Some(inside)) if tag != *inside => {
                    let document = source.document().file_name().unwrap_or_default().to_string_lossy();
                    Err(differs(&tag, document.into_owned(), inside))
                }
                (Some(tag), None) => Ok(Some(tag)),
                _ => Ok(None),
            },
        }
    }

    /// Refuses flags that would change what is stored as it is.
    pub(super) fn refuse_for_stored(&self) -> Result<(), Error> {
        if self.description.is_some() {
            return Err(Error::Stored("--description"));
        }
        if self.set_version.is_some() { Err(Error::Stored("--set-version")) } else { Ok(()) }
    }
}

fn read_time(text: &str) -> Result<jiff::Timestamp, Error> {
    let seconds = text.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| Error::Time(text.to_owned()))
}

/// Finds the package, and tells where.
pub(super) fn find(context: &Context, path: Option<&Path>, wanted: &Wanted) -> Result<Found, Error> {
    if let Some(path) = path {
        return Ok(Found::Disk(Box::new(validate::open(context, &context.path(path))?)));
    }
    let name = wanted.name.package();
    let mut looked = vec![];
    let here = context.path(Path::new("."));
    match here_document(&here) {
        None => looked.push(format!("./ (no {} or SKILL.md)", AGENT_YAML_NAMES[0])),
        Some(document) => match Source::open(&here) {
            Ok(source) if source.metadata().name == name => return Ok(tell(context, source)),
            Ok(source) => looked.push(format!("./{document} (it is `{}`)", source.metadata().name)),
            // Whoever stands in a folder with a broken document means that one.
            Err(_) if !context.path(Path::new(name)).is_dir() => {
                return validate::open(context, &here).map(|source| Found::Disk(Box::new(source)));
            }
            Err(_) => looked.push(format!("./{document} (it cannot be used)")),
        },
    }
    let folder = context.path(Path::new(name));
    match Source::open(&folder) {
        Ok(source) => return Ok(tell(context, source)),
        Err(SourceError::NotFound(_)) => looked.push(format!("./{name}/ (no {} or SKILL.md)", AGENT_YAML_NAMES[0])),
        Err(SourceError::Io { .. }) if !folder.exists() => looked.push(format!("./{name}/ (not there)")),
        Err(_) => return validate::open(context, &folder).map(|source| Found::Disk(Box::new(source))),
    }
    if let Some(store) = existing_store(context)?
        && let Some(reference) = stored::find(&store, wanted)?
        && let Some(manifest) = store.find(&reference)?
    {
        context.printer.note(&format!("source: {reference} in the local store"));
        return Ok(Found::Stored(Box::new(manifest), store));
    }
    looked.push(format!("the local store (no {})", wanted.local()?));
    Err(Error::NoSource { name: wanted.text.clone(), looked })
}

fn tell(context: &Context, source: Source) -> Found {
    context.printer.note(&format!("source: {}", context.shown(source.document())));
    validate::print_warnings(context, source.document(), source.warnings());
    Found::Disk(Box::new(source))
}

/// The document that makes a folder an agent, by its name alone.
fn here_document(folder: &Path) -> Option<&'static str> {
    AGENT_YAML_NAMES.into_iter().chain(["SKILL.md"]).find(|name| folder.join(name).is_file())
}
