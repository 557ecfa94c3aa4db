//! `/api/v1/packages/{repository}/downloads`: how often a package was pulled, by days.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::packages::permit_to;
use super::{Failure, State, json, length};
use crate::api::Downloads;
use crate::auth::Pull;
use crate::registry::KEPT_DAYS;

/// Days of an answer where the caller does not say.
const DEFAULT_DAYS: u32 = 30;

/// Which days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// How many days, today included: 1 to 400, by default 30.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 400, example = 30)]
    days: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// How often a package was pulled: all together, and by day and version.
///
/// One GET of a manifest by tag or digest counts for each client, manifest and clock hour. HEAD, blobs, answers without
/// a body (304), and manifests about others, such as signatures, do not count. A client is who signed in; of the others,
/// whoever comes from the same IPv4 address or IPv6 network of 64 bits is one, of whom nothing is stored. Written every
/// second; what is not written yet when the registry is killed is lost, and a client may count twice in the hour of a
/// restart.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/downloads",
    params(("repository" = String, Path), Which),
    responses((status = 200, body = Downloads), (status = 404, description = "No such repository."))
)]
pub(super) async fn package_downloads(
    request: HttpRequest,
    name: web::Path<String>,
    wanted: web::Query<Which>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (days, limit) = (days(wanted.days.as_deref())?, length(wanted.limit.as_deref())?);
        let permit = permit_to(Pull, &request, &state, &name)?;
        Ok(state.registry.downloads(&permit, days, wanted.after.as_deref(), limit).await?)
    };
    json(&request, found.await)
}

fn days(text: Option<&str>) -> Result<u32, Failure> {
    let Some(text) = text else { return Ok(DEFAULT_DAYS) };
    let days = text.parse().ok().filter(|days| (1..=KEPT_DAYS).contains(days));
    days.ok_or_else(|| Failure::Parameter(format!("the parameter `days` must be a whole number, 1 to {KEPT_DAYS}")))
}
