//! `POST /api/v1/admin/signing-keys/rotate`: a new key for short tokens, beside which the old one is believed for a while.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use super::{State, caller, created};
use crate::api::SigningKey;

/// The path of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/admin/signing-keys/rotate", web::post().to(rotate));
}

#[derive(OpenApi)]
#[openapi(paths(rotate))]
pub(super) struct Document;

/// Makes a new key, which signs short tokens from now on. For administrators.
#[utoipa::path(
    post, path = "/api/v1/admin/signing-keys/rotate", responses((status = 201, body = SigningKey))
)]
async fn rotate(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let (kid, created_at) = state.registry.rotate_signing_key(&caller(&request, &state)?).await?;
        Ok(SigningKey { kid, created_at })
    };
    created(&request, made.await)
}
