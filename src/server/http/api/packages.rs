//! `GET /api/v1/packages/{repository}`: one package, its versions, and each of them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Failure, State, caller, json, length};
use crate::api::{Hit, Package, Page};
use crate::auth::{Action, Permit, Pull};
use crate::oci::{ErrorCode, RepositoryName, RouteError, Target};

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

/// Everything known of a package: of its highest stable version, else of what `latest` or another tag points at.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}",
    params(("repository" = String, Path, description = "The repository, with its slashes.")),
    responses((status = 200, body = Package), (status = 404, description = "No such package."))
)]
pub(super) async fn package(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let permit = permit(&request, &state, &name)?;
        Ok(state.registry.package(&permit, None).await?)
    };
    json(&request, found.await)
}

/// The versions of a package, the newest first.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/versions",
    params(("repository" = String, Path, description = "The repository, with its slashes."), Parameters),
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

/// Everything known of one version.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/versions/{version}",
    params(
        ("repository" = String, Path, description = "The repository, with its slashes."),
        ("version" = String, Path, description = "A tag, a version or a digest.")
    ),
    responses((status = 200, body = Package), (status = 404, description = "No such package or version."))
)]
pub(super) async fn version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let (name, version) = path.into_inner();
    let found = async {
        let permit = permit(&request, &state, &name)?;
        let target = target(&version)?;
        Ok(state.registry.package(&permit, Some(&target)).await?)
    };
    json(&request, found.await)
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

/// A digest, a tag, or a version whose `+` a tag cannot hold.
fn target(text: &str) -> Result<Target, Failure> {
    if text.contains(':') {
        let digest = text.parse();
        return digest
            .map(Target::Digest)
            .map_err(|error: crate::oci::DigestError| invalid(ErrorCode::DigestInvalid, error.to_string()));
    }
    let tag = text.replace('+', "_").parse();
    tag.map(Target::Tag).map_err(|error: crate::oci::TagError| invalid(ErrorCode::ManifestUnknown, error.to_string()))
}

fn invalid(code: ErrorCode, message: String) -> Failure {
    RouteError::Invalid { code, message }.into()
}
