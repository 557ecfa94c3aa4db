//! HTTP over the registry: which path goes where, and what every request has in common.

mod api;
mod body;
mod caller;
mod challenge;
mod distribution;
mod entrance;
mod error;
mod followers;
mod manners;
mod observe;
mod operations;
mod page;
mod shown;
mod state;
mod token;

use actix_web::error::InternalError;
use actix_web::{HttpRequest, HttpResponse, guard, web};

pub use api::openapi;
pub(super) use observe::observe;
pub(super) use state::State;

/// Every path the server knows.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    let query = web::QueryConfig::default().error_handler(|error, request| {
        let failure = error::Failure::Parameter(format!("the query string is wrong: {error}"));
        InternalError::from_response(error, error::problem(request, failure)).into()
    });
    let path = web::PathConfig::default().error_handler(|error, request| {
        let failure = error::Failure::Parameter(format!("the path is wrong: {error}"));
        InternalError::from_response(error, error::problem(request, failure)).into()
    });
    app.app_data(query)
        .app_data(path)
        // A scope, since a pattern would be matched as a regular expression, at a quarter of a request's cost.
        .service(web::scope("/v2").default_service(web::to(distribution::dispatch)))
        .configure(api::routes)
        .route("/token", web::get().to(token::get))
        .route("/token", web::post().to(token::post))
        .route("/livez", reading().to(operations::livez))
        .route("/readyz", reading().to(operations::readyz))
        .route("/", reading().to(page::front));
}

/// What answers GET, and HEAD without the body.
fn reading() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// What no other path takes.
pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    api::unmatched(&request)
}
