//! From what a caller shows to who it is. What was checked once is remembered until it ends or anything changes that
//! it was made from, so that a request costs neither a signature nor a statement.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Error;
use super::last_used::LastUsed;
use super::service::{Registry, UPLOAD_LIFETIME, after};
use super::sign_in::Turns;
use crate::auth::{
    AccessToken, AccountName, Caller, CredentialKind, Identity, KeyRing, Origin, Reach, Scope, ShortToken,
    ShortTokenError, TokenForm, TokenId,
};
use crate::index::access::{self, Bearer};
use crate::index::tokens::TokenKind;

/// Most credentials that are remembered, at a few hundred bytes each.
const MAX_REMEMBERED: usize = 16_384;

/// What a caller shows, as it was sent.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    /// A short token or an access token.
    Bearer(&'a str),
    /// An access token with the name of its account, or without where the client leaves that to the token.
    Basic {
        /// The account.
        user: Option<&'a str>,
        /// The token.
        secret: &'a str,
    },
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::Basic { .. } => "Basic(…)",
        })
    }
}

/// What a credential is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Anything but what follows.
    Any,
    /// An upload session that is open. Its short token may be over: clients cannot send bytes again that they have
    /// begun to send. What the token was made from, and the rights of its owner, hold as ever.
    Continue,
}

impl Purpose {
    /// How long a short token is taken after its end.
    const fn grace(self) -> Duration {
        match self {
            // Clients that count whole seconds show it for as long.
            Self::Any => Duration::from_secs(1),
            Self::Continue => UPLOAD_LIFETIME,
        }
    }
}

/// Why a credential is not accepted: for the log. Callers are told only that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is no token, or one that nobody has, any more or yet.
    #[error("no such access token, or it has expired or was revoked")]
    Token,
    /// The token belongs to somebody else than the name beside it.
    #[error("the access token belongs to another account")]
    Account,
    /// A refresh token where an access token is needed, or the other way round.
    #[error("the token is of another kind")]
    Kind,
    /// The short token is not good.
    #[error(transparent)]
    Short(#[from] ShortTokenError),
    /// What the short token was made from is not accepted any more.
    #[error("what the short token was made from is not accepted any more")]
    Origin,
    /// Wrong, or nobody has that name or any password.
    #[error("wrong password, or no such user")]
    Password,
}

/// What credentials need between requests.
#[derive(Debug)]
pub(super) struct Credentials {
    remembered: Cache<[u8; 32], Arc<Remembered>>,
    keys: RwLock<Option<(u64, Arc<KeyRing>)>>,
    pub(super) last_used: LastUsed,
    pub(super) turns: Turns,
}

impl Default for Credentials {
    fn default() -> Self {
        let (remembered, keys) = (Cache::new(MAX_REMEMBERED), RwLock::default());
        Self { remembered, keys, last_used: LastUsed::default(), turns: Turns::default() }
    }
}

/// A credential that was accepted.
#[derive(Debug)]
struct Remembered {
    caller: Caller,
    generation: u64,
    /// The service a short token was made for; an access token is for all.
    service: Option<String>,
    expires_at: Option<Timestamp>,
    /// The minute in which its use was noted last.
    noted: AtomicI64,
}

impl Registry {
    /// Who shows this, if it was accepted before and nothing has changed since.
    pub fn recall(&self, shown: Shown<'_>, service: &str, to: Purpose, origin: Origin) -> Option<Caller> {
        let (found, now) = (self.credentials.remembered.get(&key(shown))?, Timestamp::now());
        let grace = if found.service.is_some() { to.grace() } else { Duration::ZERO };
        let is_current = found.generation == self.index.access_generation()
            && found.expires_at.is_none_or(|end| after(end, grace) > now)
            && found.service.as_deref().is_none_or(|made_for| made_for == service);
        is_current.then(|| {
            self.note_use(&found, now);
            found.caller.clone().with_origin(origin)
        })
    }

    /// When a credential that was accepted just now ends by itself.
    pub fn ends_at(&self, shown: Shown<'_>) -> Option<Timestamp> {
        self.credentials.remembered.get(&key(shown))?.expires_at
    }

    /// Checks what a caller shows to a service. No password is accepted here: those are for signing in.
    pub fn authenticate(&self, shown: Shown<'_>, service: &str, to: Purpose, origin: Origin) -> Result<Caller, Error> {
        let now = Timestamp::now();
        // Before anything is read: what is read later can only be newer.
        let generation = self.index.access_generation();
        let (caller, made_for, expires_at) = match shown {
            Shown::Bearer(text) if is_short(text) => {
                let token = self.keys()?.read(text, service, now).map_err(Rejected::from)?;
                if after(token.expires_at, to.grace()) <= now {
                    return Err(Rejected::from(ShortTokenError::Expired).into());
                }
                let expires_at = token.expires_at;
                (self.short_caller(token, origin, now)?, Some(service.to_owned()), Some(expires_at))
            }
            Shown::Bearer(secret) => {
                let (caller, expires_at) = self.token_caller(None, secret, origin, now)?;
                (caller, None, expires_at)
            }
            Shown::Basic { user, secret } => {
                let (caller, expires_at) = self.token_caller(user, secret, origin, now)?;
                (caller, None, expires_at)
            }
        };
        let noted = AtomicI64::new(0);
        let remembered = Remembered { caller: caller.clone(), generation, service: made_for, expires_at, noted };
        self.note_use(&remembered, now);
        self.credentials.remembered.insert(key(shown), Arc::new(remembered));
        Ok(caller)
    }

