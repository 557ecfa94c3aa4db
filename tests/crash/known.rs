//! What a client knows of the one package it works on, and what it does to it.

use std::collections::BTreeMap;

use semver::Version;

/// A version as its client left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) digest: String,
    pub(crate) is_yanked: bool,
    pub(crate) is_deprecated: bool,
}

/// A package as its client left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) versions: BTreeMap<Version, Copy>,
    pub(crate) latest: Option<String>,
    /// Whether all of it is deprecated.
    pub(crate) is_deprecated: bool,
    pub(crate) stars: Option<u8>,
}

/// One request that changes something.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// A version, and `latest` with it.
    Push {
        version: Version,
        digest: String,
        is_latest: bool,
    },
    Yank(Version, bool),
    Deprecate(Version, bool),
    DeprecateAll(bool),
    Rate(Option<u8>),
    /// A manifest, with its tags.
    Delete(Version),
}

impl Known {
    /// How it is afterwards.
    pub(crate) fn after(&self, deed: &Deed) -> Self {
        let mut known = self.clone();
        match deed {
            Deed::Push { version, digest, is_latest } => {
                let copy = Copy { digest: digest.clone(), is_yanked: false, is_deprecated: false };
                known.versions.insert(version.clone(), copy);
                if *is_latest {
                    known.latest = Some(digest.clone());
                }
            }
            Deed::Yank(version, is) => known.versions.get_mut(version).unwrap().is_yanked = *is,
            Deed::Deprecate(version, is) => known.versions.get_mut(version).unwrap().is_deprecated = *is,
            Deed::DeprecateAll(is) => known.is_deprecated = *is,
            Deed::Rate(stars) => known.stars = *stars,
            Deed::Delete(version) => {
                let copy = known.versions.remove(version).unwrap();
                known.latest = known.latest.filter(|digest| *digest != copy.digest);
            }
        }
        known
    }

    /// What stands for the package: the highest stable version that was not yanked, else the highest pre-release.
    pub(crate) fn current(&self) -> Option<(&Version, &Copy)> {
        let shown = || self.versions.iter().rev().filter(|(_, copy)| !copy.is_yanked);
        shown().find(|(version, _)| version.pre.is_empty()).or_else(|| shown().next())
    }

    /// The highest stable version that was not yanked.
    pub(crate) fn highest_stable(&self) -> Option<(&Version, &Copy)> {
        self.versions.iter().rev().find(|(version, copy)| !copy.is_yanked && version.pre.is_empty())
    }

    /// What `latest` means: what its tag says, unless that was yanked.
    pub(crate) fn meant_by_latest(&self) -> Option<&str> {
        let tagged = self.latest.as_deref();
        let is_yanked = |digest: &&str| self.versions.values().any(|copy| copy.digest == **digest && copy.is_yanked);
        tagged
            .filter(|digest| !is_yanked(digest))
            .or_else(|| self.highest_stable().map(|(_, copy)| copy.digest.as_str()))
    }
}
