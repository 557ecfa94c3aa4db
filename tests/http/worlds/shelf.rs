//! What is in a repository, as the model knows it: manifests, tags, and what follows from them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use agent_registry::oci::Digest;
use semver::Version;

use super::goods::Content;
use super::people::Access;

/// The repositories of every world: in namespaces of users, of organisations, of nobody, deeper ones, and one in none.
pub(crate) const REPOSITORIES: [&str; 13] = [
    "ada/quokka-lamp",
    "ada/zephyr",
    "ben/walrus-drum",
    "dan/zephyr",
    "acme/quokka",
    "acme/deep/zephyr-mill",
    "acme/obelisk",
    "acme/saffron-drum",
    "umbra/walrus",
    "umbra/deep/er/quokka-mill",
    "umbra/kumquat",
    "ghost/obelisk-lamp",
    "kumquat",
];

/// The tags that there may be; `_` stands for the `+` of a version.
pub(crate) const TAGS: [&str; 11] = [
    "1.0.0",
    "1.1.0",
    "1.2.0-rc.1",
    "2.0.0-beta.2",
    "2.0.0",
    "0.9.0",
    "1.1.0_build.5",
    "10.0.0",
    "latest",
    "edge",
    "stable",
];

/// The version that a tag is, if it is one.
pub(crate) fn version_of(tag: &str) -> Option<Version> {
    Version::parse(&tag.replace('_', "+")).ok()
}

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// An agent, and the version it names itself.
    Package(u8, Option<String>),
    Image,
    Chart,
    /// Of another manifest.
    Signature(Digest),
}

/// What is said of a version, or of a whole package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) yanked: bool,
    pub(crate) deprecated: bool,
}

/// A version, or the one package that stands for those without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) version: Option<Version>,
    pub(crate) digest: Digest,
    /// When a tag came to point there; greater is later.
    pub(crate) moved: u64,
    pub(crate) said: Said,
}

/// What search knows of a repository.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) digest: Digest,
    pub(crate) kind: &'static str,
    /// The row that stands for a package; none of what is no package.
    pub(crate) row: Option<Row>,
    /// What it says of itself; none of what is no package.
    pub(crate) content: Option<Content>,
    /// What it says its version is; only of a package without version.
    pub(crate) own_version: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    /// None while there is no such repository.
    pub(crate) access: Option<Access>,
    pub(crate) manifests: BTreeMap<Digest, Thing>,
    /// Where each tag points, and when it came to do so.
    pub(crate) tags: BTreeMap<String, (Digest, u64)>,
    /// By version.
    pub(crate) said: BTreeMap<String, Said>,
    pub(crate) is_deprecated: bool,
    /// Stars by user.
    pub(crate) ratings: BTreeMap<usize, u8>,
    pub(crate) downloads: u64,
    /// Who pulled what in which hour.
    pub(crate) pulled: BTreeSet<(String, Digest, i64)>,
}

impl Shelf {
    fn is_package(&self, digest: &Digest) -> bool {
        matches!(self.manifests.get(digest), Some(Thing::Package(..)))
    }

    /// The versions, newest first, and behind them what has none.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.tags.iter().filter_map(|(tag, at)| self.row(tag, *at)).collect();
        rows.sort_by_key(|row| Reverse(row.version.clone()));
        rows.extend(self.untagged(&rows));
        rows
    }

    fn row(&self, tag: &str, (digest, moved): (Digest, u64)) -> Option<Row> {
        let version = version_of(tag).filter(|_| self.is_package(&digest))?;
        let said = self.said.get(&version.to_string()).copied().unwrap_or_default();
        let said = Said { deprecated: said.deprecated || self.is_deprecated, ..said };
        Some(Row { version: Some(version), digest, moved, said })
    }

    /// A package without version: what `latest` points at, else what another tag came to point at last.
    fn untagged(&self, versions: &[Row]) -> Option<Row> {
        let is_version = |digest: &Digest| versions.iter().any(|row| row.digest == *digest);
        let latest = self.tags.get("latest").filter(|(digest, _)| self.is_package(digest));
        let others = self.tags.values().filter(|(digest, _)| self.is_package(digest) && !is_version(digest));
        let (digest, moved) = match latest {
            Some(latest) => Some(latest).filter(|(digest, _)| !is_version(digest)),
            None => others.max_by_key(|(_, moved)| *moved),
        }?;
        let said = Said { yanked: false, deprecated: self.is_deprecated };
        Some(Row { version: None, digest: *digest, moved: *moved, said })
    }

    /// What stands for the package: the highest stable version, else what has none, else the highest pre-release; never
    /// what was yanked.
    pub(crate) fn head(&self) -> Option<Row> {
        let rows = self.rows();
        let shown = || rows.iter().filter(|row| !row.said.yanked);
        let stable = |row: &&Row| row.version.as_ref().is_some_and(|version| version.pre.is_empty());
        let found = shown().find(stable).or_else(|| shown().find(|row| row.version.is_none()));
        found.or_else(|| shown().next()).cloned()
    }

    /// What search has to find here, if anything.
    pub(crate) fn document(&self) -> Option<Document> {
        if let Some(row) = self.head() {
            let Some(Thing::Package(content, own)) = self.manifests.get(&row.digest) else { unreachable!() };
            let own_version = if row.version.is_none() { own.clone() } else { None };
            let content = Some(Content::of(*content));
            return Some(Document { digest: row.digest, kind: "agent", row: Some(row), content, own_version });
        }
        // Where every version was yanked there is nothing to find.
        if !self.rows().is_empty() {
            return None;
        }
        let (digest, _) = self.tags.values().max_by_key(|(_, moved)| *moved)?;
        let kind = match self.manifests.get(digest)? {
            Thing::Image => "image",
            Thing::Chart => "chart",
            Thing::Package(..) | Thing::Signature(_) => unreachable!("a tagged package is a row"),
        };
        Some(Document { digest: *digest, kind, row: None, content: None, own_version: None })
    }

    /// Whether a manifest has a signature.
    pub(crate) fn is_signed(&self, digest: &Digest) -> bool {
        self.manifests.values().any(|thing| *thing == Thing::Signature(*digest))
    }

    /// Average and number.
    pub(crate) fn rating(&self) -> (Option<f64>, u64) {
        let (stars, count): (u32, u32) =
            self.ratings.values().fold((0, 0), |sum, one| (sum.0 + u32::from(*one), sum.1 + 1));
        ((count > 0).then(|| f64::from(stars) / f64::from(count)), u64::from(count))
    }

    /// Takes a tag away.
    pub(crate) fn untag(&mut self, tag: &str) {
        self.tags.remove(tag);
        self.forget_what_is_gone();
    }

    /// Takes a manifest away, with its tags.
    pub(crate) fn delete(&mut self, digest: &Digest) {
        self.manifests.remove(digest);
        self.tags.retain(|_, (at, _)| at != digest);
        self.forget_what_is_gone();
    }

    /// What is said of a version that is no more is forgotten with it.
    pub(crate) fn forget_what_is_gone(&mut self) {
        let there: BTreeSet<_> = self.rows().into_iter().filter_map(|row| Some(row.version?.to_string())).collect();
        self.said.retain(|version, _| there.contains(version));
    }
}

/// The packages of a name that search finds in a world, for the questions.
pub(crate) fn package_name(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}
