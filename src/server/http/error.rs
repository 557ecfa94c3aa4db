//! From what went wrong to what the caller is told: the envelope of the distribution API, and problem details
//! (RFC 9457) for the REST API. What went wrong inside is logged under the request's id and not told.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::body::BodyError;
use super::challenge::{Complaint, challenge_of};
use super::observe::RequestId;
use super::shown::{Shown, shown};
use crate::api::QueryError;
use crate::auth::{AccountDenied, ActionKind, Reason};
use crate::oci::{
    ErrorBody, ErrorCode, ErrorDetail, ManifestError, MediaTypeError, RangeError, RepositoryName, RouteError,
};
use crate::registry::{self, Refusal};

/// Seconds after which a caller may try again, where more callers than the server takes are the reason.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The registry refused or failed.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The request is none of the distribution API's.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The body did not come whole.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// `Content-Type` is no media type.
    #[error("the header Content-Type is wrong: {0}")]
    ContentType(#[from] MediaTypeError),
    /// `Content-Range` of a chunk cannot be read.
    #[error("the header Content-Range must be `first-last`, two byte offsets, both inclusive")]
    ChunkRange(#[from] RangeError),
    /// The requested range lies outside the blob of so many bytes.
    #[error("the range lies outside the {0} bytes of the blob")]
    Range(u64),
    /// The search query cannot be read.
    #[error("the query is wrong: {0}")]
    Query(#[from] QueryError),
    /// The body of a request to the REST API is of another type.
    #[error("the body must be of type application/json")]
    BodyType,
    /// The path is there for other methods, which these are.
    #[error("the path cannot be asked that way; it takes {0}")]
    MethodNotAllowed(String),
    /// A parameter of the REST API is wrong.
    #[error("{0}")]
    Parameter(String),
    /// `Authorization` cannot be read.
    #[error("the header Authorization must be `Bearer TOKEN`, or `Basic` with a name and a token")]
    Malformed,
    /// Nobody known asks for what only somebody known may have, or the token was made for something else.
    #[error("authentication is required; the header WWW-Authenticate says where to get a token, and for what")]
    SignIn,
    /// The token was made for the repository a blob is mounted into, and not for this one, which it would come from.
    #[error("the token does not reach the repository that the blob would come from")]
    MountFrom(RepositoryName),
    /// An identity from elsewhere is not believed, or cannot be checked.
    #[error(transparent)]
    Elsewhere(#[from] crate::server::OidcError),
    /// An identity was got for another registry.
    #[error("the identity token was made for another registry, or the text of its `nonce` is missing")]
    Nonce,
    /// Too many wrong credentials; worth another try after so many seconds.
    #[error("too many attempts to sign in have failed; try again in {0} seconds")]
    TooManyAttempts(u64),
    /// More events are being followed than the server takes.
    #[error("too many streams of events are open; close some, or try again later")]
    TooManyStreams,
    /// Administration, asked for from elsewhere.
    #[error("a registry without accounts is administered only from its own machine")]
    NotLocal,
    /// Administration, asked for by somebody else.
    #[error("only an administrator may do this, with a token of scope `admin`")]
    NotAdministrator,
    /// Another one is under way.
    #[error("a backup is under way; wait until it has ended")]
    BackupRunning,
    /// No endpoint has this path.
    #[error("there is nothing at this path; the registry is at /v2/, its catalogue at /api/v1")]
    NoSuchPath,
    /// A task of the server itself ended early.
    #[error("a task of the server was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}

impl Failure {
    /// The status, and the code of the distribution API; `None` where the server itself failed.
    fn kind(&self) -> (StatusCode, Option<ErrorCode>) {
        match self {
            Self::Registry(error) => (registry_status(error), error.code()),
            Self::Route(RouteError::NotFound) | Self::NoSuchPath => {
                (StatusCode::NOT_FOUND, Some(ErrorCode::Unsupported))
            }
            Self::Route(RouteError::MethodNotAllowed(_)) | Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, Some(ErrorCode::Unsupported))
            }
            Self::Route(RouteError::TooLong) => (StatusCode::URI_TOO_LONG, Some(ErrorCode::SizeInvalid)),
            Self::Route(RouteError::Invalid { code, .. }) => (status_of_invalid(*code), Some(*code)),
            Self::Body(BodyError::Stalled(_)) => (StatusCode::REQUEST_TIMEOUT, Some(ErrorCode::BlobUploadInvalid)),
            Self::Body(BodyError::Broken(_)) => (StatusCode::BAD_REQUEST, Some(ErrorCode::SizeInvalid)),
            Self::Body(BodyError::TooLarge(_)) => (StatusCode::PAYLOAD_TOO_LARGE, Some(ErrorCode::SizeInvalid)),
            Self::ContentType(_) => (StatusCode::BAD_REQUEST, Some(ErrorCode::ManifestInvalid)),
            Self::ChunkRange(_) => (StatusCode::BAD_REQUEST, Some(ErrorCode::BlobUploadInvalid)),
            Self::Range(_) => (StatusCode::RANGE_NOT_SATISFIABLE, Some(ErrorCode::SizeInvalid)),
            Self::BodyType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Some(ErrorCode::Unsupported)),
            Self::Query(_) | Self::Parameter(_) => (StatusCode::BAD_REQUEST, Some(ErrorCode::Unsupported)),
            Self::Elsewhere(error) if !error.is_callers_fault() => (StatusCode::SERVICE_UNAVAILABLE, None),
            Self::Malformed | Self::SignIn | Self::MountFrom(_) | Self::Elsewhere(_) | Self::Nonce => {
                (StatusCode::UNAUTHORIZED, Some(ErrorCode::Unauthorized))
            }
            Self::TooManyAttempts(_) | Self::TooManyStreams => {
                (StatusCode::TOO_MANY_REQUESTS, Some(ErrorCode::TooManyRequests))
            }
            Self::NotLocal | Self::NotAdministrator => (StatusCode::FORBIDDEN, Some(ErrorCode::Denied)),
            Self::BackupRunning => (StatusCode::CONFLICT, Some(ErrorCode::Denied)),
            Self::Stopped(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
        }
    }

    /// Whether it is no failure but a state that ends by itself, which the caller may know of.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Registry(registry::Error::SearchFilling))
    }

    /// Logs what is the server's own fault, with its causes.
    fn log(&self, status: StatusCode, request_id: &str) {
        if status.is_server_error() && !self.is_passing() {
            tracing::error!(request.id = request_id, error = self as &dyn std::error::Error, "request failed");
        }
    }

    /// What the caller reads. The server's own troubles are not theirs to read.
    fn told(&self, status: StatusCode, request_id: &str) -> String {
        match status {
            StatusCode::INSUFFICIENT_STORAGE => {
                format!("the registry is out of space; nothing was stored (request {request_id})")
            }
            status if status.is_server_error() && !self.is_passing() => {
                format!("the registry failed (request {request_id})")
            }
            _ => with_causes(self),
        }
    }

    /// What the caller may know of it: a repository that nobody has shown them is one that does not exist.
    fn concealed(self) -> Self {
        match self {
            Self::Registry(registry::Error::Denied(denied)) => {
                if denied.identity.is_anonymous() || denied.reason == Reason::Claims {
                    Self::SignIn
                } else if denied.action == ActionKind::Pull {
                    registry::Error::RepositoryUnknown(denied.repository).into()
                } else {
                    registry::Error::Denied(denied).into()
                }
            }
            Self::Registry(registry::Error::AccountDenied(denied)) => people_concealed(denied),
            other => other,
        }
    }

    /// What is wrong with the token that came along, if one did.
    fn complaint(&self, request: &HttpRequest) -> Option<Complaint> {
        let is_bad = !matches!(self, Self::SignIn | Self::MountFrom(_));
        let complaint = if is_bad { Complaint::InvalidToken } else { Complaint::InsufficientScope };
        // Some clients show an empty name and password for nothing.
        (!matches!(shown(request.headers()), Shown::Nothing)).then_some(complaint)
    }

    fn add_headers(&self, request: &HttpRequest, response: &mut HttpResponse) {
        let also = if let Self::MountFrom(from) = self { Some(from) } else { None };
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(value) = challenge_of(request, also, self.complaint(request))
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        let headers = response.headers_mut();
        match self {
            Self::Route(RouteError::MethodNotAllowed(methods)) => {
                let allowed = methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                if let Ok(value) = HeaderValue::from_str(&allowed) {
                    headers.insert(header::ALLOW, value);
                }
            }
            Self::MethodNotAllowed(allowed) => {
                if let Ok(value) = HeaderValue::from_str(allowed) {
                    headers.insert(header::ALLOW, value);
                }
            }
            Self::TooManyAttempts(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::TooManyStreams
            | Self::Registry(
                registry::Error::TooManyUploads | registry::Error::TooManySignIns | registry::Error::SearchFilling,
            ) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            Self::Registry(registry::Error::UploadOutOfOrder { expected, .. }) => {
                // Where the session goes on, in the form of its other answers.
                if let Ok(value) = HeaderValue::from_str(&format!("0-{}", expected.saturating_sub(1))) {
                    headers.insert(header::RANGE, value);
                }
            }
            Self::Range(size) => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                    headers.insert(header::CONTENT_RANGE, value);
                }
            }
            _ => {}
        }
    }
}

