//! An agent package: on disk, and as the parts of an artifact. No network, no terminal.

mod names;
mod summary;
mod version;

pub use names::{MAX_SLUG_LENGTH, slug};
pub use summary::Summary;
pub use version::{Version, VersionError};
