//! `/api/v1/organisations/{organisation}/teams`: teams, and who is in them.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::words::{account, team};
use super::{State, caller, created, json, nothing, read, reading};
use crate::api::{NewTeam, Page, Team, TeamChange, TeamMember};
use crate::auth::AccountName;
use crate::registry::CountedTeam;

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/organisations/{organisation}/teams", reading().to(list))
        .route("/api/v1/organisations/{organisation}/teams", web::post().to(create))
        .route("/api/v1/organisations/{organisation}/teams/{team}", reading().to(view))
        .route("/api/v1/organisations/{organisation}/teams/{team}", web::patch().to(change))
        .route("/api/v1/organisations/{organisation}/teams/{team}", web::delete().to(remove))
        .route("/api/v1/organisations/{organisation}/teams/{team}/members", reading().to(list_members))
        .route("/api/v1/organisations/{organisation}/teams/{team}/members/{user}", web::put().to(add_member))
        .route("/api/v1/organisations/{organisation}/teams/{team}/members/{user}", web::delete().to(remove_member));
}

#[derive(OpenApi)]
#[openapi(paths(list, create, view, change, remove, list_members, add_member, remove_member))]
pub(super) struct Document;

/// The teams of an organisation, by name. For its members.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation}/teams", params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<Team>), (status = 404, description = "No such organisation."))
)]
async fn list(
    request: HttpRequest,
    name: web::Path<String>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let listed = state.registry.teams(&caller, &name, paging.after(), paging.limit()?).await?;
        Ok(page(listed, |team| answer(&name, team)))
    };
    json(&request, found.await)
}

/// Makes a team. For owners of the organisation.
#[utoipa::path(
    post, path = "/api/v1/organisations/{organisation}/teams", params(("organisation" = String, Path)),
    request_body = NewTeam,
    responses((status = 201, body = Team), (status = 409, description = "There is such a team."))
)]
async fn create(
    request: HttpRequest,
    organisation: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewTeam = read(&request, payload, &state).await?;
        let name = team(&organisation, &wanted.name)?;
        let team = state.registry.create_team(&caller, &name, wanted.role.map(Into::into)).await?;
        Ok(answer(name.organisation(), CountedTeam { team, members: 0 }))
    };
    created(&request, made.await)
}

/// One team. For members of the organisation.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation}/teams/{team}",
    params(("organisation" = String, Path), ("team" = String, Path)),
    responses((status = 200, body = Team), (status = 404, description = "No such team."))
)]
async fn view(request: HttpRequest, path: web::Path<(String, String)>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, team(&path.0, &path.1)?);
        Ok(answer(name.organisation(), state.registry.team(&caller, &name).await?))
    };
    json(&request, found.await)
}

/// Says what a team may do with every repository of the organisation. For its owners.
#[utoipa::path(
    patch, path = "/api/v1/organisations/{organisation}/teams/{team}",
    params(("organisation" = String, Path), ("team" = String, Path)), request_body = TeamChange,
    responses((status = 200, body = Team), (status = 404, description = "No such team."))
)]
async fn change(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let changed = async {
        let (caller, name) = (caller(&request, &state)?, team(&path.0, &path.1)?);
        let wanted: TeamChange = read(&request, payload, &state).await?;
        state.registry.set_team_role(&caller, &name, wanted.role.map(Into::into)).await?;
        Ok(answer(name.organisation(), state.registry.team(&caller, &name).await?))
    };
    json(&request, changed.await)
}

/// Removes a team, and with it what it was granted. For owners of the organisation.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{organisation}/teams/{team}",
    params(("organisation" = String, Path), ("team" = String, Path)),
    responses((status = 204, description = "Removed."), (status = 404, description = "No such team."))
)]
async fn remove(request: HttpRequest, path: web::Path<(String, String)>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        let (caller, name) = (caller(&request, &state)?, team(&path.0, &path.1)?);
        Ok(state.registry.remove_team(&caller, &name).await?)
    };
    nothing(&request, removed.await)
}

/// Who is in a team, by name. For members of the organisation.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation}/teams/{team}/members",
    params(("organisation" = String, Path), ("team" = String, Path), Paging),
    responses((status = 200, body = Page<TeamMember>), (status = 404, description = "No such team."))
)]
async fn list_members(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, team(&path.0, &path.1)?);
        let listed = state.registry.team_members(&caller, &name, paging.after(), paging.limit()?).await?;
        Ok(page(listed, |(user, since): (AccountName, Timestamp)| TeamMember { user: user.to_string(), since }))
    };
    json(&request, found.await)
}

/// Puts a member of the organisation into a team. For its owners.
#[utoipa::path(
    put, path = "/api/v1/organisations/{organisation}/teams/{team}/members/{user}",
    params(("organisation" = String, Path), ("team" = String, Path), ("user" = String, Path)),
    responses(
        (status = 204, description = "Done."),
        (status = 404, description = "No such team or user."),
        (status = 409, description = "The user is not in the organisation."),
    )
)]
async fn add_member(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let added = async {
        let (caller, name, user) = (caller(&request, &state)?, team(&path.0, &path.1)?, account(&path.2)?);
        Ok(state.registry.add_team_member(&caller, &name, &user).await?)
    };
    nothing(&request, added.await)
}

/// Takes a user out of a team. For owners of the organisation.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{organisation}/teams/{team}/members/{user}",
    params(("organisation" = String, Path), ("team" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "Done."), (status = 404, description = "No such team, or not in it."))
)]
async fn remove_member(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let (caller, name, user) = (caller(&request, &state)?, team(&path.0, &path.1)?, account(&path.2)?);
        Ok(state.registry.remove_team_member(&caller, &name, &user).await?)
    };
    nothing(&request, removed.await)
}

fn answer(organisation: &AccountName, counted: CountedTeam) -> Team {
    Team {
        organisation: organisation.to_string(),
        name: counted.team.name,
        role: counted.team.role.map(Into::into),
        members: counted.members,
        created_at: counted.team.created_at,
    }
}
