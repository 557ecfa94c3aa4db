//! Rules for tags: which never move, and who may move the others. Looked at in the transaction that moves them.

use bytes::Bytes;
use jiff::Timestamp;

use super::leave::{Leave, note};
use super::{Error, Refusal, Registry};
use crate::auth::{
    Action, Admin, Delete, Facts, Grantee, Identity, Level, Mover, Permit, Pull, Push, Rule, TagRule, check_tag, level,
};
use crate::index::repositories::{self, RepositoryId};
use crate::index::tag_rules::{self, MAX_TAG_RULES};
use crate::index::{Session, access, tags};
use crate::oci::{Digest, RepositoryName, Tag, Target};

/// Tags of a manifest read at a time.
const PAGE: usize = 1_000;

impl Registry {
    /// The rules for a repository's tags.
    pub async fn tag_rules(&self, permit: &Permit<Pull>) -> Result<Vec<TagRule>, Error> {
        self.snapshot(|session| {
            let id = find(session, permit.repository())?;
            read(session, permit.repository(), id)
        })
    }

    /// Sets all rules for a repository's tags. They hold from now on; where tags are, they stay.
    pub async fn set_tag_rules(&self, permit: &Permit<Admin>, rules: &[TagRule]) -> Result<(), Error> {
        if rules.len() > MAX_TAG_RULES {
            return Err(Refusal::TooMany { most: MAX_TAG_RULES, what: "rules for the tags of one repository" }.into());
        }
        let damaged = |error| Error::RuleDamaged(permit.repository().clone(), error);
        let written = rules.iter().map(|rule| serde_json::to_vec(rule).map(Bytes::from).map_err(damaged));
        let written = written.collect::<Result<Vec<_>, _>>()?;
        let (leave, now) = (Leave::of(permit, Admin), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, now)?;
            let id = find(session, permit.repository())?;
            tag_rules::replace(session, id, &written)?;
            note(session, &permit, "tag-rules.set", format!("{} {}", permit.repository(), written.len()), now)
        });
        write.await
    }
}

/// Makes sure that a push may point its tags where it wants.
pub(super) fn check_push(
    session: &mut dyn Session,
    permit: &Permit<Push>,
    id: RepositoryId,
    wanted: &[Tag],
    digest: &Digest,
    now: Timestamp,
) -> Result<(), Error> {
    let rules = if wanted.is_empty() { vec![] } else { read(session, permit.repository(), id)? };
    if rules.is_empty() {
        return Ok(());
    }
    let moving = Moving::of(session, permit, &rules, now)?;
    for tag in wanted {
        let current = tags::find(session, id, tag)?;
        check_tag(&rules, tag, current.as_ref(), Some(digest), moving.mover())?;
    }
    Ok(())
}

/// Makes sure that a tag, or the tags of a manifest, may be taken away.
pub(super) fn check_deletion(
    session: &mut dyn Session,
    permit: &Permit<Delete>,
    id: RepositoryId,
    target: &Target,
    now: Timestamp,
) -> Result<(), Error> {
    let rules = read(session, permit.repository(), id)?;
    if rules.is_empty() {
        return Ok(());
    }
    let moving = Moving::of(session, permit, &rules, now)?;
    match target {
        Target::Tag(tag) => {
            let current = tags::find(session, id, tag)?;
            Ok(check_tag(&rules, tag, current.as_ref(), None, moving.mover())?)
        }
        Target::Digest(digest) => {
            let mut last: Option<Tag> = None;
            loop {
                let page = tags::of_manifest(session, id, digest, last.as_ref().map(Tag::as_str), PAGE)?;
                for tag in &page {
                    check_tag(&rules, tag, Some(digest), None, moving.mover())?;
                }
                if page.len() < PAGE {
                    return Ok(());
                }
                last = page.into_iter().last();
            }
        }
    }
}

/// Who moves tags, as far as rules ask.
struct Moving {
    identity: Identity,
    level: Option<Level>,
    belongs_to: Vec<Grantee>,
}

impl Moving {
    fn of<A: Action>(
        session: &mut dyn Session,
        permit: &Permit<A>,
        rules: &[TagRule],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let Some(identity) = permit.identity().filter(|_| *permit.rule() != Rule::Open) else {
            // Nobody is known, or the registry itself acts: levels hinder neither.
            let level = level(&Facts::open(), &Identity::Anonymous, permit.repository());
            return Ok(Self { identity: Identity::Anonymous, level, belongs_to: vec![] });
        };
        let known = access::facts(session, identity, permit.repository(), now)?;
        let level = level(&known.facts, identity, permit.repository());
        let mut belongs_to = vec![];
        for grantee in rules.iter().flat_map(TagRule::grantees) {
            if access::belongs_to(session, identity, grantee)? {
                belongs_to.push(grantee.clone());
            }
        }
        Ok(Self { identity: identity.clone(), level, belongs_to })
    }

    fn mover(&self) -> Mover<'_> {
        Mover { identity: &self.identity, level: self.level, belongs_to: &self.belongs_to }
    }
}

fn read(session: &mut dyn Session, name: &RepositoryName, id: RepositoryId) -> Result<Vec<TagRule>, Error> {
    let rules = tag_rules::list(session, id)?;
    let parsed = rules.iter().map(|rule| serde_json::from_slice(rule));
    // One that cannot be read might be the one that forbids: it must not be passed over.
    parsed.collect::<Result<_, _>>().map_err(|error| Error::RuleDamaged(name.clone(), error))
}

fn find(session: &mut dyn Session, name: &RepositoryName) -> Result<RepositoryId, Error> {
    repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))
}
