//! Publishers of a repository: configured, listed, taken away. Which identity is one of them is decided elsewhere.

use bytes::Bytes;
use jiff::Timestamp;

use super::leave::{Leave, note};
use super::lists::{Listed, cut};
use super::{Error, Refusal, Registry};
use crate::auth::{Admin, Permit, PublisherId};
use crate::index::publishers::{self, StoredPublisher};
use crate::index::repositories::MAX_PAGE;

/// Most publishers of one repository.
pub const MAX_PUBLISHERS: usize = 100;

/// A publisher to be configured.
#[derive(Clone, Debug)]
pub struct NewPublisher {
    /// Who vouches for it.
    pub issuer: String,
    /// The claim by which a presented identity finds it.
    pub selector: String,
    /// What an identity must claim, as JSON.
    pub rule: Bytes,
}

impl Registry {
    /// Lets somebody publish to a repository, which need not exist, with an identity from elsewhere.
    pub async fn add_publisher(&self, permit: &Permit<Admin>, new: NewPublisher) -> Result<StoredPublisher, Error> {
        self.has_accounts()?;
        let (leave, now) = (Leave::of(permit, Admin), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let repository = permit.repository();
            if publishers::list(session, repository, None, MAX_PUBLISHERS)?.len() >= MAX_PUBLISHERS {
                return Err(Refusal::TooMany { most: MAX_PUBLISHERS, what: "publishers of one repository" }.into());
            }
            let (actor, rule) = (permit.actor(), new.rule.clone());
            let (issuer, selector, created_by) = (&*new.issuer, &*new.selector, &*actor);
            let row = publishers::NewPublisher { repository, issuer, selector, rule, created_by };
            let id = publishers::add(session, &row, now)?;
            note(session, &permit, "publisher.add", format!("{repository} publisher {id}"), now)?;
            Ok(publishers::find(session, id)?.ok_or(Refusal::UnknownPublisher(id))?)
        });
        write.await
    }

    /// The publishers of a repository, in the order they were configured.
    pub async fn publishers(
        &self,
        permit: &Permit<Admin>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<StoredPublisher>, Error> {
        let limit = limit.clamp(1, MAX_PAGE);
        let after = after.map(str::parse).transpose().map_err(|_| Error::Cursor)?.map(PublisherId::new);
        self.read(|session| {
            let found = publishers::list(session, permit.repository(), after, limit + 1)?;
            Ok(cut(found, limit, |publisher| publisher.id.to_string()))
        })
    }

    /// One publisher, by its number, so that leave can be asked for its repository. None, if there is none.
    pub async fn publisher(&self, id: PublisherId) -> Result<Option<StoredPublisher>, Error> {
        self.read(|session| Ok(publishers::find(session, id)?))
    }

    /// Takes a publisher of the permit's repository away; what it was given ends at once.
    pub async fn remove_publisher(&self, permit: &Permit<Admin>, id: PublisherId) -> Result<(), Error> {
        self.has_accounts()?;
        let (leave, now) = (Leave::of(permit, Admin), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let repository = permit.repository();
            let found = publishers::find(session, id)?.filter(|publisher| publisher.repository == *repository);
            found.ok_or(Refusal::UnknownPublisher(id))?;
            publishers::remove(session, id)?;
            note(session, &permit, "publisher.remove", format!("{repository} publisher {id}"), now)
        });
        write.await
    }
}
