//! Why an identity from elsewhere is exchanged for nothing.

use crate::auth::{AccountNameError, PublisherMismatch};
use crate::oci::ErrorCode;

/// Why an identity from elsewhere is exchanged for nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Each identity token is exchanged once.
    #[error("the identity token was used before; get a new one")]
    Used,
    /// No publisher fits, though perhaps nearly one.
    #[error("no publisher of this registry fits the run{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NoPublisher(Option<PublisherMismatch>),
    /// Publishers of several repositories fit.
    #[error("publishers of several repositories fit the run; name the `repository` to publish to")]
    Ambiguous,
    /// Nobody linked the identity to a user.
    #[error("this identity signs in no user; an administrator can link it to one: issuer {issuer}, subject {subject}")]
    Stranger {
        /// Who vouches for it.
        issuer: String,
        /// Who it is there.
        subject: String,
    },
    /// The claim that names new users is missing, or no name for one.
    #[error("the claim `{claim}` of the identity token names no user that could be made")]
    Nameless {
        /// The claim.
        claim: String,
        /// Why it is no name.
        source: Option<AccountNameError>,
    },
    /// The name is somebody else's, or nobody may have it.
    #[error("the name `{0}` is taken or reserved; an administrator can link the identity to a user")]
    NameTaken(String),
    /// What is stored of a publisher cannot be read.
    #[error("what is stored of a publisher cannot be used")]
    Rule(#[source] serde_json::Error),
}

impl ExchangeError {
    /// The code of the distribution API; `None` where the registry itself failed.
    pub(super) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Used => Some(ErrorCode::Unauthorized),
            Self::Rule(_) => None,
            _ => Some(ErrorCode::Denied),
        }
    }
}
