//! Signing in with a browser on another machine: a code is typed there, while this one asks now and then (RFC 8628).

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::super::text::clean;
use super::super::{Error, Refusal};
use super::issuer::{Granted, Issuer, SCOPE, refused};
use super::{IdentityToken, peer};

/// Longest time that is waited for a person, in seconds.
const MAX_WAIT_SECONDS: u64 = 15 * 60;

/// Time between two questions where the issuer does not say, and what is added when it is asked too often, in seconds.
const STEP_SECONDS: u64 = 5;

/// Longest time between two questions, in seconds.
const MAX_STEP_SECONDS: u64 = 60;

/// What a person is to do; fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The page to open.
    pub page: String,
    /// What to type there.
    pub code: String,
}

#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

pub(super) async fn sign_in(issuer: &Issuer, show: impl FnOnce(&DeviceCode)) -> Result<IdentityToken, Error> {
    let url = issuer.device.as_ref().ok_or_else(|| refused(&issuer.url, "it has no sign-in for other devices"))?;
    let form = [("client_id", issuer.client.as_str()), ("scope", SCOPE)];
    let begun: Begun = peer::post(&issuer.wire, "code for a device", url, &form).await?.map_err(Error::NoIdentity)?;
    if !begun.verification_uri.starts_with("https://") {
        return Err(refused(&issuer.url, "its page for devices is not secured by https"));
    }
    show(&DeviceCode { page: clean(&begun.verification_uri), code: clean(&begun.user_code) });
    let until = Instant::now() + Duration::from_secs(begun.expires_in.min(MAX_WAIT_SECONDS));
    let mut step = begun.interval.unwrap_or(STEP_SECONDS).clamp(1, MAX_STEP_SECONDS);
    while Instant::now() < until {
        sleep(Duration::from_secs(step)).await;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", begun.device_code.as_str()),
            ("client_id", issuer.client.as_str()),
        ];
        match peer::post::<Granted>(&issuer.wire, "token of the issuer", &issuer.token, &form).await? {
            Ok(granted) => return issuer.taken(granted),
            Err(refusal) if says(&refusal, "authorization_pending") => {}
            Err(refusal) if says(&refusal, "slow_down") => step = (step + STEP_SECONDS).min(MAX_STEP_SECONDS),
            Err(refusal) if says(&refusal, "access_denied") => {
                return Err(refused(&issuer.url, "it was refused there"));
            }
            Err(refusal) if says(&refusal, "expired_token") => break,
            Err(refusal) => return Err(Error::NoIdentity(refusal)),
        }
    }
    Err(refused(&issuer.url, "nobody signed in while the code was good"))
}

/// Whether an issuer gave this error code (RFC 6749, section 5.2).
fn says(refusal: &Refusal, code: &str) -> bool {
    refusal.code.as_deref() == Some(code)
}