/// What a caller may know of an account they may not look at: nothing.
fn people_concealed(denied: AccountDenied) -> Failure {
    if denied.identity.is_anonymous() {
        return Failure::SignIn;
    }
    let hidden = match (denied.action, &denied.account) {
        ("organisation.view", Some(name)) => Refusal::UnknownOrganisation(name.clone()),
        ("user.view" | "token.list", Some(name)) => Refusal::UnknownUser(name.clone()),
        _ => return registry::Error::AccountDenied(denied).into(),
    };
    registry::Error::Refused(hidden).into()
}

/// An error with its causes in one sentence; a cause that the text names already is not named again.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn registry_status(error: &registry::Error) -> StatusCode {
    use registry::{Error, RefusalKind};
    match error {
        Error::BlobUnknown { .. }
        | Error::UploadUnknown(_)
        | Error::ManifestUnknown { .. }
        | Error::ManifestBlobUnknown(_)
        | Error::RepositoryUnknown(_)
        | Error::NoPackage { .. }
        | Error::NoVersion(_)
        | Error::NoAccounts => StatusCode::NOT_FOUND,
        Error::EventsRemoved { .. } => StatusCode::GONE,
        Error::UploadBusy(_) => StatusCode::CONFLICT,
        Error::UploadOutOfOrder { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::TooManyUploads | Error::TooManySignIns => StatusCode::TOO_MANY_REQUESTS,
        Error::ConditionFailed { .. } => StatusCode::PRECONDITION_FAILED,
        Error::ManifestInvalid(ManifestError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::ChunkLength { .. }
        | Error::DigestMismatch { .. }
        | Error::ManifestInvalid(_)
        | Error::PackageInvalid(_)
        | Error::Folder { .. }
        | Error::Unreadable(_)
        | Error::Cursor => StatusCode::BAD_REQUEST,
        Error::Refused(refusal) => match refusal.kind() {
            RefusalKind::Missing => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Invalid => StatusCode::BAD_REQUEST,
        },
        Error::Exchange(error) => exchange_status(error),
        Error::Denied(_) | Error::AccountDenied(_) | Error::TagRefused(_) => StatusCode::FORBIDDEN,
        Error::OutOfSpace(_) => StatusCode::INSUFFICIENT_STORAGE,
        Error::SearchFilling => StatusCode::SERVICE_UNAVAILABLE,
        Error::Index(error) if error.is_out_of_space() => StatusCode::INSUFFICIENT_STORAGE,
        Error::Search(_)
        | Error::Storage(_)
        | Error::Index(_)
        | Error::Lost(_)
        | Error::RuleDamaged(..)
        | Error::IndexBehind { .. }
        | Error::Record(_)
        | Error::Files { .. }
        | Error::SigningKey(_)
        | Error::Random(_)
        | Error::Hash(_)
        | Error::Stopped(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn exchange_status(error: &registry::ExchangeError) -> StatusCode {
    use registry::ExchangeError;
    match error {
        ExchangeError::Used => StatusCode::UNAUTHORIZED,
        ExchangeError::NoPublisher(_)
        | ExchangeError::Stranger { .. }
        | ExchangeError::Nameless { .. }
        | ExchangeError::NameTaken(_) => StatusCode::FORBIDDEN,
        ExchangeError::Ambiguous => StatusCode::BAD_REQUEST,
        ExchangeError::Rule(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn status_of_invalid(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::ManifestUnknown | ErrorCode::BlobUploadUnknown => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The answer of the distribution API.
pub(super) fn envelope(request: &HttpRequest, failure: impl Into<Failure>) -> HttpResponse {
    let failure = failure.into().concealed();
    let (status, code) = failure.kind();
    let request_id = RequestId::of(request);
    failure.log(status, &request_id);
    let message = failure.told(status, &request_id);
    let body = match code {
        Some(code) => ErrorBody::one(code, message, None),
        // None of the fixed codes is about the server's own failures; this is the one clients know.
        None => ErrorBody { errors: vec![ErrorDetail { code: "UNKNOWN".to_owned(), message, detail: None }] },
    };
    let mut response = HttpResponse::build(status).json(body);
    failure.add_headers(request, &mut response);
    response
}

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    /// The status in words.
    #[schema(examples("Not Found"))]
    title: String,
    /// The status.
    #[schema(examples(404))]
    status: u16,
    /// What is wrong, and what to do.
    #[schema(examples("the registry has no repository `acme/reader`"))]
    detail: String,
    /// A code of the distribution API, or `UNKNOWN`.
    #[schema(examples("NAME_UNKNOWN"))]
    code: String,
    /// Names the request in the server's log.
    #[schema(examples("a0342a19-aa18-4711-89da-88da3f098f49"))]
    request_id: String,
}

/// The answer of the REST API.
pub(super) fn problem(request: &HttpRequest, failure: impl Into<Failure>) -> HttpResponse {
    let failure = failure.into().concealed();
    let (status, code) = failure.kind();
    let request_id = RequestId::of(request);
    failure.log(status, &request_id);
    let problem = Problem {
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: failure.told(status, &request_id),
        code: code.map_or("UNKNOWN", ErrorCode::as_str).to_owned(),
        request_id,
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = HttpResponse::build(status).content_type("application/problem+json").body(body);
    failure.add_headers(request, &mut response);
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn who_opens_too_many_uploads_is_told_when_to_come_back() {
        let request = TestRequest::default().to_http_request();
        let answer = envelope(&request, registry::Error::TooManyUploads);
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers().get(header::RETRY_AFTER), Some(&HeaderValue::from(RETRY_AFTER_SECONDS)));
    }
}
