//! `/api/v1/permissions`: who was granted what on a repository, and why somebody may do something there.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::words::{account, grantee, repository, wrong};
use super::{Failure, State, answer, caller, json, nothing, read, reading};
use crate::api::{Explanation, Grantee, NewPermission, Page, Permission, RepositoryAction, TriedRule};
use crate::auth::{Admin, Permit, Pull};
use crate::oci::RepositoryName;

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/permissions", reading().to(list))
        .route("/api/v1/permissions", web::put().to(grant))
        .route("/api/v1/permissions", web::delete().to(revoke))
        .route("/api/v1/permissions/explain", reading().to(explain));
}

#[derive(OpenApi)]
#[openapi(paths(list, grant, revoke, explain))]
pub(super) struct Document;

/// Which repository.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub(super) struct Place {
    /// The repository, with its slashes.
    pub(super) repository: String,
}

/// Whose grant: exactly one of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Whose {
    /// A user.
    user: Option<String>,
    /// A team as `organisation/team`.
    team: Option<String>,
    /// An organisation.
    organisation: Option<String>,
}

/// What is to be explained.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Question {
    /// Who.
    user: String,
    /// `pull`, `push`, `delete` or `admin`.
    action: String,
}

/// The grants on a repository. For who may administer it.
#[utoipa::path(
    get, path = "/api/v1/permissions", params(Place, Paging),
    responses((status = 200, body = Page<Permission>), (status = 404, description = "No such repository."))
)]
async fn list(
    request: HttpRequest,
    place: web::Query<Place>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let permit = permit_to_look(&request, &state, &place)?;
        let listed = state.registry.permissions(&permit, paging.after(), paging.limit()?).await?;
        Ok(page(listed, |grant| Permission {
            repository: permit.repository().clone(),
            grantee: (&grant.grantee).into(),
            level: grant.level.into(),
            created_at: grant.granted_at,
            expires_at: grant.expires_at,
        }))
    };
    json(&request, found.await)
}

/// Grants a level on a repository, instead of what was granted before. For who may administer it.
#[utoipa::path(
    put, path = "/api/v1/permissions", request_body = NewPermission,
    responses((status = 200, body = Permission), (status = 404, description = "No such user, team or organisation."))
)]
async fn grant(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let granted = async {
        let caller = caller(&request, &state)?;
        let wanted: NewPermission = read(&request, payload, &state).await?;
        let (to, now) = (grantee(&wanted.grantee)?, Timestamp::now());
        let expires_at = wanted.expires.and_then(|expires| expires.time(now));
        let permit = state.registry.authorise(&caller, Admin, &wanted.repository)?;
        state.registry.grant(&permit, &to, wanted.level.into(), expires_at).await?;
        let NewPermission { repository, grantee, level, .. } = wanted;
        Ok(Permission { repository, grantee, level, created_at: now, expires_at })
    };
    json(&request, granted.await)
}

/// Takes a grant back, at once. For who may administer the repository.
#[utoipa::path(
    delete, path = "/api/v1/permissions", params(Place, Whose),
    responses((status = 204, description = "Taken back."), (status = 404, description = "Nothing was granted."))
)]
async fn revoke(
    request: HttpRequest,
    place: web::Query<Place>,
    whose: web::Query<Whose>,
    state: web::Data<State>,
) -> HttpResponse {
    let revoked = async {
        let permit = state.registry.authorise(&caller(&request, &state)?, Admin, &repository(&place.repository)?)?;
        Ok(state.registry.revoke_grant(&permit, &grantee(&whose.grantee()?)?).await?)
    };
    nothing(&request, revoked.await)
}

/// Says which rule decides, and what the others lack. For who may administer the repository.
#[utoipa::path(
    get, path = "/api/v1/permissions/explain", params(Question, Place), responses((status = 200, body = Explanation))
)]
async fn explain(
    request: HttpRequest,
    question: web::Query<Question>,
    place: web::Query<Place>,
    state: web::Data<State>,
) -> HttpResponse {
    let explained = async {
        let caller = caller(&request, &state)?;
        let (user, name) = (account(&question.user)?, repository(&place.repository)?);
        let action: RepositoryAction = question.action.parse().map_err(wrong)?;
        Ok((state.registry.explain(&caller, &user, action.into(), &name).await?, user, action, name))
    };
    answer(&request, explained.await, |(explained, user, action, repository)| {
        let tried = explained.tried.into_iter();
        HttpResponse::Ok().json(Explanation {
            user: user.to_string(),
            action,
            repository,
            allowed: explained.allowed,
            rule: explained.rule.map(|rule| rule.to_string()),
            tried: tried.map(|(rule, reason)| TriedRule { rule: rule.to_owned(), reason }).collect(),
        })
    })
}

/// Leave to look at what only administrators of a repository see. To who may not even pull, it does not exist.
pub(super) fn permit_to_look(request: &HttpRequest, state: &State, place: &Place) -> Result<Permit<Admin>, Failure> {
    let (caller, name): (_, RepositoryName) = (caller(request, state)?, repository(&place.repository)?);
    state.registry.authorise(&caller, Pull, &name)?;
    Ok(state.registry.authorise(&caller, Admin, &name)?)
}

impl Whose {
    fn grantee(&self) -> Result<Grantee, Failure> {
        match (&self.user, &self.team, &self.organisation) {
            (Some(name), None, None) => Ok(Grantee::User(name.clone())),
            (None, Some(name), None) => Ok(Grantee::Team(name.clone())),
            (None, None, Some(name)) => Ok(Grantee::Organisation(name.clone())),
            _ => Err(Failure::Parameter("say whose grant: one of `user`, `team` and `organisation`".to_owned())),
        }
    }
}
