//! One request to the registry from the first attempt to the answer: credentials, redirects, refusals, retries.

use backon::Retryable as _;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::{self, shown};
use super::authority::Authority;
use super::credential::Credential;
use super::patience::retry_after;
use super::payload::Payload;
use super::refusal::MAX_ERROR_BYTES;
use super::scope::Scope;
use super::text::clean;
use super::warnings::Warnings;
use super::wire::{Sending, Wire};
use super::{Endpoint, Error, Refusal};

/// Most redirects of one request that are followed.
const MAX_REDIRECTS: usize = 5;

/// Attempts of one request that may end in silence.
const MAX_SILENCES: usize = 2;

/// When a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Sending it twice has the effect of sending it once.
    Always,
    /// Only if the registry has certainly not acted on it.
    Unprocessed,
    /// Never here: the caller knows how to go on.
    Never,
}

/// A request.
pub(super) struct Ask<'a> {
    method: Method,
    url: Url,
    scope: Scope,
    headers: HeaderMap,
    payload: Option<Payload>,
    progress: Option<&'a (dyn Fn(u64) + Send + Sync)>,
    repeat: Repeat,
    stays_home: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, url: Url, scope: Scope) -> Self {
        let headers = HeaderMap::new();
        let repeat = Repeat::Always;
        Self { method, url, scope, headers, payload: None, progress: None, repeat, stays_home: false }
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The content; its type is a header of its own.
    pub(super) fn payload(mut self, payload: Payload) -> Self {
        self.payload = Some(payload);
        self
    }

    /// Who is told how many bytes of the content have gone out.
    pub(super) fn progress(mut self, progress: &'a (dyn Fn(u64) + Send + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    pub(super) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Follows no redirect to another origin: what it carries, or what is made of the answer, is too much for a stranger.
    pub(super) fn stay_home(mut self) -> Self {
        self.stays_home = true;
        self
    }

    fn may_repeat(&self, error: &Error) -> bool {
        match self.repeat {
            Repeat::Always => error.is_transient(),
            Repeat::Unprocessed => error.is_unprocessed(),
            Repeat::Never => false,
        }
    }
}

/// An answer that has been read.
pub(super) struct Read {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A registry with everything needed to talk to it.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) endpoint: Endpoint,
    pub(super) wire: Wire,
    pub(super) authority: Authority,
    pub(super) warnings: Warnings,
}

