//! People who sign in with an identity from elsewhere: linked by an administrator, or made when they first come.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::acting::{allow, done, user};
use super::exchange::use_once;
use super::exchange_error::ExchangeError;
use super::leave::By;
use super::service::after;
use super::{Error, Refusal, Registry};
use crate::api::MAX_USER_IDENTITIES;
use crate::auth::{
    AccessToken, AccountAction as Do, AccountName, Asserted, Caller, CredentialKind, IssuerUrl, Origin, Scopes,
};
use crate::index::accounts::{self, AccountId};
use crate::index::identities::{self, StoredIdentity};
use crate::index::tokens::{self, NewToken, TokenKind};
use crate::index::{Session, audit, repositories};

/// How long an access token lives that a sign-in elsewhere makes.
pub const SIGN_IN_TOKEN_LIFE: Duration = Duration::from_hours(90 * 24);

/// Why an audit row says that a sign-in was allowed.
const TRUSTED_ISSUER: &str = "trusted-issuer";

/// A user who signed in, and the token made for it.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: AccountName,
    /// The token itself.
    pub token: AccessToken,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an administrator says of the issuer of a sign-in.
#[derive(Clone, Debug)]
pub struct SignInRule {
    /// What people call the issuer.
    pub name: String,
    /// The claim that names users who come for the first time; nobody is made without.
    pub create_users_from: Option<String>,
}

impl Registry {
    /// Signs in the user whose identity it is, and makes an access token. Each identity token is used once.
    pub async fn sign_in_elsewhere(
        &self,
        person: &Asserted,
        rule: &SignInRule,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        self.has_accounts()?;
        let token = AccessToken::generate()?;
        let (hash, now) = (token.hash(), Timestamp::now());
        let expires_at = after(now, SIGN_IN_TOKEN_LIFE);
        let (identity, rule) = (person.clone(), rule.clone());
        let write = self.index.write(move |session| {
            let (account, user) = find_or_make(session, &identity, &rule, origin, now)?;
            use_once(session, &identity, now)?;
            let name = format!("sign-in at {}", rule.name);
            let new = NewToken {
                account,
                kind: TokenKind::Access,
                hash: &hash,
                name: &name,
                scopes: &Scopes::all(),
                patterns: &[],
                parent: None,
                expires_at: Some(expires_at),
            };
            let id = tokens::insert(session, &new, now)?;
            let object = format!("{user}: {} {}", identity.issuer(), identity.subject());
            record(session, &user, CredentialKind::Token(id), ("user.sign-in", object), (origin, now))?;
            Ok::<_, Error>(user)
        });
        let user = write.await.inspect_err(|error| self.note_unexchanged(person, error, origin))?;
        Ok(SignedIn { user, token, expires_at })
    }

    /// Lets an identity sign a user in.
    pub async fn link_identity(
        &self,
        caller: &Caller,
        name: &AccountName,
        issuer: &IssuerUrl,
        subject: &str,
    ) -> Result<StoredIdentity, Error> {
        let (name, issuer, subject) = (name.clone(), issuer.to_string(), subject.to_owned());
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::LinkIdentity(&name))?;
            let account = user(session, &name)?;
            if identities::list(session, account.id, MAX_USER_IDENTITIES)?.len() >= MAX_USER_IDENTITIES {
                return Err(Refusal::TooMany { most: MAX_USER_IDENTITIES, what: "identities of one user" }.into());
            }
            if !identities::link(session, account.id, (&issuer, &subject), now)? {
                return Err(Refusal::IdentityLinked.into());
            }
            done(session, &permit, &format!("{name}: {issuer} {subject}"), now)?;
            Ok(StoredIdentity { issuer: issuer.clone(), subject: subject.clone(), linked_at: now })
        });
        deed.await
    }

    /// Ends that an identity signs a user in; one who was removed, too, so that it can sign in another. Tokens that
    /// were made by it stay.
    pub async fn unlink_identity(
        &self,
        caller: &Caller,
        name: &AccountName,
        issuer: &str,
        subject: &str,
    ) -> Result<(), Error> {
        let (name, issuer, subject) = (name.clone(), issuer.to_owned(), subject.to_owned());
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::LinkIdentity(&name))?;
            let account = accounts::find(session, &name)?.ok_or_else(|| Refusal::UnknownUser(name.clone()))?;
            if !identities::unlink(session, account.id, &issuer, &subject)? {
                return Err(Refusal::UnknownIdentity(name.clone()).into());
            }
            done(session, &permit, &format!("{name}: not {issuer} {subject}"), now)
        });
        deed.await
    }

    /// The identities that sign a user in.
    pub async fn identities(&self, caller: &Caller, name: &AccountName) -> Result<Vec<StoredIdentity>, Error> {
        self.look(caller, Do::ViewUser(name), |session, _| {
            let account = user(session, name)?;
            Ok(identities::list(session, account.id, MAX_USER_IDENTITIES)?)
        })
    }
}

/// The user an identity signs in, made where the issuer's rule says so.
fn find_or_make(
    session: &mut dyn Session,
    person: &Asserted,
    rule: &SignInRule,
    origin: Origin,
    now: Timestamp,
) -> Result<(AccountId, AccountName), Error> {
    let (issuer, subject) = (person.issuer().as_str(), person.subject());
    if let Some(found) = identities::user(session, issuer, subject)? {
        return Ok(found);
    }
    let claim = match &rule.create_users_from {
        // Whose user was removed does not come back by itself.
        Some(claim) if !identities::is_linked(session, issuer, subject)? => claim,
        _ => {
            let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
            return Err(ExchangeError::Stranger { issuer, subject }.into());
        }
    };
    let nameless = |source| ExchangeError::Nameless { claim: claim.clone(), source };
    let text = person.claims().get(claim).and_then(Value::as_str).ok_or_else(|| nameless(None))?;
    let name = text.parse::<AccountName>().map_err(|error| nameless(Some(error)))?;
    // Else whoever calls themselves so at the issuer would get what is another's here.
    let is_taken = accounts::find(session, &name)?.is_some() || repositories::count_in(session, &name)? > 0;
    if is_taken || name.is_reserved() {
        return Err(ExchangeError::NameTaken(name.to_string()).into());
    }
    let account = accounts::create_user(session, &name, false, now)?;
    identities::link(session, account, (issuer, subject), now)?;
    let object = format!("{name}: {issuer} {subject}");
    record(session, &name, CredentialKind::None, ("user.create", object), (origin, now))?;
    Ok((account, name))
}

/// Notes what a user did by a sign-in.
fn record(
    session: &mut dyn Session,
    user: &AccountName,
    credential: CredentialKind,
    (action, object): (&str, String),
    (origin, now): (Origin, Timestamp),
) -> Result<(), Error> {
    let by = By { actor: user.to_string(), credential, origin };
    Ok(audit::append(session, &by.entry(action, object, TRUSTED_ISSUER.to_owned(), audit::Outcome::Allowed, now))?)
}
