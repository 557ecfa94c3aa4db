//! What every answer of the REST API has in common: entity tags, how long it may be kept, and who may read it in a
//! browser from elsewhere.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web;

use super::State;
use crate::oci::Digest;

/// Where the REST API is.
const ROOT: &str = "/api/v1";

/// Hexadecimal digits of an entity tag: half of SHA-256 tells any two bodies apart.
const TAG_LENGTH: usize = 32;

/// Seconds a browser may remember what it may send here.
const PREFLIGHT_SECONDS: &str = "600";

/// Headers that scripts of a listed origin may send.
const SENT_HEADERS: &str = "authorization, content-type, if-none-match, last-event-id";

/// Headers that such scripts may read.
const SHOWN_HEADERS: &str = "etag, retry-after, warning, www-authenticate, x-request-id";

/// How what is the same for everybody may be kept: it changes only with the program.
pub(super) const CACHEABLE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// Whether a path is one of the REST API.
pub(super) fn is_api(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Finishes an answer of the REST API.
pub(super) fn keep<B: MessageBody + 'static>(response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    share(&request, response.headers_mut());
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_reading {
        set_caching(&request, response.headers_mut());
    }
    let is_tagged = is_reading && response.status() == StatusCode::OK;
    let body = match body.try_into_bytes() {
        Ok(bytes) if is_tagged => {
            let tag = format!("\"{}\"", &Digest::sha256(&bytes).hex()[..TAG_LENGTH]);
            let is_known = names(request.headers(), &tag);
            if let Ok(value) = HeaderValue::from_str(&tag) {
                response.headers_mut().insert(header::ETAG, value);
            }
            if is_known {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response.headers_mut().remove(header::CONTENT_TYPE);
                response.headers_mut().remove(header::CONTENT_ENCODING);
                BoxBody::new(())
            } else {
                BoxBody::new(bytes)
            }
        }
        Ok(bytes) => BoxBody::new(bytes),
        // What comes piece by piece has no end to make a tag of.
        Err(body) => BoxBody::new(body),
    };
    ServiceResponse::new(request, response.set_body(body))
}

/// What nobody said how to keep is asked for again each time, and on the way only kept for whoever showed a credential.
fn set_caching(request: &HttpRequest, headers: &mut HeaderMap) {
    if !headers.contains_key(header::CACHE_CONTROL) {
        let is_somebodys = request.headers().contains_key(header::AUTHORIZATION);
        let value = if is_somebodys { "private, no-cache" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    let is_everybodys = headers.get(header::CACHE_CONTROL).is_some_and(|value| value.as_bytes().starts_with(b"public"));
    if !is_everybodys {
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
    }
}

/// Whether `If-None-Match` names a tag; compared weakly (RFC 9110, section 13.1.2).
fn names(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let mut listed = values.flat_map(|value| value.split(','));
    listed.any(|known| matches!(known.trim(), "*") || known.trim().trim_start_matches("W/") == tag)
}

/// Lets scripts of listed origins read the answer, and says what they may send where they ask before.
fn share(request: &HttpRequest, headers: &mut HeaderMap) {
    let Some(state) = request.app_data::<web::Data<State>>().filter(|state| !state.cors_origins.is_empty()) else {
        return;
    };
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    if !state.cors_origins.iter().any(|known| known.to_string().as_bytes() == origin.as_bytes()) {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN_HEADERS));
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if is_preflight && let Some(methods) = headers.get(header::ALLOW).cloned() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT_HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::test::TestRequest;

    use super::*;

    fn kept(request: TestRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
        keep(ServiceResponse::new(request.to_http_request(), response))
    }

    fn header<'a>(response: &'a ServiceResponse<BoxBody>, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn only_paths_below_the_root_are_of_the_api() {
        assert!(["/api/v1", "/api/v1/", "/api/v1/me"].into_iter().all(is_api));
        assert!(!["/", "/v2/", "/api/v12", "/api", "/v2/api/v1"].into_iter().any(is_api));
    }

    #[test]
    fn a_tag_is_of_the_body_and_spares_sending_it_again() {
        let first = kept(TestRequest::get(), HttpResponse::Ok().body("a"));
        let tag = header(&first, "etag").to_owned();
        assert_eq!((tag.len(), first.status()), (TAG_LENGTH + 2, StatusCode::OK));
        assert_ne!(header(&kept(TestRequest::get(), HttpResponse::Ok().body("b")), "etag"), tag);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = kept(TestRequest::get().insert_header(("if-none-match", known)), HttpResponse::Ok().body("a"));
            assert_eq!((again.status(), header(&again, "etag")), (StatusCode::NOT_MODIFIED, tag.as_str()));
            assert_eq!(again.into_body().try_into_bytes().unwrap(), "");
        }
        for other in ["\"x\"", &tag[1..], ""] {
            let again = kept(TestRequest::get().insert_header(("if-none-match", other)), HttpResponse::Ok().body("a"));
            assert_eq!(again.status(), StatusCode::OK, "{other}");
        }
    }

    #[test]
    fn only_good_answers_to_readers_have_tags() {
        for (request, response) in [
            (TestRequest::post(), HttpResponse::Ok().body("a")),
            (TestRequest::get(), HttpResponse::NotFound().body("a")),
            (TestRequest::delete(), HttpResponse::NoContent().finish()),
        ] {
            assert_eq!(header(&kept(request, response), "etag"), "");
        }
    }

    #[test]
    fn what_was_shown_to_somebody_is_kept_for_nobody_else() {
        let nobody = kept(TestRequest::get(), HttpResponse::Ok().body("a"));
        assert_eq!((header(&nobody, "cache-control"), header(&nobody, "vary")), ("no-cache", "Authorization"));
        let somebody = TestRequest::get().insert_header(("authorization", "Bearer x"));
        assert_eq!(header(&kept(somebody, HttpResponse::Ok().body("a")), "cache-control"), "private, no-cache");
        let public = kept(TestRequest::get(), HttpResponse::Ok().insert_header(CACHEABLE).body("a"));
        assert_eq!((header(&public, "cache-control"), header(&public, "vary")), (CACHEABLE.1, ""));
        let secret = HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).body("a");
        assert_eq!(header(&kept(TestRequest::post(), secret), "cache-control"), "no-store");
    }
}