impl Exchange {
    /// Sends a request until it is answered with success, as often as patience allows.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        self.persist(|error| ask.may_repeat(error), || self.attempt(ask)).await
    }

    /// The first answer to a request without any credential, whatever it is.
    pub(super) async fn ask_as_stranger(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        self.persist(|error| ask.may_repeat(error), || self.once(ask, &ask.url, None)).await
    }

    /// As [`Self::send`], and reads an answer of at most `limit` bytes; one that breaks off is asked for again.
    pub(super) async fn read(&self, ask: &Ask<'_>, what: &'static str, limit: usize) -> Result<Read, Error> {
        let attempt = || async {
            let response = self.attempt(ask).await?;
            refuse_page(&response)?;
            let (url, headers) = (response.url().clone(), response.headers().clone());
            let body = self.wire.read(response, what, limit).await?;
            Ok(Read { url, headers, body })
        };
        self.persist(|error| ask.may_repeat(error), attempt).await
    }

    /// Tries something again while it fails in a way that may pass. Silence is waited for twice, no more: it costs a
    /// minute each time.
    pub(super) async fn persist<T, F: Future<Output = Result<T, Error>>>(
        &self,
        may_repeat: impl Fn(&Error) -> bool,
        attempt: impl FnMut() -> F,
    ) -> Result<T, Error> {
        let patience = self.wire.patience();
        let mut silences = 0;
        attempt
            .retry(patience.backoff())
            .when(|error| {
                silences += usize::from(matches!(error, Error::Stalled { .. }));
                silences < MAX_SILENCES && may_repeat(error)
            })
            .adjust(|error, planned| planned.and_then(|planned| patience.delay(planned, error.retry_after())))
            .await
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        let mut url = ask.url.clone();
        // Credentials end where the way leaves the registry, even if it comes back.
        let mut is_home = self.endpoint.owns(&url);
        let mut header = if is_home { self.authority.header(&self.wire, &ask.scope).await? } else { None };
        let (mut hops, mut is_answered) = (0, false);
        loop {
            let response = self.once(ask, &url, header.as_ref()).await?;
            let status = response.status();
            if is_home {
                self.warnings.note(response.headers());
            }
            if status.is_success() {
                return Ok(response);
            }
            if status == StatusCode::UNAUTHORIZED && is_home && !is_answered {
                is_answered = true;
                let challenge = (&url, response.headers());
                let better =
                    self.authority.answer(&self.wire, &self.endpoint, challenge, &ask.scope, header.as_ref()).await?;
                if better.is_some() {
                    header = better;
                    continue;
                }
            }
            let Some(target) = redirect_of(ask, &response) else {
                return Err(refuse(&self.wire, &ask.method, response, self.authority.credential()).await);
            };
            hops += 1;
            if hops > MAX_REDIRECTS {
                return Err(Error::Endless { what: "redirects", limit: MAX_REDIRECTS });
            }
            let follow = if ask.stays_home { address::follow_home } else { address::follow };
            url = follow(&self.endpoint, &url, "redirect", &target)?;
            is_home &= self.endpoint.owns(&url);
            header = header.filter(|_| is_home);
        }
    }

    async fn once(&self, ask: &Ask<'_>, url: &Url, authorization: Option<&HeaderValue>) -> Result<Response, Error> {
        let mut request = self.wire.request(ask.method.clone(), url.clone()).headers(ask.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let mut sending = None;
        if let Some(payload) = &ask.payload {
            let (sender, moved) = watch::channel(0);
            request = request.header(CONTENT_LENGTH, payload.length());
            if payload.length() > 0 {
                request = request.body(payload.body(sender));
            }
            sending = Some(Sending { moved, length: payload.length(), progress: ask.progress });
        }
        self.wire.send(url, request, sending).await
    }
}

/// A web page is an answer of something else, whatever its status.
pub(super) fn refuse_page(response: &Response) -> Result<(), Error> {
    if is_page(response.headers()) {
        return Err(Error::NotARegistry { address: shown(response.url()), found: "a web page".to_owned() });
    }
    Ok(())
}

/// Where a redirect leads. Only those that keep method and content are followed for requests that change something.
fn redirect_of(ask: &Ask<'_>, response: &Response) -> Option<String> {
    let is_reading = ask.method == Method::GET || ask.method == Method::HEAD;
    let is_redirect = match response.status().as_u16() {
        307 | 308 => true,
        301..=303 => is_reading,
        _ => false,
    };
    let target = response.headers().get(LOCATION)?.to_str().ok()?;
    is_redirect.then(|| target.to_owned())
}

/// Makes an error of an answer, reading a bounded part of its body. The credential is blotted out of it.
pub(super) async fn refuse(wire: &Wire, method: &Method, response: Response, credential: Option<&Credential>) -> Error {
    let (url, status) = (response.url().clone(), response.status());
    if status == StatusCode::NOT_FOUND && is_page(response.headers()) {
        return Error::NotARegistry { address: shown(&url), found: "a web page".to_owned() };
    }
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let wait = text(RETRY_AFTER).and_then(|value| retry_after(value, Timestamp::now()));
    let content_type = text(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let mut refusal = Refusal {
        status: status.as_u16(),
        code: None,
        message: String::new(),
        request: format!("{method} {}", clean(url.path())),
        address: shown(&url),
        retry_after: wait,
        has_credential: credential.is_some(),
    };
    // The status says the most; a body that is too large, trickles or breaks off only loses its words.
    let reading = timeout(wire.patience().words, wire.read(response, "error", MAX_ERROR_BYTES));
    let body = reading.await.ok().and_then(Result::ok).unwrap_or_default();
    refusal.read_body(&content_type, &body, credential);
    Error::Refused(Box::new(refusal))
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim().to_ascii_lowercase().starts_with("text/html")
}
