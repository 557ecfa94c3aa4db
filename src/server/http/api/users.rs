//! `/api/v1/users`: users listed, made, changed and removed.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{account, page, wrong};
use super::{Failure, Paging, State, answer, caller, created, done, json, read};
use crate::api::texts::UserName;
use crate::api::{AdministratorChange, NewPassword, NewUser, Page, Removed, User};
use crate::auth::{AccountAction, Caller, Password};
use crate::registry;

/// Users by name, for administrators.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "list_users",
    params(Paging),
    responses(
        (status = 200, body = Page<User>),
        (status = 403, description = "The caller is no administrator."),
    )
)]
pub(super) async fn list(request: HttpRequest, paging: web::Query<Paging>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let found = state.registry.users(&caller(&request, &state)?, paging.after(), paging.length()?).await?;
        Ok(page::<_, User>(found))
    };
    json(&request, found.await)
}

/// Makes a user.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "create_user",
    request_body(content = NewUser, example = json!({"name": "hopper", "password": "battery staple horse"})),
    responses(
        (status = 201, body = User),
        (status = 409, description = "The name is taken."),
    )
)]
pub(super) async fn create(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let wanted: NewUser = read(&request, payload, &state).await?;
        let name = account(&wanted.name)?;
        let password = match &wanted.password {
            Some(password) => {
                let action = AccountAction::CreateUser { name: &name, as_administrator: wanted.is_administrator };
                Some(hash(&state, &caller, action, password.expose()).await?)
            }
            None => None,
        };
        let new = registry::NewUser { name, password, is_administrator: wanted.is_administrator };
        Ok(User::from(state.registry.create_user(&caller, new).await?))
    };
    created(&request, made.await)
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{name}", operation_id = "show_user",
    params(("name" = UserName, Path)),
    responses(
        (status = 200, body = User),
    )
)]
pub(super) async fn show(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async { Ok(User::from(state.registry.user(&caller(&request, &state)?, &account(&name)?).await?)) };
    json(&request, found.await)
}

/// Removes a user; the answer says whose the repositories are now.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}", operation_id = "remove_user",
    params(("name" = UserName, Path)),
    responses(
        (status = 200, body = Removed),
        (status = 409, description = "An organisation would lose its last owner, or the registry its last administrator."),
    )
)]
pub(super) async fn remove(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let removed = async {
        let name = account(&name)?;
        let removed = state.registry.remove_user(&caller(&request, &state)?, &name).await?;
        let owner = removed.now_owned_by.map(|owner| owner.to_string());
        Ok(Removed { name: name.to_string(), repositories: removed.repositories, packages_now_owned_by: owner })
    };
    json(&request, removed.await)
}

/// Sets a user's password. Sign-ins that were made with the old one end.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/password", operation_id = "set_user_password",
    params(("name" = UserName, Path)),
    request_body(content = NewPassword, example = json!({"password": "battery staple horse"})),
    responses(
        (status = 204),
    )
)]
pub(super) async fn set_password(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let (caller, name) = (caller(&request, &state)?, account(&name)?);
        let wanted: NewPassword = read(&request, payload, &state).await?;
        let action = AccountAction::SetPassword(&name);
        let hash = hash(&state, &caller, action, wanted.password.expose()).await?;
        Ok(state.registry.set_password(&caller, &name, Some(hash)).await?)
    };
    done(&request, set.await)
}

/// Makes a user an administrator, or takes that back.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/administrator", operation_id = "set_user_administrator",
    params(("name" = UserName, Path)),
    request_body(content = AdministratorChange, example = json!({"is_administrator": true})),
    responses(
        (status = 204),
        (status = 409, description = "There would be no administrator."),
    )
)]
pub(super) async fn set_administrator(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let set = async {
        let caller = caller(&request, &state)?;
        let AdministratorChange { is_administrator } = read(&request, payload, &state).await?;
        Ok(state.registry.set_administrator(&caller, &account(&name)?, is_administrator).await?)
    };
    done(&request, set.await)
}

/// Lets the name of a removed account be taken again.
#[utoipa::path(
    post, path = "/api/v1/accounts/{name}/free", operation_id = "free_account_name",
    params(("name" = UserName, Path, example = "alan")),
    responses(
        (status = 204),
        (status = 409, description = "The account was not removed."),
    )
)]
pub(super) async fn free(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let freed = async { Ok(state.registry.free_name(&caller(&request, &state)?, &account(&name)?).await?) };
    answer(&request, freed.await, |()| HttpResponse::NoContent().finish())
}

/// What is stored of a password. Only for somebody known: hashing is slow.
async fn hash(state: &State, caller: &Caller, action: AccountAction<'_>, text: &str) -> Result<String, Failure> {
    let password = Password::parse(text).map_err(wrong)?;
    Ok(state.registry.hash_password(caller, action, password).await?)
}
