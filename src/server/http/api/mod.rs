//! The REST API under `/api/v1`: the catalogue for the command and for programs, described by OpenAPI.

mod audit;
mod backup;
mod completion;
mod convert;
mod docs;
mod downloads;
mod event_stream;
mod events;
mod identities;
mod me;
mod notices;
mod oidc;
mod organisations;
mod packages;
mod permissions;
mod publishers;
mod ratings;
mod repositories;
mod search;
mod signing_keys;
mod tag_rules;
mod teams;
mod tokens;
mod unmatched;
mod users;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use completion::Completion;
use utoipa::OpenApi;

use super::body::Body;
use super::caller::caller;
use super::error::{Failure, Problem, problem};
use super::manners::CACHEABLE;
use super::{State, reading};
use crate::api::texts::{QueryText, TeamReference, VersionReference};
use crate::api::{NewToken, RegistryInfo, Sort};
use crate::auth::{AccountName, Caller};
use crate::oci::RepositoryName;
use crate::registry::Mode;

pub(super) use unmatched::unmatched;

/// Largest request in bytes.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Every path of the API. A repository has slashes in its name, so the longer paths come first.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1", reading().to(info))
        .route("/api/v1/", reading().to(info))
        .route("/api/v1/openapi.json", reading().to(document))
        .route("/api/v1/docs", reading().to(docs::page))
        .route("/api/v1/docs/{file}", reading().to(docs::file))
        .route("/api/v1/admin/backup", reading().to(backup::status))
        .route("/api/v1/admin/backup", web::post().to(backup::start))
        .route("/api/v1/events", reading().to(events::events))
        .route("/api/v1/packages", reading().to(search::search_packages))
        .configure(opinions)
        .route("/api/v1/packages/{repository:.+}/versions/{version}", reading().to(packages::version))
        .route("/api/v1/packages/{repository:.+}/versions", reading().to(packages::versions))
        .route("/api/v1/packages/{repository:.+}/resolve", reading().to(packages::resolve))
        .route("/api/v1/packages/{repository:.+}", reading().to(packages::package))
        .route("/api/v1/repositories/{repository:.+}", reading().to(repositories::repository))
        .route("/api/v1/repositories/{repository:.+}", web::put().to(repositories::put))
        .configure(people)
        .configure(rights)
        .configure(elsewhere);
}

/// Those about what is said of packages, and how often they are pulled.
fn opinions(app: &mut web::ServiceConfig) {
    const YANK: &str = "/api/v1/packages/{repository:.+}/versions/{version}/yank";
    const DEPRECATION: &str = "/api/v1/packages/{repository:.+}/versions/{version}/deprecation";
    const PACKAGE_DEPRECATION: &str = "/api/v1/packages/{repository:.+}/deprecation";
    const RATING: &str = "/api/v1/packages/{repository:.+}/rating";
    app.route(YANK, web::put().to(notices::yank_version))
        .route(YANK, web::delete().to(notices::unyank_version))
        .route(DEPRECATION, web::put().to(notices::deprecate_version))
        .route(DEPRECATION, web::delete().to(notices::undeprecate_version))
        .route(PACKAGE_DEPRECATION, web::put().to(notices::deprecate_package))
        .route(PACKAGE_DEPRECATION, web::delete().to(notices::undeprecate_package))
        .route("/api/v1/packages/{repository:.+}/downloads", reading().to(downloads::package_downloads))
        .route(RATING, reading().to(ratings::own_rating))
        .route(RATING, web::put().to(ratings::rate_package))
        .route(RATING, web::delete().to(ratings::unrate_package))
        .route("/api/v1/packages/{repository:.+}/ratings", reading().to(ratings::package_ratings))
        .route("/api/v1/packages/{repository:.+}/ratings/{user}", web::delete().to(ratings::remove_rating));
}

/// Those about identities from elsewhere.
fn elsewhere(app: &mut web::ServiceConfig) {
    const IDENTITIES: &str = "/api/v1/users/{name}/identities";
    app.route("/api/v1/oidc/token", web::post().to(oidc::exchange))
        .route(IDENTITIES, reading().to(identities::list))
        .route(IDENTITIES, web::put().to(identities::link))
        .route(IDENTITIES, web::delete().to(identities::unlink));
}

