//! Blobs into a repository: in one request, in a session of chunks, or mounted from another repository.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, rt};

use super::answers::{content_digest, location};
use super::{Call, Failure};
use crate::auth::{Permit, Pull, Push, Reason};
use crate::oci::{ChunkRange, Digest, RangeError, RepositoryName, Route, UploadId, UploadStart};
use crate::registry::{Error, Upload};
use crate::server::http::body::Body;

/// Begins an upload, or ends it at once where the blob comes along or is here already.
pub(super) async fn start(call: Call, name: &RepositoryName, start: UploadStart) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, name)?;
    let algorithm = match start {
        UploadStart::Session(algorithm) => algorithm,
        UploadStart::Whole(digest) => {
            receive(call, &permit, &digest).await?;
            return Ok(stored(name, &digest));
        }
        UploadStart::Mount(digest, from) => {
            if mount(&call, &permit, from.as_ref(), &digest).await? {
                return Ok(stored(name, &digest));
            }
            Some(digest.algorithm())
        }
    };
    let id = call.state.registry.begin_upload(&permit, algorithm).await?;
    Ok(session(StatusCode::ACCEPTED, name, &id, 0).finish())
}

/// How far a session is.
pub(super) async fn status(call: &Call, name: &RepositoryName, id: &UploadId) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, name)?;
    let offset = call.state.registry.upload_offset(&permit, id).await?;
    Ok(session(StatusCode::NO_CONTENT, name, id, offset).finish())
}

/// Adds bytes to a session.
pub(super) async fn chunk(call: Call, name: RepositoryName, id: UploadId) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, &name)?;
    // A task of its own: when the client goes away in the middle, what came is made durable all the same.
    let task = async move {
        let offset = append(call, &permit, &id).await?;
        Ok::<_, Failure>(session(StatusCode::ACCEPTED, &name, &id, offset).finish())
    };
    rt::spawn(task).await?
}

/// Ends a session, with its last bytes or without any. Where these break off, the session stands where it stood: a PUT
/// may be sent again as it was, and clients do that.
pub(super) async fn finish(
    mut call: Call,
    name: RepositoryName,
    id: UploadId,
    digest: Digest,
) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, &name)?;
    let task = async move {
        let range = chunk_range(&call)?;
        let mut upload = call.state.registry.open_upload(&permit, &id, range).await?;
        fill(&mut upload, &mut call.body, range).await?;
        upload.finish(&digest).await?;
        Ok::<_, Failure>(stored(&name, &digest))
    };
    rt::spawn(task).await?
}

/// Gives a session up.
pub(super) async fn cancel(call: &Call, name: &RepositoryName, id: &UploadId) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Push, name)?;
    call.state.registry.cancel_upload(&permit, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn receive(mut call: Call, permit: &Permit<Push>, digest: &Digest) -> Result<(), Failure> {
    let mut upload = call.state.registry.receive_blob(permit, digest.algorithm()).await?;
    if let Err(failure) = fill(&mut upload, &mut call.body, None).await {
        upload.cancel().await?;
        return Err(failure);
    }
    Ok(upload.finish(digest).await?)
}

async fn mount(
    call: &Call,
    into: &Permit<Push>,
    from: Option<&RepositoryName>,
    digest: &Digest,
) -> Result<bool, Failure> {
    let registry = &call.state.registry;
    let Some(from) = from else {
        if registry.mount_any(into, &call.caller, digest).await? {
            return Ok(true);
        }
        let elsewhere = registry.mountable_elsewhere(&call.caller, digest).await?;
        return elsewhere.map_or(Ok(false), |from| Err(Failure::MountFrom(from)));
    };
    match registry.authorise(&call.caller, Pull, from) {
        Ok(from) => Ok(registry.mount(into, &from, digest).await?),
        // The caller might, and only lacks a token that says so: clients get one and come back.
        Err(Error::Denied(denied)) if denied.reason == Reason::Claims => Err(Failure::MountFrom(denied.repository)),
        // As if the blob were not there, which the caller may not know.
        Err(Error::Denied(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Takes a chunk into its session; answers how far it is. A body that breaks off leaves what came; a chunk that is not
/// what its range says leaves nothing.
async fn append(mut call: Call, permit: &Permit<Push>, id: &UploadId) -> Result<u64, Failure> {
    let range = chunk_range(&call)?;
    let mut upload = call.state.registry.open_upload(permit, id, range).await?;
    match fill(&mut upload, &mut call.body, range).await {
        Ok(()) => Ok(upload.pause().await?),
        Err(Failure::Body(error)) => {
            upload.pause().await?;
            Err(error.into())
        }
        Err(failure) => Err(failure),
    }
}

async fn fill(upload: &mut Upload, body: &mut Body, range: Option<ChunkRange>) -> Result<(), Failure> {
    let mut found = 0;
    let expected = range.map(ChunkRange::length);
    while let Some(chunk) = body.next().await? {
        found += chunk.len() as u64;
        if let Some(expected) = expected.filter(|expected| found > *expected) {
            return Err(Error::ChunkLength { expected, found }.into());
        }
        upload.write(chunk).await?;
    }
    match expected {
        Some(expected) if expected != found => Err(Error::ChunkLength { expected, found }.into()),
        _ => Ok(()),
    }
}

fn chunk_range(call: &Call) -> Result<Option<ChunkRange>, RangeError> {
    let Some(value) = call.request.headers().get(header::CONTENT_RANGE) else { return Ok(None) };
    value.to_str().map_err(|_| RangeError::Malformed)?.parse().map(Some)
}

fn session(status: StatusCode, name: &RepositoryName, id: &UploadId, offset: u64) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    // The last byte received, inclusive; nothing received has no other form than one byte has.
    response
        .insert_header(location(&Route::UploadStatus(name.clone(), *id)))
        .insert_header((header::RANGE, format!("0-{}", offset.saturating_sub(1))))
        .insert_header(("docker-upload-uuid", id.to_string()));
    response
}

fn stored(name: &RepositoryName, digest: &Digest) -> HttpResponse {
    HttpResponse::Created()
        .insert_header(location(&Route::BlobGet(name.clone(), *digest)))
        .insert_header(content_digest(digest))
        .finish()
}
