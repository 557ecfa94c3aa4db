//! How long to wait for a registry, and how often to ask again.

use std::time::Duration;

use backon::ExponentialBuilder;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The waits of one connection to a registry.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// Until a connection stands.
    pub(super) connect: Duration,
    /// Without a byte in either direction.
    pub(super) idle: Duration,
    /// For a whole answer that is read into memory: a server that trickles ends here.
    pub(super) whole: Duration,
    /// For the words of an error, whose status is known by then.
    pub(super) words: Duration,
    /// Before the second attempt; doubles with each further one.
    pub(super) first_delay: Duration,
    /// Longest wait between two attempts. A `Retry-After` beyond it ends the attempts.
    pub(super) longest_delay: Duration,
    /// Attempts altogether, at least one.
    pub(super) attempts: u32,
}

impl Patience {
    /// The waits for people, with this many attempts.
    pub(super) fn with_attempts(attempts: u32) -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            whole: Duration::from_mins(5),
            words: Duration::from_secs(5),
            first_delay: Duration::from_millis(200),
            longest_delay: Duration::from_secs(30),
            attempts,
        }
    }

    /// The delays between the attempts.
    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.longest_delay)
            .with_max_times(self.attempts.saturating_sub(1) as usize)
            .with_jitter()
    }

    /// The planned delay, or the longer one the server asks for; `None` where that is more than patience has. To ask
    /// earlier would only be turned down again.
    pub(super) fn delay(&self, planned: Duration, asked: Option<Duration>) -> Option<Duration> {
        let asked = asked.unwrap_or_default();
        (asked <= self.longest_delay).then(|| asked.max(planned).min(self.longest_delay))
    }
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). Nonsense is ignored.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use backon::BackoffBuilder as _;

    use super::*;

    #[test]
    fn attempts_are_bounded() {
        assert_eq!(Patience::with_attempts(4).backoff().build().count(), 3);
        assert_eq!(Patience::with_attempts(1).backoff().build().count(), 0);
        assert_eq!(Patience::with_attempts(0).backoff().build().count(), 0);
    }

    #[test]
    fn the_server_may_ask_for_more_time_but_not_for_all_of_it() {
        let patience = Patience::with_attempts(4);
        let planned = Duration::from_millis(200);
        assert_eq!(patience.delay(planned, None), Some(planned));
        assert_eq!(patience.delay(planned, Some(Duration::ZERO)), Some(planned), "nobody asks us to hammer");
        assert_eq!(patience.delay(planned, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(patience.delay(planned, Some(Duration::from_secs(31))), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 01 Mar 2026 12:00:05 GMT", now), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("Sun, 01 Mar 2026 11:00:00 GMT", now), Some(Duration::ZERO), "the past means now");
        for nonsense in ["", "-1", "soon", "99999999999999999999999"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }
}
