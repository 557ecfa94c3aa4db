//! Every endpoint of the distribution API as a value: read from a request by the server, written into a URL by the
//! client, and the key of dispatch, permission, metrics and audit.

use std::fmt::Write as _;

use super::percent::decode;
use super::query::{Query, QueryWriter};
use super::{
    Algorithm, Digest, DigestError, ErrorCode, MediaType, NameError, RepositoryName, Tag, TagError, UploadId,
    UploadIdError,
};

/// Most `tag` parameters one manifest PUT may carry; the specification asks for at least 10.
pub const MAX_TAGS_PER_PUT: usize = 64;
/// Most `artifactType` parameters one referrers request may carry.
pub const MAX_FILTERS_PER_REQUEST: usize = 16;
/// Longest path and query that are read, in bytes.
const MAX_URL_LENGTH: usize = 16 * 1024;
/// How something that can only be read is asked for. A HEAD is the GET without its body (RFC 9110, section 9.3.2).
const READING: &[Method] = &[Method::Get, Method::Head];

/// The request methods the API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the methods of RFC 9110 by their names")]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// The method as written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads a method; `None` for those the API does not use.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Get, Self::Head, Self::Put, Self::Post, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// What a manifest is asked for by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A tag: whatever it points at now.
    Tag(Tag),
    /// A digest: exactly these bytes.
    Digest(Digest),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// A page of a list: after which entry, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Most entries wanted; the server may give fewer. None: as many as the server likes.
    pub n: Option<u64>,
    /// The entry after which the page begins. It need not exist.
    pub last: Option<String>,
}

/// How an upload begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadStart {
    /// An open session, hashed with the given algorithm if the client says which.
    Session(Option<Algorithm>),
    /// The whole blob in the body of the request.
    Whole(Digest),
    /// A blob that is already in another repository; without `from` any the caller may read.
    Mount(Digest, Option<RepositoryName>),
}

/// One request of the distribution API (distribution-spec, "Endpoints"; the number is the spec's).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// end-1: is this a registry?
    Ping,
    /// `_catalog`: the repositories.
    Catalog(Page),
    /// end-8: a repository's tags.
    Tags(RepositoryName, Page),
    /// end-3, GET.
    ManifestGet(RepositoryName, Target),
    /// end-3, HEAD.
    ManifestHead(RepositoryName, Target),
    /// end-7: store a manifest, with further tags when it goes by digest.
    ManifestPut(RepositoryName, Target, Vec<Tag>),
    /// end-9.
    ManifestDelete(RepositoryName, Target),
    /// end-2, GET.
    BlobGet(RepositoryName, Digest),
    /// end-2, HEAD.
    BlobHead(RepositoryName, Digest),
    /// end-10.
    BlobDelete(RepositoryName, Digest),
    /// end-4 and end-11: begin an upload.
    UploadStart(RepositoryName, UploadStart),
    /// end-13: how far is the upload?
    UploadStatus(RepositoryName, UploadId),
    /// end-5: more bytes.
    UploadChunk(RepositoryName, UploadId),
    /// end-6: the last bytes, if any, and the digest of them all.
    UploadFinish(RepositoryName, UploadId, Digest),
    /// end-14: give the upload up.
    UploadCancel(RepositoryName, UploadId),
    /// end-12: what is about this manifest, optionally of these types only.
    Referrers(RepositoryName, Digest, Vec<MediaType>, Page),
}

/// Why a request is none of the API's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No endpoint has this path.
    #[error("there is no such endpoint")]
    NotFound,
    /// The endpoint exists, with other methods.
    #[error("method is not allowed here, use {}", .0.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", "))]
    MethodNotAllowed(Vec<Method>),
    /// A part of the path or the query is invalid.
    #[error("{message}")]
    Invalid {
        /// The code to answer with.
        code: ErrorCode,
        /// What is wrong, for people.
        message: String,
    },
    /// Over [`MAX_TAGS_PER_PUT`] tags, or a longer URL than is read: answer 414.
    #[error("request has too many parameters or is too long; at most {MAX_TAGS_PER_PUT} tags go in one request")]
    TooLong,
}

impl RouteError {
    pub(super) fn invalid(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Invalid { code, message: message.into() }
    }
}

/// Writes each label once: into the match, which has to name every route, and into the list of all.
macro_rules! labels {
    ($($route:pat => $label:literal,)+) => {
        /// Every label there is.
        pub const LABELS: &[&str] = &[$($label),+];

        /// A short constant name, fit as a metrics label.
        pub fn label(&self) -> &'static str {
            match self {
                $($route => $label,)+
            }
        }
    };
}

