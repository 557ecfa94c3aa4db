//! `GET /api/v1/repositories/{repository}`: what a repository holds, packages or not.

use actix_web::{HttpRequest, HttpResponse, web};

use super::packages::permit;
use super::{State, json};
use crate::api::Repository;

/// What a repository holds.
#[utoipa::path(
    get, path = "/api/v1/repositories/{repository}",
    params(("repository" = String, Path, description = "The repository, with its slashes.")),
    responses((status = 200, body = Repository), (status = 404, description = "No such repository."))
)]
pub(super) async fn repository(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let permit = permit(&request, &state, &name)?;
        Ok(state.registry.repository(&permit).await?)
    };
    json(&request, found.await)
}
