//! An agent package: on disk, and as the parts of an artifact. No network, no terminal.

mod names;
mod version;

pub use names::{MAX_SLUG_LENGTH, slug};
pub use version::{Version, VersionError};
