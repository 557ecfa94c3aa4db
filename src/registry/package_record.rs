//! The record of a package: everything known of one version.

use super::no_version::Missing;
use super::resolve::{Wanted, find, no_version, state};
use super::search::MAX_TAGS;
use super::service::Registry;
use super::{Error, manifests};
use crate::api::{
    MAX_FILES_SHOWN, MAX_MOVES_SHOWN, MAX_REFERRERS_SHOWN, Package, PackageReferrer, Standing, TagMove, VersionState,
};
use crate::auth::{Permit, Pull};
use crate::index::manifests::StoredManifest;
use crate::index::packages::{self, StoredPackage};
use crate::index::repositories::{self, RepositoryId};
use crate::index::resolve::{self, Found};
use crate::index::{Session, downloads, referrers, standings, tags, versions};
use crate::oci::{Manifest, ManifestKind, RepositoryName, Tag, Target};
use crate::package::{ArtifactKind, CheckError, Config, Version, VersionRange, kind_of};

/// What the index knows of a package.
struct Known {
    stored: StoredPackage,
    manifest: StoredManifest,
    version: Option<Version>,
    state: VersionState,
    /// Of the repository; whether it is signed is the manifest's.
    standing: Standing,
    downloads: u64,
    latest: Option<Version>,
    tags: Vec<Tag>,
    referrers: Vec<PackageReferrer>,
    history: Vec<TagMove>,
}

impl Registry {
    /// Everything known of one package; where nobody says which version, of the highest stable one, else of what
    /// `latest` or another tag points at. `pre` lets pre-releases count in a range.
    pub async fn package(&self, permit: &Permit<Pull>, wanted: Option<&Wanted>, pre: bool) -> Result<Package, Error> {
        let known = self.read(|session| known(session, permit.repository(), wanted, pre))?;
        let manifest = parse(&known.manifest)?;
        let ManifestKind::Image { config, layers } = manifest.kind() else {
            return Err(no_package(permit.repository(), None, &manifest));
        };
        let config = Config::parse(&self.small_blob(permit, config).await?).map_err(CheckError::from)?;
        let kind = config.kind();
        let files = config.files.iter().take(MAX_FILES_SHOWN).map(Into::into).collect();
        let files_total = config.files.len() as u64;
        let package = Package::of(permit.repository().clone(), manifest.digest(), config.metadata);
        Ok(Package {
            version: known.version.map(|version| version.to_string()).or(package.version),
            kind: kind.word().to_owned(),
            created_at: known.stored.created_at,
            updated_at: known.stored.updated_at,
            downloads: known.standing.downloads,
            version_downloads: known.downloads,
            rating: known.standing.rating.average,
            ratings: known.standing.rating.count,
            size: known.stored.size,
            signed: known.standing.signed,
            checked: known.stored.checked,
            state: known.state,
            latest: known.latest.map(|version| version.to_string()),
            registry_tags: known.tags,
            files,
            files_total,
            layers: layers.iter().map(Into::into).collect(),
            referrers: known.referrers,
            history: known.history,
            ..package
        })
    }
}

fn known(
    session: &mut dyn Session,
    repository: &RepositoryName,
    wanted: Option<&Wanted>,
    pre: bool,
) -> Result<Known, Error> {
    let found = match wanted {
        Some(wanted) => find(session, repository, wanted, pre)?.0,
        None => match resolve::head(session, repository)? {
            Some(found) => found,
            None => return Err(no_head(session, repository)?),
        },
    };
    let (id, target) = (found.repository, Target::Digest(found.digest));
    let manifest = crate::index::manifests::get(session, repository, &target)?;
    let manifest = manifest.ok_or_else(|| manifests::unknown(repository, &target))?;
    let Some(stored) = packages::find(session, repository, &found.digest)? else {
        return Err(no_package(repository, wanted, &parse(&manifest)?));
    };
    let signed = referrers::is_signed(session, id, &found.digest)?;
    let tags = versions::tags_of(session, found.manifest, MAX_TAGS)?;
    let referrers = referrers::list(session, id, &found.digest, None, None, MAX_REFERRERS_SHOWN)?;
    Ok(Known {
        state: state(session, &found)?,
        standing: Standing { signed, ..standings::of_repository(session, id)? },
        downloads: downloads::of_manifest(session, found.manifest)?,
        latest: latest(session, repository)?,
        history: history(session, id, &tags)?,
        referrers: referrers.into_iter().map(Into::into).collect(),
        version: found.version,
        stored,
        manifest,
        tags,
    })
}

/// The version that `latest` means.
fn latest(session: &mut dyn Session, repository: &RepositoryName) -> Result<Option<Version>, Error> {
    let tagged = resolve::at_tag(session, repository, &Tag::latest())?.filter(|found| !found.is_yanked);
    let found = match tagged {
        Some(found) => Some(found),
        None => resolve::in_range(session, repository, &VersionRange::ANY, false)?,
    };
    Ok(found.and_then(|Found { version, .. }| version))
}

/// Where these tags have pointed, the newest move first.
fn history(session: &mut dyn Session, id: RepositoryId, tags: &[Tag]) -> Result<Vec<TagMove>, Error> {
    let mut moves = vec![];
    for tag in tags {
        let pointed = tags::history(session, id, tag, MAX_MOVES_SHOWN)?;
        moves.extend(pointed.into_iter().map(|moved| TagMove {
            tag: tag.clone(),
            digest: moved.digest,
            actor: moved.actor,
            at: moved.at,
        }));
    }
    moves.sort_by_key(|moved| std::cmp::Reverse(moved.at));
    moves.truncate(MAX_MOVES_SHOWN);
    Ok(moves)
}

/// Why nothing stands for a repository: all was taken back, or it holds something else.
fn no_head(session: &mut dyn Session, repository: &RepositoryName) -> Result<Error, Error> {
    let Some(id) = repositories::find(session, repository)? else {
        return Ok(Error::RepositoryUnknown(repository.clone()));
    };
    if !resolve::nearest(session, id, None)?.is_empty() {
        return no_version(session, repository, Missing::All, None);
    }
    let kind = kind_held(session, repository, id)?.map(Box::new);
    Ok(Error::NoPackage { repository: repository.clone(), wanted: None, kind })
}

/// What a repository holds that is no package; nothing where it holds packages, or nothing with a tag.
pub(super) fn kind_held(
    session: &mut dyn Session,
    repository: &RepositoryName,
    id: RepositoryId,
) -> Result<Option<ArtifactKind>, Error> {
    let Some(tag) = tags::any(session, id)? else { return Ok(None) };
    let manifest = crate::index::manifests::get(session, repository, &Target::Tag(tag))?;
    let kind = manifest.map(|manifest| parse(&manifest).map(|manifest| kind_of(&manifest))).transpose()?;
    Ok(kind.filter(|kind| *kind != ArtifactKind::Agent))
}

/// That a manifest is no package, and what it is.
fn no_package(repository: &RepositoryName, wanted: Option<&Wanted>, manifest: &Manifest) -> Error {
    let kind = Some(kind_of(manifest)).filter(|kind| *kind != ArtifactKind::Agent);
    Error::NoPackage {
        repository: repository.clone(),
        wanted: wanted.map(ToString::to_string),
        kind: kind.map(Box::new),
    }
}

fn parse(stored: &StoredManifest) -> Result<Manifest, Error> {
    Ok(Manifest::parse(stored.bytes.clone(), Some(&stored.media_type), stored.digest.algorithm())?)
}
