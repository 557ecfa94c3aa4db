//! Referrers: the manifests about another one.

use super::repositories::{RepositoryId, page};
use super::{Error, Session};
use crate::oci::{Descriptor, Digest, MediaType};

/// Descriptors of the manifests about `subject`, by digest after `after`, at most `limit`; of one type, if given.
pub fn list(
    session: &mut dyn Session,
    repository: RepositoryId,
    subject: &Digest,
    kind: Option<&MediaType>,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<Descriptor>, Error> {
    // Every digest sorts after no bytes.
    let after = after.map_or(super::Value::Bytes(bytes::Bytes::new()), Into::into);
    let rows = match kind {
        None => session.query(
            "SELECT descriptor FROM referrer WHERE repository_id = ?1 AND subject = ?2 AND digest > ?3 \
             ORDER BY digest LIMIT ?4",
            &[repository.into(), subject.into(), after, page(limit)],
        ),
        Some(kind) => session.query(
            "SELECT descriptor FROM referrer WHERE repository_id = ?1 AND subject = ?2 AND digest > ?3 \
             AND artifact_type = ?5 ORDER BY digest LIMIT ?4",
            &[repository.into(), subject.into(), after, page(limit), kind.into()],
        ),
    }?;
    rows.iter().map(|row| Ok(serde_json::from_slice(&row.bytes(0)?)?)).collect()
}
