//! An identity token from elsewhere: what an issuer says of a caller, believed only after all of it was checked.
//!
//! RFC 7523 calls it an assertion. It is exchanged for a token of this registry and is no credential by itself.

use std::fmt;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, dangerous};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{IssuerKeys, IssuerUrl};

/// Longest identity token in bytes.
pub const MAX_ASSERTION_BYTES: usize = 16 * 1024;

/// Most claims of one identity token.
pub(super) const MAX_CLAIMS: usize = 128;

/// Longest `sub` and `jti` in bytes.
pub(super) const MAX_SUBJECT_LENGTH: usize = 1024;

/// Seconds by which clocks may differ.
pub const LEEWAY_SECONDS: i64 = 60;

/// Seconds after which an identity token is not taken any more, however long it says it lasts.
pub const MAX_AGE_SECONDS: i64 = 60 * 60;

/// What a token may be signed with: public keys only, and one algorithm for each kind of key.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// Why an identity token is not taken. None of the texts repeats the token.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// More bytes than any honest token has.
    #[error("the identity token is longer than {MAX_ASSERTION_BYTES} bytes")]
    TooLong,
    /// It is no signed token, or is signed with what is not taken.
    #[error("the identity token is no JSON Web Token signed with RS256, ES256 or EdDSA")]
    Form(#[source] jsonwebtoken::errors::Error),
    /// Its header asks for what this registry never does, such as taking the key out of the token.
    #[error("the identity token's header has `{0}`, which is never taken from a token")]
    Header(&'static str),
    /// Its header names no key.
    #[error("the identity token does not name its key (`kid`)")]
    NoKeyId,
    /// The issuer has no such key for this algorithm.
    #[error("the identity token's issuer has no key of that name for its algorithm")]
    UnknownKey,
    /// It was not signed with the key it names.
    #[error("the identity token's signature is wrong")]
    Signature(#[source] jsonwebtoken::errors::Error),
    /// A claim is missing or has not the form it must have.
    #[error("the identity token's claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// More claims than are taken.
    #[error("the identity token has more than {MAX_CLAIMS} claims")]
    TooManyClaims,
    /// It was made by another issuer than the keys are of.
    #[error("the identity token is of another issuer")]
    Issuer,
    /// It was made for somebody else.
    #[error("the identity token is made for another audience than `{0}`")]
    Audience(String),
    /// It is not valid any more.
    #[error("the identity token has expired")]
    Expired,
    /// It is from the future.
    #[error("the identity token is not valid yet")]
    NotYet,
}

/// An identity token as it came. Nothing in it is to be believed yet.
pub struct Assertion {
    text: String,
    issuer: String,
    key_id: String,
    algorithm: Algorithm,
}

impl Assertion {
    /// Reads the form and the header, and refuses what no issuer this registry could trust would send.
    pub fn parse(text: &str) -> Result<Self, AssertionError> {
        if text.len() > MAX_ASSERTION_BYTES {
            return Err(AssertionError::TooLong);
        }
        let header = jsonwebtoken::decode_header(text).map_err(AssertionError::Form)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(AssertionError::Form(jsonwebtoken::errors::ErrorKind::InvalidAlgorithm.into()));
        }
        let is_other_type = header.typ.as_ref().is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT"));
        let never = [
            ("jwk", header.jwk.is_some()),
            ("jku", header.jku.is_some()),
            ("x5u", header.x5u.is_some()),
            ("x5c", header.x5c.is_some()),
            ("crit", header.crit.is_some()),
            ("enc", header.enc.is_some()),
            ("zip", header.zip.is_some()),
            // Such as `at+jwt`: what an issuer signs for another purpose says nothing about who asks.
            ("typ", is_other_type),
        ];
        if let Some((name, _)) = never.into_iter().find(|(_, is_there)| *is_there) {
            return Err(AssertionError::Header(name));
        }
        let key_id = header.kid.ok_or(AssertionError::NoKeyId)?;
        let Named { iss } = dangerous::insecure_decode_claims(text).map_err(|_| AssertionError::Claim("iss"))?;
        Ok(Self { text: text.to_owned(), issuer: iss, key_id, algorithm: header.alg })
    }

    /// Which issuer it claims to be of: for choosing among those that are trusted, and for nothing else.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key it names.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Checks all of it: signature, issuer, audience and times. `keys` are those of `issuer`; the token must be made
    /// for one of `audiences` and for nobody else.
    pub fn verify(
        &self,
        issuer: &IssuerUrl,
        keys: &IssuerKeys,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<Asserted, AssertionError> {
        let key = keys.find(&self.key_id, self.algorithm).ok_or(AssertionError::UnknownKey)?;
        // The library judges the signature alone: it knows no other clock than the system's, and takes an audience
        // that is one of many.
        let mut signature = Validation::new(self.algorithm);
        signature.required_spec_claims.clear();
        signature.validate_exp = false;
        signature.validate_aud = false;
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(&self.text, key, &signature);
        let claims = decoded.map_err(AssertionError::Signature)?.claims;
        if claims.len() > MAX_CLAIMS {
            return Err(AssertionError::TooManyClaims);
        }
        if text(&claims, "iss") != Some(issuer.as_str()) {
            return Err(AssertionError::Issuer);
        }
        let audience = only(claims.get("aud")).filter(|audience| audiences.contains(audience));
        let audience = audience.ok_or_else(|| AssertionError::Audience(audiences.join("` or `")))?.to_owned();
        let usable_until = check_times(&claims, now)?;
        let subject = text(&claims, "sub").filter(|subject| is_name(subject)).ok_or(AssertionError::Claim("sub"))?;
        Ok(Asserted {
            issuer: issuer.clone(),
            audience,
            subject: subject.to_owned(),
            fingerprint: self.fingerprint(&claims)?,
            usable_until,
            claims,
        })
    }

    /// What makes this token one: its number, else the text that was signed. Not the signature, since another valid
    /// one can be made of some.
    fn fingerprint(&self, claims: &Map<String, Value>) -> Result<[u8; 32], AssertionError> {
        let (kind, unique) = match claims.get("jti") {
            None => ("text", self.text.rsplit_once('.').map_or("", |(signed, _)| signed)),
            Some(Value::String(number)) if is_name(number) => ("jti", number.as_str()),
            Some(_) => return Err(AssertionError::Claim("jti")),
        };
        let mut hash = Sha256::new();
        for part in [self.issuer.as_str(), kind, unique] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(hash.finalize().into())
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What an issuer vouches for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asserted {
    issuer: IssuerUrl,
    audience: String,
    subject: String,
    fingerprint: [u8; 32],
    usable_until: Timestamp,
    claims: Map<String, Value>,
}

impl Asserted {
    /// Who vouches.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Whom it is made for, of those that were expected.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whom the issuer vouches for: unique with the issuer only.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The same for the same token however often it comes, another for every other: to be kept until
    /// [`Self::usable_until`], so that each is used once.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// From when on the token would be refused for its age.
    pub fn usable_until(&self) -> Timestamp {
        self.usable_until
    }

    /// Everything the token says.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

#[derive(Deserialize)]
struct Named {
    iss: String,
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_SUBJECT_LENGTH && !text.chars().any(char::is_control)
}

/// The audience, if there is but one: a token that is good elsewhere too could be replayed here by whoever it was shown
/// to there.
fn only(audience: Option<&Value>) -> Option<&str> {
    match audience? {
        Value::String(one) => Some(one),
        Value::Array(all) if all.len() == 1 => all[0].as_str(),
        _ => None,
    }
}

/// Compares the times with the clock; until when the token can be used.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, AssertionError> {
    let now = now.as_second();
    let expires = seconds(claims, "exp")?.ok_or(AssertionError::Claim("exp"))?;
    let issued = seconds(claims, "iat")?.ok_or(AssertionError::Claim("iat"))?;
    let begins = seconds(claims, "nbf")?.unwrap_or(issued);
    let until = expires.min(issued.saturating_add(MAX_AGE_SECONDS)).saturating_add(LEEWAY_SECONDS);
    if now >= until {
        return Err(AssertionError::Expired);
    }
    if issued.max(begins) > now.saturating_add(LEEWAY_SECONDS) {
        return Err(AssertionError::NotYet);
    }
    Timestamp::from_second(until).map_err(|_| AssertionError::Claim("exp"))
}

/// A `NumericDate` (RFC 7519), which may have a fraction.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, AssertionError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let number = value.as_i64().or_else(|| value.as_f64().map(|number| number.floor() as i64));
    number.filter(|number| *number >= 0).map(Some).ok_or(AssertionError::Claim(name))
}