impl Route {
    /// Reads a request's method, path and query string (both as sent, without `?`).
    pub fn parse(method: Method, path: &str, query: &str) -> Result<Self, RouteError> {
        if path.len() + query.len() > MAX_URL_LENGTH {
            return Err(RouteError::TooLong);
        }
        let path = clean_path(path)?;
        let rest = path.strip_prefix("/v2").ok_or(RouteError::NotFound)?;
        let query = Query::parse(query)?;
        match rest {
            "" | "/" => only(method, READING).map(|()| Self::Ping),
            "/_catalog" => {
                only(method, READING)?;
                Ok(Self::Catalog(query.page()?))
            }
            _ => Self::within_repository(method, rest.strip_prefix('/').ok_or(RouteError::NotFound)?, &query),
        }
    }

    fn within_repository(method: Method, rest: &str, query: &Query) -> Result<Self, RouteError> {
        // The last segments decide; what stands before them is the name, which may hold any component.
        if let Some(name) = rest.strip_suffix("/tags/list") {
            only(method, READING)?;
            return Ok(Self::Tags(repository(name)?, query.page()?));
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads").or_else(|| rest.strip_suffix("/blobs/uploads/")) {
            only(method, &[Method::Post])?;
            return Ok(Self::UploadStart(repository(name)?, query.upload_start()?));
        }
        let (head, last) = rest.rsplit_once('/').ok_or(RouteError::NotFound)?;
        if let Some(name) = head.strip_suffix("/blobs/uploads") {
            return Self::upload(method, repository(name)?, last, query);
        }
        if let Some(name) = head.strip_suffix("/manifests") {
            return Self::manifest(method, repository(name)?, last, query);
        }
        if let Some(name) = head.strip_suffix("/blobs") {
            return Self::blob(method, repository(name)?, last);
        }
        if let Some(name) = head.strip_suffix("/referrers") {
            only(method, READING)?;
            return Ok(Self::Referrers(repository(name)?, digest(last)?, query.artifact_types()?, query.page()?));
        }
        Err(RouteError::NotFound)
    }

    fn manifest(method: Method, name: RepositoryName, last: &str, query: &Query) -> Result<Self, RouteError> {
        only(method, &[Method::Get, Method::Head, Method::Put, Method::Delete])?;
        let target = if last.contains(':') {
            Target::Digest(digest(last)?)
        } else {
            // An impossible tag is a manifest that does not exist, except where it would be made.
            let code = if method == Method::Put { ErrorCode::ManifestInvalid } else { ErrorCode::ManifestUnknown };
            Target::Tag(last.parse().map_err(|error: TagError| RouteError::invalid(code, error.to_string()))?)
        };
        Ok(match method {
            Method::Get => Self::ManifestGet(name, target),
            Method::Head => Self::ManifestHead(name, target),
            Method::Delete => Self::ManifestDelete(name, target),
            _ => Self::ManifestPut(name, target, query.tags()?),
        })
    }

    fn blob(method: Method, name: RepositoryName, last: &str) -> Result<Self, RouteError> {
        only(method, &[Method::Get, Method::Head, Method::Delete])?;
        let digest = digest(last)?;
        Ok(match method {
            Method::Get => Self::BlobGet(name, digest),
            Method::Head => Self::BlobHead(name, digest),
            _ => Self::BlobDelete(name, digest),
        })
    }

    fn upload(method: Method, name: RepositoryName, last: &str, query: &Query) -> Result<Self, RouteError> {
        only(method, &[Method::Get, Method::Head, Method::Patch, Method::Put, Method::Delete])?;
        let id = last
            .parse()
            .map_err(|error: UploadIdError| RouteError::invalid(ErrorCode::BlobUploadUnknown, error.to_string()))?;
        Ok(match method {
            Method::Get | Method::Head => Self::UploadStatus(name, id),
            Method::Patch => Self::UploadChunk(name, id),
            Method::Delete => Self::UploadCancel(name, id),
            _ => {
                let missing = || RouteError::invalid(ErrorCode::DigestInvalid, "the parameter `digest` is missing");
                Self::UploadFinish(name, id, digest(query.first("digest").ok_or_else(missing)?)?)
            }
        })
    }

