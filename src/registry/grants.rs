//! Permissions on one repository: listed, granted, taken back, and explained.

use jiff::Timestamp;

use super::leave::{Leave, note};
use super::lists::{Listed, cut};
use super::{Error, Refusal, Registry};
use crate::auth::{
    AccountAction, AccountName, ActionKind, Admin, Caller, Explanation, Grantee, Level, Permit, explain,
};
use crate::index::grants::{self, Cursor, Grant};
use crate::index::repositories::{self, MAX_PAGE, RepositoryId};
use crate::index::{Session, access};
use crate::oci::RepositoryName;

impl Registry {
    /// The grants on a repository, expired ones included.
    pub async fn permissions(
        &self,
        permit: &Permit<Admin>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<Grant>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let after = after.map(read_cursor).transpose()?;
        self.snapshot(|session| {
            let id = find(session, permit.repository())?;
            Ok(cut(grants::list(session, id, after, limit + 1)?, limit, write_cursor))
        })
    }

    /// Grants a level on a repository to somebody, instead of what they had.
    pub async fn grant(
        &self,
        permit: &Permit<Admin>,
        grantee: &Grantee,
        level: Level,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.has_accounts()?;
        let (leave, grantee, now) = (Leave::of(permit, Admin), grantee.clone(), Timestamp::now());
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::InThePast.into());
        }
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let id = find(session, permit.repository())?;
            let row = grants::grantee(session, &grantee)?.ok_or_else(|| Refusal::UnknownGrantee(grantee.clone()))?;
            grants::set(session, id, row, level, expires_at, now)?;
            note(session, &permit, "permission.grant", format!("{} {grantee} {level}", permit.repository()), now)
        });
        write.await
    }

    /// Takes a grant back, at once.
    pub async fn revoke_grant(&self, permit: &Permit<Admin>, grantee: &Grantee) -> Result<(), Error> {
        self.has_accounts()?;
        let (leave, grantee, now) = (Leave::of(permit, Admin), grantee.clone(), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let id = find(session, permit.repository())?;
            let row = grants::grantee(session, &grantee)?.ok_or_else(|| Refusal::NotGranted(grantee.clone()))?;
            if !grants::remove(session, id, row)? {
                return Err(Refusal::NotGranted(grantee.clone()).into());
            }
            note(session, &permit, "permission.revoke", format!("{} {grantee}", permit.repository()), now)
        });
        write.await
    }

    /// Says which rule decides about a user, an action and a repository: to who may change permissions there.
    pub async fn explain(
        &self,
        caller: &Caller,
        user: &AccountName,
        action: ActionKind,
        repository: &RepositoryName,
    ) -> Result<Explanation, Error> {
        self.has_accounts()?;
        if self.permit_quietly(caller, Admin, repository)?.is_none() {
            self.look(caller, AccountAction::Explain, |_, _| Ok(()))?;
        }
        let asked = Caller::user(user.clone());
        let known =
            self.snapshot(|session| Ok(access::facts(session, asked.identity(), repository, Timestamp::now())?))?;
        Ok(explain(&known.facts, &asked, action, repository))
    }
}

fn find(session: &mut dyn Session, name: &RepositoryName) -> Result<RepositoryId, Error> {
    repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))
}

/// `kind-row`.
fn write_cursor(grant: &Grant) -> String {
    format!("{}-{}", grant.cursor.kind, grant.cursor.id)
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    let (kind, id) = text.split_once('-').ok_or(Error::Cursor)?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| Error::Cursor);
    Ok(Cursor { kind: number(kind)?, id: number(id)? })
}
