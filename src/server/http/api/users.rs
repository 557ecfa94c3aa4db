//! `/api/v1/users`: users, their passwords, and names that were freed.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::words::{account, wrong};
use super::{State, caller, created, json, nothing, read, reading};
use crate::api::{AdministratorChange, NewPassword, NewUser, Page, Removed, User};
use crate::auth::{AccountAction, Password};
use crate::index::accounts::Account;
use crate::registry;

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/users", reading().to(list))
        .route("/api/v1/users", web::post().to(create))
        .route("/api/v1/users/{name}", reading().to(view))
        .route("/api/v1/users/{name}", web::delete().to(remove))
        .route("/api/v1/users/{name}/password", web::put().to(set_password))
        .route("/api/v1/users/{name}/administrator", web::put().to(set_administrator))
        .route("/api/v1/accounts/{name}/free", web::post().to(free));
}

#[derive(OpenApi)]
#[openapi(paths(list, create, view, remove, set_password, set_administrator, free))]
pub(super) struct Document;

/// All users by name. For administrators.
#[utoipa::path(get, path = "/api/v1/users", params(Paging), responses((status = 200, body = Page<User>)))]
async fn list(request: HttpRequest, paging: web::Query<Paging>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        Ok(page(state.registry.users(&caller, paging.after(), paging.limit()?).await?, user))
    };
    json(&request, found.await)
}

/// Makes a user. For administrators.
#[utoipa::path(
    post, path = "/api/v1/users", request_body = NewUser,
    responses((status = 201, body = User), (status = 409, description = "The name is taken."))
)]
async fn create(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewUser = read(&request, payload, &state).await?;
        let (name, is_administrator) = (account(&wanted.name)?, wanted.is_administrator);
        let password = match &wanted.password {
            Some(text) => {
                let password = Password::parse(text.expose()).map_err(wrong)?;
                let action = AccountAction::CreateUser { name: &name, as_administrator: is_administrator };
                Some(state.registry.hash_password(&caller, action, password).await?)
            }
            None => None,
        };
        let new = registry::NewUser { name, password, is_administrator };
        Ok(user(state.registry.create_user(&caller, new).await?))
    };
    created(&request, made.await)
}

/// One user. For administrators, and the user.
#[utoipa::path(
    get, path = "/api/v1/users/{name}", params(("name" = String, Path)),
    responses((status = 200, body = User), (status = 404, description = "No such user."))
)]
async fn view(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async { Ok(user(state.registry.user(&caller(&request, &state)?, &account(&name)?).await?)) };
    json(&request, found.await)
}

/// Removes a user. Repositories stay, and are owned by whoever removes them. For administrators.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", params(("name" = String, Path)),
    responses(
        (status = 200, body = Removed, description = "Removed; says who owns what is left."),
        (status = 409, description = "The last administrator, or the last owner of an organisation."),
    )
)]
async fn remove(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        let removed = state.registry.remove_user(&caller(&request, &state)?, &account(&name)?).await?;
        let packages_now_owned_by = removed.now_owned_by.map(|heir| heir.to_string());
        Ok(Removed { name: name.to_string(), repositories: removed.repositories, packages_now_owned_by })
    };
    json(&request, removed.await)
}

/// Sets a password. For administrators, and the user; with a token only if that reaches everything.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/password", params(("name" = String, Path)), request_body = NewPassword,
    responses((status = 204, description = "Set; sign-ins by the old one have ended."))
)]
async fn set_password(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let wanted: NewPassword = read(&request, payload, &state).await?;
        let password = Password::parse(wanted.password.expose()).map_err(wrong)?;
        let hash = state.registry.hash_password(&caller, AccountAction::SetPassword(&name), password).await?;
        Ok(state.registry.set_password(&caller, &name, Some(hash)).await?)
    };
    nothing(&request, set.await)
}

/// Makes a user an administrator, or takes that back. For administrators.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/administrator", params(("name" = String, Path)),
    request_body = AdministratorChange,
    responses((status = 204, description = "Done."), (status = 409, description = "The last administrator."))
)]
async fn set_administrator(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let wanted: AdministratorChange = read(&request, payload, &state).await?;
        Ok(state.registry.set_administrator(&caller, &name, wanted.is_administrator).await?)
    };
    nothing(&request, set.await)
}

/// Lets the name of a removed account be taken again. For administrators.
#[utoipa::path(
    post, path = "/api/v1/accounts/{name}/free", params(("name" = String, Path)),
    responses(
        (status = 204, description = "Anybody may take it now."),
        (status = 404, description = "There never was such an account."),
        (status = 409, description = "The account is there."),
    )
)]
async fn free(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let freed = async { Ok(state.registry.free_name(&caller(&request, &state)?, &account(&name)?).await?) };
    nothing(&request, freed.await)
}

fn user(account: Account) -> User {
    User {
        name: account.name.to_string(),
        is_administrator: account.is_administrator,
        has_password: account.password_at.is_some(),
        default_visibility: account.default_visibility.into(),
        created_at: account.created_at,
    }
}
