//! `/api/v1/tokens`: access tokens, whose text is answered once and never again.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::OpenApi;

use super::paging::{Paging, page};
use super::words::{account, wrong};
use super::{Failure, State, answer, caller, json, nothing, read, reading};
use crate::api::{Expiry, MAX_OVERLAP_SECONDS, NewToken, Page, Secret, Token, TokenRequest, TokenRotation};
use crate::auth::{AccessToken, AccountName, Caller, Reach, RepositoryPattern, Scope, Scopes, TokenForm, TokenId};
use crate::index::tokens::StoredToken;
use crate::registry::{self, Lifetime};

/// The paths of this file.
pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/v1/tokens", reading().to(list))
        .route("/api/v1/tokens", web::post().to(create))
        .route("/api/v1/tokens/{id}", web::delete().to(revoke))
        .route("/api/v1/tokens/{id}/rotate", web::post().to(rotate));
}

#[derive(OpenApi)]
#[openapi(paths(list, create, revoke, rotate))]
pub(super) struct Document;

/// Whose tokens.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Owner {
    /// The user; the caller without one. Only administrators may name another.
    user: Option<String>,
}

impl Owner {
    fn name(&self, caller: &Caller) -> Result<AccountName, Failure> {
        match &self.user {
            Some(name) => account(name),
            None => caller.identity().user().cloned().ok_or(Failure::SignIn),
        }
    }
}

/// A user's access tokens that were not revoked, in the order they were made.
#[utoipa::path(get, path = "/api/v1/tokens", params(Owner, Paging), responses((status = 200, body = Page<Token>)))]
async fn list(
    request: HttpRequest,
    owner: web::Query<Owner>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        let caller = caller(&request, &state)?;
        let user = owner.name(&caller)?;
        Ok(page(state.registry.tokens(&caller, &user, paging.after(), paging.limit()?).await?, token))
    };
    json(&request, found.await)
}

/// Makes an access token. It reaches no further than the credential it is made with, by default as far.
#[utoipa::path(
    post, path = "/api/v1/tokens", params(Owner), request_body = TokenRequest,
    responses(
        (status = 201, body = NewToken, description = "Made. The token is shown this once."),
        (status = 409, description = "The given text is known already."),
    )
)]
async fn create(
    request: HttpRequest,
    owner: web::Query<Owner>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        let caller = caller(&request, &state)?;
        let user = owner.name(&caller)?;
        let wanted: TokenRequest = read(&request, payload, &state).await?;
        let is_given = wanted.token.is_some();
        let text = wanted.token.as_ref().map_or_else(generate, given)?;
        let reach = reach(&wanted, caller.reach())?;
        let (name, lifetime, hash) = (wanted.name, lifetime(wanted.expires), text.hash());
        let new = registry::NewToken { user, name, reach, lifetime, hash, is_given };
        Ok(shown(&text, state.registry.create_token(&caller, new).await?))
    };
    answer_once(&request, made.await)
}

/// Revokes a token, and what was made with it, at once.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", params(("id" = i64, Path)),
    responses((status = 204, description = "It is worth nothing now."), (status = 404, description = "No such token."))
)]
async fn revoke(request: HttpRequest, id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let revoked = async {
        let caller = known(&request, &state)?;
        Ok(state.registry.revoke_token(&caller, number(&id)?).await?)
    };
    nothing(&request, revoked.await)
}

/// Makes a token that reaches as far and as long as this one, which ends after the overlap.
#[utoipa::path(
    post, path = "/api/v1/tokens/{id}/rotate", params(("id" = i64, Path)), request_body = TokenRotation,
    responses(
        (status = 201, body = NewToken, description = "Made. The token is shown this once."),
        (status = 404, description = "No such token."),
    )
)]
async fn rotate(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        let caller = known(&request, &state)?;
        let wanted: TokenRotation = read(&request, payload, &state).await?;
        if wanted.overlap_seconds > MAX_OVERLAP_SECONDS {
            let most = format!("`overlap_seconds` must be at most {MAX_OVERLAP_SECONDS}");
            return Err(Failure::Parameter(most));
        }
        let (text, overlap) = (generate()?, Duration::from_secs(wanted.overlap_seconds));
        Ok(shown(&text, state.registry.rotate_token(&caller, number(&id)?, text.hash(), overlap).await?))
    };
    answer_once(&request, made.await)
}

/// The caller, who must be somebody: to nobody, every token is unknown.
fn known(request: &HttpRequest, state: &State) -> Result<Caller, Failure> {
    let caller = caller(request, state)?;
    let needs_name = state.registry.mode() == registry::Mode::Accounts;
    if needs_name && caller.identity().is_anonymous() { Err(Failure::SignIn) } else { Ok(caller) }
}

fn number(text: &str) -> Result<TokenId, Failure> {
    let number = text.parse().map(TokenId::new);
    number.map_err(|_| Failure::Parameter("a token is named by its number".to_owned()))
}

fn generate() -> Result<AccessToken, Failure> {
    Ok(AccessToken::generate().map_err(registry::Error::from)?)
}

/// A token that another program has made.
fn given(text: &Secret) -> Result<AccessToken, Failure> {
    let token = AccessToken::parse(text.expose()).map_err(wrong)?;
    if token.form() == TokenForm::Foreign {
        return Ok(token);
    }
    // The registry's own are made here, so that nobody ever saw them before.
    Err(Failure::Parameter("only a token of 64 hexadecimal digits can be given".to_owned()))
}

fn reach(wanted: &TokenRequest, own: &Reach) -> Result<Reach, Failure> {
    let scopes = match &wanted.scopes {
        Some(scopes) if scopes.is_empty() => {
            return Err(Failure::Parameter("a token needs at least one scope".to_owned()));
        }
        Some(scopes) => Scopes::of(&scopes.iter().map(|scope| Scope::from(*scope)).collect::<Vec<_>>()),
        None => own.scopes(),
    };
    if wanted.repositories.is_empty() {
        return Ok(Reach::new(scopes, own.patterns().to_vec()));
    }
    if wanted.repositories.len() > crate::auth::MAX_PATTERNS {
        let most = format!("a token has at most {} patterns of repositories", crate::auth::MAX_PATTERNS);
        return Err(Failure::Parameter(most));
    }
    let patterns = wanted.repositories.iter().map(|pattern| pattern.parse::<RepositoryPattern>());
    Ok(Reach::new(scopes, patterns.collect::<Result<_, _>>().map_err(wrong)?))
}

fn lifetime(expires: Option<Expiry>) -> Lifetime {
    match expires.map(|expires| expires.time(Timestamp::now())) {
        None => Lifetime::Default,
        Some(None) => Lifetime::Forever,
        Some(Some(end)) => Lifetime::Until(end),
    }
}

/// 201 with a secret, which nobody on the way may keep.
fn answer_once(request: &HttpRequest, made: Result<NewToken, Failure>) -> HttpResponse {
    answer(request, made, |made| HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(made))
}

fn shown(text: &AccessToken, stored: StoredToken) -> NewToken {
    NewToken { token: Secret::new(text.expose()), details: token(stored) }
}

fn token(stored: StoredToken) -> Token {
    Token {
        id: stored.id.get(),
        user: stored.account.to_string(),
        name: stored.name,
        kind: stored.kind.into(),
        scopes: stored.scopes.iter().map(Into::into).collect(),
        repositories: stored.patterns.iter().map(ToString::to_string).collect(),
        created_at: stored.created_at,
        expires_at: stored.expires_at,
        last_used_at: stored.last_used_at,
        revoked_at: stored.revoked_at,
    }
}
