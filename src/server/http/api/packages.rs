//! `GET /api/v1/packages/{repository}`: one package, its versions, each of them, and which one is meant.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::search::flag;
use super::{Failure, State, caller, json, length};
use crate::api::texts::VersionReference;
use crate::api::{Hit, Package, Page, Resolved};
use crate::auth::{Action, Permit, Pull};
use crate::oci::{ErrorCode, RepositoryName, RouteError};
use crate::registry::Mode;

/// Which page of the versions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// Most entries in the page: 1 to 1000, by default 100.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// Which versions count.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Counting {
    /// Whether all pre-releases between the bounds of a range are in it, too. By default only those with the three numbers
    /// of a pre-release that the range names.
    #[param(value_type = Option<bool>)]
    pre: Option<String>,
}

/// What is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// A version, a tag, a digest, `latest`, or a range such as `^1.2`, `~1`, `1.x`, `>=1, <2` or `*`.
    #[param(value_type = VersionReference, example = "^1.0")]
    version: String,
    /// Whether all pre-releases between the bounds of a range are in it, too. By default only those with the three numbers
    /// of a pre-release that the range names.
    #[param(value_type = Option<bool>)]
    pre: Option<String>,
}

/// Everything known of a package: of its highest stable version, else of what `latest` or another tag points at.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}", operation_id = "show_package",
    params(("repository" = String, Path)),
    responses(
        (status = 200, body = Package),
        (status = 404, description = "No such package, or every version was yanked; what else is there is said."),
    )
)]
pub(super) async fn package(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    json(&request, record(&request, &state, &name, None, false).await)
}

/// Which manifest a version, a tag, a digest or a range means now. Ranges and `latest` mean no yanked version; `latest`
/// is the tag of that name, else the highest stable version.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/resolve", operation_id = "resolve_version",
    params(("repository" = String, Path), Asked),
    responses(
        (status = 200, body = Resolved),
        (status = 400, description = "The text is no version, tag, digest or range; what is allowed is said."),
        (status = 404, description = "Nothing is meant; the nearest versions are named."),
    )
)]
pub(super) async fn resolve(
    request: HttpRequest,
    name: web::Path<String>,
    asked: web::Query<Asked>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let permit = permit(&request, &state, &name)?;
        let pre = flag("pre", asked.pre.as_deref())?;
        Ok(state.registry.resolve(&permit, &asked.version.parse()?, pre).await?)
    };
    json(&request, found.await)
}

/// The versions of a package, the newest first, yanked ones too; downloads are each version's own.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/versions", operation_id = "list_versions",
    params(("repository" = String, Path), Parameters),
    responses((status = 200, body = Page<Hit>), (status = 404, description = "No such repository."))
)]
pub(super) async fn versions(
    request: HttpRequest,
    name: web::Path<String>,
    parameters: web::Query<Parameters>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let limit = length(parameters.limit.as_deref())?;
        let permit = permit(&request, &state, &name)?;
        Ok(state.registry.versions(&permit, parameters.after.as_deref(), limit).await?)
    };
    json(&request, found.await)
}

/// Everything known of one version: of a digest, a tag, a version, `latest`, or the highest version in a range.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/versions/{version}", operation_id = "show_version",
    params(
        ("repository" = String, Path),
        ("version" = VersionReference, Path, description = "A version, a tag, a digest, `latest`, or a range."),
        Counting
    ),
    responses(
        (status = 200, body = Package),
        (status = 400, description = "The text is no version, tag, digest or range; what is allowed is said."),
        (status = 404, description = "No such package or version; the nearest versions are named."),
    )
)]
pub(super) async fn version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    counting: web::Query<Counting>,
    state: web::Data<State>,
) -> HttpResponse {
    let (name, version) = path.into_inner();
    let found = async {
        let pre = flag("pre", counting.pre.as_deref())?;
        record(&request, &state, &name, Some(&version), pre).await
    };
    json(&request, found.await)
}

async fn record(
    request: &HttpRequest,
    state: &State,
    name: &str,
    version: Option<&str>,
    pre: bool,
) -> Result<Package, Failure> {
    let permit = permit(request, state, name)?;
    let wanted = version.map(str::parse).transpose()?;
    let mut package = state.registry.package(&permit, wanted.as_ref(), pre).await?;
    if state.registry.mode() == Mode::Accounts {
        package.visibility = Some(state.registry.visibility(&permit).await?.into());
    }
    Ok(package)
}

pub(super) fn permit(request: &HttpRequest, state: &State, name: &str) -> Result<Permit<Pull>, Failure> {
    permit_to(Pull, request, state, name)
}

/// Leave to do something to the repository that a path names.
pub(super) fn permit_to<A: Action>(
    action: A,
    request: &HttpRequest,
    state: &State,
    name: &str,
) -> Result<Permit<A>, Failure> {
    let name: RepositoryName =
        name.parse().map_err(|error: crate::oci::NameError| invalid(ErrorCode::NameInvalid, error.to_string()))?;
    Ok(state.registry.authorise(&caller(request, state)?, action, &name)?)
}

fn invalid(code: ErrorCode, message: String) -> Failure {
    RouteError::Invalid { code, message }.into()
}
