//! Events as they happen, as a stream of server-sent events (HTML standard, section 9.2).

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::events::EVENT_STREAM;
use super::{Failure, State, caller};
use crate::api::{Event, EventPage};
use crate::index::events::Filter;
use crate::registry::{Error, Start};
use crate::server::http::caller::Kept;
use crate::server::http::followers::Seat;
use crate::server::pace::Pace;

/// Events read at a time: as much as one stream holds in memory, however slowly it is read.
const BATCH: usize = 100;

/// Milliseconds after which a client is to connect again.
const RETRY_MS: u32 = 1_000;

/// Said once, so that proxies pass on what they get.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Why a stream ends, for people who look at it.
const REVOKED: &str = ": the credential is no longer accepted\n\n";
const REMOVED: &str = ": what comes next is no longer kept\n\n";
const FAILED: &str = ": the registry failed\n\n";
const STOPPED: &str = ": the registry stops\n\n";

/// Begins a stream. What can go wrong at once is an answer of its own.
pub(super) async fn open(
    request: &HttpRequest,
    state: &web::Data<State>,
    start: Start,
    filter: Filter,
) -> Result<HttpResponse, Failure> {
    let caller = caller(request, state)?;
    let seat = state.followers.take(&caller).ok_or(Failure::TooManyStreams)?;
    let commits = state.registry.commits();
    let first = state.registry.events(&caller, start, &filter, BATCH).await?;
    let follower = Follower {
        kept: Kept::of(request, state),
        state: state.clone(),
        filter,
        seat,
        commits,
        told: None,
        end: first.as_of,
        page: Some(first),
        goes_on: false,
        looked_at: Instant::now(),
        spoke_at: Instant::now(),
    };
    let pace = request.conn_data::<Pace>().cloned();
    let stream = Body { stream: Box::pin(stream::unfold(Some(follower), step)), pace };
    Ok(HttpResponse::Ok()
        .content_type(EVENT_STREAM)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(UNBUFFERED)
        .streaming(stream))
}

/// The next bytes: asked for when the connection has taken those before, and not earlier.
async fn step(follower: Option<Follower>) -> Option<(Result<Bytes, Infallible>, Option<Follower>)> {
    let mut follower = follower?;
    Some(match follower.next().await {
        Ok(text) => (Ok(text.into()), Some(follower)),
        Err(last) => (Ok(Bytes::from_static(last.as_bytes())), None),
    })
}

/// One stream.
struct Follower {
    state: web::Data<State>,
    kept: Kept,
    filter: Filter,
    seat: Seat,
    commits: watch::Receiver<u64>,
    /// The number that the client has seen last; none before the first words.
    told: Option<u64>,
    /// The number up to which the feed was looked at.
    end: u64,
    /// The newest page, where it was not sent yet.
    page: Option<EventPage>,
    /// Whether there was more behind it.
    goes_on: bool,
    looked_at: Instant,
    spoke_at: Instant,
}

/// What ended a wait.
enum Woken {
    ToLook,
    BySilence,
    ByStop,
}

impl Follower {
    /// What to say next, or the last words.
    async fn next(&mut self) -> Result<String, &'static str> {
        loop {
            if let Some(page) = self.page.take() {
                self.goes_on = page.next.is_some();
                if self.told.is_none() || !page.items.is_empty() {
                    return Ok(self.tell(&page));
                }
            }
            match self.wait().await {
                Woken::ToLook => {}
                Woken::BySilence => return self.beat(),
                Woken::ByStop => return Err(STOPPED),
            }
            self.page = Some(self.look().await?);
        }
    }

    /// The next page. What the caller may is looked at anew each time.
    async fn look(&mut self) -> Result<EventPage, &'static str> {
        self.looked_at = Instant::now();
        // Before the look: what is committed meanwhile is a reason for the next one.
        self.commits.borrow_and_update();
        let caller = self.kept.caller(&self.state).map_err(|error| last_words(&error))?;
        let page = self.state.registry.events(&caller, Start::After(self.end), &self.filter, BATCH).await;
        let page = page.map_err(|error| last_words(&error))?;
        self.end = page.as_of;
        Ok(page)
    }

    /// Waits until there may be something to read, but not longer than a stream may be silent or its credential is
    /// accepted.
    async fn wait(&mut self) -> Woken {
        let mut silent_until = self.spoke_at + self.state.followers.heartbeat();
        if let Some(end) = self.kept.ends_at(&self.state) {
            let left = Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default();
            // A credential that has ended is taken for a second more.
            silent_until = silent_until.min(Instant::now() + left + Duration::from_secs(1));
        }
        let earliest = self.looked_at + self.seat.pause();
        let (commits, seat, goes_on) = (&mut self.commits, &mut self.seat, self.goes_on);
        let committed = async {
            if goes_on {
                return Ok(());
            }
            sleep_until(earliest).await;
            commits.changed().await
        };
        tokio::select! {
            biased;
            () = seat.stopped() => Woken::ByStop,
            () = sleep_until(silent_until) => Woken::BySilence,
            committed = committed => if committed.is_ok() { Woken::ToLook } else { Woken::ByStop },
        }
    }

    /// Says that the stream is still there, if it still may be, and how far it has looked: a client that sees little
    /// needs not look at all of it again.
    fn beat(&mut self) -> Result<String, &'static str> {
        self.kept.caller(&self.state).map_err(|error| last_words(&error))?;
        self.spoke_at = Instant::now();
        let moved = self.told.replace(self.end) != Some(self.end);
        Ok(if moved { format!(":\nid: {}\n\n", self.end) } else { ":\n\n".to_owned() })
    }

    /// A page as text.
    fn tell(&mut self, page: &EventPage) -> String {
        self.spoke_at = Instant::now();
        let mut text = String::new();
        if self.told.is_none() {
            // Where it begins, so that whoever loses the connection before the first event misses none.
            let begin = page.items.first().map_or(page.as_of, |first| first.id.saturating_sub(1));
            // A string takes everything.
            let _ = write!(text, "retry: {RETRY_MS}\nid: {begin}\n\n");
            self.told = Some(begin);
        }
        for event in &page.items {
            write_event(&mut text, event);
            self.told = Some(event.id);
        }
        text
    }
}

fn write_event(text: &mut String, event: &Event) {
    // Every field of it is text or a number, which JSON has; and it has no line end that is not escaped.
    let data = serde_json::to_string(event).unwrap_or_default();
    let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", event.id, event.kind);
}

fn last_words(error: &Error) -> &'static str {
    match error {
        Error::Unauthenticated(_) => REVOKED,
        Error::EventsRemoved { .. } => REMOVED,
        _ => {
            tracing::error!(error = error as &dyn std::error::Error, "a stream of events failed");
            FAILED
        }
    }
}

/// The stream until the other side has left: the HTTP library would notice only when it has something to send.
struct Body<S> {
    stream: Pin<Box<S>>,
    pace: Option<Pace>,
}

impl<S: Stream> Stream for Body<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        if self.pace.as_ref().is_some_and(Pace::is_left) {
            return Poll::Ready(None);
        }
        self.stream.as_mut().poll_next(context)
    }
}
