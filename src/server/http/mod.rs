//! HTTP over the registry: which path goes where, and what every request has in common.

mod api;
mod body;
mod distribution;
mod error;
mod observe;
mod operations;
mod page;
mod state;

use actix_web::error::InternalError;
use actix_web::{HttpRequest, HttpResponse, web};

pub use api::openapi;
pub(super) use observe::observe;
pub(super) use state::State;
use state::identity;

/// Every path the server knows.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    let query = web::QueryConfig::default().error_handler(|error, request| {
        let failure = error::Failure::Parameter(format!("the query string is wrong: {error}"));
        InternalError::from_response(error, error::problem(request, &failure)).into()
    });
    app.app_data(query)
        // A scope, since a pattern would be matched as a regular expression, at a quarter of a request's cost.
        .service(web::scope("/v2").default_service(web::to(distribution::dispatch)))
        .configure(api::routes)
        .route("/livez", web::get().to(operations::livez))
        .route("/readyz", web::get().to(operations::readyz))
        .route("/", web::get().to(page::front));
}

/// What no other path takes.
pub(super) async fn not_found(request: HttpRequest) -> HttpResponse {
    error::problem(&request, &error::Failure::NoSuchPath)
}
