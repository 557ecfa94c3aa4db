//! Which uploads are open: two writers on one upload could change bytes after they were verified.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::Error;
use crate::oci::UploadId;

/// The uploads that have a writer. One process owns a store, so memory is enough.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Arc<Mutex<HashSet<UploadId>>>);

/// The sole right to an upload, until dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    id: UploadId,
}

impl Claims {
    /// Claims an upload, unless somebody else has it.
    pub(super) fn claim(&self, id: UploadId) -> Result<Claim, Error> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        if is_new { Ok(Claim { claims: self.clone(), id }) } else { Err(Error::UploadBusy(id)) }
    }
}

impl Claim {
    /// The upload claimed.
    pub(super) fn id(&self) -> UploadId {
        self.id
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
