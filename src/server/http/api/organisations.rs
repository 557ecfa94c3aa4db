//! `/api/v1/organisations`: organisations, and who belongs to them.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::words::account;
use super::{State, caller, created, json, nothing, read, reading};
use crate::api::{Member, MemberChange, NewOrganisation, Organisation, OrganisationChange, Page, Removed};
use crate::{index, registry};

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/organisations", reading().to(list))
        .route("/api/v1/organisations", web::post().to(create))
        .route("/api/v1/organisations/{organisation}", reading().to(view))
        .route("/api/v1/organisations/{organisation}", web::patch().to(change))
        .route("/api/v1/organisations/{organisation}", web::delete().to(remove))
        .route("/api/v1/organisations/{organisation}/members", reading().to(list_members))
        .route("/api/v1/organisations/{organisation}/members/{user}", web::put().to(set_member))
        .route("/api/v1/organisations/{organisation}/members/{user}", web::delete().to(remove_member));
}

#[derive(OpenApi)]
#[openapi(paths(list, create, view, change, remove, list_members, set_member, remove_member))]
pub(super) struct Document;

/// The caller's organisations by name; all of them for an administrator.
#[utoipa::path(
    get, path = "/api/v1/organisations", params(Paging), responses((status = 200, body = Page<Organisation>))
)]
async fn list(request: HttpRequest, paging: web::Query<Paging>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        Ok(page(state.registry.organisations(&caller, paging.after(), paging.limit()?).await?, organisation))
    };
    json(&request, found.await)
}

/// Makes an organisation, which the caller owns.
#[utoipa::path(
    post, path = "/api/v1/organisations", request_body = NewOrganisation,
    responses((status = 201, body = Organisation), (status = 409, description = "The name is taken."))
)]
async fn create(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewOrganisation = read(&request, payload, &state).await?;
        let (name, visibility) = (account(&wanted.name)?, wanted.default_visibility.map(Into::into));
        Ok(organisation(state.registry.create_organisation(&caller, &name, visibility).await?))
    };
    created(&request, made.await)
}

/// One organisation. For its members.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation}", params(("organisation" = String, Path)),
    responses((status = 200, body = Organisation), (status = 404, description = "No such organisation."))
)]
async fn view(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found =
        async { Ok(organisation(state.registry.organisation(&caller(&request, &state)?, &account(&name)?).await?)) };
    json(&request, found.await)
}

/// Changes what is said about an organisation; what is absent stays. For its owners.
#[utoipa::path(
    patch, path = "/api/v1/organisations/{organisation}", params(("organisation" = String, Path)),
    request_body = OrganisationChange, responses((status = 200, body = Organisation))
)]
async fn change(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let changed = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let wanted: OrganisationChange = read(&request, payload, &state).await?;
        if let Some(visibility) = wanted.default_visibility {
            state.registry.set_default_visibility(&caller, &name, visibility.into()).await?;
        }
        Ok(organisation(state.registry.organisation(&caller, &name).await?))
    };
    json(&request, changed.await)
}

/// Removes an organisation that has no repositories left. For its owners.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{organisation}", params(("organisation" = String, Path)),
    responses((status = 200, body = Removed), (status = 409, description = "It still has repositories."))
)]
async fn remove(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        state.registry.remove_organisation(&caller(&request, &state)?, &account(&name)?).await?;
        Ok(Removed { name: name.to_string(), repositories: 0, packages_now_owned_by: None })
    };
    json(&request, removed.await)
}

/// Who belongs to an organisation, by name. For its members.
#[utoipa::path(
    get, path = "/api/v1/organisations/{organisation}/members", params(("organisation" = String, Path), Paging),
    responses((status = 200, body = Page<Member>), (status = 404, description = "No such organisation."))
)]
async fn list_members(
    request: HttpRequest,
    name: web::Path<String>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        Ok(page(state.registry.members(&caller, &name, paging.after(), paging.limit()?).await?, member))
    };
    json(&request, found.await)
}

/// Takes a user into an organisation, or says as what they belong to it. For its owners.
#[utoipa::path(
    put, path = "/api/v1/organisations/{organisation}/members/{user}",
    params(("organisation" = String, Path), ("user" = String, Path)), request_body = MemberChange,
    responses(
        (status = 204, description = "Done."),
        (status = 404, description = "No such user."),
        (status = 409, description = "The organisation would have no owner."),
    )
)]
async fn set_member(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let (caller, name, user) = (caller(&request, &state)?, account(&path.0)?, account(&path.1)?);
        let wanted: MemberChange = read(&request, payload, &state).await?;
        Ok(state.registry.set_member(&caller, &name, &user, wanted.role.into()).await?)
    };
    nothing(&request, set.await)
}

/// Takes a user out of an organisation and its teams. For its owners; everybody may leave.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{organisation}/members/{user}",
    params(("organisation" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "Done."), (status = 409, description = "The last owner, or no member."))
)]
async fn remove_member(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let (caller, name, user) = (caller(&request, &state)?, account(&path.0)?, account(&path.1)?);
        Ok(state.registry.remove_member(&caller, &name, &user).await?)
    };
    nothing(&request, removed.await)
}

fn organisation(seen: registry::Organisation) -> Organisation {
    Organisation {
        name: seen.account.name.to_string(),
        default_visibility: seen.account.default_visibility.into(),
        role: seen.role.map(Into::into),
        members: seen.members,
        created_at: seen.account.created_at,
    }
}

fn member(member: index::organisations::Member) -> Member {
    Member { user: member.user.to_string(), role: member.role.into(), since: member.since }
}
