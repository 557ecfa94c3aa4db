//! What can go wrong in the registry: what the caller did, by the codes of the distribution API, and what the registry
//! could not do.

use std::io;
use std::path::PathBuf;

use super::credentials::Rejected;
use super::exchange_error::ExchangeError;
use super::no_version::NoVersion;
use super::record::RecordError;
use super::refusal::{Refusal, RefusalKind};
use crate::auth::{AccountDenied, Denied, HashError, SigningKeyError, TagRefused};
use crate::oci::{Digest, ErrorCode, ManifestError, RepositoryName, Target, UploadId};
use crate::package::{ArtifactKind, CheckError};
use crate::{index, search, storage};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository does not have this blob.
    #[error("blob {digest} is not in repository {repository}")]
    BlobUnknown {
        /// The blob.
        digest: Box<Digest>,
        /// Where it was looked for.
        repository: RepositoryName,
    },
    /// No such upload session here, or it has ended.
    #[error("upload session {0} is not known; it has ended or was opened for another repository")]
    UploadUnknown(UploadId),
    /// Another request is writing to the session.
    #[error("upload session {0} is being written by another request")]
    UploadBusy(UploadId),
    /// A chunk does not begin where the session stands. The session goes on.
    #[error("the chunk begins at byte {found}, the session continues at byte {expected}")]
    UploadOutOfOrder {
        /// The offset at which the session goes on.
        expected: u64,
        /// Where the chunk begins.
        found: u64,
    },
    /// The body has another length than its `Content-Range`.
    #[error("the chunk holds {found} bytes, its range says {expected}")]
    ChunkLength {
        /// Bytes that the range spans.
        expected: u64,
        /// Bytes in the body.
        found: u64,
    },
    /// Too many sessions without bytes are open.
    #[error("too many upload sessions are open; finish or cancel some, or try again later")]
    TooManyUploads,
    /// The bytes are not those the digest names; nothing was stored.
    #[error("the content has digest {actual}, not {expected}; nothing was stored")]
    DigestMismatch {
        /// What the caller said.
        expected: Box<Digest>,
        /// What it is.
        actual: Box<Digest>,
    },
    /// The repository does not have this manifest.
    #[error("manifest {target} is not in repository {repository}")]
    ManifestUnknown {
        /// Tag or digest.
        target: Target,
        /// Where it was looked for.
        repository: RepositoryName,
    },
    /// The manifest cannot be read, or contradicts itself.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestError),
    /// The manifest needs blobs that the repository does not have.
    #[error("the repository lacks {} this manifest needs: {}", if .0.len() == 1 { "a blob" } else { "blobs" }, list(.0))]
    ManifestBlobUnknown(Vec<Digest>),
    /// `If-Match` or `If-None-Match` does not hold; nothing was changed.
    #[error("{target} {}; nothing was changed", match current {
        Some(digest) => format!("is at {digest}, which the request's condition rules out"),
        None => "does not exist, which the request's condition rules out".to_owned(),
    })]
    ConditionFailed {
        /// The tag, or the manifest where no tag was pushed.
        target: Target,
        /// Where it is.
        current: Option<Box<Digest>>,
    },
    /// The manifest says it is an agent package, and its parts disagree.
    #[error("this is no valid agent package: {0}")]
    PackageInvalid(#[from] CheckError),
    /// No repository of this name.
    #[error("repository {0} does not exist")]
    RepositoryUnknown(RepositoryName),
    /// The repository holds no agent package, or this manifest is none.
    #[error("{repository} holds no agent package{}{}",
            wanted.as_ref().map(|wanted| format!(" at `{wanted}`")).unwrap_or_default(), instead(kind.as_deref()))]
    NoPackage {
        /// The repository.
        repository: RepositoryName,
        /// What was asked for.
        wanted: Option<String>,
        /// What is there instead.
        kind: Option<Box<ArtifactKind>>,
    },
    /// The package has no such version.
    #[error(transparent)]
    NoVersion(#[from] NoVersion),
    /// The text names no version that could be.
    #[error(
        "`{0}` is no tag, digest, version or range of versions: write latest, 1.2.0, ^1.2, ~1, >=1.0.0, 1.x, or several \
         with commas as in >=1, <2"
    )]
    Unreadable(String),
    /// A page's beginning that no page before has given.
    #[error("the list does not go on from there; use what the page before has given")]
    Cursor,
    /// Events that were asked for are no longer kept.
    #[error(
        "events up to number {floor} are no longer kept, the first that can be there is {}: ask for those after {floor}, \
         and look at what there is now for what you have missed",
        floor + 1
    )]
    EventsRemoved {
        /// The number up to which they are gone.
        floor: u64,
    },
    /// Search is being filled; nothing of it can be asked before.
    #[error("search is being filled; try again in a moment")]
    SearchFilling,
    /// Search failed.
    #[error("search failed")]
    Search(#[source] search::Error),
    /// An identity from elsewhere is exchanged for nothing.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// What the caller shows is not accepted. Which part of it is wrong is for the log alone.
    #[error("the credentials are not accepted")]
    Unauthenticated(Rejected),
    /// More passwords wait to be checked than the registry lets wait.
    #[error("too many callers are signing in at the same time; try again later")]
    TooManySignIns,
    /// A key that signs short tokens cannot be made, read or used.
    #[error("the signing key failed")]
    SigningKey(#[from] SigningKeyError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// A password cannot be hashed.
    #[error("the password cannot be hashed")]
    Hash(#[from] HashError),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The caller may not do this about people, tokens or the registry itself.
    #[error(transparent)]
    AccountDenied(#[from] AccountDenied),
    /// A rule of the repository keeps a tag where it is.
    #[error(transparent)]
    TagRefused(#[from] TagRefused),
    /// It may be done, and cannot.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The registry runs without accounts.
    #[error("this registry runs without accounts")]
    NoAccounts,
    /// A rule for tags in the index cannot be read.
    #[error("a rule for tags of {0} is damaged")]
    RuleDamaged(RepositoryName, #[source] serde_json::Error),
    /// The disk is full; what was stored before still is.
    #[error("the registry is out of space")]
    OutOfSpace(#[source] storage::Error),
    /// The blob store failed.
    #[error("the blob store failed")]
    Storage(#[source] storage::Error),
    /// The index failed.
    #[error("the index failed")]
    Index(#[from] index::Error),
    /// The index names a blob whose bytes are gone.
    #[error("the bytes of {0} are lost")]
    Lost(Box<Digest>),
    /// Somebody put an older index beside the journal, or took the index away.
    #[error("the index knows {index} events, its recovery journal {journal}: the index is older than the journal")]
    IndexBehind {
        /// The last event in the index.
        index: u64,
        /// The last event in the journal.
        journal: u64,
    },
    /// A folder that something is to be written into holds something already, or lies in the wrong place.
    #[error("{} {problem}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A folder or file of a backup cannot be read or written.
    #[error("cannot access {}", path.display())]
    Files {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A record of the recovery journal makes no sense.
    #[error("a record of the recovery journal cannot be used")]
    Record(#[from] RecordError),
    /// A task of the registry itself ended early.
    #[error("a task of the registry was stopped")]
    Stopped(#[from] tokio::task::JoinError),
}

impl Error {
    /// The code of the distribution API; `None` where the registry itself failed.
    pub fn code(&self) -> Option<ErrorCode> {
        Some(match self {
            Self::BlobUnknown { .. } => ErrorCode::BlobUnknown,
            Self::UploadUnknown(_) => ErrorCode::BlobUploadUnknown,
            Self::UploadBusy(_) | Self::UploadOutOfOrder { .. } => ErrorCode::BlobUploadInvalid,
            Self::ChunkLength { .. } => ErrorCode::SizeInvalid,
            Self::Unauthenticated(_) => ErrorCode::Unauthorized,
            Self::Exchange(error) => return error.code(),
            Self::TooManyUploads | Self::TooManySignIns => ErrorCode::TooManyRequests,
            Self::DigestMismatch { .. } => ErrorCode::DigestInvalid,
            Self::ManifestUnknown { .. } | Self::NoPackage { .. } | Self::NoVersion(_) => ErrorCode::ManifestUnknown,
            Self::ManifestInvalid(_) | Self::PackageInvalid(_) => ErrorCode::ManifestInvalid,
            Self::ManifestBlobUnknown(_) => ErrorCode::ManifestBlobUnknown,
            Self::RepositoryUnknown(_) => ErrorCode::NameUnknown,
            Self::Unreadable(_)
            | Self::Cursor
            | Self::EventsRemoved { .. }
            | Self::Folder { .. }
            | Self::NoAccounts => ErrorCode::Unsupported,
            Self::Refused(refusal) => match refusal.kind() {
                RefusalKind::Missing => ErrorCode::NameUnknown,
                RefusalKind::Conflict => ErrorCode::Denied,
                RefusalKind::Invalid => ErrorCode::Unsupported,
            },
            // No code of the list is about conditions; this one says that the registry could, and does not.
            Self::Denied(_) | Self::AccountDenied(_) | Self::TagRefused(_) | Self::ConditionFailed { .. } => {
                ErrorCode::Denied
            }
            Self::OutOfSpace(_)
            | Self::SearchFilling
            | Self::Search(_)
            | Self::Storage(_)
            | Self::Index(_)
            | Self::Lost(_)
            | Self::RuleDamaged(..)
            | Self::IndexBehind { .. }
            | Self::Record(_)
            | Self::Files { .. }
            | Self::SigningKey(_)
            | Self::Random(_)
            | Self::Hash(_)
            | Self::Stopped(_) => return None,
        })
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::OutOfSpace(_) => Self::OutOfSpace(error),
            storage::Error::DigestMismatch { expected, actual } => Self::DigestMismatch { expected, actual },
            storage::Error::UploadNotFound(id) => Self::UploadUnknown(id),
            storage::Error::UploadBusy(id) => Self::UploadBusy(id),
            storage::Error::NotFound(digest) => Self::Lost(Box::new(digest)),
            other => Self::Storage(other),
        }
    }
}

impl From<search::Error> for Error {
    fn from(error: search::Error) -> Self {
        if matches!(error, search::Error::Cursor) { Self::Cursor } else { Self::Search(error) }
    }
}

impl From<Rejected> for Error {
    fn from(reason: Rejected) -> Self {
        tracing::debug!(%reason, "credentials refused");
        Self::Unauthenticated(reason)
    }
}

fn list(digests: &[Digest]) -> String {
    digests.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a repository holds where it holds no package.
fn instead(kind: Option<&ArtifactKind>) -> String {
    kind.map(|kind| format!(": what is there is of kind {kind}, for `{}`", kind.puller())).unwrap_or_default()
}
