//! The query string of a request, read into and written from the parts of a route.

use std::fmt::Write as _;

use super::percent::{decode, encode_component};
use super::route::{digest, repository};
use super::{
    DigestError, ErrorCode, MAX_FILTERS_PER_REQUEST, MAX_TAGS_PER_PUT, MediaType, MediaTypeError, Page, RouteError,
    Tag, TagError, UploadStart,
};

/// Longest `last` parameter in bytes: no name or tag is longer.
const MAX_LAST_LENGTH: usize = 512;

/// A decoded query string. Parameters nobody asks for are ignored.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Result<Self, RouteError> {
        let broken = || RouteError::invalid(ErrorCode::Unsupported, "query has a broken percent escape");
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(key, true).ok_or_else(broken)?, decode(value, true).ok_or_else(broken)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn all(&self, key: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn first(&self, key: &'static str) -> Option<&str> {
        self.all(key).next()
    }

    pub(super) fn page(&self) -> Result<Page, RouteError> {
        let invalid = |message: &str| RouteError::invalid(ErrorCode::Unsupported, message);
        let n = match self.first("n") {
            None => None,
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                // More digits than fit mean "all": the server clamps.
                Some(text.parse().unwrap_or(u64::MAX))
            }
            Some(_) => return Err(invalid("the parameter `n` must be a whole number, 0 or more")),
        };
        let last = self.first("last").filter(|last| !last.is_empty()).map(str::to_owned);
        if last.as_ref().is_some_and(|last| last.len() > MAX_LAST_LENGTH) {
            return Err(invalid("the parameter `last` is longer than any name"));
        }
        Ok(Page { n, last })
    }

    pub(super) fn tags(&self) -> Result<Vec<Tag>, RouteError> {
        let mut tags: Vec<Tag> = Vec::new();
        for tag in self.all("tag") {
            let tag = tag
                .parse()
                .map_err(|error: TagError| RouteError::invalid(ErrorCode::ManifestInvalid, error.to_string()))?;
            if !tags.contains(&tag) {
                tags.push(tag);
            }
            if tags.len() > MAX_TAGS_PER_PUT {
                return Err(RouteError::TooLong);
            }
        }
        Ok(tags)
    }

    pub(super) fn artifact_types(&self) -> Result<Vec<MediaType>, RouteError> {
        let types: Vec<_> = self.all("artifactType").filter(|kind| !kind.is_empty()).collect();
        if types.len() > MAX_FILTERS_PER_REQUEST {
            return Err(RouteError::TooLong);
        }
        let parse = |kind: &str| {
            kind.parse().map_err(|error: MediaTypeError| RouteError::invalid(ErrorCode::Unsupported, error.to_string()))
        };
        types.into_iter().map(parse).collect()
    }

    pub(super) fn upload_start(&self) -> Result<UploadStart, RouteError> {
        if let Some(mount) = self.first("mount") {
            let from = self.first("from").filter(|from| !from.is_empty()).map(repository).transpose()?;
            return Ok(UploadStart::Mount(digest(mount)?, from));
        }
        if let Some(whole) = self.first("digest") {
            return Ok(UploadStart::Whole(digest(whole)?));
        }
        let algorithm = self.first("digest-algorithm").map(str::parse).transpose();
        algorithm
            .map(UploadStart::Session)
            .map_err(|error: DigestError| RouteError::invalid(ErrorCode::DigestInvalid, error.to_string()))
    }
}

/// Builds a query string, with its question mark once there is a parameter.
#[derive(Default)]
pub(super) struct QueryWriter(pub(super) String);

impl QueryWriter {
    pub(super) fn add(&mut self, key: &str, value: &str) {
        let sign = if self.0.is_empty() { '?' } else { '&' };
        let _ = write!(self.0, "{sign}{key}={}", encode_component(value));
    }

    pub(super) fn page(&mut self, page: &Page) {
        if let Some(n) = page.n {
            self.add("n", &n.to_string());
        }
        if let Some(last) = &page.last {
            self.add("last", last);
        }
    }

    pub(super) fn upload_start(&mut self, start: &UploadStart) {
        match start {
            UploadStart::Session(None) => {}
            UploadStart::Session(Some(algorithm)) => self.add("digest-algorithm", algorithm.as_str()),
            UploadStart::Whole(digest) => self.add("digest", &digest.to_string()),
            UploadStart::Mount(digest, from) => {
                self.add("mount", &digest.to_string());
                if let Some(from) = from {
                    self.add("from", from.as_str());
                }
            }
        }
    }
}
