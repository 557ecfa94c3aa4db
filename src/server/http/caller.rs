//! Who asks: what a request shows, checked by the registry, and how often that may fail.

use std::time::Instant;

use actix_web::HttpRequest;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::State;
use super::error::Failure;
use super::observe::RequestId;
use super::shown::{self, Basic};
use crate::auth::{AccessToken, Caller, Origin};
use crate::registry::{Error, Mode, Purpose, Shown};
use crate::server::attempts::TooMany;

/// Who asks, and from where. Whoever shows nothing is nobody; whoever shows something wrong is refused.
pub(super) fn caller(request: &HttpRequest, state: &State) -> Result<Caller, Failure> {
    caller_to(request, state, Purpose::Any)
}

/// The same where it matters what for.
pub(super) fn caller_to(request: &HttpRequest, state: &State, to: Purpose) -> Result<Caller, Failure> {
    let origin = origin(request, state);
    if state.registry.mode() == Mode::Open {
        return Ok(Caller::anonymous(origin));
    }
    match shown::shown(request.headers()) {
        shown::Shown::Nothing => Ok(Caller::anonymous(origin)),
        shown::Shown::Bearer(token) => checked(request, state, Shown::Bearer(token.expose_secret()), to, origin),
        shown::Shown::Basic(Basic { user, secret }) => {
            let shown = Shown::Basic { user: user.as_deref(), secret: secret.expose_secret() };
            checked(request, state, shown, to, origin)
        }
        shown::Shown::Malformed => {
            state.attempts.wrong_credential(origin.address, Instant::now());
            Err(Failure::Malformed)
        }
    }
}

/// When what a request shows ends by itself; nothing of a credential that does not, or was not accepted just now.
pub(super) fn ends_at(request: &HttpRequest, state: &State) -> Option<Timestamp> {
    state.registry.ends_at(credential(&shown::shown(request.headers()))?)
}

/// What can be looked up in the registry.
fn credential(shown: &shown::Shown) -> Option<Shown<'_>> {
    match shown {
        shown::Shown::Bearer(token) => Some(Shown::Bearer(token.expose_secret())),
        shown::Shown::Basic(Basic { user, secret }) => {
            Some(Shown::Basic { user: user.as_deref(), secret: secret.expose_secret() })
        }
        shown::Shown::Nothing | shown::Shown::Malformed => None,
    }
}

/// What a request showed, kept while its answer goes on, which may be longer than it is accepted.
#[derive(Debug)]
pub(super) struct Kept {
    shown: shown::Shown,
    service: String,
    origin: Origin,
}

impl Kept {
    /// What an accepted request shows.
    pub(super) fn of(request: &HttpRequest, state: &State) -> Self {
        let shown =
            if state.registry.mode() == Mode::Open { shown::Shown::Nothing } else { shown::shown(request.headers()) };
        Self { shown, service: state.entrances.of(request).host, origin: origin(request, state) }
    }

    /// Who that is now. It is no new attempt: nobody has shown it again.
    pub(super) fn caller(&self, state: &State) -> Result<Caller, Error> {
        let Some(shown) = credential(&self.shown) else { return Ok(Caller::anonymous(self.origin)) };
        match state.registry.recall(shown, &self.service, Purpose::Any, self.origin) {
            Some(caller) => Ok(caller),
            None => state.registry.authenticate(shown, &self.service, Purpose::Any, self.origin),
        }
    }

    /// When it ends by itself.
    pub(super) fn ends_at(&self, state: &State) -> Option<Timestamp> {
        state.registry.ends_at(credential(&self.shown)?)
    }
}

/// Where a request comes from.
pub(super) fn origin(request: &HttpRequest, state: &State) -> Origin {
    Origin { address: state.entrances.client(request), request: RequestId::number(request) }
}

fn checked(
    request: &HttpRequest,
    state: &State,
    shown: Shown<'_>,
    to: Purpose,
    origin: Origin,
) -> Result<Caller, Failure> {
    let service = state.entrances.of(request).host;
    // Who was accepted a moment ago needs no second look, and does not suffer from others behind the same address.
    if let Some(caller) = state.registry.recall(shown, &service, to, origin) {
        return Ok(caller);
    }
    let now = Instant::now();
    state.attempts.check_credential(origin.address, now)?;
    state.registry.authenticate(shown, &service, to, origin).map_err(|error| {
        if matches!(error, Error::Unauthenticated(_)) {
            state.attempts.wrong_credential(origin.address, now);
        }
        error.into()
    })
}

/// Who signs in with a name and a password or a token. Only where somebody signs in are passwords looked at.
pub(super) async fn signing_in(
    request: &HttpRequest,
    state: &State,
    user: Option<&str>,
    secret: &str,
) -> Result<Caller, Failure> {
    let origin = origin(request, state);
    let Some(name) = user.filter(|_| AccessToken::parse(secret).is_err()) else {
        return checked(request, state, Shown::Basic { user, secret }, Purpose::Any, origin);
    };
    let now = Instant::now();
    state.attempts.check_password(name, origin.address, now)?;
    let caller = state.registry.check_password(name, secret, origin).await;
    if matches!(caller, Err(Error::Unauthenticated(_))) {
        state.attempts.wrong_password(name, origin.address, now);
    }
    Ok(caller?)
}

impl From<TooMany> for Failure {
    fn from(TooMany(rest): TooMany) -> Self {
        // The last second counts whole: who comes back too early is sent away again.
        Self::TooManyAttempts(rest.as_secs() + 1)
    }
}
