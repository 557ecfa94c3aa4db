//! Manifests: asked for by tag or digest, hashed on arrival, stored by digest with all their tags.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Method, Response};

use super::error::found;
use super::exchange::{Ask, Read, Repeat, refuse_page};
use super::payload::Payload;
use super::scope::Scope;
use super::{Error, Remote};
use crate::oci::{Algorithm, Digest, MAX_MANIFEST_BYTES, Manifest, MediaType, RepositoryName, Route, Tag, Target};

/// The manifest types this client reads.
const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// Tags in one request: registries should take at least these (distribution-spec, "Pushing manifests").
const TAGS_PER_PUT: usize = 10;
/// The digest of what an answer is about.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// The tags a registry has set.
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// What a registry says of a manifest. Nobody has hashed anything: it is good for comparing, not for trusting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The digest.
    pub digest: Digest,
    /// The type.
    pub media_type: Option<MediaType>,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// A manifest on its way into a repository.
struct Put<'a> {
    name: &'a RepositoryName,
    manifest: &'a Manifest,
    /// Only where what it is put to does not exist.
    is_new: bool,
}

impl Remote {
    /// Asks whether a manifest exists, and which one a tag means. `None` when there is none.
    pub async fn head_manifest(&self, name: &RepositoryName, target: &Target) -> Result<Option<Found>, Error> {
        let route = Route::ManifestHead(name.clone(), target.clone());
        let ask = self.ask(&route, Scope::pull(name))?.header(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let response = match found(self.exchange.send(&ask).await) {
            Ok(Some(response)) => response,
            Ok(None) => return Ok(None),
            Err(error) if matches!(error.status(), Some(405 | 501)) => {
                return self.found_by_reading(name, target).await;
            }
            Err(error) => return Err(error),
        };
        refuse_page(&response)?;
        match head_of(&response, target)? {
            Some(found) => Ok(Some(found)),
            None => self.found_by_reading(name, target).await,
        }
    }

    async fn found_by_reading(&self, name: &RepositoryName, target: &Target) -> Result<Option<Found>, Error> {
        Ok(self.manifest(name, target).await?.map(|manifest| Found {
            digest: manifest.digest(),
            media_type: Some(manifest.media_type().clone()),
            size: Some(manifest.bytes().len() as u64),
        }))
    }

    /// Gets a manifest of at most [`MAX_MANIFEST_BYTES`]; its bytes have the digest asked for, and the digest the
    /// registry announces. `None` when there is none.
    pub async fn manifest(&self, name: &RepositoryName, target: &Target) -> Result<Option<Manifest>, Error> {
        let route = Route::ManifestGet(name.clone(), target.clone());
        let ask = self.ask(&route, Scope::pull(name))?.header(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let read = found(self.exchange.read(&ask, "manifest", MAX_MANIFEST_BYTES).await)?;
        read.map(|read| check(read, target)).transpose()
    }

    /// Stores a manifest under its digest and these tags. A registry that does not know tags beside a digest gets a
    /// request for each.
    pub async fn put_manifest(&self, name: &RepositoryName, manifest: &Manifest, tags: &[Tag]) -> Result<(), Error> {
        self.put_all(&Put { name, manifest, is_new: false }, tags).await
    }

    /// As [`Self::put_manifest`], if none of the tags exists. False if the registry says that one does; a registry that
    /// knows no conditions sets them all the same.
    pub async fn put_new_tags(&self, name: &RepositoryName, manifest: &Manifest, tags: &[Tag]) -> Result<bool, Error> {
        match self.put_all(&Put { name, manifest, is_new: true }, tags).await {
            Ok(()) => Ok(true),
            Err(error) if error.status() == Some(412) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn put_all(&self, put: &Put<'_>, tags: &[Tag]) -> Result<(), Error> {
        let by_digest = Target::Digest(put.manifest.digest());
        if tags.is_empty() {
            return self.put(put, by_digest, &[]).await.map(|_| ());
        }
        for tags in tags.chunks(TAGS_PER_PUT) {
            let confirmed = match self.put(put, by_digest.clone(), tags).await {
                Ok(confirmed) => confirmed,
                // 414, 431: the tags are too many for the address, so they go one by one.
                Err(error) if matches!(error.status(), Some(414 | 431)) => vec![],
                Err(error) => return Err(error),
            };
            for tag in tags.iter().filter(|tag| !confirmed.contains(tag)) {
                self.put(put, Target::Tag(tag.clone()), &[]).await?;
            }
        }
        Ok(())
    }

    /// Stores a manifest and gives the tags which the registry says it has set beside the target.
    async fn put(&self, put: &Put<'_>, target: Target, tags: &[Tag]) -> Result<Vec<Tag>, Error> {
        let Put { name, manifest, is_new } = *put;
        let kind = HeaderValue::from_str(manifest.media_type().as_str())
            .map_err(|_| Error::Malformed { what: "type of the manifest" })?;
        let route = Route::ManifestPut(name.clone(), target, tags.to_vec());
        let mut ask = self
            .ask(&route, Scope::push(name))?
            .header(CONTENT_TYPE, kind)
            .payload(Payload::Bytes(manifest.bytes().clone()));
        if is_new {
            ask = ask.header(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        let response = self.exchange.send(&ask).await?;
        refuse_page(&response)?;
        compare(announced(response.headers()), manifest.digest(), "manifest that the registry stored")?;
        let values = response.headers().get_all(OCI_TAG).iter().filter_map(|value| value.to_str().ok());
        Ok(values.flat_map(|value| value.split(',')).filter_map(|tag| tag.trim().parse().ok()).collect())
    }

    /// Deletes a manifest with all its tags, or one tag. False when there was none.
    pub async fn delete_manifest(&self, name: &RepositoryName, target: &Target) -> Result<bool, Error> {
        let route = Route::ManifestDelete(name.clone(), target.clone());
        // Sent again after a lost answer it would report as missing what it has deleted itself.
        let ask = self.ask(&route, Scope::delete(name))?.repeat(Repeat::Unprocessed);
        Ok(found(self.exchange.send(&ask).await)?.is_some())
    }

    pub(super) fn ask(&self, route: &Route, scope: Scope) -> Result<Ask<'static>, Error> {
        let method = Method::from_bytes(route.method().as_str().as_bytes())
            .map_err(|_| Error::Malformed { what: "method of a request" })?;
        Ok(Ask::new(method, self.endpoint().url(&route.path_and_query())?, scope))
    }
}

/// What the head of an answer says; `None` when it names no digest and none was asked for.
fn head_of(response: &Response, target: &Target) -> Result<Option<Found>, Error> {
    let headers = response.headers();
    let announced = announced(headers);
    let digest = match target {
        Target::Digest(expected) => {
            compare(announced, *expected, "manifest")?;
            Some(*expected)
        }
        Target::Tag(_) => announced,
    };
    let size = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(digest.map(|digest| Found { digest, media_type: media_type(headers), size }))
}

fn check(read: Read, target: &Target) -> Result<Manifest, Error> {
    let announced = announced(&read.headers);
    let algorithm = match target {
        Target::Digest(expected) => expected.algorithm(),
        Target::Tag(_) => announced.map_or(Algorithm::Sha256, |digest| digest.algorithm()),
    };
    let found = Digest::of(algorithm, &read.body);
    if let Target::Digest(expected) = target {
        compare(Some(found), *expected, "manifest")?;
    }
    if let Some(announced) = announced {
        // A registry may announce another algorithm than the one asked for.
        compare(Some(hash(&read.body, announced, found)), announced, "manifest")?;
    }
    // Text is what a server calls a file it knows nothing about; the manifest's own field then decides.
    let header = media_type(&read.headers).filter(|kind| *kind != "text/plain");
    Ok(Manifest::parse(read.body, header.as_ref(), algorithm)?)
}

fn hash(body: &Bytes, like: Digest, known: Digest) -> Digest {
    if like.algorithm() == known.algorithm() { known } else { Digest::of(like.algorithm(), body) }
}

fn media_type(headers: &HeaderMap) -> Option<MediaType> {
    headers.get(CONTENT_TYPE).and_then(|value| MediaType::from_header(value.to_str().ok()?).ok())
}

/// The digest an answer names.
pub(super) fn announced(headers: &HeaderMap) -> Option<Digest> {
    headers.get(CONTENT_DIGEST).and_then(|value| value.to_str().ok()?.trim().parse().ok())
}

/// Compares digests of one algorithm; those of different ones cannot be compared.
pub(super) fn compare(found: Option<Digest>, expected: Digest, what: &'static str) -> Result<(), Error> {
    match found {
        Some(found) if found.algorithm() == expected.algorithm() && found != expected => {
            Err(Error::DigestMismatch { what, expected: Box::new(expected), found: Box::new(found) })
        }
        _ => Ok(()),
    }
}
