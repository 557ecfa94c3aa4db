//! `POST /api/v1/admin/signing-keys/rotate`: another key signs short tokens from now on.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{State, caller, created};
use crate::api::SigningKey;

/// Makes a new key; the one before is still believed for an hour.
#[utoipa::path(
    post, path = "/api/v1/admin/signing-keys/rotate", operation_id = "rotate_signing_key",
    responses(
        (status = 201, body = SigningKey),
    )
)]
pub(super) async fn rotate(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let made = async {
        let (kid, created_at) = state.registry.rotate_signing_key(&caller(&request, &state)?).await?;
        Ok(SigningKey { kid, created_at })
    };
    created(&request, made.await)
}
