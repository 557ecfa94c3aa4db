//! Slows down whoever guesses: failed sign-ins are counted per account and per address, in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long failures count.
const WINDOW: Duration = Duration::from_mins(1);

/// Wrong passwords of one account, or from one address, before the next is not even looked at.
const MAX_WRONG_PASSWORDS: u32 = 10;

/// Wrong credentials of any kind from one address before those from it are not looked at.
const MAX_WRONG_CREDENTIALS: u32 = 100;

/// Most accounts and most addresses that are counted at a time, each.
const MAX_COUNTED: usize = 10_000;

/// Longest account name that is counted by its own name, in bytes; longer ones are no names.
const MAX_NAME_LENGTH: usize = 64;

/// Too many failures; worth another try after so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) Duration);

/// The failures of the last minute.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    accounts: Mutex<Counts<String>>,
    passwords: Mutex<Counts<IpAddr>>,
    credentials: Mutex<Counts<IpAddr>>,
}

impl Attempts {
    /// Whether a password of this account may be tried from there.
    pub(super) fn check_password(&self, account: &str, from: Option<IpAddr>, now: Instant) -> Result<(), TooMany> {
        lock(&self.accounts).check(&key(account), MAX_WRONG_PASSWORDS, now)?;
        let Some(from) = from else { return Ok(()) };
        lock(&self.passwords).check(&network(from), MAX_WRONG_PASSWORDS, now)?;
        self.check_credential(Some(from), now)
    }

    /// Whether a credential from there may be looked at.
    pub(super) fn check_credential(&self, from: Option<IpAddr>, now: Instant) -> Result<(), TooMany> {
        let Some(from) = from else { return Ok(()) };
        lock(&self.credentials).check(&network(from), MAX_WRONG_CREDENTIALS, now)
    }

    /// A password was wrong, or its account does not exist: which of them must make no difference.
    pub(super) fn wrong_password(&self, account: &str, from: Option<IpAddr>, now: Instant) {
        lock(&self.accounts).add(key(account), now);
        if let Some(from) = from {
            lock(&self.passwords).add(network(from), now);
        }
        self.wrong_credential(from, now);
    }

    /// A credential was none, or not good any more.
    pub(super) fn wrong_credential(&self, from: Option<IpAddr>, now: Instant) {
        if let Some(from) = from {
            lock(&self.credentials).add(network(from), now);
        }
    }
}

/// Failures by whom, since the first of them.
#[derive(Debug)]
struct Counts<K>(HashMap<K, (Instant, u32)>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Counts<K> {
    fn check(&self, key: &K, most: u32, now: Instant) -> Result<(), TooMany> {
        let Some((begun, failures)) = self.0.get(key) else { return Ok(()) };
        let rest = WINDOW.saturating_sub(now.saturating_duration_since(*begun));
        if *failures < most || rest.is_zero() { Ok(()) } else { Err(TooMany(rest)) }
    }

    fn add(&mut self, key: K, now: Instant) {
        if self.0.len() >= MAX_COUNTED && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        let (begun, failures) = self.0.entry(key).or_insert((now, 0));
        if now.saturating_duration_since(*begun) >= WINDOW {
            (*begun, *failures) = (now, 0);
        }
        *failures = failures.saturating_add(1);
    }

    /// What is over goes first, then those with few failures: names made up to push others out have one each.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, (begun, _)| now.saturating_duration_since(*begun) < WINDOW);
        for few in [1, MAX_WRONG_PASSWORDS - 1, u32::MAX] {
            if self.0.len() < MAX_COUNTED {
                return;
            }
            self.0.retain(|_, (_, failures)| *failures > few);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(account: &str) -> String {
    account.chars().take(MAX_NAME_LENGTH).collect()
}

/// Whoever has one address of version 6 has the whole network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as a request has it")]
    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_account_is_closed_to_passwords_for_the_rest_of_the_minute() {
        let (attempts, begun) = (Attempts::default(), Instant::now());
        for count in 0..10 {
            let address = from(&format!("10.0.0.{count}"));
            assert_eq!(attempts.check_password("ada", address, begun), Ok(()));
            attempts.wrong_password("ada", address, begun);
        }
        let later = begun + Duration::from_secs(20);
        let elsewhere = from("10.0.1.1");
        assert_eq!(attempts.check_password("ada", elsewhere, later), Err(TooMany(Duration::from_secs(40))));
        assert_eq!(attempts.check_password("bob", elsewhere, later), Ok(()), "others are not concerned");
        assert_eq!(attempts.check_credential(elsewhere, later), Ok(()), "nor are tokens");
        assert_eq!(attempts.check_password("ada", elsewhere, begun + WINDOW), Ok(()));
        attempts.wrong_password("ada", elsewhere, begun + WINDOW);
        assert_eq!(attempts.check_password("ada", elsewhere, begun + WINDOW), Ok(()), "it begins again");
    }

    #[test]
    fn an_address_is_closed_to_passwords_of_every_account() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for count in 0..10 {
            attempts.wrong_password(&format!("user-{count}"), from("2001:db8::1"), now);
        }
        assert!(attempts.check_password("ada", from("2001:db8::ffff"), now).is_err(), "one network");
        assert!(attempts.check_password("ada", from("2001:db8:0:1::1"), now).is_ok());
        assert!(attempts.check_credential(from("2001:db8::1"), now).is_ok(), "tokens have more patience");
    }

    #[test]
    fn an_address_is_closed_to_everything_after_a_hundred() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(attempts.check_credential(from("10.0.0.1"), now), Ok(()));
            attempts.wrong_credential(from("10.0.0.1"), now);
        }
        assert_eq!(attempts.check_credential(from("::ffff:10.0.0.1"), now), Err(TooMany(WINDOW)), "written otherwise");
        assert_eq!(attempts.check_credential(from("10.0.0.2"), now), Ok(()));
        assert_eq!(attempts.check_credential(None, now), Ok(()));
    }

    #[test]
    fn made_up_names_neither_grow_it_nor_push_out_who_is_guessed_at() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 {
            attempts.wrong_password("ada", None, now);
        }
        for count in 0..3 * MAX_COUNTED {
            attempts.wrong_password(&format!("{count}{}", "x".repeat(100)), None, now);
        }
        assert!(lock(&attempts.accounts).0.len() <= MAX_COUNTED);
        assert!(lock(&attempts.accounts).0.keys().all(|key| key.len() <= MAX_NAME_LENGTH));
        assert!(attempts.check_password("ada", None, now).is_err());
    }
}
