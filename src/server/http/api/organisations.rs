//! `/api/v1/organisations`: organisations and who belongs to them.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{account, page};
use super::{Paging, State, caller, created, done, json, read};
use crate::api::texts::{OrganisationName, UserName};
use crate::api::{Member, MemberChange, NewOrganisation, Organisation, OrganisationChange, Page, Removed};

/// Organisations by name: the caller's own, or all for an administrator.
#[utoipa::path(
    get, path = "/api/v1/organisations", operation_id = "list_organisations",
    params(Paging),
    responses(
        (status = 200, body = Page<Organisation>),
    )
)]
pub(super) async fn list(request: HttpRequest, paging: web::Query<Paging>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        let found = state.registry.organisations(&caller, paging.after(), paging.length()?).await?;
        Ok(page::<_, Organisation>(found))
    };
    json(&request, found.await)
}

/// Makes an organisation, which the caller owns.
#[utoipa::path(
    post, path = "/api/v1/organisations", operation_id = "create_organisation",
    request_body(content = NewOrganisation, example = json!({"name": "initech", "default_visibility": "private"})),
    responses(
        (status = 201, body = Organisation),
        (status = 409, description = "The name is taken."),
    )
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewOrganisation = read(&request, payload, &state).await?;
        let (name, visibility) = (account(&wanted.name)?, wanted.default_visibility.map(Into::into));
        Ok(Organisation::from(state.registry.create_organisation(&caller, &name, visibility).await?))
    };
    created(&request, made.await)
}

/// One organisation.
#[utoipa::path(
    get, path = "/api/v1/organisations/{name}", operation_id = "show_organisation",
    params(("name" = OrganisationName, Path)),
    responses(
        (status = 200, body = Organisation),
    )
)]
pub(super) async fn show(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        Ok(Organisation::from(state.registry.organisation(&caller, &account(&name)?).await?))
    };
    json(&request, found.await)
}

/// Changes what new repositories of an organisation are.
#[utoipa::path(
    patch, path = "/api/v1/organisations/{name}", operation_id = "change_organisation",
    params(("name" = OrganisationName, Path)),
    request_body(content = OrganisationChange, example = json!({"default_visibility": "org"})),
    responses(
        (status = 200, body = Organisation),
    )
)]
pub(super) async fn change(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let changed = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let change: OrganisationChange = read(&request, payload, &state).await?;
        if let Some(visibility) = change.default_visibility {
            state.registry.set_default_visibility(&caller, &name, visibility.into()).await?;
        }
        Ok(Organisation::from(state.registry.organisation(&caller, &name).await?))
    };
    json(&request, changed.await)
}

/// Removes an organisation that has no repositories left.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{name}", operation_id = "remove_organisation",
    params(("name" = OrganisationName, Path, example = "umbrella")),
    responses(
        (status = 200, body = Removed),
        (status = 409, description = "It still has repositories."),
    )
)]
pub(super) async fn remove(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        let name = account(&name)?;
        state.registry.remove_organisation(&caller(&request, &state)?, &name).await?;
        Ok(Removed { name: name.to_string(), repositories: 0, packages_now_owned_by: None })
    };
    json(&request, removed.await)
}

/// Who belongs to an organisation.
#[utoipa::path(
    get, path = "/api/v1/organisations/{name}/members", operation_id = "list_members",
    params(("name" = OrganisationName, Path), Paging),
    responses(
        (status = 200, body = Page<Member>),
    )
)]
pub(super) async fn members(
    request: HttpRequest,
    name: web::Path<String>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        Ok(page::<_, Member>(state.registry.members(&caller, &name, paging.after(), paging.length()?).await?))
    };
    json(&request, found.await)
}

/// Takes a user into an organisation, or changes as what they belong to it.
#[utoipa::path(
    put, path = "/api/v1/organisations/{name}/members/{user}", operation_id = "set_member",
    params(("name" = OrganisationName, Path), ("user" = UserName, Path)),
    request_body(content = MemberChange, example = json!({"role": "owner"})),
    responses(
        (status = 204),
        (status = 409, description = "The organisation would lose its last owner."),
    )
)]
pub(super) async fn set_member(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let (caller, name, user) = (caller(&request, &state)?, account(&names.0)?, account(&names.1)?);
        let change: MemberChange = read(&request, payload, &state).await?;
        Ok(state.registry.set_member(&caller, &name, &user, change.role.into()).await?)
    };
    done(&request, set.await)
}

/// Takes a user out of an organisation and its teams.
#[utoipa::path(
    delete, path = "/api/v1/organisations/{name}/members/{user}", operation_id = "remove_member",
    params(("name" = OrganisationName, Path), ("user" = UserName, Path)),
    responses(
        (status = 204),
        (status = 409, description = "The organisation would lose its last owner."),
    )
)]
pub(super) async fn remove_member(
    request: HttpRequest,
    names: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let removed = async {
        let (caller, name, user) = (caller(&request, &state)?, account(&names.0)?, account(&names.1)?);
        Ok(state.registry.remove_member(&caller, &name, &user).await?)
    };
    done(&request, removed.await)
}
