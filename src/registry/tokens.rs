//! Access tokens: made, listed, revoked and replaced. Their text is never here, only its hash.

use std::time::Duration;

use jiff::Timestamp;

use super::acting::{allow, done, user};
use super::lists::{Listed, cut};
use super::service::after;
use super::{Error, Refusal, Registry};
use crate::auth::{AccountAction as Do, AccountName, Caller, Reach, Reason, TokenId};
use crate::index::repositories::MAX_PAGE;
use crate::index::tokens::{self, StoredToken, TokenKind};
use crate::index::{Session, accounts};

const DAY: Duration = Duration::from_hours(24);
/// How long a token is accepted where nobody says: ninety days.
pub const TOKEN_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// How long at most, unless for ever.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_hours(366 * 24);
/// How long a token is accepted beside the one that replaces it, at most.
pub const MAX_TOKEN_OVERLAP: Duration = Duration::from_hours(30 * 24);
/// Most access tokens of one account at a time.
pub const MAX_TOKENS_PER_ACCOUNT: usize = 1_000;
/// Longest name of a token in characters.
pub const MAX_TOKEN_NAME_LENGTH: usize = 100;

/// How long a token is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// [`TOKEN_LIFETIME`].
    Default,
    /// Until then, at most [`MAX_TOKEN_LIFETIME`] from now.
    Until(Timestamp),
    /// Until it is revoked, which only administrators may ask for.
    Forever,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is.
    pub user: AccountName,
    /// What its owner calls it.
    pub name: String,
    /// How far it reaches.
    pub reach: Reach,
    /// How long.
    pub lifetime: Lifetime,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// Whether the text was given by whoever asks, which only administrators may do.
    pub is_given: bool,
}

impl Registry {
    /// Makes an access token. It reaches no further than the credential it is made with.
    pub async fn create_token(&self, caller: &Caller, new: NewToken) -> Result<StoredToken, Error> {
        let deed = self.act(caller, move |session, caller, now| {
            let is_special = new.is_given || new.lifetime == Lifetime::Forever;
            let action = Do::CreateToken { user: &new.user, reach: &new.reach, is_special };
            let permit = allow(session, caller, action)?;
            let expires_at = end(new.lifetime, now)?;
            let token = store(session, &new, expires_at, now)?;
            done(session, &permit, &format!("{} token {}", new.user, token.id), now)?;
            Ok(token)
        });
        deed.await
    }

    /// A user's access tokens, in the order they were made.
    pub async fn tokens(
        &self,
        caller: &Caller,
        name: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<StoredToken>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let after = after.map(str::parse).transpose().map_err(|_| Error::Cursor)?.map(TokenId::new);
        self.look(caller, Do::ListTokens(name), |session, _| {
            let account = user(session, name)?;
            let found = tokens::list(session, account.id, TokenKind::Access, after, limit + 1)?;
            Ok(cut(found, limit, |token| token.id.to_string()))
        })
    }

    /// Revokes a token, and what was made with it, at once.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<(), Error> {
        let deed = self.act(caller, move |session, caller, now| {
            let token = live(session, id, now)?;
            let permit = allow(session, caller, Do::RevokeToken { user: &token.account, token: id })?;
            tokens::revoke(session, id, now)?;
            done(session, &permit, &format!("{} token {id}", token.account), now)
        });
        deed.await.map_err(|error| hidden(error, id))
    }

    /// Makes a token that reaches as far and as long as another one, which ends after the overlap.
    pub async fn rotate_token(
        &self,
        caller: &Caller,
        id: TokenId,
        hash: [u8; 32],
        overlap: Duration,
    ) -> Result<StoredToken, Error> {
        let deed = self.act(caller, move |session, caller, now| {
            let old = live(session, id, now)?;
            if old.kind != TokenKind::Access {
                return Err(Refusal::UnknownToken(id).into());
            }
            let reach = Reach::new(old.scopes, old.patterns.clone());
            let is_special = old.expires_at.is_none();
            let permit = allow(session, caller, Do::CreateToken { user: &old.account, reach: &reach, is_special })?;
            let lifetime = old.expires_at.and_then(|end| Duration::try_from(end.duration_since(old.created_at)).ok());
            let (user, name) = (old.account.clone(), old.name.clone());
            let new = NewToken { user, name, reach, lifetime: Lifetime::Default, hash, is_given: false };
            let token = store(session, &new, lifetime.map(|lifetime| after(now, lifetime)), now)?;
            tokens::expire_at(session, id, after(now, overlap.min(MAX_TOKEN_OVERLAP)))?;
            done(session, &permit, &format!("{} token {} for {id}", old.account, token.id), now)?;
            Ok(token)
        });
        deed.await.map_err(|error| hidden(error, id))
    }
}

/// Whose token it is, is nobody else's business.
fn hidden(error: Error, id: TokenId) -> Error {
    match error {
        Error::AccountDenied(denied) if denied.reason == Reason::Rights => Refusal::UnknownToken(id).into(),
        other => other,
    }
}

fn live(session: &mut dyn Session, id: TokenId, now: Timestamp) -> Result<StoredToken, Error> {
    let found = tokens::find(session, id)?;
    let is_live =
        |token: &StoredToken| token.revoked_at.is_none() && token.expires_at.is_none_or(|expires_at| expires_at > now);
    Ok(found.filter(is_live).ok_or(Refusal::UnknownToken(id))?)
}

fn end(lifetime: Lifetime, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    match lifetime {
        Lifetime::Default => Ok(Some(after(now, TOKEN_LIFETIME))),
        Lifetime::Forever => Ok(None),
        Lifetime::Until(end) if end <= now => Err(Refusal::InThePast.into()),
        Lifetime::Until(end) if end > after(now, MAX_TOKEN_LIFETIME) => {
            Err(Refusal::TooLong(MAX_TOKEN_LIFETIME.as_secs() / DAY.as_secs()).into())
        }
        Lifetime::Until(end) => Ok(Some(end)),
    }
}

fn store(
    session: &mut dyn Session,
    new: &NewToken,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<StoredToken, Error> {
    let is_name = |name: &str| !name.trim().is_empty() && !name.chars().any(char::is_control);
    if !is_name(&new.name) || new.name.chars().count() > MAX_TOKEN_NAME_LENGTH {
        return Err(Refusal::TokenName.into());
    }
    let account = accounts::user(session, &new.user)?.ok_or_else(|| Refusal::UnknownUser(new.user.clone()))?;
    if tokens::is_known(session, &new.hash)? {
        return Err(Refusal::TokenKnown.into());
    }
    if tokens::has(session, account.id, TokenKind::Access, MAX_TOKENS_PER_ACCOUNT)? {
        return Err(Refusal::TooMany { most: MAX_TOKENS_PER_ACCOUNT, what: "tokens of one account" }.into());
    }
    let token = tokens::NewToken {
        account: account.id,
        kind: TokenKind::Access,
        hash: &new.hash,
        name: &new.name,
        scopes: &new.reach.scopes(),
        patterns: new.reach.patterns(),
        parent: None,
        expires_at,
    };
    let id = tokens::insert(session, &token, now)?;
    Ok(tokens::find(session, id)?.ok_or(Refusal::UnknownToken(id))?)
}
