//! `agent rate`: say what one thinks of a package.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry};
use super::service::Service;
use crate::api::{MAX_STARS, NewRating, UserRating};

/// Rate a package, once for each user; rating again replaces the rating
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  agent rate team/my-agent 5\n  \
                        agent rate team/my-agent 4 --comment \"finds what I overlook\"\n  \
                        agent rate team/my-agent --remove")]
pub(super) struct Rate {
    /// Name of the package; a tag is accepted, all its versions are meant
    name: String,

    /// From 1, for bad, to 5
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_STARS)), required_unless_present = "remove")]
    stars: Option<u8>,

    /// Why; everybody who may pull the package can read it
    #[arg(long, value_name = "TEXT", conflicts_with = "remove")]
    comment: Option<String>,

    /// Take the rating back
    #[arg(long, conflicts_with = "stars")]
    remove: bool,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn rate(context: &Context, arguments: &Rate) -> Result<(), Error> {
    let (service, located) = Service::locate_catalogue(context, &arguments.name).await?;
    if !service.info().authentication {
        return Err(Error::NobodySignsIn(service.place()));
    }
    let (name, path) = (located.full_name(), format!("/api/v1/packages/{}/rating", located.repository));
    let Some(stars) = arguments.stars.filter(|_| !arguments.remove) else {
        if arguments.dry_run {
            return dry(context, &name, &format!("take the rating of {name} back"));
        }
        let _: Value = service.delete(&path).await?;
        return done(
            context,
            &json!({"repository": name, "rating": null}),
            &name,
            &format!("took the rating of {name} back"),
        );
    };
    if arguments.dry_run {
        return dry(context, &name, &format!("rate {name} with {stars}"));
    }
    let rating = NewRating { stars, comment: arguments.comment.clone() };
    let rated: UserRating = service.put(&path, &rating).await?;
    done(context, &json!({"repository": name, "rating": rated}), &name, &format!("rated {name} with {stars}"))
}
