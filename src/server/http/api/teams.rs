//! `/api/v1/organisations/{organisation}/teams`: teams and who is in them.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{account, team, wrong};
use super::{Failure, Paging, State, caller, created, done, json, read};
use crate::api::texts::{OrganisationName, TeamText, UserName};
use crate::api::{NewTeam, Page, Team, TeamChange, TeamMember};
use crate::auth::{Caller, TeamName};

/// The teams of an organisation.
#[utoipa::path(
    get, path = "/api/v1/organisations/{name}/teams", operation_id = "list_teams",
    params(("name" = OrganisationName, Path), Paging),
    responses(
        (status = 200, body = Page<Team>),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    name: web::Path<String>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let found = state.registry.teams(&caller, &name, paging.after(), paging.length()?).await?;
        Ok(Page { items: found.items.into_iter().map(|one| team(&name, one)).collect(), next: found.next })
    };
    json(&request, found.await)
}

/// Makes a team.
#[utoipa::path(
    post, path = "/api/v1/organisations/{name}/teams", operation_id = "create_team",
    params(("name" = OrganisationName, Path)),
    request_body(content = NewTeam, example = json!({"name": "reviewers", "role": "read"})),
    responses(
        (status = 201, body = Team),
        (status = 409, description = "There is such a team."),
    )
)]
pub(super) async fn create(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewTeam = read(&request, payload, &state).await?;
        let name = named(&name, &wanted.name)?;
        state.registry.create_team(&caller, &name, wanted.role.map(Into::into)).await?;
        find(&state, &caller, &name).await
    };
    created(&request, made.await)
}

/// One team.
#[utoipa::path(
    get, path = "/api/v1/organisations/{name}/teams/{team}", operation_id = "show_team",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path)),
    responses(
        (status = 200, body = Team),
    )
)]
pub(super) async fn show(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async { find(&state, &caller(&request, &state)?, &named(&names.0, &names.1)?).await };
    json(&request, found.await)
}

/// Changes what a team may do with every repository of its organisation.
#[utoipa::path(
    patch, path = "/api/v1/organisations/{name}/teams/{team}", operation_id = "change_team",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path)),
    request_body(content = TeamChange, example = json!({"role": "write"})),
    responses(
        (status = 200, body = Team),
    )
)]
pub(super) async fn change(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let changed = async {
        let (caller, name) = (caller(&request, &state)?, named(&names.0, &names.1)?);
        let change: TeamChange = read(&request, payload, &state).await?;
        state.registry.set_team_role(&caller, &name, change.role.map(Into::into)).await?;
        find(&state, &caller, &name).await
    };
    json(&request, changed.await)
}

/// Removes a team, and with it what it was granted.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{name}/teams/{team}", operation_id = "remove_team",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path)),
    responses(
        (status = 204),
    )
)]
pub(super) async fn remove(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let (caller, name) = (caller(&request, &state)?, named(&names.0, &names.1)?);
        Ok(state.registry.remove_team(&caller, &name).await?)
    };
    done(&request, removed.await)
}

/// Who is in a team.
#[utoipa::path(
    get, path = "/api/v1/organisations/{name}/teams/{team}/members", operation_id = "list_team_members",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path), Paging),
    responses(
        (status = 200, body = Page<TeamMember>),
    )
)]
pub(super) async fn members(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, named(&names.0, &names.1)?);
        let found = state.registry.team_members(&caller, &name, paging.after(), paging.length()?).await?;
        let items = found.items.into_iter().map(|(user, since)| TeamMember { user: user.to_string(), since });
        Ok(Page { items: items.collect(), next: found.next })
    };
    json(&request, found.await)
}

/// Takes a member of the organisation into a team.
#[utoipa::path(
    put, path = "/api/v1/organisations/{name}/teams/{team}/members/{user}", operation_id = "add_team_member",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path), ("user" = UserName, Path)),
    responses(
        (status = 204),
        (status = 409, description = "The user is no member of the organisation."),
    )
)]
pub(super) async fn add_member(
    request: HttpRequest,
    names: web::Path<(String, String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let added = async {
        let (caller, name, user) = (caller(&request, &state)?, named(&names.0, &names.1)?, account(&names.2)?);
        Ok(state.registry.add_team_member(&caller, &name, &user).await?)
    };
    done(&request, added.await)
}

/// Takes a user out of a team.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{name}/teams/{team}/members/{user}", operation_id = "remove_team_member",
    params(("name" = OrganisationName, Path), ("team" = TeamText, Path), ("user" = UserName, Path)),
    responses(
        (status = 204),
    )
)]
pub(super) async fn remove_member(
    request: HttpRequest,
    names: web::Path<(String, String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let (caller, name, user) = (caller(&request, &state)?, named(&names.0, &names.1)?, account(&names.2)?);
        Ok(state.registry.remove_team_member(&caller, &name, &user).await?)
    };
    done(&request, removed.await)
}

fn named(organisation: &str, name: &str) -> Result<TeamName, Failure> {
    format!("{organisation}/{name}").parse().map_err(wrong)
}

async fn find(state: &State, caller: &Caller, name: &TeamName) -> Result<Team, Failure> {
    Ok(team(name.organisation(), state.registry.team(caller, name).await?))
}
