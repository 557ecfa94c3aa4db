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

/// A note to the person who pushed (distribution-spec, "Warnings"): without a date, and from nobody in particular. The
/// text is short, without quotes, and the only one of its answer.
pub(super) fn warning(text: &str) -> (HeaderName, String) {
    (header::WARNING, format!("299 - \"{text}\""))
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
