//! What load balancers and supervisors ask.

use actix_web::{HttpResponse, web};

use super::State;

/// Whether the process answers at all.
pub(super) async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether requests would be served: index and store answer.
pub(super) async fn readyz(state: web::Data<State>) -> HttpResponse {
    match state.registry.check_readiness().await {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "not ready");
            HttpResponse::ServiceUnavailable().content_type("text/plain; charset=utf-8").body("not ready\n")
        }
    }
}
