//! What a request shows of its caller: the `Authorization` header, read and not yet believed.

use std::fmt;

use actix_web::http::header::{self, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::auth::MAX_SHORT_TOKEN_LENGTH;

/// Longest `Authorization` header that is read, in bytes: a short token, or a password in base 64.
const MAX_LENGTH: usize = MAX_SHORT_TOKEN_LENGTH + "Bearer ".len();

/// Names in `Basic` that mean "whoever the token belongs to".
const NAMELESS: [&str; 1] = ["__token__"];

/// What a caller shows.
#[derive(Debug)]
pub(super) enum Shown {
    /// Nothing; also an empty name with an empty password, which some clients send for that.
    Nothing,
    /// A token, short or long.
    Bearer(SecretString),
    /// A name with a password or a token.
    Basic(Basic),
    /// Something that is neither.
    Malformed,
}

/// Name and password, as a client sends them.
pub(super) struct Basic {
    /// The account; none where the client leaves that to the token.
    pub(super) user: Option<String>,
    /// A password, or a token.
    pub(super) secret: SecretString,
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads the header.
pub(super) fn shown(headers: &HeaderMap) -> Shown {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(header::AUTHORIZATION) { Shown::Malformed } else { Shown::Nothing };
    };
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_LENGTH);
    let Some((scheme, rest)) = text.and_then(|text| text.split_once(' ')) else { return Shown::Malformed };
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        let is_token = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token { Shown::Bearer(rest.into()) } else { Shown::Malformed }
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(rest).unwrap_or(Shown::Malformed)
    } else {
        Shown::Malformed
    }
}

fn basic(encoded: &str) -> Option<Shown> {
    let text = SecretString::from(String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?);
    let (user, secret) = text.expose_secret().split_once(':')?;
    if user.is_empty() && secret.is_empty() {
        return Some(Shown::Nothing);
    }
    let is_clean = !user.chars().chain(secret.chars()).any(char::is_control);
    let user = (!NAMELESS.contains(&user)).then(|| user.to_owned());
    is_clean.then(|| Shown::Basic(Basic { user, secret: secret.into() }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match shown(&headers) {
            Shown::Nothing => "nothing".to_owned(),
            Shown::Bearer(token) => format!("bearer {}", token.expose_secret()),
            Shown::Basic(basic) => format!("basic {:?} {}", basic.user, basic.secret.expose_secret()),
            Shown::Malformed => "malformed".to_owned(),
        }
    }

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn both_schemes_are_read_in_any_case() {
        assert_eq!(read(&[]), "nothing");
        assert_eq!(read(&["Bearer abc.def"]), "bearer abc.def");
        assert_eq!(read(&["bearer  abc"]), "bearer abc");
        assert_eq!(read(&[&encoded("ada:agr_x")]), r#"basic Some("ada") agr_x"#);
        assert_eq!(read(&[&encoded("ada:with:colons")]), r#"basic Some("ada") with:colons"#);
        assert_eq!(read(&[&encoded("ada:pässwörd")]), r#"basic Some("ada") pässwörd"#);
        assert_eq!(read(&[&encoded("__token__:agr_x")]), "basic None agr_x");
        assert_eq!(read(&["BASIC YTpi"]), r#"basic Some("a") b"#);
    }

    #[test]
    fn an_empty_name_and_password_are_nobody() {
        assert_eq!(read(&["Basic Og=="]), "nothing");
        assert_eq!(read(&[&encoded("ada:")]), r#"basic Some("ada") "#, "a name without password is a claim");
        assert_eq!(read(&[&encoded(":agr_x")]), r#"basic Some("") agr_x"#);
    }

    #[test]
    fn anything_else_is_malformed() {
        let long = format!("Bearer {}", "x".repeat(MAX_LENGTH));
        let no_text = format!("Basic {}", STANDARD.encode([b'a', b':', 0xff]));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Basic",
            "Basic !!",
            "Basic YQ==",
            "Digest a",
            "agr_x",
            &long,
            &encoded("a\0:b"),
            &encoded("a:b\n"),
            &no_text,
            "Bearer tök",
        ] {
            assert_eq!(read(&[value]), "malformed", "{value}");
        }
        assert_eq!(read(&["Bearer a", "Bearer b"]), "malformed", "two headers");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&encoded("ada:hunter2222")).unwrap());
        assert!(!format!("{:?}", shown(&headers)).contains("hunter2222"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer hunter2222"));
        assert!(!format!("{:?}", shown(&headers)).contains("hunter2222"));
    }
}
