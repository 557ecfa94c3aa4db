//! Headers that several answers of the distribution API share.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::oci::{Conditions, Digest, EntityTags, Route};

/// The digest of what an answer is about (distribution-spec, "Pulling manifests").
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a digest names never changes.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Clients older than OCI look for this one.
pub(super) fn mark(response: &mut HttpResponse) {
    let name = HeaderName::from_static("docker-distribution-api-version");
    response.headers_mut().insert(name, HeaderValue::from_static("registry/2.0"));
}

/// Where something is, relative to the host the client used.
pub(super) fn location(route: &Route) -> (HeaderName, String) {
    (header::LOCATION, route.path_and_query())
}

/// The digest header.
pub(super) fn content_digest(digest: &Digest) -> (HeaderName, String) {
    (CONTENT_DIGEST, digest.to_string())
}

/// The entity tag of content with this digest.
pub(super) fn etag(digest: &Digest) -> (HeaderName, String) {
    (header::ETAG, format!("\"{digest}\""))
}

/// Where the next page of a list is; relative, since the client knows the host (RFC 8288).
pub(super) fn next_page(route: &Route) -> (HeaderName, String) {
    (header::LINK, format!("<{}>; rel=\"next\"", route.path_and_query()))
}

/// Longest text of a warning in bytes; what is longer is cut. Quoted it is at most twice as long, which fits the 4,096
/// bytes that clients read of all warnings of an answer.
const MAX_WARNING_LENGTH: usize = 1_800;

/// Bytes of all warnings of one answer (distribution-spec, "Warnings").
const MAX_WARNING_BYTES: usize = 4_096;

/// A note to a person (distribution-spec, "Warnings"): without a date, and from nobody in particular. The text becomes a
/// quoted string (RFC 9110, section 5.6.4) of one line, in which nothing steers a terminal.
pub(super) fn warning(text: &str) -> (HeaderName, String) {
    let mut quoted = String::with_capacity(text.len() + 8);
    for character in text[..text.floor_char_boundary(MAX_WARNING_LENGTH)].chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            steering if is_steering(steering) => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    (header::WARNING, format!("299 - \"{quoted}\""))
}

/// As many of these notes as clients read.
pub(super) fn warnings(texts: impl Iterator<Item = String>) -> impl Iterator<Item = (HeaderName, String)> {
    let mut room = MAX_WARNING_BYTES;
    texts.map(|text| warning(&text)).map_while(move |(name, value)| {
        room = room.checked_sub(value.len())?;
        Some((name, value))
    })
}

/// Control characters, and the marks that change the direction of text or hide it.
fn is_steering(character: char) -> bool {
    let hidden = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    character.is_control() || hidden.iter().any(|range| range.contains(&character))
}

/// The conditions of a request.
pub(super) fn conditions(headers: &HeaderMap) -> Conditions {
    Conditions {
        if_match: entity_tags(headers, &header::IF_MATCH),
        if_none_match: entity_tags(headers, &header::IF_NONE_MATCH),
    }
}

/// The entity tags a header names.
pub(super) fn entity_tags(headers: &HeaderMap, name: &HeaderName) -> Option<EntityTags> {
    headers.get(name).map(|value| EntityTags::from_header(&String::from_utf8_lossy(value.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let (_, value) = warning(text);
        assert!(HeaderValue::from_str(&value).is_ok() || !value.is_ascii(), "{value}");
        assert!(HeaderValue::from_bytes(value.as_bytes()).is_ok(), "{value}");
        value
    }

    #[test]
    fn a_warning_is_one_quoted_string_whatever_somebody_wrote() {
        assert_eq!(value("use \"b\", not C:\\x"), r#"299 - "use \"b\", not C:\\x""#);
        assert_eq!(value("a\r\nSet-Cookie: x\u{1b}[2J\u{202e}b\u{7f}"), "299 - \"a  Set-Cookie: x [2J b \"");
        assert_eq!(value("für alle"), "299 - \"für alle\"");
        assert!(value(&"é\"".repeat(2_000)).len() <= MAX_WARNING_BYTES);
    }

    #[test]
    fn all_warnings_together_are_bounded() {
        let long = std::iter::repeat_n("x".repeat(1_500), 9);
        assert_eq!(warnings(long).count(), 2);
        assert_eq!(warnings(["a".to_owned(), "b".to_owned()].into_iter()).count(), 2);
    }
}
