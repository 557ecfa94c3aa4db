//! `POST /api/v1/oidc/token`: an identity from elsewhere for a token of this registry.

use std::time::Instant;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::super::caller::origin;
use super::{Failure, State, answer, read};
use crate::api::{ExchangedToken, IdentityToken, Secret, sign_in_nonce};
use crate::auth::{Asserted, Origin};
use crate::registry::{Mode, PublisherToken, SignInRule, SignedIn};
use crate::server::IssuerSettings;

/// Exchanges what an issuer says of a run of continuous integration, or of a person.
#[utoipa::path(
    post, path = "/api/v1/oidc/token", operation_id = "exchange_identity_token",
    security(()),
    request_body(content = IdentityToken, example = json!({"token": "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", "repository": "acme/writer"})),
    responses(
        (status = 200, body = ExchangedToken),
        (status = 401, description = "The identity token is not good, was used before, or is for somebody else."),
        (status = 403, description = "No publisher fits the run, or the identity signs in nobody."),
        (status = 404, description = "This registry exchanges no identity tokens."),
        (status = 503, description = "The issuer's keys cannot be had now."),
    )
)]
pub(super) async fn exchange(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    answer(&request, exchanged(&request, payload, &state).await, |token| {
        HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(token)
    })
}

async fn exchanged(request: &HttpRequest, payload: web::Payload, state: &State) -> Result<ExchangedToken, Failure> {
    let audience = state.elsewhere.audience().filter(|_| state.registry.mode() == Mode::Accounts);
    let audience = audience.ok_or(Failure::NoSuchPath)?;
    let (origin, now) = (origin(request, state), Instant::now());
    state.attempts.check_credential(origin.address, now)?;
    let shown: IdentityToken = read(request, payload, state).await?;
    let verified = state.elsewhere.verify(shown.token.expose(), audience).await;
    let (asserted, issuer, is_person) = verified.inspect_err(|error| {
        if error.is_callers_fault() {
            state.attempts.wrong_credential(origin.address, now);
        }
    })?;
    if is_person {
        check_nonce(&asserted, shown.nonce.as_ref(), audience)?;
        return signed_in(state, &asserted, issuer, origin).await;
    }
    let made = state.registry.exchange_run(&asserted, shown.repository.as_ref(), origin).await?;
    let PublisherToken { token, expires_at, repository } = made;
    Ok(ExchangedToken { token: Secret::new(token.expose()), expires_at, repositories: vec![repository], user: None })
}

async fn signed_in(
    state: &State,
    person: &Asserted,
    issuer: &IssuerSettings,
    origin: Origin,
) -> Result<ExchangedToken, Failure> {
    let rule = SignInRule { name: issuer.name.clone(), create_users_from: issuer.create_users_from.clone() };
    let SignedIn { user, token, expires_at } = state.registry.sign_in_elsewhere(person, &rule, origin).await?;
    let token = Secret::new(token.expose());
    Ok(ExchangedToken { token, expires_at, repositories: vec![], user: Some(user.to_string()) })
}

/// A sign-in with a browser is bound to the registry it was begun for, so that another registry that is shown the token
/// cannot use it here. Signing in with a device has nothing to bind with.
fn check_nonce(person: &Asserted, secret: Option<&Secret>, audience: &str) -> Result<(), Failure> {
    let Some(nonce) = person.claims().get("nonce") else { return Ok(()) };
    let expected = secret.map(|secret| sign_in_nonce(audience, secret));
    if expected.is_some_and(|expected| *nonce == expected) { Ok(()) } else { Err(Failure::Nonce) }
}