/// Those about people and their credentials.
fn people(app: &mut web::ServiceConfig) {
    const ORGANISATION: &str = "/api/v1/organisations/{name}";
    const MEMBER: &str = "/api/v1/organisations/{name}/members/{user}";
    const TEAM: &str = "/api/v1/organisations/{name}/teams/{team}";
    const TEAM_MEMBER: &str = "/api/v1/organisations/{name}/teams/{team}/members/{user}";
    app.route("/api/v1/me", reading().to(me::me))
        .route("/api/v1/login", web::post().to(me::login))
        .route("/api/v1/users", reading().to(users::list))
        .route("/api/v1/users", web::post().to(users::create))
        .route("/api/v1/users/{name}", reading().to(users::show))
        .route("/api/v1/users/{name}", web::delete().to(users::remove))
        .route("/api/v1/users/{name}/password", web::put().to(users::set_password))
        .route("/api/v1/users/{name}/administrator", web::put().to(users::set_administrator))
        .route("/api/v1/accounts/{name}/free", web::post().to(users::free))
        .route("/api/v1/organisations", reading().to(organisations::list))
        .route("/api/v1/organisations", web::post().to(organisations::create))
        .route(ORGANISATION, reading().to(organisations::show))
        .route(ORGANISATION, web::patch().to(organisations::change))
        .route(ORGANISATION, web::delete().to(organisations::remove))
        .route("/api/v1/organisations/{name}/members", reading().to(organisations::members))
        .route(MEMBER, web::put().to(organisations::set_member))
        .route(MEMBER, web::delete().to(organisations::remove_member))
        .route("/api/v1/organisations/{name}/teams", reading().to(teams::list))
        .route("/api/v1/organisations/{name}/teams", web::post().to(teams::create))
        .route(TEAM, reading().to(teams::show))
        .route(TEAM, web::patch().to(teams::change))
        .route(TEAM, web::delete().to(teams::remove))
        .route("/api/v1/organisations/{name}/teams/{team}/members", reading().to(teams::members))
        .route(TEAM_MEMBER, web::put().to(teams::add_member))
        .route(TEAM_MEMBER, web::delete().to(teams::remove_member));
}

/// Those about tokens, permissions and what was decided.
fn rights(app: &mut web::ServiceConfig) {
    app.route("/api/v1/tokens", reading().to(tokens::list))
        .route("/api/v1/tokens", web::post().to(tokens::create))
        .route("/api/v1/tokens/{id}", web::delete().to(tokens::revoke))
        .route("/api/v1/tokens/{id}/rotate", web::post().to(tokens::rotate))
        .route("/api/v1/permissions", reading().to(permissions::list))
        .route("/api/v1/permissions", web::put().to(permissions::grant))
        .route("/api/v1/permissions", web::delete().to(permissions::revoke))
        .route("/api/v1/permissions/explain", reading().to(permissions::explain))
        .route("/api/v1/tag-rules", reading().to(tag_rules::list))
        .route("/api/v1/tag-rules", web::put().to(tag_rules::set))
        .route("/api/v1/tag-rules", web::delete().to(tag_rules::clear))
        .route("/api/v1/publishers", reading().to(publishers::list))
        .route("/api/v1/publishers", web::post().to(publishers::create))
        .route("/api/v1/publishers/{id}", web::delete().to(publishers::remove))
        .route("/api/v1/audit", reading().to(audit::list))
        .route("/api/v1/admin/signing-keys/rotate", web::post().to(signing_keys::rotate));
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Agent Registry",
        description = "Find AI agents and their versions, and say who may do what with them: the catalogue above the \
                       OCI distribution API, which moves their bytes under `/v2/`.\n\nLists come in pages `{items, next}`: \
                       give `next` as `after` for the next one. Errors are problem details (RFC 9457); their \
                       `request_id` is also in the header `X-Request-Id` of every answer.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    modifiers(&Completion),
    components(schemas(QueryText, RepositoryName, Sort, TeamReference, VersionReference)),
    paths(
        info,
        search::search_packages,
        events::events,
        packages::package,
        packages::versions,
        packages::version,
        packages::resolve,
        notices::yank_version,
        notices::unyank_version,
        notices::deprecate_version,
        notices::undeprecate_version,
        notices::deprecate_package,
        notices::undeprecate_package,
        downloads::package_downloads,
        ratings::own_rating,
        ratings::rate_package,
        ratings::unrate_package,
        ratings::package_ratings,
        ratings::remove_rating,
        repositories::repository,
        repositories::put,
        backup::start,
        backup::status,
        me::me,
        me::login,
        users::list,
        users::create,
        users::show,
        users::remove,
        users::set_password,
        users::set_administrator,
        users::free,
        organisations::list,
        organisations::create,
        organisations::show,
        organisations::change,
        organisations::remove,
        organisations::members,
        organisations::set_member,
        organisations::remove_member,
        teams::list,
        teams::create,
        teams::show,
        teams::change,
        teams::remove,
        teams::members,
        teams::add_member,
        teams::remove_member,
        tokens::list,
        tokens::create,
        tokens::revoke,
        tokens::rotate,
        permissions::list,
        permissions::grant,
        permissions::revoke,
        permissions::explain,
        publishers::list,
        publishers::create,
        publishers::remove,
        tag_rules::list,
        tag_rules::set,
        tag_rules::clear,
        audit::list,
        signing_keys::rotate,
        oidc::exchange,
        identities::list,
        identities::link,
        identities::unlink
    )
)]
struct Document;

