//! The first start with accounts: the first administrator, and owners for what was there before.

use jiff::Timestamp;

use super::acting::done;
use super::{Error, Registry};
use crate::auth::{AccountAction, AccountName, AccountPermit, Reach, Role, TokenId};
use crate::index::tokens::{self, NewToken, TokenKind};
use crate::index::{Session, accounts, organisations, repositories};

/// Namespaces that get an owner in one transaction.
const BATCH: usize = 200;

impl Registry {
    /// Whether nobody was ever made.
    pub fn knows_nobody(&self) -> Result<bool, Error> {
        self.read(|session| Ok(!accounts::is_any(session)?))
    }

    /// Makes the first administrator, with a token of this hash. None where anybody was ever made: then nothing happens.
    pub async fn make_first_administrator(
        &self,
        name: &AccountName,
        token: [u8; 32],
        expires_at: Option<Timestamp>,
    ) -> Result<Option<TokenId>, Error> {
        self.has_accounts()?;
        let (name, now) = (name.clone(), Timestamp::now());
        let write = self.index.write(move |session| {
            if accounts::is_any(session)? {
                return Ok(None);
            }
            let action = AccountAction::CreateUser { name: &name, as_administrator: true };
            let permit = AccountPermit::system("first start", action);
            let account = accounts::create_user(session, &name, true, now)?;
            let reach = Reach::unlimited();
            let new = NewToken {
                account,
                kind: TokenKind::Access,
                hash: &token,
                name: "first start",
                scopes: &reach.scopes(),
                patterns: &[],
                parent: None,
                expires_at,
            };
            let id = tokens::insert(session, &new, now)?;
            done(session, &permit, &name, now)?;
            Ok::<_, Error>(Some(id))
        });
        write.await
    }

    /// Gives namespaces that pushes have made while there were no accounts to an organisation of the first
    /// administrator's. How many; to be called at every start, since a crash may have left some.
    pub async fn adopt_namespaces(&self) -> Result<usize, Error> {
        self.has_accounts()?;
        let (mut adopted, mut last): (usize, Option<AccountName>) = (0, None);
        loop {
            let after = last.as_ref().map(AccountName::as_str);
            let names = self.read(|session| Ok(repositories::unowned_namespaces(session, after, BATCH)?))?;
            last = names.last().cloned();
            let (count, now) = (names.len(), Timestamp::now());
            let write = self.index.write(move |session| names.iter().try_for_each(|name| adopt(session, name, now)));
            write.await?;
            adopted += count;
            if count < BATCH {
                return Ok(adopted);
            }
        }
    }
}

fn adopt(session: &mut dyn Session, name: &AccountName, now: Timestamp) -> Result<(), Error> {
    let permit = AccountPermit::system("adopt a namespace", AccountAction::CreateOrganisation(name));
    let organisation = accounts::create_organisation(session, name, now)?;
    if let Some(administrator) = accounts::first_administrator(session)? {
        organisations::set_member(session, organisation, administrator.id, Role::Owner, now)?;
    }
    done(session, &permit, name, now)
}
