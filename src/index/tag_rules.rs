//! What holds for the tags of a repository: which never move, and who may move the others.

use bytes::Bytes;

use super::repositories::{RepositoryId, page};
use super::{Error, Session, Value, access};

/// Most rules of one repository: a push reads them all.
pub const MAX_TAG_RULES: usize = 64;

/// A repository's rules as JSON, in the order in which they were written.
pub fn list(session: &mut dyn Session, repository: RepositoryId) -> Result<Vec<Bytes>, Error> {
    let sql = "SELECT rule FROM tag_rule WHERE repository_id = ?1 ORDER BY position LIMIT ?2";
    let rows = session.query(sql, &[repository.into(), page(MAX_TAG_RULES)])?;
    rows.iter().map(|row| row.bytes(0)).collect()
}

/// Sets all of a repository's rules; those beyond [`MAX_TAG_RULES`] are the caller's question.
pub fn replace(session: &mut dyn Session, repository: RepositoryId, rules: &[Bytes]) -> Result<(), Error> {
    session.execute("DELETE FROM tag_rule WHERE repository_id = ?1", &[repository.into()])?;
    for (position, rule) in (0_i64..).zip(rules) {
        let sql = "INSERT INTO tag_rule (repository_id, position, rule) VALUES (?1, ?2, ?3)";
        session.execute(sql, &[repository.into(), Value::Integer(position), rule.clone().into()])?;
    }
    access::bump(session)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn rules_keep_their_order_and_new_ones_replace_them() {
        let mut index = Fixture::new();
        let (here, there) = (index.repository("acme/agent"), index.repository("acme/other"));
        let rules = [b"z", b"a", b"m"].map(|rule| Bytes::from_static(rule));
        replace(index.session(), here, &rules).unwrap();
        assert_eq!(list(index.session(), here).unwrap(), rules);
        assert!(list(index.session(), there).unwrap().is_empty());
        replace(index.session(), here, &rules[..1]).unwrap();
        assert_eq!(list(index.session(), here).unwrap(), rules[..1]);
    }
}
