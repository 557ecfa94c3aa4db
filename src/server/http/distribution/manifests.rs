//! Manifests in, out and away.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};

use super::answers::{IMMUTABLE, conditions, content_digest, etag, location, warning, warnings};
use super::{Call, Failure};
use crate::api::Notice;
use crate::auth::{Delete, Pull, Push};
use crate::oci::{MAX_MANIFEST_BYTES, MediaType, RepositoryName, Route, Tag, Target};
use crate::registry::{NewManifest, Told};

/// The manifest a pushed one is about (distribution-spec, "Pushing manifests with subject").
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// A tag that the push has set (distribution-spec, "Pushing manifests", tag parameters).
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// The bytes of a manifest; to a HEAD the same head.
pub(super) async fn get(call: &Call, name: &RepositoryName, target: &Target) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Pull, name)?;
    let stored = call.state.registry.manifest(&permit, target).await?;
    let is_known =
        conditions(call.request.headers()).if_none_match.is_some_and(|tags| tags.names(Some(&stored.digest)));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(content_digest(&stored.digest)).insert_header(etag(&stored.digest));
    let told = call.state.registry.told_of(&permit, target, &stored).await?;
    for warning in warnings(told.iter().flat_map(|told| sentences(name, told))) {
        response.append_header(warning);
    }
    if !told.is_empty() {
        // The bytes never change, but what is said of them does.
        response.insert_header((header::CACHE_CONTROL, "no-cache"));
    } else if matches!(target, Target::Digest(_)) {
        response.insert_header((header::CACHE_CONTROL, IMMUTABLE));
    }
    if is_known {
        return Ok(response.finish());
    }
    if call.request.method() == Method::GET {
        call.state.registry.note_pull(&permit, &stored);
    }
    Ok(response.insert_header((header::CONTENT_TYPE, stored.media_type.as_str())).body(stored.bytes))
}

/// What a warning says of a version or package.
fn sentences(name: &RepositoryName, told: &Told) -> Vec<String> {
    let what = told.version.as_ref().map_or_else(|| name.to_string(), |version| format!("version {version} of {name}"));
    let said = [(&told.state.yanked, "was yanked"), (&told.state.deprecated, "is deprecated")];
    let sentence = |(notice, verb): (&Option<Notice>, &str)| {
        let notice = notice.as_ref()?;
        let why = if notice.message.is_empty() { String::new() } else { format!(": {}", notice.message) };
        let instead = notice.superseded_by.as_ref().map_or_else(String::new, |other| format!("; use {other} instead"));
        Some(format!("{what} {verb}{why}{instead}"))
    };
    said.into_iter().filter_map(sentence).collect()
}

/// Stores a manifest and sets its tags.
pub(super) async fn put(
    mut call: Call,
    name: &RepositoryName,
    target: &Target,
    tags: &[Tag],
) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, name)?;
    let media_type = media_type(&call)?;
    let bytes = call.body.whole(MAX_MANIFEST_BYTES).await?;
    let conditions = conditions(call.request.headers());
    let new = NewManifest { bytes, media_type: media_type.as_ref(), target, tags, conditions: &conditions };
    let pushed = call.state.registry.put_manifest(&permit, new).await?;
    let mut response = HttpResponse::Created();
    response
        .insert_header(location(&Route::ManifestGet(name.clone(), Target::Digest(pushed.digest))))
        .insert_header(content_digest(&pushed.digest));
    if let Some(subject) = pushed.subject {
        response.insert_header((SUBJECT, subject.to_string()));
    }
    if matches!(target, Target::Digest(_)) || !tags.is_empty() {
        for tag in &pushed.tags {
            response.append_header((TAG, tag.as_str()));
        }
    }
    if let Some(first) = pushed.missing.first() {
        let count = pushed.missing.len();
        response
            .insert_header(warning(&format!("the repository lacks blobs of this manifest: {count}, {first} first")));
    }
    Ok(response.finish())
}

/// Takes a manifest away with its tags, or a tag alone.
pub(super) async fn delete(call: &Call, name: &RepositoryName, target: &Target) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Delete, name)?;
    call.state.registry.delete_manifest(&permit, target).await?;
    Ok(HttpResponse::Accepted().finish())
}

fn media_type(call: &Call) -> Result<Option<MediaType>, Failure> {
    let Some(value) = call.request.headers().get(header::CONTENT_TYPE) else { return Ok(None) };
    Ok(Some(MediaType::from_header(&String::from_utf8_lossy(value.as_bytes()))?))
}