/// The description of the REST API (OpenAPI 3.1) as JSON.
pub fn openapi() -> serde_json::Result<String> {
    Document::openapi().to_pretty_json()
}

/// What this registry is.
#[utoipa::path(
    get, path = "/api/v1", operation_id = "show_registry",
    responses(
        (status = 200, body = RegistryInfo),
    )
)]
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
        HttpResponse::Ok().content_type("application/json").insert_header(CACHEABLE).body(text)
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

/// The answer that something was made.
fn created<T: serde::Serialize>(request: &HttpRequest, result: Result<T, Failure>) -> HttpResponse {
    answer(request, result, |value| HttpResponse::Created().json(value))
}

/// The same where the answer shows a secret, which nobody on the way may keep.
fn created_secret(request: &HttpRequest, result: Result<NewToken, Failure>) -> HttpResponse {
    answer(request, result, |made| {
        HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(made)
    })
}

/// The answer that something was done, of which there is no more to say.
fn done(request: &HttpRequest, result: Result<(), Failure>) -> HttpResponse {
    answer(request, result, |()| HttpResponse::NoContent().finish())
}

/// Which page of a list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

impl Paging {
    fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    fn length(&self) -> Result<usize, Failure> {
        length(self.limit.as_deref())
    }
}

/// The caller, who must be known where there are accounts.
fn somebody(request: &HttpRequest, state: &State) -> Result<Caller, Failure> {
    let caller = caller(request, state)?;
    let is_unknown = caller.identity().is_anonymous() && state.registry.mode() == Mode::Accounts;
    if is_unknown { Err(Failure::SignIn) } else { Ok(caller) }
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
        return Err(Failure::BodyType);
    }
    let body = Body::new(payload, state.body_idle).whole(MAX_REQUEST_BYTES).await?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::Parameter(format!("the body is wrong: {}", without_value(&error.to_string()))))
}

/// What is wrong with a body, without the text that stands where another type should: it may be a password.
fn without_value(error: &str) -> String {
    let told = error.strip_prefix("invalid type: string \"").and_then(|rest| rest.rsplit_once("\", expected "));
    told.map_or_else(|| error.to_owned(), |(_, expected)| format!("invalid type: string, expected {expected}"))
}

/// How long a page may be, as a caller wrote it.
fn length(limit: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = limit else { return Ok(crate::api::DEFAULT_PAGE_LENGTH) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Failure::Parameter("the parameter `limit` must be a whole number, 1 or more".to_owned()))
}
