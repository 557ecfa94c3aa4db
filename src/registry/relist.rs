//! The catalogue built again while the registry serves: package and version rows from what is stored, then search.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::feed_search::Filling;
use super::serving::Serving;
use super::{Error, Registry};
use crate::auth::Permit;
use crate::index::listings::{self, Cursor, Listing};
use crate::index::manifests::ManifestId;
use crate::index::packages::NewPackage;
use crate::index::repositories::RepositoryId;
use crate::index::{Session, documents};
use crate::oci::{Digest, Manifest};

/// Manifests that are read, and corrected together, at a time.
const MANIFESTS: usize = 100;
/// Repositories whose versions are compared at a time.
const REPOSITORIES: usize = 500;
/// Tags or versions of one repository that are compared in one transaction.
const VERSIONS: usize = 500;
/// Packages whose listing failed that are named.
pub const MAX_NAMED: usize = 100;

/// What was built again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relisted {
    /// Packages that were compared with their manifests.
    pub packages: u64,
    /// Rows about packages that were wrong, missing or too many.
    pub corrected_packages: u64,
    /// Rows about versions that were wrong, missing or too many.
    pub corrected_versions: u64,
    /// What search holds now.
    pub documents: u64,
    /// Packages that cannot be read, at most [`MAX_NAMED`], and why; what was known of them stays.
    pub problems: Vec<String>,
}

/// A package row to be written or taken away.
type Correction = (ManifestId, Digest, Option<NewPackage>);

impl Registry {
    /// Builds package and version rows and the index of search again from what is stored. Readers see each old or new;
    /// search is switched when the new index is whole.
    ///
    /// To be run once at a time.
    pub async fn relist(&self) -> Result<Relisted, Error> {
        let mut relisted = Relisted::default();
        self.relist_packages(&mut relisted).await?;
        self.relist_versions(&mut relisted).await?;
        relisted.documents = self.refill_search().await?;
        Ok(relisted)
    }

    async fn relist_packages(&self, relisted: &mut Relisted) -> Result<(), Error> {
        let mut after = ManifestId::FIRST;
        loop {
            let page = self.blocking(move |session| listings::manifests_after(session, after, MANIFESTS)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            let mut corrections = vec![];
            for listing in page {
                corrections.extend(self.compare(&listing, relisted).await?);
            }
            if corrections.is_empty() {
                continue;
            }
            let write = self.index.write(move |session| {
                let corrected = corrections.iter().map(|(id, digest, package)| {
                    listings::correct(session, *id, digest, package.as_ref()).map(u64::from)
                });
                Ok::<_, Error>(corrected.sum::<Result<u64, _>>()?)
            });
            relisted.corrected_packages += write.await?;
        }
    }

    /// How the package row of a manifest is to be changed, if it is.
    async fn compare(&self, listing: &Listing, relisted: &mut Relisted) -> Result<Option<Correction>, Error> {
        let (id, digest) = (listing.id, listing.digest);
        let manifest = Manifest::parse(listing.bytes.clone(), Some(&listing.media_type), digest.algorithm())?;
        let permit = Permit::system("build the catalogue again", listing.repository.clone());
        match self.check_package(&permit, &manifest).await {
            Ok(Some(package)) => {
                relisted.packages += 1;
                Ok(listing.correction(&package).map(|package| (id, digest, Some(package))))
            }
            Ok(None) => Ok(listing.stored.as_ref().map(|_| (id, digest, None))),
            Err(error @ (Error::PackageInvalid(_) | Error::ManifestBlobUnknown(_) | Error::Lost(_))) => {
                // It was right once, or its row would not be there; it may be again.
                if relisted.problems.len() < MAX_NAMED {
                    relisted.problems.push(format!("{}@{digest}: {error}", listing.repository));
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn relist_versions(&self, relisted: &mut Relisted) -> Result<(), Error> {
        let mut after = RepositoryId::new(0);
        loop {
            let page =
                self.blocking(move |session| documents::repositories_after(session, after, REPOSITORIES)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = *last;
            for id in page {
                let mut cursor = Cursor::default();
                while cursor != Cursor::End {
                    let (next, corrected) = self
                        .index
                        .write(move |session| {
                            let mut next = cursor.clone();
                            let corrected = listings::settle(session, id, &mut next, VERSIONS)?;
                            Ok::<_, Error>((next, corrected))
                        })
                        .await?;
                    cursor = next;
                    relisted.corrected_versions += corrected as u64;
                }
            }
        }
    }

    /// Fills a new index of search beside the one in use, and puts it in its place. How many documents it has.
    async fn refill_search(&self) -> Result<u64, Error> {
        let searching = &self.searching;
        let old = if let Some(serving) = searching.current() {
            serving
        } else {
            searching.feed().await?;
            searching.current().ok_or(Error::SearchFilling)?
        };
        let (opened, number) = searching.place.begin(old.number)?;
        let new = Arc::new(Serving::new(opened, number));
        searching.next.store(Some(Arc::clone(&new)));
        let filled = self.fill_and_switch(&new).await;
        searching.next.store(None);
        searching.place.discard(if filled.is_ok() { old.number } else { number });
        filled.map(|()| new.search.documents())
    }

    async fn fill_and_switch(&self, new: &Arc<Serving>) -> Result<(), Error> {
        let mut filling = Filling::default();
        while !new.is_filled() {
            filling = self.feed_next(new, filling).await?.0;
        }
        new.refresh_all_standings(&self.index)?;
        // Whoever feeds waits, so that the new one is not behind the old when it takes its place.
        let mut turn = self.searching.turn.lock().await;
        while self.feed_next(new, filling).await?.1 {}
        self.searching.place.choose(new.number)?;
        self.searching.switch(Arc::clone(new));
        *turn = Filling::default();
        Ok(())
    }

    async fn feed_next(&self, new: &Arc<Serving>, mut filling: Filling) -> Result<(Filling, bool), Error> {
        let (searching, new, runtime) = (Arc::clone(&self.searching), Arc::clone(new), Handle::current());
        let step = move || {
            let more = searching.step(&new, &mut filling, &runtime)?;
            Ok::<_, Error>((filling, more))
        };
        tokio::task::spawn_blocking(step).await?
    }

    /// A read that takes too long for a thread that serves requests.
    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Session) -> Result<T, crate::index::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let index = Arc::clone(&self.index);
        Ok(tokio::task::spawn_blocking(move || index.read(read)).await??)
    }
}
