//! `GET /api/v1/audit`: what was done and what was denied, for administrators.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::{Failure, State, caller, json, reading};
use crate::api::{AuditEntry, Page};
use crate::index::audit::{Entry, Filter};

/// Longest text that entries are sought by, in bytes: more than any actor or action has.
const MAX_FILTER_LENGTH: usize = 256;

/// The path of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/audit", reading().to(list));
}

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(super) struct Document;

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Parameters {
    /// Only of this user, or of an actor as entries name it.
    user: Option<String>,
    /// Only of this action, such as `push` or `user.create`.
    action: Option<String>,
    /// Only from this time on (RFC 3339).
    since: Option<String>,
}

/// Entries of the audit, the newest first. For administrators.
#[utoipa::path(
    get, path = "/api/v1/audit", params(Parameters, Paging), responses((status = 200, body = Page<AuditEntry>))
)]
async fn list(
    request: HttpRequest,
    parameters: web::Query<Parameters>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        let filter = filter(parameters.into_inner(), &paging)?;
        Ok(page(state.registry.audit(&caller, &filter, paging.limit()?).await?, entry))
    };
    json(&request, found.await)
}

fn filter(parameters: Parameters, paging: &Paging) -> Result<Filter, Failure> {
    let is_long = |text: &String| text.len() > MAX_FILTER_LENGTH;
    if parameters.user.as_ref().is_some_and(is_long) || parameters.action.as_ref().is_some_and(is_long) {
        return Err(Failure::Parameter(format!("`user` and `action` have at most {MAX_FILTER_LENGTH} bytes")));
    }
    let since = parameters.since.map(|text| text.parse()).transpose();
    let since = since.map_err(|_| Failure::Parameter("`since` must be a time like 2026-01-31T12:00:00Z".to_owned()))?;
    let before = paging.after().map(str::parse).transpose().map_err(|_| crate::registry::Error::Cursor)?;
    Ok(Filter { actor: parameters.user, action: parameters.action, since, before })
}

fn entry((id, entry): (i64, Entry)) -> AuditEntry {
    AuditEntry {
        id,
        at: entry.at,
        actor: entry.actor,
        credential: entry.credential,
        action: entry.action,
        object: entry.object,
        rule: entry.rule,
        outcome: entry.outcome.into(),
        address: entry.address.map(|address| address.to_string()),
        request: entry.request,
    }
}
