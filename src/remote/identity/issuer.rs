//! An issuer at which people sign in, as a registry names it and as it describes itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::super::address::follow_with_credential;
use super::super::text::clean;
use super::super::wire::Wire;
use super::super::{Endpoint, Error, Remote};
use super::redirect::Listener;
use super::{IdentityToken, device, peer};

/// What the issuer is asked to tell: that it is this person, and what people call them.
pub(super) const SCOPE: &str = "openid profile email";

/// An issuer to sign in at.
#[derive(Debug)]
pub struct Issuer {
    pub(super) wire: Wire,
    pub(super) url: String,
    pub(super) client: String,
    authorization: Option<Url>,
    pub(super) token: Url,
    pub(super) device: Option<Url>,
}

/// What is needed of an issuer's description (OpenID Connect Discovery 1.0, RFC 8628).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: String,
    device_authorization_endpoint: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) id_token: Option<String>,
}

impl Issuer {
    /// Reads an issuer's description. `client` is whom the issuer knows the registry's users' program as.
    pub async fn discover(registry: &Remote, url: &str, client: &str) -> Result<Self, Error> {
        let (endpoint, wire) = (registry.endpoint(), &registry.exchange.wire);
        let described = format!("{}/.well-known/openid-configuration", url.trim_end_matches('/'));
        let described = safe(endpoint, &endpoint.url("/")?, "issuer", &described)?;
        let description: Description = peer::get(wire, "description of the issuer", &described, None).await?;
        if description.issuer != url {
            return Err(refused(url, "its description is of another issuer"));
        }
        let follow = |what, text: Option<&str>| text.map(|text| safe(endpoint, &described, what, text)).transpose();
        Ok(Self {
            wire: wire.clone(),
            url: clean(url),
            client: client.to_owned(),
            authorization: follow("sign-in page", description.authorization_endpoint.as_deref())?,
            token: safe(endpoint, &described, "token endpoint", &description.token_endpoint)?,
            device: follow("device endpoint", description.device_authorization_endpoint.as_deref())?,
        })
    }

    /// Signs in with a browser on this machine: `show` gets the address to open (RFC 8252, RFC 7636).
    pub async fn sign_in_here(&self, nonce: &str, show: impl FnOnce(&str)) -> Result<IdentityToken, Error> {
        let page = self.authorization.clone().ok_or_else(|| refused(&self.url, "it has no sign-in page"))?;
        let listener = Listener::bind().await?;
        let (verifier, state) = (random_text(), random_text());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut address = page;
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client)
            .append_pair("redirect_uri", &listener.address)
            .append_pair("scope", SCOPE)
            .append_pair("state", &state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        show(address.as_str());
        let code = listener.code(&self.url, &state).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", listener.address.as_str()),
            ("client_id", self.client.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let granted: Granted =
            peer::post(&self.wire, "token of the issuer", &self.token, &form).await?.map_err(Error::NoIdentity)?;
        self.taken(granted)
    }

    /// Signs in with a browser anywhere: `show` gets the code to type there, and where (RFC 8628).
    pub async fn sign_in_elsewhere(&self, show: impl FnOnce(&super::DeviceCode)) -> Result<IdentityToken, Error> {
        device::sign_in(self, show).await
    }

    pub(super) fn taken(&self, granted: Granted) -> Result<IdentityToken, Error> {
        let token = granted.id_token.ok_or_else(|| refused(&self.url, "it gives no identity token"))?;
        IdentityToken::new(&token)
    }
}

/// Only over https, and not from the open network into this one.
fn safe(endpoint: &Endpoint, base: &Url, what: &'static str, text: &str) -> Result<Url, Error> {
    follow_with_credential(endpoint, base, what, text)
}

/// Why nobody was signed in.
pub(super) fn refused(issuer: &str, problem: &str) -> Error {
    Error::SignIn { issuer: clean(issuer), problem: clean(problem) }
}

/// 244 random bits as a text that fits everywhere (RFC 7636, section 4.1, asks for 43 characters).
pub fn random_text() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