    /// Whether a caller may do everything, and with what is shown: a token needs the scope `admin`.
    pub fn is_administrator(&self, caller: &Caller) -> Result<bool, Error> {
        let reach = caller.reach();
        let reaches = reach.scopes().includes(Scope::Admin) && reach.claims().is_none();
        Ok(reaches && self.read(|session| access::is_administrator(session, caller.identity()).map_err(Error::from))?)
    }

    /// The keys that sign and verify short tokens.
    pub(super) fn keys(&self) -> Result<Arc<KeyRing>, Error> {
        let generation = self.index.access_generation();
        let known = self.credentials.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, keys)) = known.filter(|(known, _)| *known == generation) {
            return Ok(keys);
        }
        let keys = Arc::new(self.load_keys()?);
        *self.credentials.keys.write().unwrap_or_else(PoisonError::into_inner) = Some((generation, Arc::clone(&keys)));
        Ok(keys)
    }

    /// The caller of an access token, and when that ends.
    fn token_caller(
        &self,
        user: Option<&str>,
        secret: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(Caller, Option<Timestamp>), Error> {
        let bearer = self.bearer(secret, TokenForm::Refresh, now)?;
        if bearer.token.kind != TokenKind::Access {
            return Err(Rejected::Kind.into());
        }
        let is_owner = |user: &str| bool::from(user.as_bytes().ct_eq(bearer.token.account.as_str().as_bytes()));
        if !user.is_none_or(is_owner) {
            return Err(Rejected::Account.into());
        }
        let expires_at = bearer.expires_at;
        Ok((caller(bearer, origin), expires_at))
    }

    /// The stored token of a text that has not this form.
    pub(super) fn bearer(&self, secret: &str, not: TokenForm, now: Timestamp) -> Result<Bearer, Error> {
        let token = AccessToken::parse(secret).map_err(|_| Rejected::Token)?;
        if token.form() == not {
            return Err(Rejected::Kind.into());
        }
        // Found by its hash in an index: how long that takes says nothing about a text nobody can choose the hash of.
        let found = self.read(|session| access::caller(session, &token.hash(), now).map_err(Error::from))?;
        Ok(found.ok_or(Rejected::Token)?)
    }

    /// The caller of a short token, as far as what it was made from reaches now.
    fn short_caller(&self, token: ShortToken, origin: Origin, now: Timestamp) -> Result<Caller, Error> {
        let ShortToken { identity, token: made_with, access, issued_at, .. } = token;
        let credential = CredentialKind::ShortToken { token: made_with };
        let reach = match &identity {
            // What a publisher may, and whether it is one, is decided at each request.
            Identity::Anonymous | Identity::Publisher(_) => Reach::unlimited(),
            Identity::User(account) => self.reach_now(account, made_with, issued_at, now)?,
        };
        Ok(Caller::new(identity, reach.narrowed_by_claims(access), credential, origin))
    }

    fn reach_now(
        &self,
        account: &AccountName,
        token: Option<TokenId>,
        issued_at: Timestamp,
        now: Timestamp,
    ) -> Result<Reach, Error> {
        let of = access::Origin { account, token, issued_at };
        let standing = self.read(|session| access::standing(session, of, now).map_err(Error::from))?;
        let standing = standing.ok_or(Rejected::Origin)?;
        Ok(standing.token.map_or_else(Reach::unlimited, |token| Reach::new(token.scopes, token.patterns)))
    }

    fn note_use(&self, remembered: &Remembered, now: Timestamp) {
        let Some(token) = remembered.caller.credential().token() else { return };
        let minute = now.as_second() / 60;
        if remembered.noted.swap(minute, Ordering::Relaxed) != minute {
            self.credentials.last_used.note(token, now);
        }
    }
}

/// The caller that a stored token belongs to.
pub(super) fn caller(bearer: Bearer, origin: Origin) -> Caller {
    let token = bearer.token;
    let (reach, credential) = (Reach::new(token.scopes, token.patterns), CredentialKind::Token(token.id));
    Caller::new(Identity::User(token.account), reach, credential, origin)
}

/// Whether a text is meant as a short token: no access token has a dot.
fn is_short(text: &str) -> bool {
    text.contains('.')
}

/// What a credential is remembered by: its hash, so that memory holds no secret and no length decides a place.
fn key(shown: Shown<'_>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    match shown {
        Shown::Bearer(text) => hasher.update([b"bearer ", text.as_bytes()].concat()),
        Shown::Basic { user, secret } => {
            // No name holds the byte that ends it here.
            let (kind, user) = user.map_or((&b"nameless "[..], ""), |user| (&b"basic "[..], user));
            hasher.update([kind, user.as_bytes(), b"\0", secret.as_bytes()].concat());
        }
    }
    hasher.finalize().into()
}
