//! The catalogue: the versions of a package, and everything known of one.

use std::fmt::Write as _;

use bytes::Bytes;

use super::Error;
use super::manifests::unknown;
use super::search::MAX_TAGS;
use super::service::Registry;
use crate::api::{Hit, MAX_PAGE_LENGTH, Package, Page, Standing, VersionState};
use crate::auth::{Permit, Pull};
use crate::index::{Session, manifests, packages, repositories, versions};
use crate::oci::{Algorithm, Manifest, ManifestKind, Target};
use crate::package::{CheckError, Config};

impl Registry {
    /// The versions of one repository, newest first.
    pub async fn versions(&self, permit: &Permit<Pull>, after: Option<&str>, limit: usize) -> Result<Page<Hit>, Error> {
        let start = after.map(read_key).transpose()?;
        let limit = limit.clamp(1, MAX_PAGE_LENGTH);
        self.read(|session| {
            let id = repositories::find(session, permit.repository())?;
            let id = id.ok_or_else(|| Error::RepositoryUnknown(permit.repository().clone()))?;
            let mut rows = versions::of_repository(session, id, start.as_ref(), limit + 1)?;
            let goes_on = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| goes_on).map(|row| write_key(&row.cursor.sort_key));
            let items = rows.into_iter().map(|row| hit(session, row)).collect::<Result<_, _>>()?;
            Ok(Page { items, next })
        })
    }

    /// Everything known of one package; without a target, of the highest stable version, else of what `latest` or
    /// another tag points at.
    pub async fn package(&self, permit: &Permit<Pull>, target: Option<&Target>) -> Result<Package, Error> {
        let repository = permit.repository();
        let (stored, manifest, registry_tags) = self.read(|session| {
            if repositories::find(session, repository)?.is_none() {
                return Err(Error::RepositoryUnknown(repository.clone()));
            }
            let none = || Error::NoPackage { repository: repository.clone(), target: target.cloned() };
            let target = match target {
                Some(target) => target.clone(),
                None => Target::Digest(versions::head(session, repository)?.ok_or_else(none)?),
            };
            let manifest = manifests::get(session, repository, &target)?.ok_or_else(|| unknown(repository, &target))?;
            let stored = packages::find(session, repository, &manifest.digest)?.ok_or_else(none)?;
            let tags = versions::tags_of(session, stored.id, MAX_TAGS)?;
            Ok((stored, manifest, tags))
        })?;
        let digest = manifest.digest;
        let manifest = Manifest::parse(manifest.bytes, Some(&manifest.media_type), Algorithm::Sha256)?;
        let ManifestKind::Image { config, .. } = manifest.kind() else {
            return Err(Error::NoPackage { repository: repository.clone(), target: target.cloned() });
        };
        let config = Config::parse(&self.small_blob(permit, config).await?).map_err(CheckError::from)?;
        let mut metadata = config.metadata;
        metadata.version = metadata.version.or(stored.version);
        Ok(Package {
            repository: repository.clone(),
            digest,
            size: stored.size,
            registry_tags,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            checked: stored.checked,
            metadata,
        })
    }
}

fn hit(session: &mut dyn Session, row: versions::Listed) -> Result<Hit, Error> {
    let registry_tags = versions::tags_of(session, row.manifest, MAX_TAGS)?;
    let (summary, size, checked, created_at) = (row.summary, row.size, row.checked, row.created_at);
    let (standing, state) = (Standing::default(), VersionState::default());
    Ok(Hit { summary, size, registry_tags, created_at, checked, standing, state })
}

fn write_key(key: &[u8]) -> String {
    key.iter().fold(String::with_capacity(key.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Longest sort key in hexadecimal digits: a version has at most the length of a tag, and three numbers.
const MAX_KEY_DIGITS: usize = 1_024;

fn read_key(text: &str) -> Result<Bytes, Error> {
    if text.len() > MAX_KEY_DIGITS || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return Err(Error::Cursor);
    }
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    pairs.collect::<Result<Vec<u8>, _>>().map(Bytes::from).map_err(|_| Error::Cursor)
}
