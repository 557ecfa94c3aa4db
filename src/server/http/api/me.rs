//! `GET /api/v1/me`, who a caller is, and `POST /api/v1/login`, which makes an access token for a password.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert::{patterns, scopes};
use super::tokens::{Ordered, make};
use super::{Failure, State, caller, created_secret, json, read};
use crate::api::{CallerCredential, CallerKind, CredentialKind, Login, Me, Membership, NewToken};
use crate::auth::{self, Caller, Identity};
use crate::server::http::caller::{ends_at, signing_in};

/// What a token is called that a sign-in makes, where nobody says.
const DEFAULT_NAME: &str = "sign-in";

/// Who the caller is.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "show_caller",
    responses(
        (status = 200, body = Me),
    )
)]
pub(super) async fn me(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let found = async {
        state.registry.check_accounts()?;
        let caller = caller(&request, &state)?;
        let kind = match caller.identity() {
            Identity::Anonymous => return Err(Failure::SignIn),
            Identity::User(_) => CallerKind::User,
            Identity::Publisher(_) => CallerKind::Publisher,
        };
        let standing = state.registry.standing(&caller).await?;
        let organisations = standing.organisations.into_iter();
        let organisations = organisations.map(|(name, role)| Membership { name: name.to_string(), role: role.into() });
        Ok(Me {
            name: caller.identity().to_string(),
            kind,
            is_administrator: standing.is_administrator,
            organisations: organisations.collect(),
            credential: credential(&request, &state, &caller),
        })
    };
    json(&request, found.await)
}

/// Signs in by password, and makes an access token that can do what the user can.
#[utoipa::path(
    post, path = "/api/v1/login", operation_id = "sign_in",
    security(()),
    request_body(content = Login, example = json!({"user": "ada", "password": "correct horse battery", "name": "laptop"})),
    responses(
        (status = 201, body = NewToken),
        (status = 401, description = "The password is wrong, or there is no such user."),
    )
)]
pub(super) async fn login(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let made = async {
        state.registry.check_accounts()?;
        let login: Login = read(&request, payload, &state).await?;
        let caller = signing_in(&request, &state, Some(&login.user), login.password.expose()).await?;
        let user = caller.identity().user().cloned().ok_or(Failure::SignIn)?;
        let name = login.name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let reach = caller.reach().clone();
        make(&state, &caller, Ordered { user, name, reach, expires: login.expires, given: None }).await
    };
    created_secret(&request, made.await)
}

fn credential(request: &HttpRequest, state: &State, caller: &Caller) -> CallerCredential {
    let (reach, credential) = (caller.reach(), caller.credential());
    let kind = match credential {
        auth::CredentialKind::ShortToken { .. } => CredentialKind::Short,
        auth::CredentialKind::Token(_) => CredentialKind::Token,
        // A password is shown only where somebody signs in; nobody gets here without anything.
        auth::CredentialKind::Password | auth::CredentialKind::None => CredentialKind::Password,
    };
    CallerCredential {
        kind,
        token: credential.token().map(auth::TokenId::get),
        scopes: scopes(reach.scopes()),
        repositories: patterns(reach.patterns()),
        expires_at: ends_at(request, state),
    }
}
