//! Passwords: argon2id, slow by design, so whoever calls this does it on a thread for slow work and not often.

use std::fmt;
use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};

/// Shortest password in bytes.
pub const MIN_PASSWORD_LENGTH: usize = 8;

/// Longest password in bytes.
pub const MAX_PASSWORD_LENGTH: usize = 1024;

/// A text that is too short or too long for a password. It does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} bytes")]
pub struct PasswordLength;

/// A password could not be hashed, as when there is no memory or no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct HashError(#[from] password_hash::Error);

/// A password as somebody typed it.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes a text whose length is right; everything else is the user's affair.
    pub fn parse(text: &str) -> Result<Self, PasswordLength> {
        let is_right = (MIN_PASSWORD_LENGTH..=MAX_PASSWORD_LENGTH).contains(&text.len());
        if is_right { Ok(Self(text.into())) } else { Err(PasswordLength) }
    }

    /// What is stored: a PHC string with its own salt. Takes about 20 ms and 19 MiB.
    pub fn hash(&self) -> Result<String, HashError> {
        // The parameters that OWASP asks for at least: argon2id, 19 MiB, two passes, one lane.
        Ok(Argon2::default().hash_password(self.0.expose_secret().as_bytes())?.to_string())
    }

    /// Whether it is the one that was stored. What is no PHC string of argon2 fits no password.
    pub fn matches(&self, stored: &str) -> bool {
        Argon2::default().verify_password(self.0.expose_secret().as_bytes(), stored).is_ok()
    }

    /// Takes as long as [`Password::matches`] and is never true: for users that do not exist or have no password.
    pub fn matches_nobody(&self) -> bool {
        static NOBODY: OnceLock<String> = OnceLock::new();
        let stored = NOBODY.get_or_init(|| {
            // A salt that everybody knows is as slow to verify as a secret one.
            let hash = Argon2::default().hash_password_with_salt(b"", b"nobody has this salt");
            hash.map(|hash| hash.to_string()).unwrap_or_default()
        });
        std::hint::black_box(self.matches(stored));
        false
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let password = Password::parse("correct horse").unwrap();
        let stored = password.hash().unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(password.matches(&stored));
        assert!(!Password::parse("correct Horse").unwrap().matches(&stored));
        assert_ne!(password.hash().unwrap(), stored, "each has its own salt");
    }

    #[test]
    fn what_is_no_hash_matches_nothing() {
        let password = Password::parse("correct horse").unwrap();
        for stored in
            ["", "correct horse", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuu", "$argon2id$v=19$m=8,t=1,p=1$"]
        {
            assert!(!password.matches(stored), "{stored}");
        }
    }

    #[test]
    fn lengths_are_limited() {
        for length in [0, 7, 1025, 1024 * 1024] {
            assert!(Password::parse(&"x".repeat(length)).is_err(), "{length}");
        }
        for length in [8, 1024] {
            assert!(Password::parse(&"x".repeat(length)).is_ok(), "{length}");
        }
        assert_eq!(format!("{:?}", Password::parse("correct horse").unwrap()), "Password(…)");
    }

    #[test]
    fn nobody_takes_as_long_as_somebody() {
        let password = Password::parse("correct horse").unwrap();
        let stored = password.hash().unwrap();
        password.matches_nobody();
        let least = |work: &dyn Fn() -> bool| {
            (0..5)
                .map(|_| {
                    let begun = Instant::now();
                    work();
                    begun.elapsed()
                })
                .min()
                .unwrap()
        };
        let (somebody, nobody) = (least(&|| password.matches(&stored)), least(&|| password.matches_nobody()));
        assert!(!password.matches_nobody());
        assert!(nobody * 2 > somebody && somebody * 2 > nobody, "{somebody:?} {nobody:?}");
    }
}
