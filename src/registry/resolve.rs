//! What a caller means by the text behind a package's name: a digest, a tag, a version, `latest`, or a range.

use std::fmt;
use std::str::FromStr;

use super::no_version::{Missing, NoVersion};
use super::package_record::kind_held;
use super::service::Registry;
use super::{Error, manifests};
use crate::api::{Resolved, VersionState};
use crate::auth::{Permit, Pull};
use crate::index::resolve::{self, Found};
use crate::index::{Session, notices, repositories};
use crate::oci::{Digest, RepositoryName, Tag, Target};
use crate::package::{Version, VersionRange};

/// Most characters of an unreadable text that an error repeats.
const MAX_SHOWN_CHARACTERS: usize = 80;

/// Which manifest of a package is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly these bytes.
    Digest(Digest),
    /// What a tag or a version of this name is, else the highest version in a range.
    Named {
        /// As written.
        text: String,
        /// The tag, where it can be one; a version's `+` is its tag's `_`.
        tag: Option<Tag>,
        /// The range, where it can be one; a whole version is one that holds nothing else.
        range: Option<VersionRange>,
    },
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => digest.fmt(f),
            Self::Named { text, .. } => f.write_str(text),
        }
    }
}

impl FromStr for Wanted {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Unreadable(text.chars().take(MAX_SHOWN_CHARACTERS).collect());
        if text.contains(':') {
            return text.parse().map(Self::Digest).map_err(|_| unreadable());
        }
        let (tag, range) = (text.replace('+', "_").parse().ok(), text.parse().ok());
        if tag.is_none() && range.is_none() {
            return Err(unreadable());
        }
        Ok(Self::Named { text: text.to_owned(), tag, range })
    }
}

impl Registry {
    /// What a digest, a tag, a version or a range means now. A range and `latest` mean no version that was taken back;
    /// `latest` is the tag of that name, else the highest stable version. `pre` lets pre-releases count.
    pub async fn resolve(&self, permit: &Permit<Pull>, wanted: &Wanted, pre: bool) -> Result<Resolved, Error> {
        self.read(|session| {
            let (found, tag) = find(session, permit.repository(), wanted, pre)?;
            Ok(Resolved {
                repository: permit.repository().clone(),
                version: found.version.as_ref().map(ToString::to_string),
                tag: tag.or_else(|| match wanted {
                    Wanted::Digest(_) => None,
                    Wanted::Named { .. } => found.version.as_ref().map(|version| version.tag().clone()),
                }),
                digest: found.digest,
                state: state(session, &found)?,
            })
        })
    }
}

/// What is wanted, and the tag that led to it, where it was one.
pub(super) fn find(
    session: &mut dyn Session,
    repository: &RepositoryName,
    wanted: &Wanted,
    pre: bool,
) -> Result<(Found, Option<Tag>), Error> {
    let (text, tag, range) = match wanted {
        Wanted::Digest(digest) => {
            let found = resolve::at_digest(session, repository, digest)?;
            return match found {
                Some(found) => Ok((found, None)),
                None => Err(no_digest(session, repository, *digest)?),
            };
        }
        Wanted::Named { text, tag, range } => (text, tag.as_ref(), range.as_ref()),
    };
    let is_latest = tag.is_some_and(|tag| tag.as_str() == "latest");
    if let Some(tag) = tag
        && let Some(found) = resolve::at_tag(session, repository, tag)?
        && !(is_latest && found.is_yanked)
    {
        return Ok((found, Some(tag.clone())));
    }
    let any = VersionRange::ANY;
    let range = if is_latest { Some(&any) } else { range };
    if let Some(range) = range
        && let Some(found) = resolve::in_range(session, repository, range, pre)?
    {
        return Ok((found, None));
    }
    let is_name = range.is_none() || text.replace('_', "+").parse::<Version>().is_ok();
    let missing = match (is_latest, is_name) {
        (true, _) => Missing::Latest,
        (false, true) => Missing::Name(text.clone()),
        (false, false) => Missing::Range(text.clone()),
    };
    Err(no_version(session, repository, missing, range)?)
}

fn no_digest(session: &mut dyn Session, repository: &RepositoryName, digest: Digest) -> Result<Error, Error> {
    if repositories::find(session, repository)?.is_none() {
        return Ok(Error::RepositoryUnknown(repository.clone()));
    }
    Ok(manifests::unknown(repository, &Target::Digest(digest)))
}

/// Why nothing is found, with what comes nearest to it.
pub(super) fn no_version(
    session: &mut dyn Session,
    repository: &RepositoryName,
    missing: Missing,
    range: Option<&VersionRange>,
) -> Result<Error, Error> {
    let Some(id) = repositories::find(session, repository)? else {
        return Ok(Error::RepositoryUnknown(repository.clone()));
    };
    let nearest = resolve::nearest(session, id, range)?;
    if nearest.is_empty()
        && let Some(kind) = kind_held(session, repository, id)?
    {
        let wanted = if let Missing::Name(text) | Missing::Range(text) = missing { Some(text) } else { None };
        return Ok(Error::NoPackage { repository: repository.clone(), wanted, kind: Some(Box::new(kind)) });
    }
    Ok(NoVersion { repository: repository.clone(), missing, nearest }.into())
}

/// What is said of what was found; nothing is read where nothing is said.
pub(super) fn state(session: &mut dyn Session, found: &Found) -> Result<VersionState, Error> {
    if !found.has_notice {
        return Ok(VersionState::default());
    }
    Ok(notices::of_key(session, found.repository, found.sort_key())?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_can_be_is_told_from_the_text_alone() {
        let digest = Digest::sha256(b"x");
        assert_eq!(digest.to_string().parse::<Wanted>().unwrap(), Wanted::Digest(digest));
        for (text, is_tag, is_range) in [
            ("latest", true, false),
            ("1.2.0+b.1", true, true),
            ("1.2.0_b.1", true, false),
            ("1.2", true, true),
            ("^1.2", false, true),
            (">=1, <2", false, true),
            ("*", false, true),
            ("1.x", true, true),
        ] {
            let Wanted::Named { tag, range, .. } = text.parse().unwrap() else { panic!("{text}") };
            assert_eq!((tag.is_some(), range.is_some()), (is_tag, is_range), "{text}");
        }
        let long = "1".repeat(1_000);
        for text in ["", "sha256:12", "a b", ">=1 <2", "^", "ä", "../x", "%3E1", &long] {
            let error = text.parse::<Wanted>().unwrap_err();
            assert!(matches!(&error, Error::Unreadable(_)) && error.to_string().len() < 300, "{text}: {error}");
        }
    }
}
