//! A push with nothing to do, found before anything is packed: the configuration lists every file, so where the registry
//! has its digest it has the package.

use super::{Error, PushReport};
use crate::oci::{Manifest, ManifestKind, RepositoryName, Tag, Target};
use crate::package::{CREATED, Draft};
use crate::remote::Remote;

/// What a push of a draft would report, if every tag it would set points at that package already; `None` where there
/// is something to do. Asks for the tags in one round.
///
/// Empty folders are in no configuration: adding one alone is no change.
pub async fn find_unchanged(
    remote: &Remote,
    repository: &RepositoryName,
    tag: &Tag,
    draft: &Draft,
) -> Result<Option<PushReport>, Error> {
    let version = draft.config().metadata.version.as_ref();
    let companion = version.filter(|_| *tag == Tag::latest()).map(|version| version.tag().clone());
    let target = Target::Tag(tag.clone());
    let beside = async {
        match &companion {
            Some(tag) => remote.head_manifest(repository, &Target::Tag(tag.clone())).await,
            None => Ok(None),
        }
    };
    let (manifest, beside) = tokio::try_join!(remote.manifest(repository, &target), beside)?;
    let Some(manifest) = manifest.filter(|manifest| is_of(manifest, draft)) else { return Ok(None) };
    let digest = manifest.digest();
    let mut tags = vec![tag.clone()];
    if let Some(companion) = companion {
        if beside.is_none_or(|found| found.digest != digest) {
            return Ok(None);
        }
        tags.push(companion);
    }
    Ok(Some(PushReport {
        repository: repository.clone(),
        digest,
        tags,
        uploaded_blobs: 0,
        uploaded_bytes: 0,
        existing_blobs: manifest.needed_blobs().len(),
        is_unchanged: true,
        warnings: vec![],
    }))
}

fn is_of(manifest: &Manifest, draft: &Draft) -> bool {
    let ManifestKind::Image { config, .. } = manifest.kind() else { return false };
    let created = manifest.annotations().get(CREATED).cloned();
    manifest.is_agent()
        && config.digest == draft.config_descriptor().digest
        && created == draft.created().map(|created| created.to_string())
}
