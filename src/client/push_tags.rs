//! Which tags a push sets, what stands in their way, and whether they took.

use super::Error;
use super::push::Job;
use crate::oci::{Digest, Tag, Target};
use crate::package::Version;

/// The tags of a push.
pub(super) struct Plan {
    /// Those that point at the manifest afterwards, the one asked for first.
    pub(super) tags: Vec<Tag>,
    /// Those of them that do not exist, and must not move if somebody else is faster.
    pub(super) fresh: Vec<Tag>,
    /// Those of them that point elsewhere, or may move whatever they point at.
    pub(super) moving: Vec<Tag>,
    pub(super) warnings: Vec<String>,
}

impl Plan {
    /// Those that do not point at the manifest yet.
    pub(super) fn missing(&self) -> Vec<Tag> {
        [&*self.fresh, &self.moving].concat()
    }
}

/// Looks at the tags that are there. A version tag stays where it is unless forced; `latest` brings the version's tag
/// along if that is free.
pub(super) async fn plan(job: &Job<'_>) -> Result<Plan, Error> {
    let pushed = job.manifest.digest();
    let mut plan = Plan { tags: vec![job.tag.clone()], fresh: vec![], moving: vec![], warnings: vec![] };
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
    match existing {
        Some(existing) if existing == pushed => {}
        None if !job.force => plan.fresh.push(job.tag.clone()),
        _ => plan.moving.push(job.tag.clone()),
    }
    if job.tag == Tag::latest()
        && let Some(version) = inside
    {
        let tag = version.tag();
        match pointed_at(job, tag).await? {
            None => {
                plan.fresh.push(tag.clone());
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

/// Stores the manifest and sets its tags. If somebody else made a fresh one meanwhile, the tags are looked at again, as
/// if that push had come before this one; gives the plan that was carried out.
pub(super) async fn carry_out(job: &Job<'_>, plan: Plan) -> Result<Plan, Error> {
    let mut carried = plan;
    let is_clash =
        !carried.fresh.is_empty() && !job.remote.put_new_tags(&job.repository, job.manifest, &carried.fresh).await?;
    let rest = if is_clash {
        carried = self::plan(job).await?;
        // A registry with its own idea of conditions must not make the push go round in circles.
        carried.missing()
    } else {
        carried.moving.clone()
    };
    if !rest.is_empty() {
        job.remote.put_manifest(&job.repository, job.manifest, &rest).await?;
    }
    read_back(job, &carried.missing()).await?;
    Ok(carried)
}

/// Asks the registry whether the tags point at what was pushed.
async fn read_back(job: &Job<'_>, tags: &[Tag]) -> Result<(), Error> {
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
