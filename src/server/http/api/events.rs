//! `GET /api/v1/events`: what happened, page by page or as it happens.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::event_stream;
use super::{Failure, State, caller, json, length, problem};
use crate::api::{EventPage, LATEST};
use crate::index::events::{EventKind, Filter};
use crate::oci::{ErrorCode, NameError, RouteError};
use crate::registry::{Error, Start};

/// The media type of a stream of events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// Where a client of a stream says how far it is.
const LAST_EVENT_ID: &str = "last-event-id";

/// Most kinds in one request: no kind is wanted twice.
const MAX_KINDS: usize = 16;

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// After the event of this number: what the page before gave as `next`, or `as_of` of the last one. `latest` for
    /// those to come; without it from the first one that is still kept.
    after: Option<String>,
    /// Most entries in a page: 1 to 1000, by default 100. A stream has no pages.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// Of this repository only.
    repository: Option<String>,
    /// Of these kinds only, with commas between them, such as `tag.moved,version.yanked`.
    kind: Option<String>,
}

/// What happened in the repositories one may pull from, oldest first; each event has a number that grows.
///
/// With `Accept: text/event-stream` the answer goes on as things happen (server-sent events): `id` is the number,
/// `event` the kind, `data` the event as in a page. `Last-Event-ID` goes before `after`, so that a client which connects
/// again misses nothing and gets nothing twice.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events",
    params(
        Wanted,
        ("Last-Event-ID" = Option<String>, Header, description = "The number of the last event a client has seen.")
    ),
    responses(
        (status = 200, content((EventPage = "application/json"), (String = "text/event-stream"))),
        (status = 400, description = "A parameter is wrong."),
        (status = 410, description = "Events after `after` are no longer kept; the detail says from which on they are."),
        (status = 429, description = "Too many streams are open.")
    )
)]
pub(super) async fn events(request: HttpRequest, wanted: web::Query<Wanted>, state: web::Data<State>) -> HttpResponse {
    let (start, filter) = match read(&request, &wanted) {
        Ok(read) => read,
        Err(failure) => return problem(&request, failure),
    };
    // Nobody can tell from a head alone that it never ends.
    if accepts_stream(&request) && request.method() == Method::GET {
        let opened = event_stream::open(&request, &state, start, filter).await;
        return opened.unwrap_or_else(|failure| problem(&request, failure));
    }
    let page = async {
        let limit = length(wanted.limit.as_deref())?;
        Ok(state.registry.events(&caller(&request, &state)?, start, &filter, limit).await?)
    };
    json(&request, page.await)
}

fn read(request: &HttpRequest, wanted: &Wanted) -> Result<(Start, Filter), Failure> {
    let last = request.headers().get(LAST_EVENT_ID).map(|value| value.to_str().map_err(|_| Error::Cursor));
    let start = match last.transpose()?.filter(|_| accepts_stream(request)).or(wanted.after.as_deref()) {
        None => Start::Oldest,
        Some(LATEST) => Start::Latest,
        Some(number) => Start::After(number.parse().map_err(|_| Error::Cursor)?),
    };
    let invalid = |error: NameError| RouteError::Invalid { code: ErrorCode::NameInvalid, message: error.to_string() };
    let repository = wanted.repository.as_deref().map(str::parse).transpose().map_err(invalid)?;
    Ok((start, Filter { repository, kinds: wanted.kind.as_deref().map_or(Ok(vec![]), kinds)? }))
}

fn kinds(text: &str) -> Result<Vec<EventKind>, Failure> {
    let unknown = || {
        let known = EventKind::announced().map(EventKind::as_str).collect::<Vec<_>>().join(", ");
        Failure::Parameter(format!("the parameter `kind` takes these, with commas between them: {known}"))
    };
    let known = |name: &str| EventKind::from_name(name).filter(|kind| kind.is_announced()).ok_or_else(unknown);
    let kinds = text.split(',').take(MAX_KINDS + 1).map(known).collect::<Result<Vec<_>, _>>()?;
    if kinds.len() > MAX_KINDS { Err(unknown()) } else { Ok(kinds) }
}

/// Whether a stream is asked for by name: whoever takes anything gets a page.
fn accepts_stream(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(EVENT_STREAM))
            && !parts.any(|parameter| parameter == "q=0")
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_stream_is_for_whoever_names_it() {
        let streams = |accept: &str| {
            accepts_stream(&TestRequest::default().insert_header((header::ACCEPT, accept)).to_http_request())
        };
        for accept in ["text/event-stream", "text/html, Text/Event-Stream;q=0.5", "text/event-stream;charset=utf-8"] {
            assert!(streams(accept), "{accept}");
        }
        for accept in ["*/*", "text/*", "application/json", "", "text/event-stream;q=0", "text/event-streams"] {
            assert!(!streams(accept), "{accept}");
        }
        assert!(!accepts_stream(&TestRequest::default().to_http_request()));
    }

    #[test]
    fn kinds_are_those_that_are_announced() {
        assert_eq!(kinds("tag.moved,version.yanked").unwrap(), [EventKind::TagMoved, EventKind::VersionYanked]);
        for wrong in ["", "tag.moved,", "blob.added", "tag", &"tag.moved,".repeat(20)] {
            let told = kinds(wrong).unwrap_err().to_string();
            assert!(told.contains("tag.moved, ") && !told.contains("blob."), "{told}");
        }
    }

    #[test]
    fn what_a_client_has_seen_goes_before_what_its_address_says() {
        let start = |last: Option<&str>, accept: &str, after: Option<&str>| {
            let mut request = TestRequest::default().insert_header((header::ACCEPT, accept));
            if let Some(last) = last {
                request = request.insert_header((LAST_EVENT_ID, last));
            }
            let after = after.map(str::to_owned);
            let wanted = Wanted { after, limit: None, repository: None, kind: None };
            read(&request.to_http_request(), &wanted).map(|(start, _)| start)
        };
        assert_eq!(start(Some("7"), EVENT_STREAM, Some("latest")).unwrap(), Start::After(7));
        assert_eq!(start(Some("7"), "*/*", Some("latest")).unwrap(), Start::Latest, "a page has no such header");
        assert_eq!(start(None, EVENT_STREAM, None).unwrap(), Start::Oldest);
        assert_eq!(start(None, "*/*", Some("0")).unwrap(), Start::After(0));
        for wrong in ["", "-1", "x", "18446744073709551616", "1 "] {
            assert!(start(None, "*/*", Some(wrong)).is_err(), "{wrong}");
            assert!(start(Some(wrong), EVENT_STREAM, None).is_err(), "{wrong}");
        }
    }
}
