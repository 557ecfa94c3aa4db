//! Referrers: the manifests about another one.

use super::repositories::{RepositoryId, page};
use super::{Error, Session, Value};
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
    let after = after.map_or(Value::Bytes(bytes::Bytes::new()), Into::into);
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

/// Whether somebody has signed a manifest, by its referrers or by the tag under which signatures were kept before there
/// were any. Nothing is verified.
pub fn is_signed(session: &mut dyn Session, repository: RepositoryId, digest: &Digest) -> Result<bool, Error> {
    // The types of signatures by cosign, sigstore and notation, each with every ending.
    let row = session.first(
        "SELECT 1 FROM referrer WHERE repository_id = ?1 AND subject = ?2 AND ( \
         (artifact_type >= 'application/vnd.cncf.notary.signature' \
         AND artifact_type < 'application/vnd.cncf.notary.signaturf') \
         OR (artifact_type >= 'application/vnd.dev.cosign.artifact.sig.' \
         AND artifact_type < 'application/vnd.dev.cosign.artifact.sig/') \
         OR (artifact_type >= 'application/vnd.dev.cosign.simplesigning.' \
         AND artifact_type < 'application/vnd.dev.cosign.simplesigning/') \
         OR (artifact_type >= 'application/vnd.dev.sigstore.bundle' \
         AND artifact_type < 'application/vnd.dev.sigstore.bundlf')) \
         UNION ALL SELECT 1 FROM tag WHERE repository_id = ?1 AND name = ?3 LIMIT 1",
        &[repository.into(), digest.into(), Value::Text(format!("{}-{}.sig", digest.algorithm(), digest.hex()))],
    )?;
    Ok(row.is_some())
}
