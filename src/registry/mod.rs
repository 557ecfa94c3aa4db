//! The domain service: one method a use case. No HTTP and no SQL; every method on a repository takes a permit.

mod authorise;
mod backup;
mod blobs;
mod catalogue;
mod denials;
mod error;
mod journal;
mod leave;
mod lists;
mod manifests;
mod orphans;
mod package_check;
mod readers;
mod rebuild;
mod record;
mod rules;
mod service;
mod sessions;
#[cfg(test)]
mod tests;
mod upload;
mod uploads;

pub use authorise::Mode;
pub use backup::{BackedUp, put_in_place, restore};
pub use blobs::{Blob, Content};
pub use error::Error;
pub use lists::{DEFAULT_LIST_LENGTH, Listed};
pub use manifests::{NewManifest, Pushed};
pub use package_check::MAX_INLINE_CHECK_BYTES;
pub use rebuild::{Loss, Lost, Rebuilt};
pub use record::RecordError;
pub use service::{LEASE, Registry, UPLOAD_LIFETIME};
pub use sessions::{MAX_EMPTY_UPLOADS, MAX_UPLOADS_PER_IDENTITY};
pub use upload::Upload;
