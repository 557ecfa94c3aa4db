//! What can go wrong between an agent and a registry, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::oci::{Digest, ManifestError, Reference, RepositoryName, Tag};
use crate::package::{
    ArtifactKind, CheckError, ConfigError, Difference, InstallError, TreeError, Version, VersionRange,
};
use crate::remote;

/// Names told in one message; more are counted.
const MAX_TOLD: usize = 10;

/// Why something was not pushed, pulled, stored or read. Digests and references are boxed to keep every `Result` small.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry or the way to it.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder is an OCI image layout of another version, or its index cannot be read.
    #[error("{} is no image layout this program can use", path.display())]
    NotALayout {
        /// The file that says so.
        path: PathBuf,
        /// What is wrong with it, where it is no readable JSON.
        source: Option<serde_json::Error>,
    },
    /// A stored blob is gone.
    #[error("the blob {digest} is missing from {}", path.display())]
    Missing {
        /// The blob.
        digest: Box<Digest>,
        /// Where it should be.
        path: PathBuf,
    },
    /// Bytes that are not those their descriptor promises.
    #[error("{place} has other bytes than its digest {digest} and size promise")]
    Corrupt {
        /// The blob.
        digest: Box<Digest>,
        /// The file or the registry it is from.
        place: String,
    },
    /// A body that ends early, time after time.
    #[error("{place} sent {received} of the {expected} bytes of {digest} and stopped")]
    Truncated {
        /// The blob.
        digest: Box<Digest>,
        /// The registry.
        place: String,
        /// Bytes that came.
        received: u64,
        /// Bytes there should be.
        expected: u64,
        /// How it stopped the last time, where it did not simply end.
        source: Option<remote::Error>,
    },
    /// A configuration that is read whole is too large for that.
    #[error("the blob {digest} has {size} bytes, at most {limit} are read here")]
    TooLarge {
        /// The blob.
        digest: Box<Digest>,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// A stored manifest is none.
    #[error("the stored manifest {digest} cannot be read")]
    Manifest {
        /// Its digest.
        digest: Box<Digest>,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// A stored configuration is none.
    #[error("the configuration cannot be read")]
    Config(#[from] ConfigError),
    /// The local store does not have it.
    #[error("`{0}` is not in the local store")]
    NotStored(Box<Reference>),
    /// Several stored references are meant.
    #[error("`{reference}` is stored from several registries: {}", told(candidates))]
    Ambiguous {
        /// As asked for.
        reference: Box<Reference>,
        /// What it may mean.
        candidates: Vec<Reference>,
    },
    /// The registry does not have it.
    #[error("`{wanted}` does not exist{}", among(tags))]
    NotFound {
        /// As asked for.
        wanted: Box<Reference>,
        /// The tags the repository has; none when it is unknown.
        tags: Vec<Tag>,
    },
    /// Neither `latest` nor a stable version.
    #[error("`{repository}` has neither the tag `latest` nor a stable version{}", among(tags))]
    NoDefault {
        /// The repository.
        repository: RepositoryName,
        /// The tags it has.
        tags: Vec<Tag>,
    },
    /// No version in the range.
    #[error("no version of `{repository}` matches `{range}`{}", among(tags))]
    NoMatch {
        /// The repository.
        repository: RepositoryName,
        /// The range.
        range: Box<VersionRange>,
        /// The tags the repository has.
        tags: Vec<Tag>,
    },
    /// The registry knows its versions, and none of them is meant.
    #[error("{told}")]
    Unresolved {
        /// The repository.
        repository: RepositoryName,
        /// What the registry says; fit to be shown.
        told: String,
    },
    /// Another kind of artifact.
    #[error("`{reference}` is no agent package: it is of kind {kind}")]
    NotAPackage {
        /// As asked for.
        reference: Box<Reference>,
        /// What it is.
        kind: ArtifactKind,
    },
    /// The manifest and its configuration contradict each other.
    #[error("the package cannot be trusted: its parts contradict each other")]
    Check(#[from] CheckError),
    /// The files could not be laid down.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The folder at the target cannot be compared with anything.
    #[error("{} is there and cannot be compared with the package", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: TreeError,
    },
    /// The folder at the target was edited, or never was this package.
    #[error("{} has files that would be lost: {}", path.display(), told(differences))]
    Edited {
        /// The folder.
        path: PathBuf,
        /// What differs from the package that was to be pulled, or from the stored one it is closest to.
        differences: Vec<Difference>,
    },
    /// Something other than a folder is at the target.
    #[error("{} is there and is no folder", .0.display())]
    Occupied(PathBuf),
    /// A version tag that points at other bytes.
    #[error("`{reference}` exists with other content: it points at {existing}, not at {pushed}")]
    TagTaken {
        /// The tag.
        reference: Box<Reference>,
        /// What it points at.
        existing: Box<Digest>,
        /// What was to be pushed.
        pushed: Box<Digest>,
    },
    /// The tag says one version, the package another.
    #[error("the tag `{tag}` says another version than the package, which is {version}")]
    VersionDiffers {
        /// The tag.
        tag: Tag,
        /// The version inside.
        version: Box<Version>,
    },
    /// The repository's last component is not the name of the package.
    #[error("the package is named `{package}`, so it cannot be pushed to `{repository}`")]
    NameDiffers {
        /// The name inside.
        package: String,
        /// The repository.
        repository: RepositoryName,
    },
    /// A file of the source changed while it was being sent.
    #[error("{} changed while it was being sent: nothing was tagged", .0.display())]
    Changed(PathBuf),
    /// After a push the tag does not point at what was pushed.
    #[error("`{reference}` was pushed as {pushed}, but reading it back gives {}", found_text(found.as_deref()))]
    ReadBack {
        /// The tag.
        reference: Box<Reference>,
        /// What was pushed.
        pushed: Box<Digest>,
        /// What the tag points at.
        found: Option<Box<Digest>>,
    },
}

impl Error {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Remote(error) => return error.hint(),
            Self::NotALayout { .. } => "move the folder away to begin a new store".to_owned(),
            Self::Missing { .. } => "pull or build the package again".to_owned(),
            Self::Corrupt { .. } => {
                "try again; if it persists, the copy in the registry or the store is damaged".to_owned()
            }
            Self::Truncated { .. } => "try again: what has come is kept and will be continued".to_owned(),
            Self::NotStored(_) => "`agent images --local` lists what is there".to_owned(),
            Self::Ambiguous { .. } => "write the registry's host in front".to_owned(),
            Self::NotFound { tags, .. } if tags.is_empty() => {
                "check the name and that your credentials (AGENT_REGISTRY_TOKEN, a profile, or Docker's) may see it"
                    .to_owned()
            }
            Self::NotFound { .. } | Self::NoDefault { .. } => "name one of the tags".to_owned(),
            Self::NoMatch { .. } => {
                "a pre-release is only taken when the range names one, as in `^1.0.0-beta`, or with `--pre`".to_owned()
            }
            Self::Unresolved { repository, .. } => {
                format!("`agent versions {repository}` lists all; `--pre` lets pre-releases count")
            }
            Self::NotAPackage { kind, .. } => format!("try `{}`", kind.puller()),
            Self::Edited { .. } | Self::Occupied(_) => {
                "`--force` replaces it; or pull to another folder with `--directory`".to_owned()
            }
            Self::Unreadable { .. } => "move it away, or pull to another folder with `--directory`".to_owned(),
            Self::TagTaken { .. } => "push another version, or `--force` to move the tag".to_owned(),
            Self::VersionDiffers { tag, .. } => match Version::from_tag(tag) {
                Some(version) => format!("`--set-version {version}` makes the package that version"),
                None => return None,
            },
            Self::NameDiffers { package, repository } => match repository.namespace() {
                Some(namespace) => format!("push it to `{namespace}/{package}`, or rename the package"),
                None => format!("push it to `{package}`, or rename the package"),
            },
            Self::Changed(_) => "push again when nothing writes to the folder".to_owned(),
            Self::ReadBack { .. } => "somebody else may have pushed at the same time; look and push again".to_owned(),
            _ => return system_error(self).and_then(system_hint).map(str::to_owned),
        })
    }
}

