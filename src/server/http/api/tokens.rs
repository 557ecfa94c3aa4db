//! `/api/v1/tokens`: access tokens listed, made, replaced and revoked. Their text is answered once.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Deserialize;

use super::convert::{account, page, wrong};
use super::{Failure, Paging, State, caller, created_secret, done, json, read, somebody};
use crate::api::texts::UserName;
use crate::api::{self, Expiry, MAX_OVERLAP_SECONDS, Page, Secret, Token, TokenRequest, TokenRotation};
use crate::auth::{
    AccessToken, AccountName, Caller, MAX_PATTERNS, Reach, RepositoryPattern, Scopes, TokenForm, TokenId,
};
use crate::registry::{self, Lifetime};

/// Whose tokens.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// A user; oneself when absent. Those of others are for administrators.
    #[param(value_type = Option<UserName>)]
    user: Option<String>,
}

/// A user's access tokens, without their text.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "list_tokens",
    params(Whose, Paging),
    responses(
        (status = 200, body = Page<Token>),
    )
)]
pub(super) async fn list(
    request: HttpRequest,
    whose: web::Query<Whose>,
    paging: web::Query<Paging>,
    state: web::Data<State>,
) -> HttpResponse {
    let found = async {
        state.registry.check_accounts()?;
        let caller = caller(&request, &state)?;
        let user = owner(&caller, whose.user.as_deref())?;
        Ok(page::<_, Token>(state.registry.tokens(&caller, &user, paging.after(), paging.length()?).await?))
    };
    json(&request, found.await)
}

/// Makes an access token that reaches no further than the credential it is made with.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create_token",
    params(Whose),
    request_body(content = TokenRequest, example = json!({"name": "ci", "scopes": ["read", "write"], "repositories": ["acme/**"], "expires": "30d"})),
    responses(
        (status = 201, body = api::NewToken),
        (status = 403, description = "It would reach further than the credential that asks."),
        (status = 409, description = "The user has as many tokens as one may have, or the given token exists."),
    )
)]
pub(super) async fn create(
    request: HttpRequest,
    whose: web::Query<Whose>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        state.registry.check_accounts()?;
        let caller = caller(&request, &state)?;
        let wanted: TokenRequest = read(&request, payload, &state).await?;
        let user = owner(&caller, whose.user.as_deref())?;
        let reach = reach(&caller, &wanted)?;
        let given = wanted.token.as_ref().map(|token| foreign(token.expose())).transpose()?;
        let ordered = Ordered { user, name: wanted.name, reach, expires: wanted.expires, given };
        make(&state, &caller, ordered).await
    };
    created_secret(&request, made.await)
}

/// Revokes a token at once, and what was made with it.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token",
    params(("id" = i64, Path, description = "The number of the token, as lists show it.", minimum = 1, example = 2)),
    responses(
        (status = 204),
        (status = 404, description = "No such token of the caller's."),
    )
)]
pub(super) async fn revoke(request: HttpRequest, id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let revoked = async { Ok(state.registry.revoke_token(&somebody(&request, &state)?, number(&id)?).await?) };
    done(&request, revoked.await)
}

/// Makes a token in place of another one, which goes on working for a while.
#[utoipa::path(
    post, path = "/api/v1/tokens/{id}/rotate", operation_id = "rotate_token",
    params(("id" = i64, Path, description = "The number of the token, as lists show it.", minimum = 1, example = 2)),
    request_body(content = TokenRotation, example = json!({"overlap_seconds": 3600})),
    responses(
        (status = 201, body = api::NewToken),
        (status = 404, description = "No such token of the caller's."),
        (status = 409, description = "The token has ended."),
    )
)]
pub(super) async fn rotate(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    let made = async {
        let (caller, id) = (somebody(&request, &state)?, number(&id)?);
        let TokenRotation { overlap_seconds } = read(&request, payload, &state).await?;
        if overlap_seconds > MAX_OVERLAP_SECONDS {
            return Err(Failure::Parameter(format!("`overlap_seconds` must be at most {MAX_OVERLAP_SECONDS}")));
        }
        let token = AccessToken::generate().map_err(registry::Error::from)?;
        let overlap = Duration::from_secs(overlap_seconds);
        let stored = state.registry.rotate_token(&caller, id, token.hash(), overlap).await?;
        Ok(api::NewToken { token: Secret::new(token.expose()), details: stored.into() })
    };
    created_secret(&request, made.await)
}

/// A token that somebody asks for.
pub(super) struct Ordered {
    pub(super) user: AccountName,
    pub(super) name: String,
    pub(super) reach: Reach,
    pub(super) expires: Option<Expiry>,
    /// A text that another program made.
    pub(super) given: Option<AccessToken>,
}

/// Makes a token, and gives its text this once.
pub(super) async fn make(state: &State, caller: &Caller, ordered: Ordered) -> Result<api::NewToken, Failure> {
    let is_given = ordered.given.is_some();
    let token = ordered.given.map_or_else(AccessToken::generate, Ok).map_err(registry::Error::from)?;
    let lifetime = match ordered.expires {
        None => Lifetime::Default,
        Some(expiry) => expiry.time(Timestamp::now()).map_or(Lifetime::Forever, Lifetime::Until),
    };
    let (user, name, reach, hash) = (ordered.user, ordered.name, ordered.reach, token.hash());
    let new = registry::NewToken { user, name, reach, lifetime, hash, is_given };
    let stored = state.registry.create_token(caller, new).await?;
    Ok(api::NewToken { token: Secret::new(token.expose()), details: stored.into() })
}

/// Whose tokens are meant: the caller's own, unless another user is named.
fn owner(caller: &Caller, named: Option<&str>) -> Result<AccountName, Failure> {
    match (named, caller.identity().user()) {
        (Some(text), _) => account(text),
        (None, Some(own)) => Ok(own.clone()),
        (None, None) if caller.identity().is_anonymous() => Err(Failure::SignIn),
        (None, None) => Err(Failure::Parameter("only users have tokens; name one by `user`".to_owned())),
    }
}

/// How far a token shall reach; as far as the credential that asks, where nothing is said.
fn reach(caller: &Caller, wanted: &TokenRequest) -> Result<Reach, Failure> {
    let scopes = wanted.scopes.as_ref().map(|scopes| scopes.iter().map(|scope| (*scope).into()).collect::<Vec<_>>());
    if scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(Failure::Parameter("`scopes` must name at least one of read, write, delete, admin".to_owned()));
    }
    if wanted.repositories.len() > MAX_PATTERNS {
        return Err(Failure::Parameter(format!("a token has at most {MAX_PATTERNS} patterns of repositories")));
    }
    let patterns = wanted.repositories.iter().map(|text| text.parse::<RepositoryPattern>().map_err(wrong));
    let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
    let own = caller.reach();
    let patterns = if patterns.is_empty() { own.patterns().to_vec() } else { patterns };
    Ok(Reach::new(scopes.map_or_else(|| own.scopes(), |scopes| Scopes::of(&scopes)), patterns))
}

/// A token that another program made.
fn foreign(text: &str) -> Result<AccessToken, Failure> {
    let token = AccessToken::parse(text).ok().filter(|token| token.form() == TokenForm::Foreign);
    token.ok_or_else(|| Failure::Parameter("`token` must have 64 hexadecimal digits".to_owned()))
}

fn number(text: &str) -> Result<TokenId, Failure> {
    let number = text.parse().map(TokenId::new);
    number.map_err(|_| Failure::Parameter("a token is named by its number, as `agent token list` shows it".to_owned()))
}
