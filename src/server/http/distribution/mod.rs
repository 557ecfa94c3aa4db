//! The distribution API under `/v2/`: a request becomes a [`Route`], the route one use case of the registry.

mod answers;
mod blobs;
mod lists;
mod manifests;
mod uploads;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use super::State;
use super::body::Body;
use super::caller::caller;
use super::error::{Failure, envelope};
use super::observe::Label;
use crate::auth::{Caller, CredentialKind};
use crate::oci::{Method, Route, RouteError};
use crate::registry::Mode;

/// One request, read.
struct Call {
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller,
    body: Body,
}

/// Answers every request under `/v2`.
pub(super) async fn dispatch(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let mut response = match route(&request) {
        Ok(route) => {
            request.extensions_mut().insert(Label(route.label()));
            let answered = match caller(&request, &state) {
                Ok(caller) => {
                    let body = Body::new(payload, state.body_idle);
                    answer(route, Call { request: request.clone(), state, caller, body }).await
                }
                Err(failure) => Err(failure),
            };
            answered.unwrap_or_else(|failure| envelope(&request, failure))
        }
        Err(error) => envelope(&request, error),
    };
    answers::mark(&mut response);
    response
}

fn route(request: &HttpRequest) -> Result<Route, RouteError> {
    let known = [Method::Get, Method::Head, Method::Put, Method::Post, Method::Patch, Method::Delete];
    let method = Method::from_name(request.method().as_str());
    let method = method.ok_or_else(|| RouteError::MethodNotAllowed(known.to_vec()))?;
    Route::parse(method, request.path(), request.query_string())
}

async fn answer(route: Route, call: Call) -> Result<HttpResponse, Failure> {
    match route {
        Route::Ping => ping(&call),
        Route::Catalog(page) => lists::catalog(&call, &page).await,
        Route::Tags(name, page) => lists::tags(&call, &name, &page).await,
        Route::Referrers(name, subject, kinds, page) => lists::referrers(&call, &name, &subject, &kinds, &page).await,
        Route::ManifestGet(name, target) | Route::ManifestHead(name, target) => {
            manifests::get(&call, &name, &target).await
        }
        Route::ManifestPut(name, target, tags) => manifests::put(call, &name, &target, &tags).await,
        Route::ManifestDelete(name, target) => manifests::delete(&call, &name, &target).await,
        Route::BlobGet(name, digest) => blobs::get(&call, &name, &digest).await,
        Route::BlobHead(name, digest) => blobs::head(&call, &name, &digest).await,
        Route::BlobDelete(name, digest) => blobs::delete(&call, &name, &digest).await,
        Route::UploadStart(name, start) => uploads::start(call, &name, start).await,
        Route::UploadStatus(name, id) => uploads::status(&call, &name, &id).await,
        Route::UploadChunk(name, id) => uploads::chunk(call, name, id).await,
        Route::UploadFinish(name, id, digest) => uploads::finish(call, name, id, digest).await,
        Route::UploadCancel(name, id) => uploads::cancel(&call, &name, &id).await,
    }
}

/// Whether this is a registry. Clients look here for how to sign in, and never again, so whoever shows nothing is asked
/// to, although public repositories are open to all.
fn ping(call: &Call) -> Result<HttpResponse, Failure> {
    let shows_nothing = call.caller.credential() == CredentialKind::None;
    if shows_nothing && call.state.registry.mode() == Mode::Accounts {
        return Err(Failure::SignIn);
    }
    Ok(HttpResponse::Ok().json(serde_json::Map::new()))
}
