//! Ratings: what users think of the packages that they may pull, one of each user.

use jiff::Timestamp;

use super::leave::{Leave, note};
use super::lists::{Listed, cut};
use super::notices::check_text;
use super::{Error, Refusal, Registry, acting};
use crate::api::{MAX_STARS, NewRating, UserRating};
use crate::auth::{AccountName, Action, Admin, Permit, Pull};
use crate::index::accounts::Account;
use crate::index::ratings::{self, MAX_RATINGS_PER_ACCOUNT};
use crate::index::repositories::{self, MAX_PAGE, RepositoryId};
use crate::index::{Session, packages};

impl Registry {
    /// Rates a package, or rates it anew.
    pub async fn rate(&self, permit: &Permit<Pull>, rating: NewRating) -> Result<UserRating, Error> {
        if !(1..=MAX_STARS).contains(&rating.stars) {
            return Err(Refusal::Stars.into());
        }
        check_text("a comment", rating.comment.as_deref().unwrap_or_default())?;
        self.check_user(permit)?;
        let (leave, now) = (Leave::of(permit, Pull), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let (repository, account) = (find(session, &permit)?, rater(session, &permit)?);
            if !packages::is_any(session, repository)? {
                return Err(Error::NoPackage { repository: permit.repository().clone(), wanted: None, kind: None });
            }
            let before = ratings::find(session, repository, account.id)?;
            if before.is_none() && ratings::count_of(session, account.id)? >= MAX_RATINGS_PER_ACCOUNT as u64 {
                let what = "packages are rated by one user";
                return Err(Refusal::TooMany { most: MAX_RATINGS_PER_ACCOUNT, what }.into());
            }
            ratings::set(session, repository, account.id, &rating, now)?;
            note(session, &permit, "rating.set", format!("{} {}", permit.repository(), rating.stars), now)?;
            let rated = ratings::find(session, repository, account.id)?;
            Ok::<_, Error>((repository, rated.ok_or(Refusal::NotRated(account.name))?))
        });
        let (repository, rated) = write.await?;
        self.refresh_standings(&[repository])?;
        Ok(rated)
    }

    /// What the caller thinks of a package.
    pub async fn own_rating(&self, permit: &Permit<Pull>) -> Result<UserRating, Error> {
        self.check_user(permit)?;
        self.read(|session| {
            let (repository, account) = (find(session, permit)?, rater(session, permit)?);
            let rated = ratings::find(session, repository, account.id)?;
            Ok(rated.ok_or(Refusal::NotRated(account.name))?)
        })
    }

    /// Takes the caller's rating of a package away.
    pub async fn unrate(&self, permit: &Permit<Pull>) -> Result<(), Error> {
        self.check_user(permit)?;
        let (leave, now) = (Leave::of(permit, Pull), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let account = rater(session, &permit)?;
            remove(session, &permit, &account, now)
        });
        self.refresh_standings(&[write.await?])
    }

    /// Takes somebody's rating of a package away, as who administers it.
    pub async fn remove_rating(&self, permit: &Permit<Admin>, user: &AccountName) -> Result<(), Error> {
        self.has_accounts()?;
        let (leave, now, user) = (Leave::of(permit, Admin), Timestamp::now(), user.clone());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            // Whether there is such a user is not for everybody to know.
            let account = acting::user(session, &user).map_err(|_| Refusal::NotRated(user.clone()))?;
            remove(session, &permit, &account, now)
        });
        self.refresh_standings(&[write.await?])
    }

    /// What users think of a package, bytewise by their names.
    pub async fn ratings(
        &self,
        permit: &Permit<Pull>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<UserRating>, Error> {
        self.has_accounts()?;
        let limit = limit.clamp(1, MAX_PAGE);
        self.read(|session| {
            let repository = find(session, permit)?;
            let found = ratings::list(session, repository, after, limit + 1)?;
            Ok(cut(found, limit, |rating| rating.user.clone()))
        })
    }

    /// Whether a caller is somebody who can rate.
    fn check_user(&self, permit: &Permit<Pull>) -> Result<(), Error> {
        self.has_accounts()?;
        let user = permit.identity().and_then(|identity| identity.user());
        user.map(|_| ()).ok_or_else(|| Refusal::NotAUser.into())
    }
}

fn remove<A: Action>(
    session: &mut dyn Session,
    permit: &Permit<A>,
    account: &Account,
    now: Timestamp,
) -> Result<RepositoryId, Error> {
    let repository = find(session, permit)?;
    if !ratings::remove(session, repository, account.id)? {
        return Err(Refusal::NotRated(account.name.clone()).into());
    }
    note(session, permit, "rating.remove", format!("{} {}", permit.repository(), account.name), now)?;
    Ok(repository)
}

fn find<A: Action>(session: &mut dyn Session, permit: &Permit<A>) -> Result<RepositoryId, Error> {
    let name = permit.repository();
    repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))
}

/// The account of who acts.
fn rater(session: &mut dyn Session, permit: &Permit<Pull>) -> Result<Account, Error> {
    let name = permit.identity().and_then(|identity| identity.user()).ok_or(Refusal::NotAUser)?;
    acting::user(session, name)
}
