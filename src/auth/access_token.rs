//! Access tokens: long-lived secrets that programs show, recognisable by their form before anything is asked.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// What an access token begins with, so that people and scanners know one when they see it.
const ACCESS_PREFIX: &str = "agr_";

/// What a refresh token begins with.
const REFRESH_PREFIX: &str = "agrr_";

/// Random characters in a token: 190 bits, more than anybody will ever try.
const RANDOM_LENGTH: usize = 32;

/// Characters of the checksum: 62^6 is more than 2^32.
const CHECKSUM_LENGTH: usize = 6;

/// Length of a token that another program made, which is accepted if it is registered.
const FOREIGN_LENGTH: usize = 64;

/// Longest text that can be a token, in bytes.
pub const MAX_ACCESS_TOKEN_LENGTH: usize = FOREIGN_LENGTH;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A text that cannot be a token. It never repeats the text, which may be one with a typing mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// It looks like none.
    #[error("this is no access token: one begins with `{ACCESS_PREFIX}`, or has {FOREIGN_LENGTH} hexadecimal digits")]
    Form,
    /// It has the form, but its checksum belongs to another one.
    #[error("the access token is damaged: its last characters do not match the others")]
    Checksum,
}

/// Which kind of token a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenForm {
    /// Shown with each request.
    Access,
    /// Buys short tokens, and is good for nothing else.
    Refresh,
    /// Made by another program: 64 hexadecimal digits.
    Foreign,
}

/// A token's text. Whether it is known, and still good, the index says.
#[derive(Clone)]
pub struct AccessToken {
    text: SecretString,
    form: TokenForm,
}

impl AccessToken {
    /// Makes a new access token.
    pub fn generate() -> Result<Self, getrandom::Error> {
        Self::with_prefix(ACCESS_PREFIX, TokenForm::Access)
    }

    /// Makes a new refresh token.
    pub fn generate_refresh() -> Result<Self, getrandom::Error> {
        Self::with_prefix(REFRESH_PREFIX, TokenForm::Refresh)
    }

    /// Reads what a caller shows.
    pub fn parse(text: &str) -> Result<Self, AccessTokenError> {
        let form = form(text)?;
        Ok(Self { text: SecretString::from(text), form })
    }

    /// Which kind it is.
    pub const fn form(&self) -> TokenForm {
        self.form
    }

    /// What the index keeps of it. Nobody can guess a token, so a fast hash hides it as well as a slow one.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose().as_bytes()).into()
    }

    /// The text itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    fn with_prefix(prefix: &str, form: TokenForm) -> Result<Self, getrandom::Error> {
        let mut text = String::with_capacity(prefix.len() + RANDOM_LENGTH + CHECKSUM_LENGTH);
        text.push_str(prefix);
        let mut bytes = [0; 2 * RANDOM_LENGTH];
        while text.len() < prefix.len() + RANDOM_LENGTH {
            getrandom::fill(&mut bytes)?;
            let missing = prefix.len() + RANDOM_LENGTH - text.len();
            text.extend(bytes.iter().filter_map(|byte| letter(*byte)).take(missing));
        }
        let sum = checksum(&text);
        text.extend(sum.iter().map(|byte| char::from(*byte)));
        Ok(Self { text: text.into(), form })
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("form", &self.form).finish_non_exhaustive()
    }
}

/// A letter for a random byte; none for the bytes that would make some letters likelier.
fn letter(byte: u8) -> Option<char> {
    let alphabet = u8::try_from(ALPHABET.len()).ok()?;
    let fair = byte < u8::MAX - u8::MAX % alphabet;
    fair.then(|| char::from(ALPHABET[usize::from(byte % alphabet)]))
}

fn form(text: &str) -> Result<TokenForm, AccessTokenError> {
    for (prefix, form) in [(ACCESS_PREFIX, TokenForm::Access), (REFRESH_PREFIX, TokenForm::Refresh)] {
        let Some(rest) = text.strip_prefix(prefix) else { continue };
        let is_formed =
            rest.len() == RANDOM_LENGTH + CHECKSUM_LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_formed {
            return Err(AccessTokenError::Form);
        }
        let (body, sum) = text.split_at(text.len() - CHECKSUM_LENGTH);
        return if sum.as_bytes() == checksum(body) { Ok(form) } else { Err(AccessTokenError::Checksum) };
    }
    let is_foreign = text.len() == FOREIGN_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_foreign { Ok(TokenForm::Foreign) } else { Err(AccessTokenError::Form) }
}

