//! Which tags a push sets, what stands in their way, and whether they took.

use super::Error;
use super::push::Job;
use crate::oci::{Digest, Tag, Target};
use crate::package::Version;

/// The tags of a push.
pub(super) struct Plan {
    /// Those that point at the manifest afterwards, the one asked for first.
    pub(super) tags: Vec<Tag>,
    /// Those of them that do not yet.
    pub(super) missing: Vec<Tag>,
    pub(super) warnings: Vec<String>,
}

/// Looks at the tags that are there. A version tag stays where it is unless forced; `latest` brings the version's tag
/// along if that is free.
pub(super) async fn plan(job: &Job<'_>) -> Result<Plan, Error> {
    let pushed = job.manifest.digest();
    let mut plan = Plan { tags: vec![job.tag.clone()], missing: vec![], warnings: vec![] };
    let inside = job.config.and_then(|config| config.metadata.version.as_ref());
    let existing = pointed_at(job, &job.tag).await?;
    if let Some(version) = Version::from_tag(&job.tag) {
        if let Some(inside) = inside.filter(|inside| **inside != version) {
            return Err(Error::VersionDiffers { tag: job.tag.clone(), version: Box::new(inside.clone()) });
        }
        if let Some(existing) = existing.filter(|existing| *existing != pushed && !job.force) {
            let reference = Box::new(job.reference(&job.tag));
            return Err(Error::TagTaken { reference, existing: Box::new(existing), pushed: Box::new(pushed) });
        }
    }
    if existing != Some(pushed) {
        plan.missing.push(job.tag.clone());
    }
    if job.tag == Tag::latest()
        && let Some(version) = inside
    {
        let tag = version.tag();
        match pointed_at(job, tag).await? {
            None => {
                plan.missing.push(tag.clone());
                plan.tags.push(tag.clone());
            }
            Some(existing) if existing == pushed => plan.tags.push(tag.clone()),
            Some(existing) => plan.warnings.push(format!(
                "version {version} is published with other content ({existing}): only `latest` points at {pushed}"
            )),
        }
    }
    Ok(plan)
}

/// Asks the registry whether the tags point at what was pushed.
pub(super) async fn read_back(job: &Job<'_>, tags: &[Tag]) -> Result<(), Error> {
    let pushed = job.manifest.digest();
    for tag in tags {
        let found = pointed_at(job, tag).await?;
        if found != Some(pushed) {
            let (reference, found) = (Box::new(job.reference(tag)), found.map(Box::new));
            return Err(Error::ReadBack { reference, pushed: Box::new(pushed), found });
        }
    }
    Ok(())
}

async fn pointed_at(job: &Job<'_>, tag: &Tag) -> Result<Option<Digest>, Error> {
    let found = job.remote.head_manifest(&job.repository, &Target::Tag(tag.clone())).await?;
    Ok(found.map(|found| found.digest))
}
