//! Signing in: what a caller who has a password or a token is given, which is a short token for what it asked for and
//! may do, and on request a refresh token.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::Error;
use super::credentials::{Rejected, caller};
use super::service::{Registry, after};
use crate::auth::{
    Access, AccessToken, AccountAction, AccountName, ActionKind, Admin, Caller, CredentialKind, Delete, Identity,
    Origin, Password, Pull, Push, Reach, Resource, SHORT_TOKEN_LIFE, ScopeAction, ScopeActions, ShortToken, TokenForm,
    TokenId, decide,
};
use crate::index::tokens::{NewToken, TokenKind};
use crate::index::{access, accounts, tokens};
use crate::oci::RepositoryName;

/// How long a refresh token lives.
pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_hours(30 * 24);

/// Passwords that are hashed at the same time: each takes a core and 19 MiB.
const MAX_HASHING: usize = 2;

/// Passwords that may wait for that; further callers are sent away.
const MAX_WAITING: usize = 64;

/// Letters of a claimed name that go into the audit.
const MAX_SHOWN: usize = 64;

/// What a refresh token is called in lists.
const REFRESH_TOKEN_NAME: &str = "refresh token";

/// Lets few passwords be hashed at a time.
#[derive(Debug)]
pub(super) struct Turns {
    hashing: Semaphore,
    waiting: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { hashing: Semaphore::new(MAX_HASHING), waiting: Semaphore::new(MAX_HASHING + MAX_WAITING) }
    }
}

/// A short token that was made.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// What it may be used for: of what was asked for, what the caller may do.
    pub access: Vec<Access>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// How long it lives.
    pub life: SignedDuration,
}

impl Registry {
    /// Checks a user's password. Takes as long for users that do not exist.
    pub async fn check_password(&self, user: &str, password: &str, origin: Origin) -> Result<Caller, Error> {
        let password = Password::parse(password).map_err(|_| Rejected::Password)?;
        let name = user.parse::<AccountName>().ok();
        let turns = &self.credentials.turns;
        let _place = turns.waiting.try_acquire().map_err(|_| Error::TooManySignIns)?;
        // Fails only when it is closed, which it never is.
        let _turn = turns.hashing.acquire().await.map_err(|_| Error::TooManySignIns)?;
        let stored = match &name {
            Some(name) => self.read(|session| accounts::password(session, name).map_err(Error::from))?,
            None => None,
        };
        let is_right = tokio::task::spawn_blocking(move || {
            stored.map_or_else(|| password.matches_nobody(), |stored| password.matches(&stored))
        });
        if let (true, Some(name)) = (is_right.await?, name) {
            return Ok(Caller::new(Identity::User(name), Reach::unlimited(), CredentialKind::Password, origin));
        }
        let claimed: String = user.chars().filter(|letter| !letter.is_control()).take(MAX_SHOWN).collect();
        self.denials.push(&Caller::anonymous(origin), "sign-in", &claimed, "wrong password, or no such user");
        Err(Rejected::Password.into())
    }

    /// What is stored of a new password. Waits its turn as those do that are checked, so whether the caller may do
    /// what it is for is asked first: else everybody could keep others waiting.
    pub async fn hash_password(
        &self,
        caller: &Caller,
        action: AccountAction<'_>,
        password: Password,
    ) -> Result<String, Error> {
        self.look(caller, action, |_, _| Ok(()))?;
        let turns = &self.credentials.turns;
        let _place = turns.waiting.try_acquire().map_err(|_| Error::TooManySignIns)?;
        let _turn = turns.hashing.acquire().await.map_err(|_| Error::TooManySignIns)?;
        Ok(tokio::task::spawn_blocking(move || password.hash()).await??)
    }

    /// Makes a short token for a service. Less than was asked for is no error: the token then says so.
    pub fn sign_in(&self, caller: &Caller, asked: &[Access], service: &str) -> Result<Issued, Error> {
        if caller.reach().claims().is_some() {
            // Else whoever has one for a moment would have one for ever.
            return Err(Rejected::Kind.into());
        }
        let access = asked.iter().map(|access| self.allowed(caller, access)).collect::<Result<Vec<_>, _>>()?;
        let access = access.into_iter().filter(|access| !access.actions.is_empty()).collect();
        self.issue(caller.identity().clone(), caller.credential().token(), access, service, SHORT_TOKEN_LIFE)
    }

