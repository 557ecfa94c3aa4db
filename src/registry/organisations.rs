//! Organisations: listed, made and removed, and who belongs to them.

use super::acting::{allow, done, oneself, organisation, user};
use super::lists::{Listed, cut};
use super::people::claim;
use super::{Error, Refusal, Registry};
use crate::auth::{AccountAction as Do, AccountName, Authority, Caller, Role, Visibility};
use crate::index::accounts::{self, Account, AccountKind};
use crate::index::organisations::{self, Member};
use crate::index::repositories::MAX_PAGE;
use crate::index::{Session, repositories};

/// An organisation as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// The account.
    pub account: Account,
    /// What the caller is there.
    pub role: Option<Role>,
    /// How many belong to it.
    pub members: u64,
}

impl Registry {
    /// Organisations by name: the caller's own, or all for an administrator.
    pub async fn organisations(
        &self,
        caller: &Caller,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<Organisation>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, Do::ListOrganisations, |session, permit| {
            let found = if permit.authority() == Authority::Administrator {
                accounts::list(session, AccountKind::Organisation, after, limit + 1)?
            } else {
                let Some(account) = oneself(session, caller)? else { return Ok(cut(vec![], limit, named)) };
                let names = organisations::of_user(session, account.id, after, limit + 1)?;
                names.into_iter().map(|(name, _)| organisation(session, &name)).collect::<Result<_, _>>()?
            };
            let seen = found.into_iter().map(|account| see(session, caller, account)).collect::<Result<_, _>>()?;
            Ok(cut(seen, limit, named))
        })
    }

    /// One organisation.
    pub async fn organisation(&self, caller: &Caller, name: &AccountName) -> Result<Organisation, Error> {
        self.look(caller, Do::ViewOrganisation(name), |session, _| {
            let account = organisation(session, name)?;
            see(session, caller, account)
        })
    }

    /// Makes an organisation, which the caller owns.
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        name: &AccountName,
        default_visibility: Option<Visibility>,
    ) -> Result<Organisation, Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::CreateOrganisation(&name))?;
            claim(session, &name)?;
            // A namespace that pushes have filled is the administrators' until one of them makes its account.
            let repositories = repositories::count_in(session, &name)?;
            if repositories > 0 && permit.authority() != Authority::Administrator {
                return Err(Refusal::NotEmpty { name: name.clone(), repositories }.into());
            }
            let id = accounts::create_organisation(session, &name, now)?;
            if let Some(visibility) = default_visibility {
                accounts::set_default_visibility(session, id, visibility)?;
            }
            if let Some(owner) = oneself(session, caller)? {
                organisations::set_member(session, id, owner.id, Role::Owner, now)?;
            }
            done(session, &permit, &name, now)?;
            let account = organisation(session, &name)?;
            see(session, caller, account)
        });
        deed.await
    }

    /// Removes an organisation that has no repositories left.
    pub async fn remove_organisation(&self, caller: &Caller, name: &AccountName) -> Result<(), Error> {
        let name = name.clone();
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::RemoveOrganisation(&name))?;
            let account = organisation(session, &name)?;
            let repositories = repositories::count_in(session, &name)?;
            if repositories > 0 {
                return Err(Refusal::NotEmpty { name: name.clone(), repositories }.into());
            }
            accounts::remove(session, account.id, now)?;
            done(session, &permit, &name, now)
        });
        deed.await
    }

    /// Who belongs to an organisation, by name.
    pub async fn members(
        &self,
        caller: &Caller,
        name: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<Member>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        self.look(caller, Do::ViewOrganisation(name), |session, _| {
            let id = organisation(session, name)?.id;
            let found = organisations::members(session, id, after, limit + 1)?;
            Ok(cut(found, limit, |member| member.user.to_string()))
        })
    }

    /// Takes a user into an organisation, or says as what they belong to it. It always keeps an owner.
    pub async fn set_member(
        &self,
        caller: &Caller,
        name: &AccountName,
        member: &AccountName,
        role: Role,
    ) -> Result<(), Error> {
        let (name, member) = (name.clone(), member.clone());
        let deed = self.act(caller, move |session, caller, now| {
            let permit = allow(session, caller, Do::ChangeMembers(&name))?;
            let (account, member) = (organisation(session, &name)?, user(session, &member)?);
            if role != Role::Owner {
                keep_an_owner(session, &account, &member)?;
            }
            organisations::set_member(session, account.id, member.id, role, now)?;
            done(session, &permit, &format!("{name} {} {role}", member.name), now)
        });
        deed.await
    }

    /// Takes a user out of an organisation and its teams. Everybody may leave; it always keeps an owner.
    pub async fn remove_member(&self, caller: &Caller, name: &AccountName, member: &AccountName) -> Result<(), Error> {
        let (name, member) = (name.clone(), member.clone());
        let deed = self.act(caller, move |session, caller, now| {
            let is_oneself = caller.identity().user() == Some(&member);
            let action = if is_oneself { Do::Leave(&name) } else { Do::ChangeMembers(&name) };
            let permit = allow(session, caller, action)?;
            let (account, leaving) = (organisation(session, &name)?, user(session, &member)?);
            keep_an_owner(session, &account, &leaving)?;
            if !organisations::remove_member(session, account.id, leaving.id)? {
                let (user, organisation) = (member.clone(), name.clone());
                return Err(Refusal::NotMember { user, organisation }.into());
            }
            done(session, &permit, &format!("{name} {member} none"), now)
        });
        deed.await
    }
}

fn named(organisation: &Organisation) -> String {
    organisation.account.name.to_string()
}

fn see(session: &mut dyn Session, caller: &Caller, account: Account) -> Result<Organisation, Error> {
    let role = match oneself(session, caller)? {
        Some(user) => organisations::role(session, account.id, user.id)?,
        None => None,
    };
    Ok(Organisation { role, members: organisations::count_members(session, account.id)?, account })
}

/// Makes sure that an organisation keeps an owner when this user is none any more.
fn keep_an_owner(session: &mut dyn Session, organisation: &Account, user: &Account) -> Result<(), Error> {
    let is_owner = organisations::role(session, organisation.id, user.id)? == Some(Role::Owner);
    if is_owner && !organisations::has_other_owner(session, organisation.id, user.id)? {
        return Err(Refusal::LastOwner(organisation.name.clone()).into());
    }
    Ok(())
}
