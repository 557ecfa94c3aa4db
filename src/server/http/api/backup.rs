//! `/api/v1/admin/backup`: a copy of everything, written on the registry's own machine while it serves.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{State, administrator, answer, json, read};
use crate::api::{Backup, NewBackup};
use crate::oci::Host;
use crate::registry::Mode;
use crate::server::http::entrance::named;
use crate::server::http::error::Failure;

/// Headers by which a proxy names the caller it speaks for.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Begins a backup.
#[utoipa::path(
    post, path = "/api/v1/admin/backup", operation_id = "start_backup",
    request_body(content = NewBackup, example = json!({"directory": "/var/backups/registry"})),
    responses(
        (status = 202, body = Backup, description = "It has begun; ask how far it is."),
        (status = 403, description = "The caller is no administrator, or a registry without accounts is asked from another machine."),
        (status = 409, description = "Another backup is under way."),
    )
)]
pub(super) async fn start(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let begun = async {
        check_administrator(&request, &state)?;
        let wanted: NewBackup = read(&request, payload, &state).await?;
        state.backups.start(&wanted.directory).ok_or(Failure::BackupRunning)
    };
    answer(&request, begun.await, |backup| HttpResponse::Accepted().json(backup))
}

/// How far the newest backup is.
#[utoipa::path(
    get, path = "/api/v1/admin/backup", operation_id = "show_backup",
    responses(
        (status = 200, body = Backup),
        (status = 403, description = "The caller is no administrator, or a registry without accounts is asked from another machine."),
        (status = 404, description = "There was none since the registry was started."),
    )
)]
pub(super) async fn status(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let newest = check_administrator(&request, &state).and_then(|()| state.backups.newest().ok_or(Failure::NoSuchPath));
    json(&request, newest)
}

/// Administrators; without accounts, whoever is on this machine.
fn check_administrator(request: &HttpRequest, state: &State) -> Result<(), Failure> {
    match state.registry.mode() {
        Mode::Open => check_local(request),
        Mode::Accounts => administrator(request, state).map(|_| ()),
    }
}

/// Only a process on this machine, which no proxy and no foreign web page stands behind.
fn check_local(request: &HttpRequest) -> Result<(), Failure> {
    let is_here = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let is_forwarded = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
    // A foreign name that leads here belongs to a web page.
    let is_named_here =
        named(request).and_then(|host| host.parse::<Host>().ok()).is_some_and(|host| host.is_loopback());
    if is_here && !is_forwarded && is_named_here { Ok(()) } else { Err(Failure::NotLocal) }
}
