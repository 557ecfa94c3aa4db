//! Notices: versions yanked and deprecated, by whoever may push, and what is said of a manifest that is pulled.

use jiff::Timestamp;

use super::leave::{Leave, note};
use super::manifests::unknown;
use super::{Error, Refusal, Registry};
use crate::api::{MAX_MESSAGE_LENGTH, NewNotice, VersionState};
use crate::auth::{Permit, Pull, Push};
use crate::index::manifests::StoredManifest;
use crate::index::notices::{self, About, NoticeKind};
use crate::index::tags::{self, Change};
use crate::index::{Session, packages, repositories};
use crate::oci::{Reference, Target};
use crate::package::Version;

/// What is said of a manifest that is pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The version it is said of; none: all of the package.
    pub version: Option<Version>,
    /// What is said.
    pub state: VersionState,
}

/// Of what something is said, so that a transaction can take it along.
#[derive(Clone, Debug)]
struct Subject {
    version: Option<Version>,
    kind: NoticeKind,
}

impl Subject {
    fn about(&self) -> About<'_> {
        self.version.as_ref().map_or(About::Package, |version| About::Version(version, self.kind))
    }

    /// What the audit calls it.
    const fn action(&self, is_said: bool) -> &'static str {
        match (self.version.is_some(), self.kind, is_said) {
            (true, NoticeKind::Yanked, true) => "version.yank",
            (true, NoticeKind::Yanked, false) => "version.unyank",
            (true, NoticeKind::Deprecated, true) => "version.deprecate",
            (true, NoticeKind::Deprecated, false) => "version.undeprecate",
            (false, _, true) => "package.deprecate",
            (false, _, false) => "package.undeprecate",
        }
    }
}

impl Registry {
    /// Takes a version back: ranges, `latest` and search leave it out; by its tag and digest it can still be pulled.
    /// What is said of it now.
    pub async fn yank(
        &self,
        permit: &Permit<Push>,
        version: &Version,
        notice: NewNotice,
    ) -> Result<VersionState, Error> {
        if notice.superseded_by.is_some() {
            return Err(Refusal::SupersedingYank.into());
        }
        let subject = Subject { version: Some(version.clone()), kind: NoticeKind::Yanked };
        self.say(permit, subject, Some(notice)).await
    }

    /// Takes a yank back.
    pub async fn unyank(&self, permit: &Permit<Push>, version: &Version) -> Result<VersionState, Error> {
        self.say(permit, Subject { version: Some(version.clone()), kind: NoticeKind::Yanked }, None).await
    }

    /// Says that a version, or all of a package, should no longer be begun with.
    pub async fn deprecate(
        &self,
        permit: &Permit<Push>,
        version: Option<&Version>,
        notice: NewNotice,
    ) -> Result<VersionState, Error> {
        let subject = Subject { version: version.cloned(), kind: NoticeKind::Deprecated };
        self.say(permit, subject, Some(notice)).await
    }

    /// Takes a deprecation back.
    pub async fn undeprecate(&self, permit: &Permit<Push>, version: Option<&Version>) -> Result<VersionState, Error> {
        self.say(permit, Subject { version: version.cloned(), kind: NoticeKind::Deprecated }, None).await
    }

    async fn say(
        &self,
        permit: &Permit<Push>,
        subject: Subject,
        notice: Option<NewNotice>,
    ) -> Result<VersionState, Error> {
        notice.as_ref().map_or(Ok(()), check)?;
        let (leave, at) = (Leave::of(permit, Push), Timestamp::now());
        let write = self.index.write(move |session| {
            let permit = leave.confirm(session, at)?;
            let name = permit.repository();
            let id = repositories::find(session, name)?.ok_or_else(|| Error::RepositoryUnknown(name.clone()))?;
            let actor = permit.actor();
            let change = Change { id, repository: name, actor: &actor, at };
            if subject.version.is_none() && notice.is_some() && !packages::is_any(session, id)? {
                return Err(Error::NoPackage { repository: name.clone(), wanted: None, kind: None });
            }
            let Some(is_news) = notices::set(session, &change, subject.about(), notice.as_ref())? else {
                return Err(no_version(session, &change, subject.version.as_ref())?);
            };
            if is_news {
                let place = subject.version.as_ref().map_or_else(String::new, |version| format!(":{}", version.tag()));
                note(session, &permit, subject.action(notice.is_some()), format!("{name}{place}"), at)?;
            }
            Ok(notices::of_version(session, id, subject.version.as_ref())?)
        });
        write.await
    }

    /// What is said of a manifest that was found under a target; nothing is read where nothing is said.
    pub async fn told_of(
        &self,
        permit: &Permit<Pull>,
        target: &Target,
        manifest: &StoredManifest,
    ) -> Result<Vec<Told>, Error> {
        if !manifest.has_notice {
            return Ok(vec![]);
        }
        let wanted = if let Target::Tag(tag) = target { Version::from_tag(tag) } else { None };
        self.read(|session| {
            // Signatures and the like lie in the same repository, and nobody wants to hear of its state with each.
            if !packages::exists(session, manifest.id)? {
                return Ok(vec![]);
            }
            let mut told: Vec<Told> = notices::of_manifest(session, manifest.id)?
                .into_iter()
                .filter(|(version, _)| wanted.as_ref().is_none_or(|wanted| wanted == version))
                .map(|(version, state)| Told { version: Some(version), state })
                .collect();
            let is_deprecated = told.iter().any(|told| told.state.deprecated.is_some());
            if let Some(id) = repositories::find(session, permit.repository())?.filter(|_| !is_deprecated) {
                let deprecated = notices::of_package(session, id)?;
                let state = VersionState { yanked: None, deprecated };
                told.extend((!state.is_plain()).then_some(Told { version: None, state }));
            }
            Ok(told)
        })
    }
}

/// Why nothing can be said of a version: its tag is not there, or is no version of a package.
fn no_version(session: &mut dyn Session, change: &Change<'_>, version: Option<&Version>) -> Result<Error, Error> {
    let repository = change.repository.clone();
    let Some(tag) = version.map(Version::tag) else { return Ok(Error::RepositoryUnknown(repository)) };
    let target = Target::Tag(tag.clone());
    Ok(match tags::find(session, change.id, tag)? {
        Some(_) => Error::NoPackage { repository, wanted: Some(target.to_string()), kind: None },
        None => unknown(&repository, &target),
    })
}

/// Whether a notice can be kept and shown.
fn check(notice: &NewNotice) -> Result<(), Error> {
    check_text("a message", &notice.message)?;
    if let Some(text) = &notice.superseded_by {
        text.parse::<Reference>().map_err(|error| Refusal::SupersededBy(error.to_string()))?;
    }
    Ok(())
}

/// Whether words of a person are short, and only words.
pub(super) fn check_text(what: &'static str, text: &str) -> Result<(), Error> {
    let is_good = text.len() <= MAX_MESSAGE_LENGTH && !text.contains(char::is_control);
    if is_good { Ok(()) } else { Err(Refusal::Text(what).into()) }
}
