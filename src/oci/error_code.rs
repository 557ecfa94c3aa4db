//! The error codes of the distribution API and the envelope they travel in (distribution-spec, "Error codes").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The fixed list of error codes; a client meets no other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as written on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

error_codes! {
    /// Blob unknown to the registry.
    BlobUnknown = "BLOB_UNKNOWN",
    /// Blob upload is invalid, for example out of order.
    BlobUploadInvalid = "BLOB_UPLOAD_INVALID",
    /// Upload session unknown to the registry.
    BlobUploadUnknown = "BLOB_UPLOAD_UNKNOWN",
    /// Content did not match the digest, or the digest is malformed.
    DigestInvalid = "DIGEST_INVALID",
    /// A manifest names a blob the repository does not have.
    ManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN",
    /// Manifest is malformed or contradicts its content.
    ManifestInvalid = "MANIFEST_INVALID",
    /// Manifest unknown to the registry.
    ManifestUnknown = "MANIFEST_UNKNOWN",
    /// Invalid repository name.
    NameInvalid = "NAME_INVALID",
    /// Repository name not known to the registry.
    NameUnknown = "NAME_UNKNOWN",
    /// Length differs from the content, or is over a limit.
    SizeInvalid = "SIZE_INVALID",
    /// Authentication required.
    Unauthorized = "UNAUTHORIZED",
    /// Access to the resource is denied.
    Denied = "DENIED",
    /// The operation is not supported.
    Unsupported = "UNSUPPORTED",
    /// Too many requests.
    TooManyRequests = "TOOMANYREQUESTS",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(())
    }
}

/// The body of a 4xx or 5xx answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// At least one error.
    pub errors: Vec<ErrorDetail>,
}

/// One error. `code` is text, since a registry of somebody else may send codes of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// One of [`ErrorCode`] from our registry, anything from another.
    pub code: String,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Unstructured data about the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

impl ErrorBody {
    /// An envelope with one error.
    pub fn one(code: ErrorCode, message: impl Into<String>, detail: Option<serde_json::Value>) -> Self {
        Self { errors: vec![ErrorDetail { code: code.as_str().to_owned(), message: message.into(), detail }] }
    }
}
