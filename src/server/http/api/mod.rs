//! The REST API under `/api/v1`: the catalogue for the command and for programs, described by OpenAPI.

mod audit;
mod backup;
mod identities;
mod oidc;
mod organisations;
mod packages;
mod paging;
mod permissions;
mod publishers;
mod repositories;
mod search;
mod signing_keys;
mod tag_rules;
mod teams;
mod tokens;
mod users;
mod words;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::body::Body;
use super::caller::caller;
use super::error::{Failure, problem};
use super::{State, reading};
use crate::api::RegistryInfo;
use crate::auth::{AccountName, Caller};
use crate::registry::Mode;

/// Largest request in bytes.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Every path of the API. A repository has slashes in its name, so the longer paths come first.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1", reading().to(info))
        .route("/api/v1/", reading().to(info))
        .route("/api/v1/openapi.json", reading().to(document))
        .route("/api/v1/admin/backup", reading().to(backup::status))
        .route("/api/v1/admin/backup", web::post().to(backup::start))
        .route("/api/v1/oidc/token", web::post().to(oidc::exchange))
        .route("/api/v1/users/{name}/identities", reading().to(identities::list))
        .route("/api/v1/users/{name}/identities", web::put().to(identities::link))
        .route("/api/v1/users/{name}/identities", web::delete().to(identities::unlink))
        .route("/api/v1/packages", reading().to(search::search))
        .route("/api/v1/packages/{repository:.+}/versions/{version}", reading().to(packages::version))
        .route("/api/v1/packages/{repository:.+}/versions", reading().to(packages::versions))
        .route("/api/v1/packages/{repository:.+}", reading().to(packages::package))
        .configure(repositories::routes)
        .configure(users::routes)
        .configure(organisations::routes)
        .configure(teams::routes)
        .configure(tokens::routes)
        .configure(permissions::routes)
        .configure(tag_rules::routes)
        .configure(publishers::routes)
        .configure(audit::routes)
        .configure(signing_keys::routes);
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
        backup::start,
        backup::status,
        oidc::exchange,
        identities::list,
        identities::link,
        identities::unlink
    )
)]
struct Document;

/// The description of the REST API (OpenAPI 3.1) as JSON.
pub fn openapi() -> serde_json::Result<String> {
    let mut whole = Document::openapi();
    for part in [
        repositories::Document::openapi(),
        users::Document::openapi(),
        organisations::Document::openapi(),
        teams::Document::openapi(),
        tokens::Document::openapi(),
        permissions::Document::openapi(),
        tag_rules::Document::openapi(),
        publishers::Document::openapi(),
        audit::Document::openapi(),
        signing_keys::Document::openapi(),
    ] {
        whole.merge(part);
    }
    whole.to_pretty_json()
}

/// What this registry is.
#[utoipa::path(get, path = "/api/v1", responses((status = 200, body = RegistryInfo)))]
async fn info(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let info = caller(&request, &state).map(|caller| RegistryInfo {
        name: RegistryInfo::NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        default_namespace: caller
            .identity()
            .user()
            .map_or(RegistryInfo::DEFAULT_NAMESPACE, AccountName::as_str)
            .to_owned(),
        authentication: state.registry.mode() == Mode::Accounts,
        audience: state.elsewhere.audience().map(str::to_owned),
        sign_in: state.elsewhere.sign_in(),
    });
    json(&request, info)
}

async fn document(request: HttpRequest) -> HttpResponse {
    answer(&request, openapi().map_err(|error| Failure::Parameter(error.to_string())), |text| {
        HttpResponse::Ok().content_type("application/json").body(text)
    })
}

/// One use case's result as an answer.
fn answer<T>(request: &HttpRequest, result: Result<T, Failure>, write: impl FnOnce(T) -> HttpResponse) -> HttpResponse {
    result.map_or_else(|failure| problem(request, failure), write)
}

/// The answer of most endpoints.
fn json<T: serde::Serialize>(request: &HttpRequest, result: Result<T, Failure>) -> HttpResponse {
    answer(request, result, |value| HttpResponse::Ok().json(value))
}

/// The answer where something was made.
fn created<T: serde::Serialize>(request: &HttpRequest, result: Result<T, Failure>) -> HttpResponse {
    answer(request, result, |value| HttpResponse::Created().json(value))
}

/// The answer where there is nothing to say.
fn nothing(request: &HttpRequest, result: Result<(), Failure>) -> HttpResponse {
    answer(request, result, |()| HttpResponse::NoContent().finish())
}

/// The caller, who must be an administrator.
fn administrator(request: &HttpRequest, state: &State) -> Result<Caller, Failure> {
    let caller = caller(request, state)?;
    if state.registry.is_administrator(&caller)? {
        Ok(caller)
    } else if caller.identity().is_anonymous() {
        Err(Failure::SignIn)
    } else {
        Err(Failure::NotAdministrator)
    }
}

/// The body of a request, as JSON.
async fn read<T: serde::de::DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<T, Failure> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json =
        media_type.is_some_and(|text| text.split(';').next().is_some_and(|text| text.trim() == "application/json"));
    if !is_json {
        // A page in a browser cannot send this type to another site unasked.
        return Err(Failure::Parameter("the body must be of type application/json".to_owned()));
    }
    let body = Body::new(payload, state.body_idle).whole(MAX_REQUEST_BYTES).await?;
    serde_json::from_slice(&body).map_err(|error| Failure::Parameter(format!("the body is wrong: {error}")))
}

/// How long a page may be, as a caller wrote it.
fn length(limit: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = limit else { return Ok(crate::api::DEFAULT_PAGE_LENGTH) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Failure::Parameter("the parameter `limit` must be a whole number, 1 or more".to_owned()))
}
