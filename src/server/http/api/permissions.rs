//! `/api/v1/permissions`: who may do what with a repository, and why. A repository has slashes, so it is a parameter.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;

use super::convert::{self, account, wrong};
use super::{Failure, Paging, State, caller, done, json, read};
use crate::api::texts::{OrganisationName, TeamReference, UserName};
use crate::api::{Explanation, Grantee, NewPermission, Page, Permission, RepositoryAction, TriedRule};
use crate::auth::{self, Admin, Permit, Pull};
use crate::oci::RepositoryName;

/// Which repository.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Where {
    /// The repository, with its slashes.
    #[param(value_type = RepositoryName)]
    repository: String,
}

impl Where {
    pub(super) fn name(&self) -> Result<RepositoryName, Failure> {
        self.repository.parse().map_err(wrong)
    }

    /// Leave to change who may do what there.
    pub(super) fn permit(&self, request: &HttpRequest, state: &State) -> Result<Permit<Admin>, Failure> {
        Ok(state.registry.authorise(&caller(request, state)?, Admin, &self.name()?)?)
    }

    /// Leave to look at who may do what there. To who may not even pull, the repository does not exist.
    pub(super) fn permit_to_look(&self, request: &HttpRequest, state: &State) -> Result<Permit<Admin>, Failure> {
        let (caller, name) = (caller(request, state)?, self.name()?);
        state.registry.authorise(&caller, Pull, &name)?;
        Ok(state.registry.authorise(&caller, Admin, &name)?)
    }
}

/// Whose grant; exactly one of the three.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// A user.
    #[param(value_type = Option<UserName>, example = "grace")]
    user: Option<String>,
    /// A team as `organisation/team`.
    #[param(value_type = Option<TeamReference>)]
    team: Option<String>,
    /// The members of an organisation.
    #[param(value_type = Option<OrganisationName>)]
    organisation: Option<String>,
}

/// What is to be explained.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// Who.
    #[param(value_type = UserName)]
    user: String,
    /// What: `pull`, `push`, `delete` or `admin`.
    #[param(value_type = RepositoryAction)]
    action: String,
}

/// The grants on a repository, expired ones included.
#[utoipa::path(
    get, path = "/api/v1/permissions", operation_id = "list_permissions",
    params(Where, Paging),
    responses(
        (status = 200, body = Page<Permission>),
        (status = 403, description = "The caller may not administer the repository."),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    place: web::Query<Where>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let permit = place.permit_to_look(&request, &state)?;
        let found = state.registry.permissions(&permit, paging.after(), paging.length()?).await?;
        let items = found.items.into_iter().map(|grant| Permission {
            repository: permit.repository().clone(),
            grantee: (&grant.grantee).into(),
            level: grant.level.into(),
            created_at: grant.granted_at,
            expires_at: grant.expires_at,
        });
        Ok(Page { items: items.collect(), next: found.next })
    };
    json(&request, found.await)
}

/// Grants a level on a repository, instead of what was granted before.
#[utoipa::path(
    put, path = "/api/v1/permissions", operation_id = "grant_permission",
    request_body(content = NewPermission, example = json!({"repository": "acme/writer", "grantee": {"team": "acme/devs"}, "level": "write", "expires": "30d"})),
    responses(
        (status = 200, body = Permission),
        (status = 404, description = "No such repository, user, team or organisation."),
    )
)]
pub(super) async fn grant(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let granted = async {
        let caller = caller(&request, &state)?;
        let wanted: NewPermission = read(&request, payload, &state).await?;
        let permit = state.registry.authorise(&caller, Admin, &wanted.repository)?;
        let (now, grantee) = (Timestamp::now(), convert::grantee(&wanted.grantee)?);
        let expires_at = wanted.expires.and_then(|expiry| expiry.time(now));
        state.registry.grant(&permit, &grantee, wanted.level.into(), expires_at).await?;
        let NewPermission { repository, grantee, level, .. } = wanted;
        Ok(Permission { repository, grantee, level, created_at: now, expires_at })
    };
    json(&request, granted.await)
}

/// Takes a grant back, at once.
#[utoipa::path(
    delete, path = "/api/v1/permissions", operation_id = "revoke_permission",
    params(Where, Whose),
    responses(
        (status = 204),
        (status = 404, description = "Nothing is granted to them there."),
    )
)]
pub(super) async fn revoke(
    request: HttpRequest,
    place: web::Query<Where>,
    whose: web::Query<Whose>,
    state: web::Data<State>,
) -> HttpResponse {
    let revoked = async {
        let permit = place.permit(&request, &state)?;
        Ok(state.registry.revoke_grant(&permit, &grantee(&whose)?).await?)
    };
    done(&request, revoked.await)
}

/// Which rule decides whether a user may do something, and what was tried before it.
#[utoipa::path(
    get, path = "/api/v1/permissions/explain", operation_id = "explain_permission",
    params(Where, Question),
    responses(
        (status = 200, body = Explanation),
        (status = 403, description = "The caller may not administer the repository."),
    )
)]
pub(super) async fn explain(
    request: HttpRequest,
    place: web::Query<Where>,
    question: web::Query<Question>,
    state: web::Data<State>,
) -> HttpResponse {
    let explained = async {
        let (caller, repository) = (caller(&request, &state)?, place.name()?);
        let (user, action) = (account(&question.user)?, question.action.parse::<RepositoryAction>().map_err(wrong)?);
        let told = state.registry.explain(&caller, &user, action.into(), &repository).await?;
        let tried = told.tried.into_iter().map(|(rule, reason)| TriedRule { rule: rule.to_owned(), reason });
        let (user, rule) = (user.to_string(), told.rule.map(|rule| rule.to_string()));
        Ok(Explanation { user, action, repository, allowed: told.allowed, rule, tried: tried.collect() })
    };
    json(&request, explained.await)
}

fn grantee(whose: &Whose) -> Result<auth::Grantee, Failure> {
    let named = match (&whose.user, &whose.team, &whose.organisation) {
        (Some(name), None, None) => Grantee::User(name.clone()),
        (None, Some(name), None) => Grantee::Team(name.clone()),
        (None, None, Some(name)) => Grantee::Organisation(name.clone()),
        _ => return Err(Failure::Parameter("exactly one of `user`, `team` and `organisation` is needed".to_owned())),
    };
    convert::grantee(&named)
}
