//! Rules for tags: which never move, and who may move the others. Looked at in the transaction that moves them.

use jiff::Timestamp;

use super::Error;
use crate::auth::{Delete, Permit, Push};
use crate::index::Session;
use crate::index::repositories::RepositoryId;
use crate::oci::{Digest, Tag, Target};

/// Makes sure that a push may point its tags where it wants.
pub(super) fn check_push(
    _session: &mut dyn Session,
    _permit: &Permit<Push>,
    _id: RepositoryId,
    _tags: &[Tag],
    _digest: &Digest,
    _now: Timestamp,
) -> Result<(), Error> {
    Ok(())
}

/// Makes sure that a tag, or the tags of a manifest, may be taken away.
pub(super) fn check_deletion(
    _session: &mut dyn Session,
    _permit: &Permit<Delete>,
    _id: RepositoryId,
    _target: &Target,
    _now: Timestamp,
) -> Result<(), Error> {
    Ok(())
}
