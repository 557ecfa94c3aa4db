//! What happens around every request: an id, one log line, and headers every answer carries.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest};
use uuid::{Builder, Uuid};

use super::manners;
use crate::server::pace::Pace;

/// The request's id, in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in answers and logs.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestId(Uuid);

impl RequestId {
    /// One that looks random and comes once, without a system call for each.
    fn next() -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let half = |part: u8| u128::from(KEY.hash_one((count, part)));
        let bits = half(0) << 64 | half(1);
        Self(Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }

    /// The id that [`observe`] gave the request.
    pub(super) fn of(request: &HttpRequest) -> String {
        Self::number(request).map_or_else(String::new, |id| id.to_string())
    }

    /// The same as a value; none outside of [`observe`].
    pub(super) fn number(request: &HttpRequest) -> Option<Uuid> {
        request.extensions().get::<Self>().map(|id| id.0)
    }
}

/// The constant name of what a request did, for the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label(pub(super) &'static str);

/// Runs a request under an id of its own and logs it once.
pub(in crate::server) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let id = RequestId::next();
    request.extensions_mut().insert(id);
    let pace = request.conn_data::<Pace>().cloned();
    if let Some(pace) = &pace {
        pace.begin();
    }
    let answered = next.call(request).await;
    if let Some(pace) = &pace {
        pace.end();
    }
    let mut response = match answered? {
        response if manners::is_api(response.request().path()) => {
            manners::keep(response).map_body(|_, body| EitherBody::right(body))
        }
        response => response.map_body(|_, body| EitherBody::left(body)),
    };
    let mut buffer = Uuid::encode_buffer();
    let text: &str = id.0.hyphenated().encode_lower(&mut buffer);
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(HeaderName::from_static("x-content-type-options"), nosniff);
    let label = response.request().extensions().get::<Label>().map_or("other", |label| label.0);
    let head = response.request().head();
    tracing::info!(
        request.id = text,
        method = head.method.as_str(),
        path = head.uri.path(),
        route = label,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    Ok(response)
}
