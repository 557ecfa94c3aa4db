//! Why the server does not start, or stops.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::ConfigError;
use crate::{index, registry, storage};

/// Why the server does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody's requests are checked, so strangers must not reach it.
    #[error("refusing to listen on {0} without authentication: whoever reaches it could push and delete")]
    Exposed(SocketAddr),
    /// The file with the first administrator's token cannot be used.
    #[error("cannot take the first administrator's token from {}", path.display())]
    AdminToken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("cannot use the data directory {}", path.display())]
    DataDir {
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has the data directory.
    #[error("another process is using the data directory {}", .0.display())]
    Locked(PathBuf),
    /// A newer, or another, program wrote the data directory.
    #[error("the data directory {} has format `{found}`, this program knows `{known}`", path.display())]
    Format {
        /// The directory.
        path: PathBuf,
        /// The format in its `VERSION`.
        found: String,
        /// The format known here.
        known: &'static str,
    },
    /// Certificate or key cannot be read or do not fit.
    #[error("cannot use the certificate or key in {}", path.display())]
    Tls {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Identities from elsewhere cannot be checked.
    #[error("cannot use the issuers of the configuration")]
    Issuers(#[from] super::OidcError),
    /// The blob store cannot be opened.
    #[error("cannot open the blob store")]
    Storage(#[from] storage::Error),
    /// The index cannot be opened.
    #[error("cannot open the index")]
    Index(#[from] index::Error),
    /// The index is gone, but there is a journal to rebuild it from; a new index would hide what the journal knows.
    #[error("the index of the data directory {} is gone, its recovery journal is not", .0.display())]
    IndexLost(PathBuf),
    /// The index is where it should be, so there is nothing to rebuild.
    #[error("the data directory {} has an index", .0.display())]
    IndexPresent(PathBuf),
    /// A folder that is no backup, or one that was not finished.
    #[error("{} holds no finished backup", .0.display())]
    NoBackup(PathBuf),
    /// There is something already where a backup was to be restored.
    #[error("{} is not empty", .0.display())]
    Occupied(PathBuf),
    /// No registry was here.
    #[error("{} is no data directory", .0.display())]
    NoDataDir(PathBuf),
    /// The registry failed outside any request.
    #[error("the registry failed")]
    Registry(#[from] registry::Error),
    /// The server stopped by itself.
    #[error("the server stopped")]
    Stopped(#[source] io::Error),
}

impl Error {
    /// What to do about it, where there is something.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Exposed(address) => {
                format!("leave --insecure-no-auth away, or listen on 127.0.0.1:{}", address.port())
            }
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "something listens there already; choose another address with --listen".to_owned()
            }
            Self::AdminToken { .. } => {
                "the file must hold one access token of this program, or 64 hexadecimal digits".to_owned()
            }
            Self::Locked(_) => "stop the other process, or choose another directory with --data".to_owned(),
            Self::IndexLost(path) => format!("rebuild it with: agent registry reindex --data {}", path.display()),
            Self::IndexPresent(path) => {
                format!("to build it again all the same, move {} away", path.join("index.sqlite").display())
            }
            Self::Occupied(_) => "restore into a new directory".to_owned(),
            Self::Registry(registry::Error::IndexBehind { .. }) => {
                "put the newer index back, or move index.sqlite away and run: agent registry reindex".to_owned()
            }
            Self::Format { .. } => "use the program that wrote it, or another directory with --data".to_owned(),
            _ => return None,
        })
    }
}
