//! `/api/v1/repositories/{repository}`: what a repository holds, packages or not, and who sees it.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::words::repository;
use super::{Failure, State, answer, caller, json, read, reading};
use crate::api::{Repository, RepositorySettings};
use crate::auth::{Admin, Caller, Pull, Push, Visibility};
use crate::oci::RepositoryName;
use crate::registry::{Creation, Error, Mode};

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/repositories/{repository:.+}", reading().to(view))
        .route("/api/v1/repositories/{repository:.+}", web::put().to(settle));
}

#[derive(OpenApi)]
#[openapi(paths(view, settle))]
pub(super) struct Document;

/// What a repository holds.
#[utoipa::path(
    get, path = "/api/v1/repositories/{repository}",
    params(("repository" = String, Path, description = "The repository, with its slashes.")),
    responses((status = 200, body = Repository), (status = 404, description = "No such repository."))
)]
async fn view(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let permit = state.registry.authorise(&caller(&request, &state)?, Pull, &repository(&name)?)?;
        Ok(state.registry.repository(&permit).await?)
    };
    json(&request, found.await)
}

/// Makes a repository before anything is in it, or changes who sees one that is there. To make one takes the right to
/// push, to change one the right to administer it.
#[utoipa::path(
    put, path = "/api/v1/repositories/{repository}",
    params(("repository" = String, Path, description = "The repository, with its slashes.")),
    request_body = RepositorySettings,
    responses(
        (status = 200, body = RepositorySettings, description = "It is as wanted."),
        (status = 201, body = RepositorySettings, description = "It is new, and as wanted."),
        (status = 403, description = "It may not be made, or not be changed, by this caller."),
    )
)]
async fn settle(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let settled = async {
        let (caller, name) = (caller(&request, &state)?, repository(&name)?);
        let settings: RepositorySettings = read(&request, payload, &state).await?;
        if state.registry.mode() == Mode::Open {
            return Err(Error::NoAccounts.into());
        }
        Ok((make_or_change(&state, &caller, &name, settings.visibility.into()).await?, settings))
    };
    answer(&request, settled.await, |(is_new, settings)| {
        let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
        response.json(settings)
    })
}

/// Whether it is new.
async fn make_or_change(
    state: &State,
    caller: &Caller,
    name: &RepositoryName,
    visibility: Visibility,
) -> Result<bool, Failure> {
    // Who may administer and not push, as with a narrow token, can change what is there.
    if let Ok(permit) = state.registry.authorise(caller, Push, name) {
        match state.registry.create_repository(&permit, visibility).await? {
            Creation::Created => return Ok(true),
            Creation::Existing(found) if found == visibility => return Ok(false),
            Creation::Existing(_) => {}
        }
    }
    let permit = state.registry.authorise(caller, Admin, name)?;
    state.registry.set_visibility(&permit, visibility).await?;
    Ok(false)
}
