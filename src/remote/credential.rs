//! A credential for one registry, and the headers made of it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

use super::Error;

/// The user name beside a token where a user name is needed; registries look at the token alone.
const TOKEN_USER: &str = "token";

/// What proves who the caller is. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user with a password, or with a token in its place.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// An access token, sent as it is, or as a password where the registry asks for one.
    Token(String),
}

impl Credential {
    /// The credential as user and password.
    pub(super) fn basic(&self) -> Result<HeaderValue, Error> {
        let (user, password) = match self {
            Self::Basic { user, password } => (user.as_str(), password),
            Self::Token(token) => (TOKEN_USER, token),
        };
        secret(&format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    /// The secret in every form in which it is sent.
    pub(super) fn spellings(&self) -> Vec<String> {
        let (user, secret) = match self {
            Self::Basic { user, password } => (user.as_str(), password),
            Self::Token(token) => (TOKEN_USER, token),
        };
        let encoded = STANDARD.encode(format!("{user}:{secret}"));
        [secret.clone(), encoded].into_iter().filter(|text| !text.is_empty()).collect()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => f.debug_struct("Basic").field("user", user).finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token(…)"),
        }
    }
}

/// The header for a token.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    secret(&format!("Bearer {token}"))
}

fn secret(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Malformed { what: "credential" })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_for_a_password() {
        let basic = Credential::Basic { user: "bob".to_owned(), password: "pässword".to_owned() };
        assert_eq!(basic.basic().unwrap(), "Basic Ym9iOnDDpHNzd29yZA==");
        assert_eq!(Credential::Token("t".to_owned()).basic().unwrap(), "Basic dG9rZW46dA==");
        assert_eq!(bearer("t").unwrap(), "Bearer t");
        assert!(bearer("t\r\nX-Other: 1").is_err(), "a token cannot add headers");
    }

    #[test]
    fn no_secret_is_shown() {
        let basic = Credential::Basic { user: "bob".to_owned(), password: "hunter2".to_owned() };
        let shown = format!("{basic:?} {:?} {:?}", Credential::Token("hunter2".to_owned()), bearer("hunter2").unwrap());
        assert!(shown.contains("bob") && !shown.contains("hunter2"), "{shown}");
    }
}
