//! What a transfer tells while it goes on; who listens decides how it looks.

use crate::oci::{Descriptor, Digest};

/// How the transfer of one blob ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its bytes were sent or received.
    Transferred,
    /// The registry had it.
    Existing,
    /// The registry took it over from another of its repositories.
    Mounted,
    /// It was on this machine.
    Cached,
}

/// Listens to transfers; several blobs are on their way at once. A blob whose transfer fails never ends.
pub trait Progress: Send + Sync {
    /// A blob begins; `what` is its title or another short name, as the other side wrote it.
    fn begin(&self, blob: &Descriptor, what: &str);
    /// So many bytes of a blob are done, counted from its beginning; fewer than before when it starts over.
    fn advance(&self, digest: &Digest, done: u64);
    /// A blob has ended well.
    fn end(&self, digest: &Digest, how: Outcome);
    /// Something a person may want to know.
    fn note(&self, message: &str);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _blob: &Descriptor, _what: &str) {}
    fn advance(&self, _digest: &Digest, _done: u64) {}
    fn end(&self, _digest: &Digest, _how: Outcome) {}
    fn note(&self, _message: &str) {}
}

/// A short name of a blob: its title, else the end of its media type.
pub(super) fn name_of(blob: &Descriptor) -> &str {
    blob.title().unwrap_or_else(|| match blob.media_type.as_str() {
        config if config.ends_with(".config.v1+json") => "config",
        other => other,
    })
}
