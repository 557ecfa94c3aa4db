//! An agent's way to and from a registry: push, pull, the local store and the cache.

mod blob_folder;
mod blocking;
mod cache;
#[cfg(test)]
mod cache_tests;
mod catalogue;
#[cfg(test)]
mod catalogue_tests;
mod describe;
mod download;
mod error;
#[cfg(test)]
mod fixture;
mod follow;
#[cfg(test)]
mod follow_tests;
mod layout_index;
mod list;
mod needed_blobs;
mod partial;
#[cfg(test)]
mod partial_tests;
mod progress;
mod pull;
#[cfg(test)]
mod pull_tests;
mod push;
mod push_tags;
mod resolve;
mod selector;
mod store;
#[cfg(test)]
mod store_tests;
mod target;
#[cfg(test)]
mod target_tests;
mod unchanged;
mod upload;

pub use cache::Cache;
pub use catalogue::Catalogue;
pub use describe::{Described, describe};
pub use error::{Error, system_error, system_hint};
pub use follow::{Follow, Followed, Since, Wanted};
pub use list::list;
pub use progress::{Outcome, Progress, Silent};
pub use pull::{PullReport, PullRequest, PullState, pull};
pub use push::{PushReport, PushRequest, PushStoredRequest, push, push_stored};
pub use resolve::{resolve, resolve_in};
pub use selector::{Ranged, Selector};
pub use store::{Removed, Store, StoreEntry};
pub use unchanged::find_unchanged;
