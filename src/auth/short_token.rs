//! Short tokens: signed by the registry, good for minutes, so that a request proves its caller without the index.
//!
//! A token only narrows: what its subject may do is decided from current grants at each request.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Access, AccountName, Identity, PublisherId, TokenId};

/// How long a short token lives.
pub const SHORT_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Longest short token that is read, in bytes; as many scopes as one request may name fit in.
pub const MAX_SHORT_TOKEN_LENGTH: usize = 32 * 1024;

/// Who signs, in the claim `iss`. Keys tell registries apart, so they all say the same.
const ISSUER: &str = "agent-registry";

/// How far the clocks of two machines of one registry may differ.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Bytes of the public key's hash that name it.
const KEY_ID_BYTES: usize = 12;

/// Why a text is no short token that is good now. The texts are for the log; callers all get the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShortTokenError {
    /// It is longer than any that was made.
    #[error("the short token is longer than {MAX_SHORT_TOKEN_LENGTH} bytes")]
    TooLong,
    /// It has not the form of one of this registry's.
    #[error("the short token has not the form of one of this registry's")]
    Form,
    /// No key of this registry signed it.
    #[error("the short token names a key that this registry does not know")]
    UnknownKey,
    /// It was changed, or signed by somebody else.
    #[error("the short token's signature is wrong")]
    Signature,
    /// It was made for another service, or by another issuer.
    #[error("the short token was made for another service")]
    Service,
    /// It is over.
    #[error("the short token has expired")]
    Expired,
    /// It has not begun.
    #[error("the short token is not yet valid")]
    Early,
}

/// A signing key could not be made or read, or did not sign.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The system has no randomness, or the bytes are no key.
    #[error("the signing key cannot be used")]
    Key,
    /// The claims cannot be written.
    #[error("the short token cannot be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// A key pair (Ed25519) that signs short tokens.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    created_at: Timestamp,
    private: EncodingKey,
    public: DecodingKey,
}

impl SigningKey {
    /// Makes a new one.
    pub fn generate(now: Timestamp) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SigningKeyError::Key)?;
        let private = pair.to_pkcs8().map_err(|_| SigningKeyError::Key)?;
        Self::from_bytes(private.as_ref(), now)
    }

    /// Reads one that was stored (PKCS #8).
    pub fn from_bytes(private: &[u8], created_at: Timestamp) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(private).map_err(|_| SigningKeyError::Key)?;
        let public = pair.public_key().as_ref();
        let id = BASE64.encode(&Sha256::digest(public)[..KEY_ID_BYTES]);
        let (private, public) = (EncodingKey::from_ed_der(private), DecodingKey::from_ed_der(public));
        Ok(Self { id, created_at, private, public })
    }

    /// What is stored (PKCS #8): whoever has it can be anybody.
    pub fn to_bytes(&self) -> &[u8] {
        self.private.as_bytes()
    }

    /// Its name in the header of a token.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was made.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// What a short token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortToken {
    /// Whom it was given to.
    pub identity: Identity,
    /// The host it was given for.
    pub service: String,
    /// The access token it was made from; none for a password or an anonymous caller.
    pub token: Option<TokenId>,
    /// What it may be used for, at most.
    pub access: Vec<Access>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Its number, for the audit.
    pub id: Uuid,
}

/// The keys of a registry: one signs, and those before it are still believed while tokens of theirs live.
#[derive(Clone, Debug)]
pub struct KeyRing {
    active: SigningKey,
    retired: Vec<SigningKey>,
}

impl KeyRing {
    /// A ring with this key to sign, and these to believe.
    pub const fn new(active: SigningKey, retired: Vec<SigningKey>) -> Self {
        Self { active, retired }
    }

    /// The key that signs.
    pub const fn active(&self) -> &SigningKey {
        &self.active
    }

    /// Signs a token.
    pub fn sign(&self, token: &ShortToken) -> Result<String, SigningKeyError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.active.id.clone());
        Ok(jsonwebtoken::encode(&header, &Claims::from(token), &self.active.private)?)
    }

    /// Reads a token that was shown to `service`, if this registry signed it for that and it is good now.
    pub fn verify(&self, text: &str, service: &str, now: Timestamp) -> Result<ShortToken, ShortTokenError> {
        if text.len() > MAX_SHORT_TOKEN_LENGTH {
            return Err(ShortTokenError::TooLong);
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| ShortTokenError::Form)?;
        check_header(&header)?;
        let key = self.find(header.kid.as_deref().ok_or(ShortTokenError::Form)?).ok_or(ShortTokenError::UnknownKey)?;
        // The library compares with its own clock, and what is missing it takes for fine: both are done below.
        let mut signature_only = Validation::new(Algorithm::EdDSA);
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        signature_only.required_spec_claims.clear();
        let claims =
            jsonwebtoken::decode::<Claims>(text, &key.public, &signature_only).map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => ShortTokenError::Signature,
                _ => ShortTokenError::Form,
            })?;
        claims.claims.check(service, now)
    }

    fn find(&self, id: &str) -> Option<&SigningKey> {
        std::iter::once(&self.active).chain(&self.retired).find(|key| key.id == id)
    }
}

/// What a token says of keys and algorithms is refused unless it is exactly what this registry writes.
fn check_header(header: &Header) -> Result<(), ShortTokenError> {
    let brings_keys = header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
    let is_ours = header.alg == Algorithm::EdDSA && header.crit.is_none() && header.typ.as_deref() == Some("JWT");
    if is_ours && !brings_keys { Ok(()) } else { Err(ShortTokenError::Form) }
}

/// The claims on the wire (distribution's token specification; `tid` is ours).
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tid: Option<i64>,
    access: Vec<Access>,
}

impl From<&ShortToken> for Claims {
    fn from(token: &ShortToken) -> Self {
        let sub = match &token.identity {
            Identity::Anonymous => String::new(),
            known => known.to_string(),
        };
        Self {
            iss: ISSUER.to_owned(),
            sub,
            aud: token.service.clone(),
            exp: token.expires_at.as_second(),
            nbf: token.issued_at.as_second(),
            iat: token.issued_at.as_second(),
            jti: token.id,
            tid: token.token.map(TokenId::get),
            access: token.access.clone(),
        }
    }
}

impl Claims {
    fn check(self, service: &str, now: Timestamp) -> Result<ShortToken, ShortTokenError> {
        if self.iss != ISSUER || self.aud != service {
            return Err(ShortTokenError::Service);
        }
        let time = |second| Timestamp::from_second(second).map_err(|_| ShortTokenError::Form);
        let (issued_at, expires_at) = (time(self.iat)?, time(self.exp)?);
        if expires_at <= now {
            return Err(ShortTokenError::Expired);
        }
        if time(self.nbf)?.duration_since(now) > SKEW {
            return Err(ShortTokenError::Early);
        }
        let identity = identity(&self.sub).ok_or(ShortTokenError::Form)?;
        let Self { aud: service, tid, access, jti: id, .. } = self;
        Ok(ShortToken { identity, service, token: tid.map(TokenId::new), access, issued_at, expires_at, id })
    }
}

/// The identity that a subject names.
fn identity(subject: &str) -> Option<Identity> {
    if subject.is_empty() {
        return Some(Identity::Anonymous);
    }
    if let Some(number) = subject.strip_prefix("(publisher ").and_then(|rest| rest.strip_suffix(')')) {
        return number.parse().ok().map(|number| Identity::Publisher(PublisherId::new(number)));
    }
    subject.parse::<AccountName>().ok().map(Identity::User)
}
