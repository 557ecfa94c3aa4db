//! What a caller may know of, as a condition on repositories.

use super::{Error, Value};
use crate::auth::Sight;
use crate::oci::RepositoryName;

/// The condition that repository `r` is in sight. Parameters 1 to 3 are those of [`parameters`].
///
/// The lists do not depend on the row, so that each is read once a statement, and only if a row gets as far as it.
macro_rules! in_sight {
    () => {
        "(r.visibility = 3 \
         OR r.namespace IN (SELECT s.name FROM account s WHERE s.name = ?1 AND s.freed_at IS NULL \
         AND s.removed_at IS NULL AND s.kind = 1) \
         OR (r.visibility = 2 AND r.namespace IN (SELECT o.name FROM account s CROSS JOIN member m \
         CROSS JOIN account o WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND m.user_id = s.id AND o.id = m.organisation_id AND o.removed_at IS NULL)) \
         OR r.namespace IN (SELECT o.name FROM account s CROSS JOIN member m \
         CROSS JOIN account o WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND m.user_id = s.id AND m.role = 2 AND o.id = m.organisation_id AND o.removed_at IS NULL) \
         OR r.namespace IN (SELECT o.name FROM account s CROSS JOIN team_member tm CROSS JOIN team t \
         CROSS JOIN account o WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND tm.user_id = s.id AND t.id = tm.team_id AND t.role IS NOT NULL AND t.removed_at IS NULL \
         AND o.id = t.organisation_id AND o.removed_at IS NULL) \
         OR r.id IN (SELECT g.repository_id FROM account s CROSS JOIN access_grant g \
         WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND g.grantee_kind = 1 AND g.grantee_id = s.id AND (g.expires_at IS NULL OR g.expires_at > ?3)) \
         OR r.id IN (SELECT g.repository_id FROM account s CROSS JOIN team_member tm CROSS JOIN team t \
         CROSS JOIN account o CROSS JOIN access_grant g \
         WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND tm.user_id = s.id AND t.id = tm.team_id AND t.removed_at IS NULL \
         AND o.id = t.organisation_id AND o.removed_at IS NULL AND g.grantee_kind = 2 AND g.grantee_id = t.id \
         AND (g.expires_at IS NULL OR g.expires_at > ?3)) \
         OR r.id IN (SELECT g.repository_id FROM account s CROSS JOIN member m CROSS JOIN account o \
         CROSS JOIN access_grant g WHERE s.name = ?1 AND s.freed_at IS NULL AND s.removed_at IS NULL AND s.kind = 1 \
         AND m.user_id = s.id AND o.id = m.organisation_id AND o.removed_at IS NULL \
         AND g.grantee_kind = 1 AND g.grantee_id = o.id AND (g.expires_at IS NULL OR g.expires_at > ?3)) \
         OR r.name IN (SELECT p.repository FROM publisher p WHERE p.id = ?2))"
    };
}
pub(super) use in_sight;

/// The first parameters of a statement with the condition: who looks. Time is the third.
pub(super) fn viewer(sight: &Sight) -> (Value, Value) {
    super::access::viewer(sight.identity())
}

/// Reads on until `limit` entries are of repositories that the caller's credential reaches, or there are no more.
pub(super) fn within_reach<T, C>(
    is_reached: impl Fn(&RepositoryName) -> bool,
    limit: usize,
    start: C,
    mut read: impl FnMut(&C) -> Result<Vec<T>, Error>,
    place: impl Fn(&T) -> (&RepositoryName, C),
) -> Result<Vec<T>, Error> {
    let (mut found, mut after) = (vec![], start);
    loop {
        let rows = read(&after)?;
        let is_last = rows.len() < limit;
        if let Some(last) = rows.last() {
            after = place(last).1;
        }
        found.extend(rows.into_iter().filter(|row| is_reached(place(row).0)));
        if is_last || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
    }
}