/// CRC-32 of all that stands before it, in base 62: no secret, it only tells typing mistakes and chance finds apart.
fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    let mut rest = crc.sum() as usize;
    let mut digits = [0; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_made_token_reads_back() {
        for (made, form, length) in [
            (AccessToken::generate().unwrap(), TokenForm::Access, 42),
            (AccessToken::generate_refresh().unwrap(), TokenForm::Refresh, 43),
        ] {
            assert_eq!((made.form(), made.expose().len()), (form, length));
            let read = AccessToken::parse(made.expose()).unwrap();
            assert_eq!((read.form(), read.hash()), (form, made.hash()));
        }
    }

    #[test]
    fn tokens_differ_and_use_every_letter() {
        let made: Vec<_> = (0..500).map(|_| AccessToken::generate().unwrap()).collect();
        let hashes: HashSet<_> = made.iter().map(AccessToken::hash).collect();
        assert_eq!(hashes.len(), made.len());
        let letters: HashSet<_> = made.iter().flat_map(|token| token.expose()[4..36].bytes()).collect();
        assert_eq!(letters.len(), 62);
    }

    #[test]
    fn the_checksum_is_pinned() {
        // Scanners of other people compute it, so it can never change.
        let text = "agr_0123456789ABCDEFGHIJKLMNOPQRSTUV";
        assert_eq!(std::str::from_utf8(&checksum(text)).unwrap(), "3TgFqa");
        assert!(AccessToken::parse(&format!("{text}3TgFqa")).is_ok());
        assert_eq!(AccessToken::parse(&format!("{text}3TgFqb")).unwrap_err(), AccessTokenError::Checksum);
    }

    #[test]
    fn any_single_changed_letter_is_noticed() {
        let token = AccessToken::generate().unwrap();
        for position in 4..token.expose().len() {
            let mut text = token.expose().as_bytes().to_vec();
            text[position] = if text[position] == b'x' { b'y' } else { b'x' };
            let text = String::from_utf8(text).unwrap();
            assert_eq!(AccessToken::parse(&text).unwrap_err(), AccessTokenError::Checksum, "{position}");
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = AccessToken::generate().unwrap();
        let long = "a".repeat(1024 * 1024);
        let shorter = &good.expose()[..41];
        let longer = format!("{}0", good.expose());
        let umlaut = format!("agr_{}", "ü".repeat(19));
        let swapped = good.expose().replacen("agr_", "agrr_", 1);
        let hex_63 = "a".repeat(63);
        let no_hex = "g".repeat(64);
        for text in ["", "agr_", "agrr_", "AGR_", "a.b.c", shorter, &longer, &umlaut, &long, &hex_63, &no_hex] {
            assert_eq!(AccessToken::parse(text).unwrap_err(), AccessTokenError::Form);
        }
        assert_eq!(
            AccessToken::parse(&swapped).unwrap_err(),
            AccessTokenError::Checksum,
            "a kind is no matter of taste"
        );
    }

    #[test]
    fn tokens_of_other_programs_have_their_form() {
        let token = AccessToken::parse(&"Ab".repeat(32)).unwrap();
        assert_eq!(token.form(), TokenForm::Foreign);
        assert_ne!(
            token.hash(),
            AccessToken::parse(&"ab".repeat(32)).unwrap().hash(),
            "the text counts, case included"
        );
    }

    #[test]
    fn neither_debug_nor_errors_show_it() {
        let token = AccessToken::generate().unwrap();
        assert_eq!(format!("{token:?}"), "AccessToken { form: Access, .. }");
        let damaged = token.expose()[..41].to_owned() + "!";
        let error = AccessToken::parse(&damaged).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&damaged[..10]));
    }
}
