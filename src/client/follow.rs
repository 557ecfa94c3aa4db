//! Follows what happens in a registry, across broken connections: each event once, in order, and none left out.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use super::{Catalogue, Error};
use crate::api::{Event, LATEST, Package};
use crate::oci::{RepositoryName, Target, percent_encode};
use crate::remote::{self, ErrorKind, EventStream, Remote, ServerEvent};

/// How long to wait before the second try to connect; each further wait is twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// With the first event that the registry still has.
    Oldest,
    /// With what happens next.
    Latest,
    /// After the event of this number.
    Event(u64),
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this repository only.
    pub repository: Option<RepositoryName>,
    /// Of these kinds only, by their names; all without one.
    pub kinds: Vec<String>,
}

/// What comes of following.
#[derive(Debug)]
pub enum Followed {
    /// Something happened.
    Event(Box<Event>),
    /// The connection is gone, for this reason or because the registry ended it; it is made again.
    Lost(Option<remote::Error>),
    /// It stands again, and nothing was missed.
    Again,
}

/// The events of a registry.
#[derive(Debug)]
pub struct Follow<'a> {
    catalogue: &'a Catalogue<'a>,
    remote: &'a Remote,
    wanted: String,
    since: Since,
    stream: Option<EventStream>,
    delays: ExponentialBackoff,
}

impl<'a> Follow<'a> {
    /// Connects for the first time. `None` where the registry tells nobody what happens.
    pub async fn begin(
        catalogue: &'a Catalogue<'a>,
        remote: &'a Remote,
        wanted: &Wanted,
        since: Since,
    ) -> Result<Option<Self>, Error> {
        let mut parameters = vec![];
        parameters
            .extend(wanted.repository.as_ref().map(|name| format!("&repository={}", percent_encode(name.as_str()))));
        if !wanted.kinds.is_empty() {
            parameters.push(format!("&kind={}", wanted.kinds.join(",")));
        }
        let wanted = parameters.concat();
        let mut follow = Self { catalogue, remote, wanted, since, stream: None, delays: delays() };
        follow.stream = follow.connect().await?;
        Ok(follow.stream.is_some().then_some(follow))
    }

    /// What comes next. It waits as long as nothing does, and fails only where trying again does not help.
    pub async fn next(&mut self) -> Result<Followed, Error> {
        loop {
            let Some(stream) = &mut self.stream else {
                if self.connect_again().await? {
                    return Ok(Followed::Again);
                }
                continue;
            };
            let said = stream.next().await;
            let seen = stream.last_id().and_then(|id| id.parse().ok());
            match said {
                Ok(Some(said)) => {
                    let event = read(&said)?;
                    let is_new = !matches!(self.since, Since::Event(last) if event.id <= last);
                    self.has_seen(Some(event.id));
                    if is_new {
                        return Ok(Followed::Event(Box::new(event)));
                    }
                }
                Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error.into()),
                ended => {
                    self.has_seen(seen);
                    self.stream = None;
                    return Ok(Followed::Lost(ended.err()));
                }
            }
        }
    }

    /// The package that an event is about, if it is there and is one. A registry that is away is waited for.
    pub async fn package(&mut self, event: &Event) -> Result<Option<Package>, Error> {
        let Some(digest) = event.digest else { return Ok(None) };
        let mut delays = delays();
        loop {
            match self.catalogue.package(&event.repository, Some(&Target::Digest(digest))).await {
                Err(Error::Remote(error)) if error.kind() == ErrorKind::Unavailable => {
                    tokio::time::sleep(delays.next().unwrap_or(LONGEST_DELAY)).await;
                }
                // Hidden since. Whoever may see nothing any more is told so by the stream.
                Err(Error::Remote(error)) if error.kind() == ErrorKind::Denied => return Ok(None),
                answered => return answered,
            }
        }
    }

    /// Waits, and tries once more. Whether the connection stands.
    async fn connect_again(&mut self) -> Result<bool, Error> {
        tokio::time::sleep(self.delays.next().unwrap_or(LONGEST_DELAY)).await;
        match self.connect().await {
            Ok(Some(stream)) => self.stream = Some(stream),
            Ok(None) => {
                let address = self.remote.endpoint().to_string();
                return Err(
                    remote::Error::NotARegistry { address, found: "it has no events any more".to_owned() }.into()
                );
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.stream.is_some())
    }

    async fn connect(&self) -> Result<Option<EventStream>, remote::Error> {
        let (after, last) = match self.since {
            Since::Oldest => (String::new(), None),
            Since::Latest => (format!("&after={LATEST}"), None),
            Since::Event(number) => (String::new(), Some(number.to_string())),
        };
        let query = format!("{}{after}", self.wanted);
        let query = query.strip_prefix('&').unwrap_or(&query);
        self.remote.follow(&format!("/api/v1/events?{query}"), last.as_deref()).await
    }

    fn has_seen(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.since = Since::Event(number);
            self.delays = delays();
        }
    }
}

fn delays() -> ExponentialBackoff {
    let delays = ExponentialBuilder::new().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    delays.without_max_times().with_jitter().build()
}

fn read(said: &ServerEvent) -> Result<Event, Error> {
    let read = serde_json::from_str(&said.data);
    Ok(read.map_err(|source| remote::Error::Json { what: "event", source })?)
}
