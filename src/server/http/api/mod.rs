//! The REST API under `/api/v1`: the catalogue for the command and for programs, described by OpenAPI.

mod backup;
mod packages;
mod repositories;
mod search;

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::error::{Failure, problem};
use super::{State, caller, reading};
use crate::api::RegistryInfo;

/// Every path of the API. A repository has slashes in its name, so the longer paths come first.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1", reading().to(info))
        .route("/api/v1/", reading().to(info))
        .route("/api/v1/openapi.json", reading().to(document))
        .route("/api/v1/admin/backup", reading().to(backup::status))
        .route("/api/v1/admin/backup", web::post().to(backup::start))
        .route("/api/v1/packages", reading().to(search::search))
        .route("/api/v1/packages/{repository:.+}/versions/{version}", reading().to(packages::version))
        .route("/api/v1/packages/{repository:.+}/versions", reading().to(packages::versions))
        .route("/api/v1/packages/{repository:.+}", reading().to(packages::package))
        .route("/api/v1/repositories/{repository:.+}", reading().to(repositories::repository));
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Agent Registry", description = "The catalogue of agents above the distribution API."),
    paths(
        info,
        search::search,
        packages::package,
        packages::versions,
        packages::version,
        repositories::repository,
        backup::start,
        backup::status
    )
)]
struct Document;

/// The description of the REST API (OpenAPI 3.1) as JSON.
pub fn openapi() -> serde_json::Result<String> {
    Document::openapi().to_pretty_json()
}

/// What this registry is.
#[utoipa::path(get, path = "/api/v1", responses((status = 200, body = RegistryInfo)))]
async fn info() -> HttpResponse {
    HttpResponse::Ok().json(RegistryInfo {
        name: RegistryInfo::NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        default_namespace: RegistryInfo::DEFAULT_NAMESPACE.to_owned(),
        authentication: false,
        audience: None,
        sign_in: vec![],
    })
}

async fn document(request: HttpRequest) -> HttpResponse {
    answer(&request, openapi().map_err(|error| Failure::Parameter(error.to_string())), |text| {
        HttpResponse::Ok().content_type("application/json").body(text)
    })
}

/// One use case's result as an answer.
fn answer<T>(request: &HttpRequest, result: Result<T, Failure>, write: impl FnOnce(T) -> HttpResponse) -> HttpResponse {
    result.map_or_else(|failure| problem(request, &failure), write)
}

/// The answer of most endpoints.
fn json<T: serde::Serialize>(request: &HttpRequest, result: Result<T, Failure>) -> HttpResponse {
    answer(request, result, |value| HttpResponse::Ok().json(value))
}

/// How long a page may be, as a caller wrote it.
fn length(limit: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = limit else { return Ok(crate::api::DEFAULT_PAGE_LENGTH) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Failure::Parameter("the parameter `limit` must be a whole number, 1 or more".to_owned()))
}
