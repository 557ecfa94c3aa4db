//! Files that no row names, as a crash between the file and its row leaves them.

use super::{Error, Registry};
use crate::index::blobs;
use crate::oci::Digest;
use crate::storage::{BlobInfo, MAX_LIST_PAGE};

impl Registry {
    /// The blobs in the store of which the index knows nothing. One that is being pushed may be among them for a
    /// moment, so a collector looks again, and at their age, before it takes them away.
    pub async fn orphans(&self) -> Result<Vec<BlobInfo>, Error> {
        let (mut orphans, mut last): (Vec<BlobInfo>, Option<Digest>) = (vec![], None);
        loop {
            let page = self.store.list(last, MAX_LIST_PAGE).await?;
            last = page.last().map(|blob| blob.digest);
            let is_last = page.len() < MAX_LIST_PAGE;
            for blob in page {
                if !self.read(|session| Ok(blobs::is_known(session, &blob.digest)?))? {
                    orphans.push(blob);
                }
            }
            if is_last {
                return Ok(orphans);
            }
        }
    }
}
