//! Identity tokens from elsewhere, to be exchanged at a registry: of a run of continuous integration, or of a person
//! who signs in at an issuer. Neither is given to anybody but the registry it was asked for.

mod ci;
mod device;
mod issuer;
mod peer;
mod redirect;

use std::fmt;

pub use ci::CiRun;
pub use device::DeviceCode;
pub use issuer::{Issuer, random_text};

/// Longest identity token in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// An identity token. `Debug` does not show it.
#[derive(Clone)]
pub struct IdentityToken(String);

impl IdentityToken {
    /// Takes a token that somebody else got.
    pub fn new(text: &str) -> Result<Self, super::Error> {
        let text = text.trim();
        let is_token = text.len() <= MAX_TOKEN_BYTES
            && text.split('.').count() == 3
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=".contains(&byte));
        if is_token { Ok(Self(text.to_owned())) } else { Err(super::Error::Malformed { what: "identity token" }) }
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityToken(…)")
    }
}
