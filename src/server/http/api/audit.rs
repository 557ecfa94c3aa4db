//! `GET /api/v1/audit`: what was decided, for administrators.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Failure, Paging, State, caller, json};
use crate::api::{AuditEntry, Outcome, Page};
use crate::index::audit::{self, Filter};

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this caller only.
    user: Option<String>,
    /// About this action only, such as `push` or `user.create`.
    action: Option<String>,
    /// Not before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<String>,
}

/// Decisions that changed something or refused, the newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit",
    params(Wanted, Paging),
    responses(
        (status = 200, body = Page<AuditEntry>),
        (status = 403, description = "The caller is no administrator."),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        let found = state.registry.audit(&caller, &filter(&wanted, paging.after())?, paging.length()?).await?;
        Ok(Page { items: found.items.into_iter().map(entry).collect(), next: found.next })
    };
    json(&request, found.await)
}

fn filter(wanted: &Wanted, before: Option<&str>) -> Result<Filter, Failure> {
    let since = wanted.since.as_deref().map(str::parse::<Timestamp>).transpose();
    let since =
        since.map_err(|_| Failure::Parameter("`since` must be a time such as 2026-12-31T00:00:00Z".to_owned()))?;
    let before = before.map(str::parse).transpose().map_err(|_| crate::registry::Error::Cursor)?;
    Ok(Filter { actor: wanted.user.clone(), action: wanted.action.clone(), since, before })
}

fn entry((id, entry): (i64, audit::Entry)) -> AuditEntry {
    AuditEntry {
        id,
        at: entry.at,
        actor: entry.actor,
        credential: entry.credential,
        action: entry.action,
        object: entry.object,
        rule: entry.rule,
        outcome: match entry.outcome {
            audit::Outcome::Allowed => Outcome::Allowed,
            audit::Outcome::Denied => Outcome::Denied,
        },
        address: entry.address.map(|address| address.to_string()),
        request: entry.request,
    }
}
