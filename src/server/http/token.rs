//! `/token`: short tokens for what a caller asks for and may do (distribution's token and `OAuth2` specifications).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::State;
use super::body::Body;
use super::caller::{origin, signing_in};
use super::error::{Failure, envelope};
use super::shown::{Basic, Shown, shown};
use crate::auth::{Access, Caller, parse_scope, write_scope};
use crate::registry::{Error, Mode};

/// Largest form in bytes: a password, and as many scopes as are read.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// Names and values of a query string or a form.
type Parameters = Vec<(String, String)>;

/// What a client gets. Both names of the token are sent, since clients read either.
#[derive(Serialize)]
struct Answer {
    token: String,
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    issued_at: Timestamp,
    /// Absent from the answer to a GET: whoever sees one there stops sending name and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// A token for who shows a name with a password or access token, or nothing.
pub(super) async fn get(
    request: HttpRequest,
    parameters: web::Query<Parameters>,
    state: web::Data<State>,
) -> HttpResponse {
    let answer = async {
        check_accounts(&state)?;
        let caller = match shown(request.headers()) {
            Shown::Nothing => Caller::anonymous(origin(&request, &state)),
            Shown::Basic(Basic { user, secret }) => {
                signing_in(&request, &state, user.as_deref(), secret.expose_secret()).await?
            }
            // An access token; a short token buys no other, which the registry sees to.
            Shown::Bearer(_) => super::caller::caller(&request, &state)?,
            Shown::Malformed => return Err(Failure::Malformed),
        };
        issue(&request, &state, &caller, &asked(&parameters)).map(|(answer, _)| answer)
    };
    respond(&request, answer.await)
}

/// The same by a form, which can also ask for a refresh token and show one.
pub(super) async fn post(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    respond(&request, exchange(&request, payload, &state).await)
}

async fn exchange(request: &HttpRequest, payload: web::Payload, state: &State) -> Result<Answer, Failure> {
    check_accounts(state)?;
    let form = Body::new(payload, state.body_idle).whole(MAX_FORM_BYTES).await?;
    let form = web::Query::<Parameters>::from_query(&String::from_utf8_lossy(&form))
        .map_err(|_| Failure::Parameter("the body must be a form".to_owned()))?;
    let (caller, is_new) = match value(&form, "grant_type") {
        Some("password") => {
            let missing = || Failure::Parameter("the form lacks `username` or `password`".to_owned());
            let user = value(&form, "username").ok_or_else(missing)?;
            let secret = value(&form, "password").ok_or_else(missing)?;
            let is_offline = value(&form, "access_type") == Some("offline");
            (signing_in(request, state, Some(user), secret).await?, is_offline)
        }
        Some("refresh_token") => {
            let missing = || Failure::Parameter("the form lacks `refresh_token`".to_owned());
            (refreshing(request, state, value(&form, "refresh_token").ok_or_else(missing)?)?, false)
        }
        _ => return Err(Failure::Parameter("`grant_type` must be `password` or `refresh_token`".to_owned())),
    };
    let (mut answer, access) = issue(request, state, &caller, &asked(&form))?;
    answer.scope = Some(write_scope(&access));
    if is_new {
        answer.refresh_token = Some(state.registry.make_refresh_token(&caller).await?.expose().to_owned());
    }
    Ok(answer)
}

fn refreshing(request: &HttpRequest, state: &State, secret: &str) -> Result<Caller, Failure> {
    let (origin, now) = (origin(request, state), std::time::Instant::now());
    state.attempts.check_credential(origin.address, now)?;
    let caller = state.registry.refresh(secret, origin);
    if matches!(caller, Err(Error::Unauthenticated(_))) {
        state.attempts.wrong_credential(origin.address, now);
    }
    Ok(caller?)
}

fn issue(
    request: &HttpRequest,
    state: &State,
    caller: &Caller,
    asked: &[Access],
) -> Result<(Answer, Vec<Access>), Failure> {
    let issued = state.registry.sign_in(caller, asked, &state.entrances.of(request).host)?;
    let answer = Answer {
        access_token: issued.token.clone(),
        token: issued.token,
        token_type: "Bearer",
        expires_in: issued.life.as_secs(),
        issued_at: issued.issued_at,
        scope: None,
        refresh_token: None,
    };
    Ok((answer, issued.access))
}

/// Without accounts there is nothing to sign in to; clients take 404 for that.
fn check_accounts(state: &State) -> Result<(), Failure> {
    if state.registry.mode() == Mode::Open { Err(Failure::NoSuchPath) } else { Ok(()) }
}

/// Everything asked for: clients repeat the parameter, or put all into one.
fn asked(parameters: &Parameters) -> Vec<Access> {
    let scopes = parameters.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| scope.as_str());
    parse_scope(&scopes.collect::<Vec<_>>().join(" "))
}

fn value<'a>(parameters: &'a Parameters, wanted: &str) -> Option<&'a str> {
    parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

fn respond(request: &HttpRequest, answer: Result<Answer, Failure>) -> HttpResponse {
    match answer {
        Ok(answer) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer),
        Err(failure) => envelope(request, failure),
    }
}
