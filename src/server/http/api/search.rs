//! `GET /api/v1/packages`: packages by what they are and can do.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Failure, State, caller, json, length};
use crate::api::texts::QueryText;
use crate::api::{Hit, Page, Query};

/// What a search may say.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The query, such as `capability:review author:ai-team -name:*test*`; everything without one.
    #[param(value_type = Option<QueryText>)]
    q: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Package versions that a query matches, by repository, the newest of each first.
#[utoipa::path(
    get, path = "/api/v1/packages", params(Parameters),
    responses((status = 200, body = Page<Hit>), (status = 400, description = "The query is wrong; `detail` says where."))
)]
pub(super) async fn search(
    request: HttpRequest,
    parameters: web::Query<Parameters>,
    state: web::Data<State>,
) -> HttpResponse {
    json(&request, find(&request, &parameters, &state).await)
}

async fn find(request: &HttpRequest, parameters: &Parameters, state: &State) -> Result<Page<Hit>, Failure> {
    let limit = length(parameters.limit.as_deref())?;
    let query = Query::parse(parameters.q.as_deref().unwrap_or_default(), Timestamp::now())?;
    let sight = state.registry.sight(&caller(request, state)?)?;
    Ok(state.registry.search(&sight, &query, parameters.after.as_deref(), limit).await?)
}