    /// Signs a short token for somebody who was checked, in whatever way.
    pub(super) fn issue(
        &self,
        identity: Identity,
        token: Option<TokenId>,
        access: Vec<Access>,
        service: &str,
        life: SignedDuration,
    ) -> Result<Issued, Error> {
        // The token knows whole seconds only.
        let issued_at = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::MIN);
        let expires_at = issued_at.saturating_add(life).unwrap_or(Timestamp::MAX);
        let (service, id) = (service.to_owned(), Uuid::new_v4());
        let claims = ShortToken { identity, service, token, access: access.clone(), issued_at, expires_at, id };
        Ok(Issued { token: self.keys()?.sign(&claims)?, access, issued_at, life })
    }

    /// Makes a refresh token that reaches as far as what the caller showed, and ends with it.
    pub async fn make_refresh_token(&self, caller: &Caller) -> Result<AccessToken, Error> {
        let Some(user) = caller.identity().user().cloned() else { return Err(Rejected::Kind.into()) };
        let (token, now) = (AccessToken::generate_refresh()?, Timestamp::now());
        let (hash, reach, parent) = (token.hash(), caller.shared_reach(), caller.credential().token());
        let write = self.index.write(move |session| {
            let account = accounts::user(session, &user)?.ok_or(Rejected::Origin)?;
            let new = NewToken {
                account: account.id,
                kind: TokenKind::Refresh,
                hash: &hash,
                name: REFRESH_TOKEN_NAME,
                scopes: &reach.scopes(),
                patterns: reach.patterns(),
                parent,
                expires_at: Some(after(now, REFRESH_TOKEN_LIFE)),
            };
            tokens::insert(session, &new, now)?;
            Ok::<_, Error>(())
        });
        write.await?;
        Ok(token)
    }

    /// Who has a refresh token.
    pub fn refresh(&self, secret: &str, origin: Origin) -> Result<Caller, Error> {
        let now = Timestamp::now();
        let bearer = self.bearer(secret, TokenForm::Access, now)?;
        if bearer.token.kind != TokenKind::Refresh {
            return Err(Rejected::Kind.into());
        }
        self.credentials.last_used.note(bearer.token.id, now);
        Ok(caller(bearer, origin))
    }

    /// What the caller may do to a repository: from one look at it, whether it exists or not, and no news for the audit,
    /// since nothing is done.
    fn allowed_actions(&self, caller: &Caller, repository: &RepositoryName) -> Result<Vec<ActionKind>, Error> {
        let now = Timestamp::now();
        let known = self.snapshot(|session| Ok(access::facts(session, caller.identity(), repository, now)?))?;
        let facts = &known.facts;
        let may = [
            decide(facts, caller, Pull, repository).map(|_| ActionKind::Pull),
            decide(facts, caller, Push, repository).map(|_| ActionKind::Push),
            decide(facts, caller, Delete, repository).map(|_| ActionKind::Delete),
            decide(facts, caller, Admin, repository).map(|_| ActionKind::Admin),
        ];
        Ok(may.into_iter().filter_map(Result::ok).collect())
    }

    /// Of what was asked for, what the caller may do.
    fn allowed(&self, caller: &Caller, asked: &Access) -> Result<Access, Error> {
        let actions = match &asked.resource {
            Resource::Catalog if caller.identity().is_anonymous() || !caller.reach().lists_all() => vec![],
            Resource::Catalog => asked.actions.iter().filter(|action| *action == ScopeAction::All).collect(),
            Resource::Repository(name) => self.allowed_in(caller, asked.actions, name)?,
        };
        Ok(Access { resource: asked.resource.clone(), actions: ScopeActions::of(&actions) })
    }

    fn allowed_in(
        &self,
        caller: &Caller,
        asked: ScopeActions,
        repository: &RepositoryName,
    ) -> Result<Vec<ScopeAction>, Error> {
        let may = self.allowed_actions(caller, repository)?;
        let pairs = [
            (ScopeAction::Pull, ActionKind::Pull),
            (ScopeAction::Push, ActionKind::Push),
            (ScopeAction::Delete, ActionKind::Delete),
        ];
        let some = pairs.into_iter().filter(|(action, kind)| asked.contains(*action) && may.contains(kind));
        let mut some: Vec<_> = some.map(|(action, _)| action).collect();
        // The star stands for every action there is, so whoever lacks one gets the others by name.
        if asked.contains(ScopeAction::All) && may.contains(&ActionKind::Admin) && some.len() == pairs.len() {
            some = vec![ScopeAction::All];
        }
        Ok(some)
    }
}
