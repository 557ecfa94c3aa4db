//! Reads `WWW-Authenticate`: how a registry wants to be shown a credential (RFC 9110, section 11.6.1).

use std::collections::HashMap;

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Longest header that is read, in bytes.
const MAX_CHALLENGE_BYTES: usize = 8 * 1024;

/// A challenge this client can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password on every request.
    Basic,
    /// A token from the realm.
    Bearer {
        /// Where tokens are, as written.
        realm: String,
        /// Whom the token is for.
        service: Option<String>,
        /// What the token must allow; several are divided by spaces.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best of the challenges in an answer: a token before a password.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let mut challenges: Vec<_> =
            values.filter(|value| value.len() <= MAX_CHALLENGE_BYTES).flat_map(parse).collect();
        challenges.sort_by_key(|challenge| matches!(challenge, Self::Basic));
        challenges.into_iter().next()
    }
}

/// The challenges of one header: schemes, each followed by parameters.
fn parse(header: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, HashMap<String, String>)> = Vec::new();
    for part in split_outside_quotes(header) {
        // `Bearer realm="…"` begins a challenge, `service="…"` continues it.
        let (scheme, rest) = match part.split_once(char::is_whitespace) {
            Some((word, rest)) if !word.contains('=') => (Some(word), rest.trim()),
            None if !part.contains('=') => (Some(part), ""),
            _ => (None, part),
        };
        if let Some(scheme) = scheme {
            found.push((scheme.to_ascii_lowercase(), HashMap::new()));
        }
        if let (Some((_, parameters)), Some((key, value))) = (found.last_mut(), rest.split_once('=')) {
            parameters.entry(key.trim().to_ascii_lowercase()).or_insert_with(|| unquote(value.trim()));
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| settle(&scheme, parameters)).collect()
}

fn settle(scheme: &str, mut parameters: HashMap<String, String>) -> Option<Challenge> {
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: parameters.remove("realm")?,
            service: parameters.remove("service").filter(|service| !service.is_empty()),
            scope: parameters.remove("scope").filter(|scope| !scope.is_empty()),
        }),
        _ => None,
    }
}

/// Splits at commas that are no part of a quoted text: scopes hold commas.
fn split_outside_quotes(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut in_quotes, mut escaped) = (Vec::new(), 0, false, false);
    for (place, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b',' if !in_quotes => {
                parts.push(header[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(header[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(character);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) }
    }

    #[test]
    fn a_bearer_challenge_keeps_its_commas() {
        let header = r#"Bearer realm="https://h/token",service="h",scope="repository:a/b:pull,push repository:c:pull""#;
        let scope = "repository:a/b:pull,push repository:c:pull";
        assert_eq!(of(&[header]), Some(bearer("https://h/token", Some("h"), Some(scope))));
    }

    #[test]
    fn spelling_does_not_matter() {
        let expected = Some(bearer("https://h/t", Some("s,x"), None));
        assert_eq!(of(&[r#"bearer  Realm=https://h/t , SERVICE="s\,x" , scope="""#]), expected);
    }

    #[test]
    fn a_token_goes_before_a_password() {
        let token = r#"Bearer realm="https://h/t""#;
        assert_eq!(of(&[r#"Basic realm="x""#, token]), Some(bearer("https://h/t", None, None)));
        assert_eq!(of(&[&format!(r#"Basic realm="x", {token}"#)]), Some(bearer("https://h/t", None, None)));
        assert_eq!(of(&[r#"Negotiate, Basic realm="x""#]), Some(Challenge::Basic));
    }

    #[test]
    fn what_cannot_be_answered_is_no_challenge() {
        for header in ["", "Negotiate", "Bearer", r#"Bearer service="x""#, "=,=\",", "Digest realm=\"x\""] {
            assert_eq!(of(&[header]), None, "{header}");
        }
        assert_eq!(of(&[&format!("Basic realm=\"{}\"", "x".repeat(MAX_CHALLENGE_BYTES))]), None);
        assert_eq!(of(&[]), None);
    }
}
