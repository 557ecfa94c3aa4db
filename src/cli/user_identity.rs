//! `agent user link` and `agent user unlink`: which identities from elsewhere sign a user in.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::Error;
use super::listing::{done, dry};
use super::service::Service;
use crate::api::{NewUserIdentity, UserIdentity};
use crate::oci::percent_encode;

/// Let an identity from elsewhere sign a user in
#[derive(Args, Debug)]
#[command(after_help = "Example: agent user link ada --issuer https://id.example.com --subject 248289761001")]
pub(super) struct Link {
    #[command(flatten)]
    identity: Identity,
}

/// End that an identity from elsewhere signs a user in
#[derive(Args, Debug)]
pub(super) struct Unlink {
    #[command(flatten)]
    identity: Identity,
}

#[derive(Args, Debug)]
struct Identity {
    /// Name of the user
    name: String,

    /// Address of the issuer, exactly as its tokens have it
    #[arg(long, value_name = "URL")]
    issuer: String,

    /// Who it is there: the claim `sub` of the identity token
    #[arg(long, value_name = "SUBJECT")]
    subject: String,

    /// Change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn link(context: &Context, arguments: Link) -> Result<(), Error> {
    let Identity { name, issuer, subject, dry_run } = arguments.identity;
    let service = Service::connect(context).await?;
    if dry_run {
        return dry(context, &name, &format!("let {subject} of {issuer} sign in as {name}"));
    }
    let path = format!("/api/v1/users/{}/identities", percent_encode(&name));
    let made: UserIdentity = service.put(&path, &NewUserIdentity { issuer, subject }).await?;
    done(context, &made, &name, &format!("{} of {} signs in as {name}", made.subject, made.issuer))
}

pub(super) async fn unlink(context: &Context, arguments: Unlink) -> Result<(), Error> {
    let Identity { name, issuer, subject, dry_run } = arguments.identity;
    let service = Service::connect(context).await?;
    let text = format!("{subject} of {issuer} signs in as {name} no more");
    if dry_run {
        return dry(context, &name, &format!("see to it that {text}"));
    }
    let query = format!("issuer={}&subject={}", percent_encode(&issuer), percent_encode(&subject));
    let _: Value = service.delete(&format!("/api/v1/users/{}/identities?{query}", percent_encode(&name))).await?;
    done(context, &json!({"issuer": issuer, "subject": subject}), &name, &text)
}
