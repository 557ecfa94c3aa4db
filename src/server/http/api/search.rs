//! `GET /api/v1/packages`: packages by what they are and can do.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Failure, State, caller, json, length};
use crate::api::texts::QueryText;
use crate::api::{Query, SearchPage, Sort};
use crate::registry::SearchRequest;

/// What a search may say.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The query, such as `capability:review author:ai-team -name:*test*`; everything without one.
    #[param(value_type = Option<QueryText>, example = "capability:text-generation")]
    q: Option<String>,
    /// What the page before gave as `next`, for the same query and order.
    after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// The order where the query has no `sort:`: `relevance` (the default), `updated`, `downloads`, `rating` or `name`.
    #[param(value_type = Option<Sort>)]
    sort: Option<String>,
    /// Whether to count how all the packages found divide.
    #[param(value_type = Option<bool>, example = true)]
    facets: Option<String>,
    /// Whether to know everything that was pushed before, even in the last half second; waits at most two seconds.
    #[param(value_type = Option<bool>, example = true)]
    fresh: Option<String>,
}

/// The packages that a query finds, each once, with its best version.
///
/// All words must be found, in name, description, README, capabilities or tags; if no package has all of them, those
/// with most of them are given, and `relaxed` is true. `total` and `facets` are exact, for what the caller may see.
#[utoipa::path(
    get, path = "/api/v1/packages", params(Parameters),
    responses(
        (status = 200, body = SearchPage),
        (status = 400, description = "The query or the cursor is wrong; `detail` says what, and in which column."),
        (status = 503, description = "Search is being filled; `Retry-After` says when to try again."),
    )
)]
pub(super) async fn search_packages(
    request: HttpRequest,
    parameters: web::Query<Parameters>,
    state: web::Data<State>,
) -> HttpResponse {
    json(&request, find(&request, parameters.into_inner(), &state).await)
}

async fn find(request: &HttpRequest, parameters: Parameters, state: &State) -> Result<SearchPage, Failure> {
    let wanted = SearchRequest {
        query: Query::parse(parameters.q.as_deref().unwrap_or_default(), Timestamp::now())?,
        sort: parameters.sort.as_deref().map(sort).transpose()?,
        limit: length(parameters.limit.as_deref())?,
        facets: flag("facets", parameters.facets.as_deref())?,
        fresh: flag("fresh", parameters.fresh.as_deref())?,
        after: parameters.after,
    };
    let sight = state.registry.sight(&caller(request, state)?)?;
    Ok(state.registry.search(&sight, wanted).await?)
}

fn sort(text: &str) -> Result<Sort, Failure> {
    text.parse().map_err(|_| {
        Failure::Parameter(
            "the parameter `sort` must be one of relevance, updated, downloads, rating and name".to_owned(),
        )
    })
}

/// A parameter that is true or false; false where it is left out.
pub(super) fn flag(name: &str, text: Option<&str>) -> Result<bool, Failure> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Failure::Parameter(format!("the parameter `{name}` must be true or false"))),
    }
}
