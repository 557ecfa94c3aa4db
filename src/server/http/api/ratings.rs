//! `/api/v1/packages/{repository}/rating` and `…/ratings`: what users think of a package.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{account, page};
use super::packages::permit_to;
use super::{Failure, Paging, State, done, json, read};
use crate::api::texts::UserName;
use crate::api::{NewRating, Page, UserRating};
use crate::auth::{Admin, Identity, Permit, Pull};
use crate::registry::Mode;

/// What the caller thinks of a package.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/rating", security(("bearer" = []), ("basic" = [])),
    params(("repository" = String, Path)),
    responses((status = 200, body = UserRating), (status = 404, description = "No such package, or not rated."))
)]
pub(super) async fn own_rating(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async { Ok(state.registry.own_rating(&permit(&request, &state, &name)?).await?) };
    json(&request, found.await)
}

/// Rates a package, once for each user; rating again replaces the rating.
#[utoipa::path(
    put, path = "/api/v1/packages/{repository}/rating",
    params(("repository" = String, Path)),
    request_body(content = NewRating, example = json!({"stars": 5, "comment": "Answers in my own voice."})),
    responses((status = 200, body = UserRating), (status = 404, description = "No such package."))
)]
pub(super) async fn rate_package(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let rated = async {
        let permit = permit(&request, &state, &name)?;
        let rating = read::<NewRating>(&request, payload, &state).await?;
        Ok(state.registry.rate(&permit, rating).await?)
    };
    json(&request, rated.await)
}

/// Takes the caller's rating of a package away.
#[utoipa::path(
    delete, path = "/api/v1/packages/{repository}/rating",
    params(("repository" = String, Path)),
    responses((status = 204), (status = 404, description = "No such package, or not rated."))
)]
pub(super) async fn unrate_package(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async { Ok(state.registry.unrate(&permit(&request, &state, &name)?).await?) };
    done(&request, removed.await)
}

/// What users think of a package, by their names.
#[utoipa::path(
    get, path = "/api/v1/packages/{repository}/ratings",
    params(("repository" = String, Path), Paging),
    responses((status = 200, body = Page<UserRating>), (status = 404, description = "No such repository."))
)]
pub(super) async fn package_ratings(
    request: HttpRequest,
    name: web::Path<String>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let limit = paging.length()?;
        let permit = permit_to(Pull, &request, &state, &name)?;
        Ok(page::<UserRating, UserRating>(state.registry.ratings(&permit, paging.after(), limit).await?))
    };
    json(&request, found.await)
}

/// Takes somebody's rating away, as who administers the package.
#[utoipa::path(
    delete, path = "/api/v1/packages/{repository}/ratings/{user}",
    params(
        ("repository" = String, Path),
        ("user" = UserName, Path, description = "Who has rated.")
    ),
    responses((status = 204), (status = 404, description = "No such package, or not rated."))
)]
pub(super) async fn remove_rating(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let permit = permit_to(Admin, &request, &state, &path.0)?;
        Ok(state.registry.remove_rating(&permit, &account(&path.1)?).await?)
    };
    done(&request, removed.await)
}

/// Leave to rate what one may pull, for somebody who is known.
fn permit(request: &HttpRequest, state: &State, name: &str) -> Result<Permit<Pull>, Failure> {
    let permit = permit_to(Pull, request, state, name)?;
    let is_unknown = permit.identity().is_some_and(Identity::is_anonymous);
    if is_unknown && state.registry.mode() == Mode::Accounts { Err(Failure::SignIn) } else { Ok(permit) }
}
