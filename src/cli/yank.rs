//! `agent yank` and `agent unyank`: take a version back, or bring it back.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry};
use super::registries::Located;
use super::service::Service;
use super::wanted::Wanted;
use crate::api::{NewNotice, VersionState};
use crate::client::Selector;
use crate::oci::Tag;
use crate::package::Version;

/// Take a version back: it is no longer found or chosen, only pulled by its exact name
///
/// Ranges, `latest` and search leave it out. Whoever names the version or its digest still gets it, with a warning.
#[derive(Args, Debug)]
#[command(after_help = "Example: agent yank my-agent:1.2.0 --message \"loses messages longer than a page\"")]
pub(super) struct Yank {
    /// Name and version as `name:1.2.0`
    name: String,

    /// Why; whoever pulls it is told
    #[arg(long, value_name = "TEXT", default_value_t)]
    message: String,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Bring a version back that was yanked
#[derive(Args, Debug)]
#[command(after_help = "Example: agent unyank my-agent:1.2.0")]
pub(super) struct Unyank {
    /// Name and version as `name:1.2.0`
    name: String,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn yank(context: &Context, arguments: &Yank) -> Result<(), Error> {
    let place = Place::find(context, &arguments.name).await?;
    let name = place.name();
    if arguments.dry_run {
        return dry(context, &name, &format!("yank {name}"));
    }
    let notice = NewNotice { message: arguments.message.clone(), superseded_by: None };
    let state: VersionState = place.service.put(&place.path("yank"), &notice).await?;
    done(context, &json!({"reference": name, "state": state}), &name, &format!("yanked {name}"))?;
    context.printer.note(&format!("whoever names it still gets it; `agent unyank {}` brings it back", arguments.name));
    Ok(())
}

pub(super) async fn unyank(context: &Context, arguments: &Unyank) -> Result<(), Error> {
    let place = Place::find(context, &arguments.name).await?;
    let name = place.name();
    if arguments.dry_run {
        return dry(context, &name, &format!("bring {name} back"));
    }
    let state: VersionState = place.service.delete(&place.path("yank")).await?;
    done(context, &json!({"reference": name, "state": state}), &name, &format!("{name} is not yanked any more"))
}

/// A version that is there, or a package.
pub(super) struct Place {
    pub(super) service: Service,
    located: Located,
    version: Option<Version>,
}

impl Place {
    /// The version of this name.
    async fn find(context: &Context, text: &str) -> Result<Self, Error> {
        let place = Self::find_any(context, text).await?;
        match place.version {
            Some(_) => Ok(place),
            None => Err(Error::WrongReference {
                text: text.to_owned(),
                problem: "names no version",
                hint: "write `name:1.2.0`; `agent deprecate` takes a name alone",
            }),
        }
    }

    /// The version of this name, or the package where the name has none.
    pub(super) async fn find_any(context: &Context, text: &str) -> Result<Self, Error> {
        let version = version_of(&Wanted::parse(text)?)?;
        let (service, located) = Service::locate_catalogue(context, text).await?;
        let place = Self { service, located, version };
        // It must be there, so that a slip is told before anything is done, and by `--dry-run` too.
        let path = match &place.version {
            // Of a package whose versions are all yanked there is no record.
            None => format!("/api/v1/repositories/{}", place.located.repository),
            Some(version) => format!("/api/v1/packages/{}/versions/{}", place.located.repository, version.tag()),
        };
        place.service.get::<Value>(&path, &place.name()).await?;
        Ok(place)
    }

    /// The path of what is said of it.
    pub(super) fn path(&self, what: &str) -> String {
        let base = format!("/api/v1/packages/{}", self.located.repository);
        match &self.version {
            None => format!("{base}/{what}"),
            Some(version) => format!("{base}/versions/{}/{what}", version.tag()),
        }
    }

    /// Its full reference.
    pub(super) fn name(&self) -> String {
        let tag = self.version.as_ref().map(Version::tag);
        tag.map_or_else(|| self.located.full_name(), |tag: &Tag| self.located.tagged(tag).to_string())
    }
}

fn version_of(wanted: &Wanted) -> Result<Option<Version>, Error> {
    let wrong = |problem| Error::WrongReference {
        text: wanted.text.clone(),
        problem,
        hint: "write `name:1.2.0`: only versions are yanked and deprecated, whatever other tags point at them",
    };
    match &wanted.selector {
        Selector::Default => Ok(None),
        Selector::Tag(tag) => Version::from_tag(tag).map(Some).ok_or_else(|| wrong("names a tag that is no version")),
        Selector::Digest(_) => Err(wrong("names a digest, not a version")),
        Selector::Range(_) => Err(wrong("names a range, not a version")),
    }
}
