//! Users: listed, made, changed and removed.

use super::acting::{allow, done, oneself, user};
use super::lists::{Listed, cut};
use super::{Error, Refusal, Registry};
use crate::auth::{AccountAction as Do, AccountName, Caller, Role, Visibility};
use crate::index::accounts::{self, Account, AccountKind};
use crate::index::repositories::MAX_PAGE;
use crate::index::{Session, access, organisations, ratings, repositories, tokens, uploads};

/// Organisations named with one user.
const MAX_ORGANISATIONS: usize = 1_000;
/// Sign-ins that end with a password at a time.
const MAX_ENDED: usize = 500;

/// What a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether they may do everything.
    pub is_administrator: bool,
    /// The organisations they belong to, at most a thousand.
    pub organisations: Vec<(AccountName, Role)>,
}

/// What remains of an account that was removed. Its name stays taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Repositories in its namespace.
    pub repositories: u64,
    /// Who owns them now, through an organisation of the account's name; none where there are none.
    pub now_owned_by: Option<AccountName>,
}

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name, which is also the namespace.
    pub name: AccountName,
    /// The hash of the password, as a PHC string.
    pub password: Option<String>,
    /// Whether they may do everything.
    pub is_administrator: bool,
}

impl Registry {
    /// What the caller is.
    pub async fn standing(&self, caller: &Caller) -> Result<Standing, Error> {
        self.has_accounts()?;
        self.read(|session| {
            let is_administrator = access::is_administrator(session, caller.identity())?;
            let organisations = match oneself(session, caller)? {
                Some(account) => organisations::of_user(session, account.id, None, MAX_ORGANISATIONS)?,
                None => vec![],
            };
            Ok(Standing { is_administrator, organisations })
        })
    }

    /// All users by name.
    pub async fn users(&self, caller: &Caller, after: Option<&str>, limit: usize) -> Result<Listed<Account>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, Do::ListUsers, |session, _| {
            let found = accounts::list(session, AccountKind::User, after, limit + 1)?;
            Ok(cut(found, limit, |account| account.name.to_string()))
        })
    }

    /// One user.
    pub async fn user(&self, caller: &Caller, name: &AccountName) -> Result<Account, Error> {
        self.look(caller, Do::ViewUser(name), |session, _| user(session, name))
    }

    /// Makes a user.
    pub async fn create_user(&self, caller: &Caller, new: NewUser) -> Result<Account, Error> {
        let deed = self.act(caller, move |session, caller, now| {
            let (name, as_administrator) = (&new.name, new.is_administrator);
            let permit = allow(session, caller, Do::CreateUser { name, as_administrator })?;
            claim(session, name)?;
            let id = accounts::create_user(session, name, as_administrator, now)?;
            if let Some(hash) = &new.password {
                accounts::set_password(session, id, Some(hash), now)?;
            }
            done(session, &permit, name, now)?;
            user(session, name)
        });
        deed.await
    }

    /// Sets a user's password, as a PHC string, or takes it away. Sign-ins that were made with the old one end.
    pub async fn set_password(&self, caller: &Caller, name: &AccountName, hash: Option<String>) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::SetPassword(&name))?;
            let account = user(session, &name)?;
            accounts::set_password(session, account.id, hash.as_deref(), now)?;
            while tokens::revoke_sessions(session, account.id, now, MAX_ENDED)? {}
            done(session, &permit, &name, now)
        });
        deed.await
    }

    /// Makes a user an administrator, or takes that back; there always is one.
    pub async fn set_administrator(
        &self,
        caller: &Caller,
        name: &AccountName,
        is_administrator: bool,
    ) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::SetAdministrator(&name))?;
            let account = user(session, &name)?;
            if account.is_administrator && !is_administrator {
                keep_an_administrator(session, &account)?;
            }
            accounts::set_administrator(session, account.id, is_administrator)?;
            let object = format!("{name} {}", if is_administrator { "yes" } else { "no" });
            done(session, &permit, &object, now)
        });
        deed.await
    }

    /// Removes a user. Their repositories stay, as those of an organisation of the user's name, which whoever removes
    /// them owns.
    pub async fn remove_user(&self, caller: &Caller, name: &AccountName) -> Result<Removed, Error> {
        let (name, owner) = (name.clone(), name.to_string());
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::RemoveUser(&name))?;
            let account = user(session, &name)?;
            if account.is_administrator {
                keep_an_administrator(session, &account)?;
            }
            if let Some(organisation) = organisations::only_owned_by(session, account.id)? {
                return Err(Refusal::LastOwner(organisation).into());
            }
            accounts::remove(session, account.id, now)?;
            // Whoever takes the name later is somebody else.
            uploads::remove_of(session, name.as_str())?;
            let rated = ratings::remove_of(session, account.id)?;
            let repositories = repositories::count_in(session, &name)?;
            let heir = oneself(session, caller)?;
            // Somebody who removes themselves is gone by now.
            let heir =
                heir.map_or_else(|| accounts::other_administrator(session, account.id), |heir| Ok(Some(heir)))?;
            let now_owned_by = heir.filter(|_| repositories > 0);
            if let Some(heir) = &now_owned_by {
                accounts::free(session, account.id, now)?;
                let successor = accounts::create_organisation(session, &name, now)?;
                accounts::set_default_visibility(session, successor, account.default_visibility)?;
                organisations::set_member(session, successor, heir.id, Role::Owner, now)?;
            }
            done(session, &permit, &name, now)?;
            Ok((Removed { repositories, now_owned_by: now_owned_by.map(|heir| heir.name) }, rated))
        });
        let (removed, rated) = deed.await?;
        self.sessions.close_of(&owner);
        self.refresh_standings(&rated)?;
        Ok(removed)
    }

    /// Lets the name of a removed account be taken again.
    pub async fn free_name(&self, caller: &Caller, name: &AccountName) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::FreeName(&name))?;
            let account = accounts::find(session, &name)?.ok_or_else(|| Refusal::UnknownAccount(name.clone()))?;
            if !accounts::free(session, account.id, now)? {
                return Err(Refusal::NotRemoved(name.clone()).into());
            }
            done(session, &permit, &name, now)
        });
        deed.await
    }

    /// Sets what new repositories in an account's namespace are.
    pub async fn set_default_visibility(
        &self,
        caller: &Caller,
        name: &AccountName,
        visibility: Visibility,
    ) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::SetDefaultVisibility(&name))?;
            let account = accounts::find(session, &name)?.filter(Account::is_live);
            let account = account.ok_or_else(|| Refusal::UnknownAccount(name.clone()))?;
            accounts::set_default_visibility(session, account.id, visibility)?;
            done(session, &permit, &format!("{name} {visibility}"), now)
        });
        deed.await
    }
}

/// Makes sure that a name can be given to somebody.
pub(super) fn claim(session: &mut dyn Session, name: &AccountName) -> Result<(), Error> {
    if name.is_reserved() {
        return Err(Refusal::NameReserved(name.clone()).into());
    }
    if accounts::find(session, name)?.is_some() {
        return Err(Refusal::NameTaken(name.clone()).into());
    }
    Ok(())
}

fn keep_an_administrator(session: &mut dyn Session, account: &Account) -> Result<(), Error> {
    match accounts::other_administrator(session, account.id)? {
        Some(_) => Ok(()),
        None => Err(Refusal::LastAdministrator(account.name.clone()).into()),
    }
}
