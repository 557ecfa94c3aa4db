//! Lists of the distribution API, page by page: repositories, tags, referrers.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use super::answers::next_page;
use super::{Call, Failure};
use crate::auth::Pull;
use crate::oci::{Descriptor, Digest, MediaType, Page, RepositoryName, Route, Tag, known};
use crate::registry::Mode;

#[derive(Serialize)]
struct Repositories {
    repositories: Vec<RepositoryName>,
}

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a RepositoryName,
    tags: Vec<Tag>,
}

/// An image index that is made for one answer and stored nowhere.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrers {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// The repositories in sight.
pub(super) async fn catalog(call: &Call, page: &Page) -> Result<HttpResponse, Failure> {
    let registry = &call.state.registry;
    let is_known = !call.caller.identity().is_anonymous() && call.caller.reach().lists_all();
    if registry.mode() == Mode::Accounts && !is_known {
        return Err(Failure::SignIn);
    }
    let found = registry.catalogue(&registry.sight(&call.caller)?, page).await?;
    let mut response = HttpResponse::Ok();
    if let Some(last) = found.next {
        response.insert_header(next_page(&Route::Catalog(Page { n: page.n, last: Some(last) })));
    }
    Ok(response.json(Repositories { repositories: found.items }))
}

/// The tags of a repository.
pub(super) async fn tags(call: &Call, name: &RepositoryName, page: &Page) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Pull, name)?;
    let found = call.state.registry.tags(&permit, page).await?;
    let mut response = HttpResponse::Ok();
    if let Some(last) = found.next {
        response.insert_header(next_page(&Route::Tags(name.clone(), Page { n: page.n, last: Some(last) })));
    }
    Ok(response.json(Tags { name, tags: found.items }))
}

/// The manifests about another one.
pub(super) async fn referrers(
    call: &Call,
    name: &RepositoryName,
    subject: &Digest,
    kinds: &[MediaType],
    page: &Page,
) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Pull, name)?;
    let found = call.state.registry.referrers(&permit, subject, kinds, page).await?;
    let mut response = HttpResponse::Ok();
    // Exactly this, without parameters: some clients compare byte for byte.
    response.insert_header((header::CONTENT_TYPE, known::OCI_INDEX));
    if !kinds.is_empty() {
        response.insert_header(("oci-filters-applied", "artifactType"));
    }
    if let Some(last) = found.next {
        let next = Page { n: page.n, last: Some(last) };
        response.insert_header(next_page(&Route::Referrers(name.clone(), *subject, kinds.to_vec(), next)));
    }
    let index = Referrers { schema_version: 2, media_type: known::OCI_INDEX, manifests: found.items };
    // A referrer's descriptors were read from JSON, so they can be written as JSON.
    Ok(response.body(serde_json::to_string(&index).unwrap_or_default()))
}
