//! `/api/v1/packages/{repository}/versions/{version}/yank` and `…/deprecation`: what is said of versions.

use actix_web::{HttpRequest, HttpResponse, web};

use super::packages::permit_to;
use super::{Failure, State, json, read};
use crate::api::{NewNotice, VersionState};
use crate::auth::Push;
use crate::package::{Version, VersionError};

/// Takes a version back: ranges, `latest` and search leave it out. By its tag and digest it can still be pulled, with a
/// warning. Where it is yanked already, the message is replaced.
#[utoipa::path(
    put, path = "/api/v1/packages/{repository}/versions/{version}/yank",
    params(
        ("repository" = String, Path),
        ("version" = String, Path, description = "A version, such as `1.2.3`.", example = "1.0.0")
    ),
    request_body(content = NewNotice, example = json!({"message": "It sends every letter twice."})),
    responses(
        (status = 200, description = "What is said of the version now.", body = VersionState),
        (status = 404, description = "No such version.")
    )
)]
pub(super) async fn yank_version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &path.0)?;
        let (version, notice) = (version(&path.1)?, read::<NewNotice>(&request, payload, &state).await?);
        Ok(state.registry.yank(&permit, &version, notice).await?)
    };
    json(&request, said.await)
}

/// Takes a yank back. What is not yanked stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/packages/{repository}/versions/{version}/yank",
    params(
        ("repository" = String, Path),
        ("version" = String, Path, description = "A version, such as `1.2.3`.", example = "1.0.0")
    ),
    responses(
        (status = 200, description = "What is said of the version now.", body = VersionState),
        (status = 404, description = "No such version.")
    )
)]
pub(super) async fn unyank_version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &path.0)?;
        Ok(state.registry.unyank(&permit, &version(&path.1)?).await?)
    };
    json(&request, said.await)
}

/// Says that a version should no longer be begun with. Nothing leaves it out, but pulls of it carry a warning.
#[utoipa::path(
    put, path = "/api/v1/packages/{repository}/versions/{version}/deprecation",
    params(
        ("repository" = String, Path),
        ("version" = String, Path, description = "A version, such as `1.2.3`.", example = "1.0.0")
    ),
    request_body(content = NewNotice, example = json!({"message": "2 is better.", "superseded_by": "acme/writer:2.0.0"})),
    responses(
        (status = 200, description = "What is said of the version now.", body = VersionState),
        (status = 404, description = "No such version.")
    )
)]
pub(super) async fn deprecate_version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &path.0)?;
        let (version, notice) = (version(&path.1)?, read::<NewNotice>(&request, payload, &state).await?);
        Ok(state.registry.deprecate(&permit, Some(&version), notice).await?)
    };
    json(&request, said.await)
}

/// Takes the deprecation of a version back. That of its package, if there is one, stays.
#[utoipa::path(
    delete, path = "/api/v1/packages/{repository}/versions/{version}/deprecation",
    params(
        ("repository" = String, Path),
        ("version" = String, Path, description = "A version, such as `1.2.3`.", example = "1.0.0")
    ),
    responses(
        (status = 200, description = "What is said of the version now.", body = VersionState),
        (status = 404, description = "No such version.")
    )
)]
pub(super) async fn undeprecate_version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &path.0)?;
        Ok(state.registry.undeprecate(&permit, Some(&version(&path.1)?)).await?)
    };
    json(&request, said.await)
}

/// Says that all of a package should no longer be begun with, whichever version.
#[utoipa::path(
    put, path = "/api/v1/packages/{repository}/deprecation",
    params(("repository" = String, Path)),
    request_body(content = NewNotice, example = json!({"message": "It is called author now.", "superseded_by": "acme/author"})),
    responses(
        (status = 200, description = "What is said of the package now.", body = VersionState),
        (status = 404, description = "No such package.")
    )
)]
pub(super) async fn deprecate_package(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &name)?;
        let notice = read::<NewNotice>(&request, payload, &state).await?;
        Ok(state.registry.deprecate(&permit, None, notice).await?)
    };
    json(&request, said.await)
}

/// Takes the deprecation of a package back. Those of single versions stay.
#[utoipa::path(
    delete, path = "/api/v1/packages/{repository}/deprecation",
    params(("repository" = String, Path)),
    responses(
        (status = 200, description = "What is said of the package now.", body = VersionState),
        (status = 404, description = "No such package.")
    )
)]
pub(super) async fn undeprecate_package(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<State>,
) -> HttpResponse {
    let said = async {
        let permit = permit_to(Push, &request, &state, &name)?;
        Ok(state.registry.undeprecate(&permit, None).await?)
    };
    json(&request, said.await)
}

/// A version, or the tag that carries one.
fn version(text: &str) -> Result<Version, Failure> {
    let wrong = |error: VersionError| Failure::Parameter(format!("only versions are yanked and deprecated: {error}"));
    text.replace('_', "+").parse().map_err(wrong)
}