    /// The repository the request is about; none for [`Route::Ping`] and [`Route::Catalog`].
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Ping | Self::Catalog(_) => None,
            Self::Tags(name, ..)
            | Self::ManifestGet(name, ..)
            | Self::ManifestHead(name, ..)
            | Self::ManifestPut(name, ..)
            | Self::ManifestDelete(name, ..)
            | Self::BlobGet(name, ..)
            | Self::BlobHead(name, ..)
            | Self::BlobDelete(name, ..)
            | Self::UploadStart(name, ..)
            | Self::UploadStatus(name, ..)
            | Self::UploadChunk(name, ..)
            | Self::UploadFinish(name, ..)
            | Self::UploadCancel(name, ..)
            | Self::Referrers(name, ..) => Some(name),
        }
    }

    labels! {
        Self::Ping => "ping",
        Self::Catalog(_) => "catalog",
        Self::Tags(..) => "tags",
        Self::ManifestGet(..) => "manifest_get",
        Self::ManifestHead(..) => "manifest_head",
        Self::ManifestPut(..) => "manifest_put",
        Self::ManifestDelete(..) => "manifest_delete",
        Self::BlobGet(..) => "blob_get",
        Self::BlobHead(..) => "blob_head",
        Self::BlobDelete(..) => "blob_delete",
        Self::UploadStart(..) => "upload_start",
        Self::UploadStatus(..) => "upload_status",
        Self::UploadChunk(..) => "upload_chunk",
        Self::UploadFinish(..) => "upload_finish",
        Self::UploadCancel(..) => "upload_cancel",
        Self::Referrers(..) => "referrers",
    }

    /// The method a client sends.
    pub fn method(&self) -> Method {
        match self {
            Self::ManifestHead(..) | Self::BlobHead(..) => Method::Head,
            Self::ManifestPut(..) | Self::UploadFinish(..) => Method::Put,
            Self::UploadStart(..) => Method::Post,
            Self::UploadChunk(..) => Method::Patch,
            Self::ManifestDelete(..) | Self::BlobDelete(..) | Self::UploadCancel(..) => Method::Delete,
            _ => Method::Get,
        }
    }

    /// Path and query as a client sends them; [`Route::parse`] of it gives this route again.
    pub fn path_and_query(&self) -> String {
        let mut url = match self.repository() {
            Some(name) => format!("/v2/{name}"),
            None => "/v2".to_owned(),
        };
        let mut query = QueryWriter::default();
        match self {
            Self::Ping => url.push('/'),
            Self::Catalog(page) => {
                url.push_str("/_catalog");
                query.page(page);
            }
            Self::Tags(_, page) => {
                url.push_str("/tags/list");
                query.page(page);
            }
            Self::ManifestGet(_, target) | Self::ManifestHead(_, target) | Self::ManifestDelete(_, target) => {
                let _ = write!(url, "/manifests/{target}");
            }
            Self::ManifestPut(_, target, tags) => {
                let _ = write!(url, "/manifests/{target}");
                for tag in tags {
                    query.add("tag", tag.as_str());
                }
            }
            Self::BlobGet(_, digest) | Self::BlobHead(_, digest) | Self::BlobDelete(_, digest) => {
                let _ = write!(url, "/blobs/{digest}");
            }
            Self::UploadStart(_, start) => {
                url.push_str("/blobs/uploads/");
                query.upload_start(start);
            }
            Self::UploadStatus(_, id) | Self::UploadChunk(_, id) | Self::UploadCancel(_, id) => {
                let _ = write!(url, "/blobs/uploads/{id}");
            }
            Self::UploadFinish(_, id, digest) => {
                let _ = write!(url, "/blobs/uploads/{id}");
                query.add("digest", &digest.to_string());
            }
            Self::Referrers(_, digest, types, page) => {
                let _ = write!(url, "/referrers/{digest}");
                for kind in types {
                    query.add("artifactType", kind.as_str());
                }
                query.page(page);
            }
        }
        url + &query.0
    }
}

/// Decodes the path; what decoding would turn into another path is refused.
fn clean_path(path: &str) -> Result<String, RouteError> {
    let bad = |what: &str| RouteError::invalid(ErrorCode::NameInvalid, format!("path {what}"));
    if !path.contains('%') {
        return Ok(path.to_owned());
    }
    let decoded = decode(path, false).ok_or_else(|| bad("has a broken percent escape"))?;
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if decoded.chars().any(char::is_control) || slashes(&decoded) != slashes(path) {
        return Err(bad("hides a slash or a control character in a percent escape"));
    }
    Ok(decoded)
}

fn only(method: Method, allowed: &[Method]) -> Result<(), RouteError> {
    if allowed.contains(&method) { Ok(()) } else { Err(RouteError::MethodNotAllowed(allowed.to_vec())) }
}

pub(super) fn repository(name: &str) -> Result<RepositoryName, RouteError> {
    name.parse().map_err(|error: NameError| RouteError::invalid(ErrorCode::NameInvalid, error.to_string()))
}

pub(super) fn digest(text: &str) -> Result<Digest, RouteError> {
    text.parse().map_err(|error: DigestError| RouteError::invalid(ErrorCode::DigestInvalid, error.to_string()))
}
