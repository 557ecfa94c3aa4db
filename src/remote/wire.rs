//! The HTTP client itself: one exchange with a limit on silence, and bodies with a limit on size.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, Url};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::address::shown;
use super::patience::Patience;
use super::{Endpoint, Error, Options};

/// The name this client goes by.
const USER_AGENT: &str = concat!("agent-registry/", env!("CARGO_PKG_VERSION"));

/// An HTTP client that neither follows redirects nor waits for ever.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: Client,
    patience: Patience,
}

/// A body on its way out: how far it is, how long it is, and who wants to know.
pub(super) struct Sending<'a> {
    pub(super) moved: watch::Receiver<u64>,
    pub(super) length: u64,
    pub(super) progress: Option<&'a (dyn Fn(u64) + Send + Sync)>,
}

impl Wire {
    pub(super) fn new(endpoint: &Endpoint, options: &Options, patience: Patience) -> Result<Self, Error> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(patience.connect);
        if endpoint.host().is_loopback() {
            // A proxy would ask its own machine.
            builder = builder.no_proxy();
        }
        if let Some(pem) = &options.ca_certificate {
            let authorities = Certificate::from_pem_bundle(pem).map_err(Error::Setup)?;
            if authorities.is_empty() {
                return Err(Error::NoAuthority);
            }
            builder = builder.tls_certs_merge(authorities);
        }
        Ok(Self { client: builder.build().map_err(Error::Setup)?, patience })
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and waits for the head of its answer. Silence ends it; after a whole body the server gets
    /// longer, since it may have to hash and store it.
    pub(super) async fn send(
        &self,
        address: &Url,
        request: RequestBuilder,
        mut sending: Option<Sending<'_>>,
    ) -> Result<Response, Error> {
        let answer = request.send();
        tokio::pin!(answer);
        loop {
            let is_sent = sending.as_ref().is_some_and(|body| *body.moved.borrow() >= body.length);
            let patience = if is_sent { self.patience.whole } else { self.patience.idle };
            tokio::select! {
                response = &mut answer => {
                    return response.map_err(|error| Error::of_exchange(shown(address), error));
                }
                () = moved(&mut sending) => {}
                () = sleep_until(Instant::now() + patience) => return Err(stalled(address, patience)),
            }
        }
    }

    /// The next bytes of a body.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, Error> {
        let address = response.url().clone();
        match timeout(self.patience.idle, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| Error::of_exchange(shown(&address), error)),
            Err(_) => Err(stalled(&address, self.patience.idle)),
        }
    }

    /// A whole body of at most `limit` bytes.
    pub(super) async fn read(&self, mut response: Response, what: &'static str, limit: usize) -> Result<Bytes, Error> {
        let address = response.url().clone();
        let too_large = || Error::TooLarge { what, limit: limit as u64 };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let reading = async {
            let mut body = BytesMut::new();
            while let Some(chunk) = self.chunk(&mut response).await? {
                if body.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body.freeze())
        };
        // A trickle is no silence, so the whole has a limit as well.
        timeout(self.patience.whole, reading).await.unwrap_or_else(|_| Err(stalled(&address, self.patience.whole)))
    }
}

/// Waits until more of a body has been handed to the connection, and tells. Without a body, for ever.
async fn moved(sending: &mut Option<Sending<'_>>) {
    let Some(body) = sending else { return std::future::pending().await };
    if body.moved.changed().await.is_err() {
        return std::future::pending().await;
    }
    let total = *body.moved.borrow_and_update();
    if let Some(progress) = body.progress {
        progress(total);
    }
}

fn stalled(address: &Url, patience: Duration) -> Error {
    Error::Stalled { address: shown(address), patience }
}