/// The refusal of the operating system at the end of an error's causes, if that is why it failed. What a broken archive
/// or a cut stream says through the same type is none.
pub fn system_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // The type wraps itself at times; only the innermost knows the system's number.
        if let Some(io) = error.downcast_ref::<io::Error>()
            && io.raw_os_error().is_some()
        {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

/// What a person can do about a refusal of the operating system.
pub fn system_hint(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full: make room and try again",
        io::ErrorKind::PermissionDenied => {
            "this user has no right to it: change its owner or mode, or choose another folder"
        }
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: choose another folder",
        _ => return None,
    })
}

/// The first few of a list and how many more there are.
fn told<T: ToString>(items: &[T]) -> String {
    let mut texts: Vec<_> = items.iter().take(MAX_TOLD).map(ToString::to_string).collect();
    if items.len() > MAX_TOLD {
        texts.push(format!("and {} more", items.len() - MAX_TOLD));
    }
    texts.join(", ")
}

fn among(tags: &[Tag]) -> String {
    if tags.is_empty() { String::new() } else { format!("; there are {}", told(tags)) }
}

fn found_text(found: Option<&Digest>) -> String {
    found.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::package::UnpackError;

    #[cfg(unix)]
    #[test]
    fn what_the_system_refuses_is_explained() {
        // The numbers are those of Linux and other Unixes.
        let [denied, full] = [13, 28].map(io::Error::from_raw_os_error);
        let failed = |source: io::Error| Error::io("write", Path::new("/x/y"))(source);
        let full = failed(full);
        assert_eq!(full.to_string(), "cannot write /x/y");
        assert_eq!(full.hint().as_deref(), Some("the disk is full: make room and try again"));
        assert!(failed(denied).hint().is_some_and(|hint| hint.contains("another folder")));
        assert_eq!(failed(io::ErrorKind::InvalidData.into()).hint(), None);
        let unpacking = |source| Error::Install(UnpackError::Io { path: "demo".to_owned(), source }.into());
        assert_eq!(unpacking(io::Error::from_raw_os_error(28)).hint(), full.hint());
        assert!(system_error(&unpacking(io::ErrorKind::UnexpectedEof.into())).is_none(), "a cut archive is no disk");
    }

    #[test]
    fn long_lists_are_counted() {
        let digits: Vec<_> = (0..13).collect();
        assert_eq!(told(&digits), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 3 more");
        assert_eq!(told(&digits[..2]), "0, 1");
    }
}
