//! `/api/v1/users/{name}/identities`: which identities from elsewhere sign a user in.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Failure, State, answer, caller, json, read};
use crate::api::texts::UserName;
use crate::api::{NewUserIdentity, Page, UserIdentity};
use crate::auth::{AccountName, AccountNameError, IssuerUrl};
use crate::index::identities::StoredIdentity;

/// Longest subject in bytes.
const MAX_SUBJECT_LENGTH: usize = 1024;

/// Which identity is meant.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The issuer.
    #[param(max_length = 256, example = "https://ci.example.com")]
    issuer: String,
    /// Who it is there.
    #[param(min_length = 1, max_length = 1024, example = "10001")]
    subject: String,
}

/// The identities that sign a user in; for the user and for administrators.
#[utoipa::path(
    get, path = "/api/v1/users/{name}/identities", operation_id = "list_identities",
    params(("name" = UserName, Path)),
    responses(
        (status = 200, body = Page<UserIdentity>),
    )
)]
pub(super) async fn list(request: HttpRequest, name: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        let found = state.registry.identities(&caller, &user(&name)?).await?;
        Ok(Page { items: found.into_iter().map(shown).collect(), next: None })
    };
    json(&request, found.await)
}

/// Lets an identity sign a user in; for administrators.
#[utoipa::path(
    put, path = "/api/v1/users/{name}/identities", operation_id = "link_identity",
    params(("name" = UserName, Path)),
    request_body(content = NewUserIdentity, example = json!({"issuer": "https://ci.example.com", "subject": "10002"})),
    responses(
        (status = 201, body = UserIdentity),
        (status = 404, description = "No such user, or no such issuer is listed."),
        (status = 409, description = "It signs in a user already."),
    )
)]
pub(super) async fn link(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let linked = async {
        let caller = caller(&request, &state)?;
        let wanted: NewUserIdentity = read(&request, payload, &state).await?;
        let issuer: IssuerUrl = wanted.issuer.parse().map_err(|error: crate::auth::IssuerError| wrong(&error))?;
        let subject = &wanted.subject;
        if subject.is_empty() || subject.len() > MAX_SUBJECT_LENGTH || subject.chars().any(char::is_control) {
            return Err(Failure::Parameter(format!("the subject must have 1 to {MAX_SUBJECT_LENGTH} bytes")));
        }
        Ok(shown(state.registry.link_identity(&caller, &user(&name)?, &issuer, subject).await?))
    };
    answer(&request, linked.await, |identity| HttpResponse::Created().json(identity))
}

/// Ends that an identity signs a user in; for administrators.
#[utoipa::path(
    delete, path = "/api/v1/users/{name}/identities", operation_id = "unlink_identity",
    params(("name" = UserName, Path), Parameters),
    responses(
        (status = 204),
        (status = 404, description = "No such user or identity."),
    )
)]
pub(super) async fn unlink(
    request: HttpRequest,
    name: web::Path<String>,
    parameters: web::Query<Parameters>,
    state: web::Data<State>,
) -> HttpResponse {
    let done = async {
        let caller = caller(&request, &state)?;
        let Parameters { issuer, subject } = parameters.into_inner();
        Ok(state.registry.unlink_identity(&caller, &user(&name)?, &issuer, &subject).await?)
    };
    answer(&request, done.await, |()| HttpResponse::NoContent().finish())
}

fn user(name: &str) -> Result<AccountName, Failure> {
    name.parse().map_err(|error: AccountNameError| wrong(&error))
}

fn wrong(error: &dyn std::error::Error) -> Failure {
    Failure::Parameter(error.to_string())
}

fn shown(stored: StoredIdentity) -> UserIdentity {
    let StoredIdentity { issuer, subject, linked_at } = stored;
    UserIdentity { issuer, subject, linked_at }
}
