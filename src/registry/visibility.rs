//! Who may see a repository: said when it is made, before anything is in it, or changed.

use jiff::Timestamp;

use super::leave::{Leave, creator, note};
use super::{Error, Registry};
use crate::auth::{Admin, Permit, Pull, Push, Visibility};
use crate::index::repositories;
use crate::index::tags::Change;

/// What became of a repository that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It is new, and as wanted.
    Created,
    /// It was there, and is this.
    Existing(Visibility),
}

impl Registry {
    /// Makes a repository that shall be seen by these from the first byte on. One that is there stays as it is.
    pub async fn create_repository(&self, permit: &Permit<Push>, visibility: Visibility) -> Result<Creation, Error> {
        let (leave, now) = (Leave::of(permit, Push), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let name = permit.repository();
            if let Some(id) = repositories::find(session, name)? {
                return Ok(Creation::Existing(repositories::visibility(session, id)?));
            }
            let id = repositories::create(session, name, creator(&permit), now)?;
            let change = Change { id, repository: name, actor: &permit.actor(), at: now };
            repositories::set_visibility(session, &change, visibility)?;
            note(session, &permit, "repository.create", format!("{name} {visibility}"), now)?;
            Ok::<_, Error>(Creation::Created)
        });
        write.await
    }

    /// Changes who may see a repository, at once.
    pub async fn set_visibility(&self, permit: &Permit<Admin>, visibility: Visibility) -> Result<(), Error> {
        let (leave, now) = (Leave::of(permit, Admin), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let name = permit.repository();
            let id = repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            let change = Change { id, repository: name, actor: &permit.actor(), at: now };
            repositories::set_visibility(session, &change, visibility)?;
            note(session, &permit, "repository.visibility", format!("{name} {visibility}"), now)
        });
        write.await
    }

    /// Who may see a repository.
    pub async fn visibility(&self, permit: &Permit<Pull>) -> Result<Visibility, Error> {
        let name = permit.repository();
        self.read(|session| {
            let id = repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            Ok(repositories::visibility(session, id)?)
        })
    }
}
