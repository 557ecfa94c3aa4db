//! What a caller may see, read at once: the same as `sight.rs` decides row by row, for whoever looks at many rows.

use jiff::Timestamp;

use super::repositories::RepositoryId;
use super::{Error, Row, Session, access};
use crate::auth::{Identity, Visibility};

/// What somebody who is no administrator may see beside what is public. A credential may narrow it further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Namespaces of which they see everything: their own, and those of organisations that they own or that a team with
    /// a role takes them into.
    pub namespaces: Vec<String>,
    /// Organisations they belong to, whose members see more than strangers.
    pub organisations: Vec<String>,
    /// Repositories they were given, in order.
    pub repositories: Vec<RepositoryId>,
    /// When this may be true no longer although the access generation has not moved.
    pub until: Option<Timestamp>,
}

impl Seen {
    /// Whether they see a repository.
    pub fn sees(&self, id: RepositoryId, namespace: &str, visibility: Visibility) -> bool {
        let is_in = |names: &[String]| names.iter().any(|name| name == namespace);
        visibility == Visibility::Public
            || is_in(&self.namespaces)
            || (visibility == Visibility::Org && is_in(&self.organisations))
            || self.repositories.binary_search(&id).is_ok()
    }
}

/// What somebody sees at a moment. The time grows with what they belong to and were given.
pub fn seen(session: &mut dyn Session, identity: &Identity, now: Timestamp) -> Result<Seen, Error> {
    match identity {
        Identity::Anonymous => Ok(Seen::default()),
        Identity::User(_) => user(session, identity, now),
        Identity::Publisher(_) => publisher(session, identity, now),
    }
}

fn user(session: &mut dyn Session, identity: &Identity, now: Timestamp) -> Result<Seen, Error> {
    let sql = "SELECT id, name FROM account WHERE name = ?1 AND freed_at IS NULL AND removed_at IS NULL AND kind = 1";
    let Some(row) = session.first(sql, &[access::viewer(identity).0])? else { return Ok(Seen::default()) };
    let id = row.integer(0)?;
    let mut seen = Seen { namespaces: vec![row.text(1)?.to_owned()], ..Seen::default() };
    // Role 2 is an owner's.
    let sql = "SELECT o.name, m.role FROM member m CROSS JOIN account o \
               WHERE m.user_id = ?1 AND o.id = m.organisation_id AND o.removed_at IS NULL";
    for row in session.query(sql, &[id.into()])? {
        let name = row.text(0)?.to_owned();
        if row.integer(1)? == 2 {
            seen.namespaces.push(name.clone());
        }
        seen.organisations.push(name);
    }
    let sql = "SELECT DISTINCT o.name FROM team_member tm CROSS JOIN team t CROSS JOIN account o \
               WHERE tm.user_id = ?1 AND t.id = tm.team_id AND t.role IS NOT NULL AND t.removed_at IS NULL \
               AND o.id = t.organisation_id AND o.removed_at IS NULL";
    for row in session.query(sql, &[id.into()])? {
        let name = row.text(0)?;
        if !seen.namespaces.iter().any(|known| known == name) {
            seen.namespaces.push(name.to_owned());
        }
    }
    let sql = "SELECT g.repository_id, g.expires_at FROM access_grant g \
               WHERE g.grantee_kind = 1 AND g.grantee_id = ?1 AND (g.expires_at IS NULL OR g.expires_at > ?2) \
               UNION ALL \
               SELECT g.repository_id, g.expires_at FROM team_member tm CROSS JOIN team t CROSS JOIN account o \
               CROSS JOIN access_grant g WHERE tm.user_id = ?1 AND t.id = tm.team_id AND t.removed_at IS NULL \
               AND o.id = t.organisation_id AND o.removed_at IS NULL AND g.grantee_kind = 2 AND g.grantee_id = t.id \
               AND (g.expires_at IS NULL OR g.expires_at > ?2) \
               UNION ALL \
               SELECT g.repository_id, g.expires_at FROM member m CROSS JOIN account o CROSS JOIN access_grant g \
               WHERE m.user_id = ?1 AND o.id = m.organisation_id AND o.removed_at IS NULL \
               AND g.grantee_kind = 1 AND g.grantee_id = o.id AND (g.expires_at IS NULL OR g.expires_at > ?2)";
    for row in session.query(sql, &[id.into(), now.into()])? {
        seen.repositories.push(RepositoryId::new(row.integer(0)?));
        seen.until = [seen.until, row.optional(1, Row::time)?].into_iter().flatten().min();
    }
    seen.repositories.sort_unstable();
    seen.repositories.dedup();
    Ok(seen)
}

fn publisher(session: &mut dyn Session, identity: &Identity, now: Timestamp) -> Result<Seen, Error> {
    let sql = "SELECT r.id FROM publisher p LEFT JOIN repository r ON r.name = p.repository WHERE p.id = ?1";
    let Some(row) = session.first(sql, &[access::viewer(identity).1])? else { return Ok(Seen::default()) };
    Ok(match row.optional(0, Row::integer)? {
        Some(id) => Seen { repositories: vec![RepositoryId::new(id)], ..Seen::default() },
        // A repository comes into being without moving the generation.
        None => Seen { until: Some(now), ..Seen::default() },
    })
}
