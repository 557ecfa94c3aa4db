//! `/api/v1/repositories/{repository}`: what a repository holds, packages or not, and who may see it.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::wrong;
use super::packages::permit;
use super::{Failure, State, answer, caller, json, read};
use crate::api::{Repository, RepositorySettings};
use crate::auth::{Admin, Caller, Permit, Pull, Push, Visibility};
use crate::oci::RepositoryName;
use crate::registry::{Creation, Mode};

/// What a repository holds.
#[utoipa::path(
    get, path = "/api/v1/repositories/{repository}", operation_id = "show_repository",
    security((), ("bearer" = []), ("basic" = [])),
    params(("repository" = RepositoryName, Path)),
    responses(
        (status = 200, body = Repository),
    )
)]
pub(super) async fn repository(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async { show(&state, &permit(&request, &state, &name)?).await };
    json(&request, found.await)
}

/// Makes a repository that is seen by these from the first byte on, or changes who sees it.
#[utoipa::path(
    put, path = "/api/v1/repositories/{repository}", operation_id = "put_repository",
    params(("repository" = RepositoryName, Path)),
    request_body(content = RepositorySettings, example = json!({"visibility": "org"})),
    responses(
        (status = 200, body = Repository, description = "It was there, and is as wanted now."),
        (status = 201, body = Repository, description = "It was made."),
        (status = 403, description = "The caller may not make it, or not change it."),
    )
)]
pub(super) async fn put(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let settled = async {
        let (caller, name) = (caller(&request, &state)?, name.parse::<RepositoryName>().map_err(wrong)?);
        state.registry.check_accounts()?;
        let RepositorySettings { visibility } = read(&request, payload, &state).await?;
        let is_new = make_or_change(&state, &caller, &name, visibility.into()).await?;
        let shown = show(&state, &state.registry.authorise(&caller, Pull, &name)?).await?;
        Ok((shown, is_new))
    };
    answer(&request, settled.await, |(repository, is_new)| {
        let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
        response.json(repository)
    })
}

/// Whether it is new. To make one takes the right to push, to change one the right to administer it.
async fn make_or_change(
    state: &State,
    caller: &Caller,
    name: &RepositoryName,
    wanted: Visibility,
) -> Result<bool, Failure> {
    // Who may administer but not push, as with a narrow token, can still change what is there.
    if let Ok(permit) = state.registry.authorise(caller, Push, name) {
        match state.registry.create_repository(&permit, wanted).await? {
            Creation::Created => return Ok(true),
            Creation::Existing(found) if found == wanted => return Ok(false),
            Creation::Existing(_) => {}
        }
    }
    let permit = state.registry.authorise(caller, Admin, name)?;
    state.registry.set_visibility(&permit, wanted).await?;
    Ok(false)
}

async fn show(state: &State, permit: &Permit<Pull>) -> Result<Repository, Failure> {
    let mut found = state.registry.repository(permit).await?;
    if state.registry.mode() == Mode::Accounts {
        found.visibility = Some(state.registry.visibility(permit).await?.into());
    }
    Ok(found)
}
