//! The domain service: one method a use case. No HTTP and no SQL; every method on a repository takes a permit.

mod authorise;
mod backup;
mod blobs;
mod catalogue;
mod credentials;
mod denials;
mod error;
mod first_start;
mod journal;
mod last_used;
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
mod sign_in;
mod signing_keys;
#[cfg(test)]
mod tests;
mod upload;
mod uploads;

pub use authorise::Mode;
pub use backup::{BackedUp, put_in_place, restore};
pub use blobs::{Blob, Content};
pub use credentials::{Rejected, Shown};
pub use error::Error;
pub use first_start::FIRST_ADMINISTRATOR;
pub use lists::{DEFAULT_LIST_LENGTH, Listed};
pub use manifests::{NewManifest, Pushed};
pub use package_check::MAX_INLINE_CHECK_BYTES;
pub use rebuild::{Loss, Lost, Rebuilt};
pub use record::RecordError;
pub use service::{LEASE, Registry, UPLOAD_LIFETIME};
pub use sessions::{MAX_EMPTY_UPLOADS, MAX_UPLOADS_PER_IDENTITY};
pub use sign_in::{Issued, REFRESH_TOKEN_LIFE};
pub use upload::Upload;
