//! The vocabulary both ends of the wire speak: digests, names, references, manifests, routes, ranges, error codes.
//!
//! Nothing here does IO, knows a web framework or a database: a value that exists is valid, and raw strings end where
//! these types begin.

mod condition;
mod descriptor;
mod digest;
mod error_code;
mod hasher;
mod manifest;
mod media_type;
mod name;
mod percent;
mod query;
mod range;
mod reference;
mod route;
mod tag;
mod upload_id;

pub use condition::{Conditions, EntityTags, MAX_ENTITY_TAGS};
pub use descriptor::{Descriptor, MAX_DESCRIPTOR_ANNOTATIONS};
pub use digest::{Algorithm, Digest, DigestError};
pub use error_code::{ErrorBody, ErrorCode, ErrorDetail};
pub use hasher::{HashState, HashStateError, Hasher};
pub use manifest::{Edge, EdgeKind, MAX_MANIFEST_BYTES, Manifest, ManifestError, ManifestKind};
pub use media_type::{MediaType, MediaTypeError, known};
pub use name::{MAX_NAME_LENGTH, NameError, RepositoryName};
pub use percent::{decode as percent_decode, encode_component as percent_encode};
pub use range::{ByteRange, ChunkRange, RangeError, Slice};
pub use reference::{Host, Reference, ReferenceError};
pub use route::{MAX_FILTERS_PER_REQUEST, MAX_TAGS_PER_PUT, Method, Page, Route, RouteError, Target, UploadStart};
pub use tag::{MAX_TAG_LENGTH, Tag, TagError};
pub use upload_id::{UploadId, UploadIdError};
