//! A registry's refusal: the status, and what can be read of the error's body.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::text::clean;
use super::{Credential, ErrorKind};
use crate::oci::ErrorCode;

/// Most bytes of an error's body that are read.
pub(super) const MAX_ERROR_BYTES: usize = 64 * 1024;

/// A registry's answer with a status of 300 or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The code: one of [`ErrorCode`], or a foreign registry's own; fit to be shown.
    pub code: Option<String>,
    /// What the registry says; fit to be shown, perhaps empty.
    pub message: String,
    /// What was asked, as `GET /v2/…`.
    pub request: String,
    /// Scheme, host and port.
    pub address: String,
    /// How long the registry asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether this client has a credential for the registry.
    pub has_credential: bool,
}

impl Refusal {
    /// Whether the registry gave this code.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code.as_deref() == Some(code.as_str())
    }

    /// Whether it answers a question to the registry's own API, not to the distribution API.
    pub fn is_about_own_api(&self) -> bool {
        self.request.split_once(' ').is_some_and(|(_, path)| path.starts_with("/api/"))
    }

    /// How a caller should treat it.
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            401 | 403 => ErrorKind::Denied,
            404 | 410 => ErrorKind::NotFound,
            408 | 429 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Refused,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let address = &self.address;
        Some(match self.status {
            401 if self.has_credential => {
                format!("{address} does not accept this credential; sign in again with `agent login {address}`")
            }
            401 => format!("sign in with `agent login {address}`, or set AGENT_REGISTRY_TOKEN"),
            403 if self.has_credential => "this credential has no right to do it; ask the owner for it".to_owned(),
            403 => format!("anonymous users may not do it; sign in with `agent login {address}`"),
            404 if self.is_about_own_api() => "check the name, and whether you may see it: `agent whoami`".to_owned(),
            404 => "check the name; some registries want a repository to be created before the first push, \
                    and show private ones only to those who may read them"
                .to_owned(),
            413 => "it is larger than the registry takes".to_owned(),
            429 => match self.retry_after {
                Some(wait) => format!("the registry is busy with you; try again in {} s", wait.as_secs()),
                None => "the registry is busy with you; try again later".to_owned(),
            },
            507 => "the registry's disk is full: whoever runs it must make room".to_owned(),
            500.. => "the registry is in trouble; try again later".to_owned(),
            _ => return None,
        })
    }

    /// Blots a secret out of what the registry says.
    pub fn blot(&mut self, secret: &str) {
        self.message = self.message.replace(secret, "…");
        self.code = self.code.take().map(|code| code.replace(secret, "…"));
    }

    /// Takes code and message out of an error's body: the distribution envelope, a problem (RFC 9457), or plain text. A
    /// credential that the registry repeats there is blotted out.
    pub(super) fn read_body(&mut self, content_type: &str, body: &[u8], credential: Option<&Credential>) {
        let secrets = credential.map(Credential::spellings).unwrap_or_default();
        // Before a long text is cut: half a secret is still too much.
        let clean = |text: &str| clean(&secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…")));
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            let first = &json["errors"][0];
            // An issuer of identity tokens has but the second (RFC 6749, section 5.2).
            let code = first["code"].as_str().or_else(|| json["error"].as_str());
            self.code = code.map(clean).filter(|code| !code.is_empty());
            let told = [
                &first["message"],
                &json["detail"],
                &json["details"],
                &json["message"],
                &json["title"],
                &json["error_description"],
            ];
            self.message = told.into_iter().find_map(Value::as_str).map(clean).unwrap_or_default();
        } else if content_type.starts_with("text/plain") {
            let text = String::from_utf8_lossy(body);
            self.message = clean(text.trim().lines().next().unwrap_or_default());
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        write!(f, "{} answered {} to {}", self.address, self.status, self.request)?;
        let parts = [self.code.as_deref(), Some(self.message.as_str()).filter(|message| !message.is_empty())];
        let told: Vec<_> = parts.into_iter().flatten().collect();
        if told.is_empty() { write!(f, ": {}", reason.unwrap_or("error")) } else { write!(f, ": {}", told.join(": ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16) -> Refusal {
        Refusal {
            status,
            code: None,
            message: String::new(),
            request: "GET /v2/a/tags/list".to_owned(),
            address: "https://h".to_owned(),
            retry_after: None,
            has_credential: false,
        }
    }

    fn shown(content_type: &str, body: &str) -> String {
        let mut refusal = refusal(403);
        refusal.read_body(content_type, body.as_bytes(), None);
        refusal.to_string().replace("https://h answered 403 to GET /v2/a/tags/list: ", "")
    }

    #[test]
    fn code_and_message_are_found_in_every_dialect() {
        let envelope = r#"{"errors":[{"code":"DENIED","message":"not yours"},{"code":"UNKNOWN"}]}"#;
        assert_eq!(shown("application/json", envelope), "DENIED: not yours");
        assert_eq!(shown("application/problem+json", r#"{"title":"Denied","detail":"no right"}"#), "no right");
        assert_eq!(shown("application/json", r#"{"details":"wrong password"}"#), "wrong password");
        assert_eq!(shown("text/plain; charset=utf-8", "no\nright"), "no");
    }

    #[test]
    fn a_body_that_says_nothing_leaves_the_status() {
        for body in ["", "{", "[]", "{}", "\"x\"", r#"{"errors":[]}"#, r#"{"errors":[{"code":7}]}"#, "<html>"] {
            assert_eq!(shown("application/json", body), "Forbidden", "{body}");
        }
        assert_eq!(shown("text/html", "<h1>no</h1>"), "Forbidden");
    }

    #[test]
    fn a_registry_cannot_write_to_the_terminal() {
        let shown =
            shown("application/json", r#"{"errors":[{"code":"\u001b[2J","message":"a\u001b]0;x\u0007b\r\n"}]}"#);
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }

    #[test]
    fn a_credential_that_is_repeated_is_not_shown() {
        let credential = Credential::Basic { user: "bob".to_owned(), password: "hunter2".to_owned() };
        for told in ["hunter2", "Basic Ym9iOmh1bnRlcjI=", &format!("{}hunter2", "x".repeat(297))] {
            let mut refusal = refusal(401);
            let body = serde_json::json!({"errors": [{"code": told, "message": told}]}).to_string();
            refusal.read_body("application/json", body.as_bytes(), Some(&credential));
            let shown = refusal.to_string();
            assert!(!shown.contains("hunt") && !shown.contains("Ym9iOmh1"), "{shown}");
        }
    }

    #[test]
    fn every_refusal_has_a_kind_and_a_way_on() {
        let kinds = [
            (401, ErrorKind::Denied),
            (403, ErrorKind::Denied),
            (404, ErrorKind::NotFound),
            (405, ErrorKind::Refused),
            (413, ErrorKind::Refused),
            (429, ErrorKind::Unavailable),
            (500, ErrorKind::Unavailable),
            (599, ErrorKind::Unavailable),
        ];
        for (status, kind) in kinds {
            assert_eq!(refusal(status).kind(), kind, "{status}");
            assert_eq!(refusal(status).hint().is_some(), status != 405, "{status}");
        }
        let with = Refusal { has_credential: true, ..refusal(401) };
        assert_ne!(with.hint(), refusal(401).hint());
    }
}
