//! Blobs out of a repository, whole or in part, and away.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody, SizedStream};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::answers::{IMMUTABLE, conditions, content_digest, entity_tags, etag};
use super::{Call, Failure};
use crate::auth::{Delete, Pull};
use crate::oci::{ByteRange, Digest, RepositoryName, Slice};
use crate::registry::{Blob, Content};
use crate::server::connection::{Outbox, Posted};
use crate::storage::{self, BlobReader};

/// The bytes of a blob.
pub(super) async fn get(call: &Call, name: &RepositoryName, digest: &Digest) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Pull, name)?;
    let conditions = conditions(call.request.headers());
    if conditions.if_none_match.is_some_and(|tags| tags.names(Some(digest))) {
        call.state.registry.blob_size(&permit, digest).await?;
        return Ok(head_of(StatusCode::NOT_MODIFIED, digest).finish());
    }
    let blob = call.state.registry.open_blob(&permit, digest).await?;
    let Some(slice) = wanted(call, digest, blob.size)? else {
        let slice = Slice::whole(blob.size);
        return send(call, head_of(StatusCode::OK, digest), blob, slice);
    };
    let last = slice.offset + slice.length - 1;
    let mut response = head_of(StatusCode::PARTIAL_CONTENT, digest);
    response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{last}/{}", slice.offset, blob.size)));
    send(call, response, blob, slice)
}

/// What [`get`] would answer, without the bytes.
pub(super) async fn head(call: &Call, name: &RepositoryName, digest: &Digest) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Pull, name)?;
    let size = call.state.registry.blob_size(&permit, digest).await?;
    if conditions(call.request.headers()).if_none_match.is_some_and(|tags| tags.names(Some(digest))) {
        return Ok(head_of(StatusCode::NOT_MODIFIED, digest).finish());
    }
    // The length goes into the head; actix sends no body to a HEAD.
    let nothing = stream::empty::<Result<Bytes, storage::Error>>();
    Ok(head_of(StatusCode::OK, digest).body(SizedStream::new(size, nothing)))
}

/// Takes a blob out of a repository.
pub(super) async fn delete(call: &Call, name: &RepositoryName, digest: &Digest) -> Result<HttpResponse, Failure> {
    let permit = call.state.registry.authorise(&call.caller, Delete, name)?;
    call.state.registry.delete_blob(&permit, digest).await?;
    Ok(HttpResponse::Accepted().finish())
}

fn head_of(status: StatusCode, digest: &Digest) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, IMMUTABLE))
        .insert_header(content_digest(digest))
        .insert_header(etag(digest));
    response
}

/// The stretch a request asks for; `None` for all of it.
fn wanted(call: &Call, digest: &Digest, size: u64) -> Result<Option<Slice>, Failure> {
    let headers = call.request.headers();
    let Some(range) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    // A range of what the client had before is of no use to one who has other bytes (RFC 9110, section 13.1.5).
    if entity_tags(headers, &header::IF_RANGE).is_some_and(|tags| !tags.names(Some(digest))) {
        return Ok(None);
    }
    match ByteRange::from_header(range) {
        // A range that cannot be read is ignored (RFC 9110, section 14.2).
        Ok(None) | Err(crate::oci::RangeError::Malformed) => Ok(None),
        Ok(Some(range)) => range.resolve(size).map(Some).map_err(|_| Failure::Range(size)),
        Err(crate::oci::RangeError::Unsatisfiable) => Err(Failure::Range(size)),
    }
}

fn send(call: &Call, mut response: HttpResponseBuilder, blob: Blob, slice: Slice) -> Result<HttpResponse, Failure> {
    match blob.content {
        Content::Inline(bytes) => {
            // Inline content is small: its offsets fit.
            let first = usize::try_from(slice.offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = first.saturating_add(usize::try_from(slice.length).unwrap_or(usize::MAX)).min(bytes.len());
            Ok(response.body(bytes.slice(first..end)))
        }
        Content::Stored(mut reader) => {
            reader.select(slice).map_err(crate::registry::Error::from)?;
            Ok(match (reader.file(), call.request.conn_data::<Outbox>()) {
                // The body yields no byte, so the head must tell the length by itself.
                (Some(file), Some(outbox)) => {
                    response.no_chunking(slice.length).body(FileBody(outbox.post(file, slice)))
                }
                _ => response.body(SizedStream::new(slice.length, chunks(reader))),
            })
        }
    }
}

/// A body that the connection sends by itself.
struct FileBody(Posted);

impl MessageBody for FileBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.get_mut().0.poll_sent(context).map(|()| None)
    }
}

/// A reader as a stream. An error in the middle breaks the connection off, which tells the client that bytes lack.
fn chunks(reader: Box<dyn BlobReader>) -> impl Stream<Item = Result<Bytes, storage::Error>> + 'static {
    stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next_chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "reading a blob broke off");
                Some((Err(error), None))
            }
        }
    })
}
