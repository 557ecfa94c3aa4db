//! Who follows the events: how many at once, and that they end when the server does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::auth::{Caller, Identity};
use crate::server::Events;

/// Shortest time between two looks of one stream at the feed: pushes come faster than anybody reads.
const MIN_PAUSE: Duration = Duration::from_millis(20);

/// Longest time, also for the last of many streams: events are shown within a tenth of a second.
const MAX_PAUSE: Duration = Duration::from_millis(80);

/// Looks a second that all streams together take; a look takes a tenth of a millisecond.
const LOOKS_PER_SECOND: u32 = 5_000;

/// The streams that are open.
#[derive(Debug)]
pub(in crate::server) struct Followers {
    limits: Events,
    open: Mutex<HashMap<Follower, usize>>,
    stop: watch::Sender<bool>,
}

/// Whose streams count together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Follower {
    Known(Identity),
    Stranger(Option<IpAddr>),
}

impl Followers {
    pub(super) fn new(limits: &Events) -> Arc<Self> {
        Arc::new(Self { limits: limits.clone(), open: Mutex::default(), stop: watch::channel(false).0 })
    }

    /// How long a stream may be silent.
    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.limits.heartbeat_seconds)
    }

    /// A place for one stream more; none where there are too many.
    pub(super) fn take(self: &Arc<Self>, caller: &Caller) -> Option<Seat> {
        let follower = match caller.identity() {
            Identity::Anonymous => Follower::Stranger(caller.origin().address),
            known => Follower::Known(known.clone()),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&follower).copied().unwrap_or_default();
        if own >= self.limits.streams_per_identity || open.values().sum::<usize>() >= self.limits.streams {
            return None;
        }
        open.insert(follower.clone(), own + 1);
        Some(Seat { followers: Arc::clone(self), follower, stop: self.stop.subscribe() })
    }

    /// Ends all streams, and those to come.
    pub(in crate::server) fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn pause(&self) -> Duration {
        let open: usize = self.open.lock().unwrap_or_else(PoisonError::into_inner).values().sum();
        let share = Duration::from_secs(1) * u32::try_from(open).unwrap_or(u32::MAX) / LOOKS_PER_SECOND;
        share.clamp(MIN_PAUSE, MAX_PAUSE)
    }
}

/// The place of one stream, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    followers: Arc<Followers>,
    follower: Follower,
    stop: watch::Receiver<bool>,
}

impl Seat {
    /// How long to wait between two looks, so that all streams together stay within bounds.
    pub(super) fn pause(&self) -> Duration {
        self.followers.pause()
    }

    /// Ends when all streams shall.
    pub(super) async fn stopped(&mut self) {
        // A sender that is gone means the same.
        let _ = self.stop.wait_for(|is_over| *is_over).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.followers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.follower) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.follower);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;
    use crate::auth::Origin;

    #[test]
    fn each_has_some_places_and_all_together_no_more_than_there_are() {
        let followers = Followers::new(&Events { streams_per_identity: 2, streams: 3, ..Events::default() });
        let ada = Caller::user("ada".parse().unwrap());
        let stranger = |last| Caller::anonymous(Origin { address: Some([192, 0, 2, last].into()), ..Origin::none() });
        let (first, second) = (followers.take(&ada).unwrap(), followers.take(&ada).unwrap());
        assert!(followers.take(&ada).is_none());
        let third = followers.take(&stranger(1)).unwrap();
        assert!(followers.take(&stranger(2)).is_none());
        drop(first);
        assert!(followers.take(&stranger(2)).is_some_and(|_| true));
        drop((second, third));
        assert!(followers.open.lock().unwrap().is_empty());
        assert_eq!(followers.pause(), MIN_PAUSE);
    }

    #[tokio::test]
    async fn whoever_comes_after_the_end_ends_at_once() {
        let followers = Followers::new(&Events::default());
        let mut early = followers.take(&Caller::user("ada".parse().unwrap())).unwrap();
        followers.stop();
        early.stopped().await;
        followers.take(&Caller::user("ada".parse().unwrap())).unwrap().stopped().await;
    }
}
