//! How something about people is done: decided, done and noted in one transaction.

use jiff::Timestamp;

use super::leave::By;
use super::{Error, Mode, Refusal, Registry};
use crate::auth::{AccountAction, AccountDenied, AccountName, AccountPermit, Caller, Reason, decide_account};
use crate::index::accounts::{self, Account};
use crate::index::audit::{self, Outcome};
use crate::index::{Session, access};

impl Registry {
    /// Does something about people. What is denied is noted for the audit.
    pub(super) async fn act<T: Send + 'static>(
        &self,
        caller: &Caller,
        deed: impl Fn(&mut dyn Session, &Caller, Timestamp) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.has_accounts()?;
        let (by, now) = (caller.clone(), Timestamp::now());
        let done = self.index.write(move |session| deed(session, &by, now)).await;
        self.noted(caller, done)
    }

    /// Looks at something about people, at one moment. What is denied is noted for the audit.
    pub(super) fn look<T>(
        &self,
        caller: &Caller,
        action: AccountAction<'_>,
        view: impl FnOnce(&mut dyn Session, &AccountPermit) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.has_accounts()?;
        let seen = self.snapshot(|session| {
            let permit = allow(session, caller, action)?;
            view(session, &permit)
        });
        self.noted(caller, seen)
    }

    /// Whether there are accounts at all, so that somebody can sign in.
    pub fn check_accounts(&self) -> Result<(), Error> {
        self.has_accounts()
    }

    pub(super) fn has_accounts(&self) -> Result<(), Error> {
        if self.mode == Mode::Accounts { Ok(()) } else { Err(Error::NoAccounts) }
    }

    fn noted<T>(&self, caller: &Caller, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Err(Error::AccountDenied(denied)) => {
                let object = denied.account.as_ref().map(AccountName::as_str).unwrap_or_default();
                self.denials.push(caller, denied.action, object, super::authorise::reason(denied.reason));
            }
            Err(Error::Denied(denied)) => self.note_denied(caller, denied),
            _ => {}
        }
        result
    }
}

/// Whether a caller may do something about people, by what is known in this transaction.
pub(super) fn allow(
    session: &mut dyn Session,
    caller: &Caller,
    action: AccountAction<'_>,
) -> Result<AccountPermit, Error> {
    // Asked each time: the permit names no generation, and the token may have been revoked since it was shown.
    if let Some(token) = caller.credential().token()
        && !access::is_unrevoked(session, token)?
    {
        let (identity, account) = (caller.identity().clone(), action.account().cloned());
        return Err(AccountDenied { identity, action: action.as_str(), account, reason: Reason::Token }.into());
    }
    let facts = access::account_facts(session, caller.identity(), action.account())?;
    Ok(decide_account(&facts, caller, action)?)
}

/// Notes in the running transaction what was done to whom.
pub(super) fn done(
    session: &mut dyn Session,
    permit: &AccountPermit,
    object: &(impl std::fmt::Display + ?Sized),
    now: Timestamp,
) -> Result<(), Error> {
    let by = By { actor: permit.actor(), credential: permit.credential(), origin: permit.origin() };
    let rule = permit.authority().to_string();
    Ok(audit::append(session, &by.entry(permit.action(), object.to_string(), rule, Outcome::Allowed, now))?)
}

/// A live user, or the refusal that there is none.
pub(super) fn user(session: &mut dyn Session, name: &AccountName) -> Result<Account, Error> {
    Ok(accounts::user(session, name)?.ok_or_else(|| Refusal::UnknownUser(name.clone()))?)
}

/// A live organisation, or the refusal that there is none.
pub(super) fn organisation(session: &mut dyn Session, name: &AccountName) -> Result<Account, Error> {
    Ok(accounts::organisation(session, name)?.ok_or_else(|| Refusal::UnknownOrganisation(name.clone()))?)
}

/// The row of who acts.
pub(super) fn oneself(session: &mut dyn Session, caller: &Caller) -> Result<Option<Account>, Error> {
    Ok(match caller.identity().user() {
        Some(name) => accounts::user(session, name)?,
        None => None,
    })
}
