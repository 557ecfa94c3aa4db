//! What decisions are made from: the generation of the permission model, the facts about a caller and a repository,
//! and who a credential belongs to.

use bytes::Bytes;
use jiff::Timestamp;

use super::grants::read_grantee;
use super::tokens::{self, StoredToken};
use super::{Error, Row, Session, Value};
use crate::auth::{
    AboutCaller, AboutRepository, AccountFacts, AccountName, Facts, Grantee, Identity, Level, Namespace, TeamName,
    TokenId, Visibility,
};
use crate::oci::RepositoryName;

pub(super) const GENERATION: &str = "SELECT value FROM access_generation WHERE id = 1";

/// How often anything has changed that decisions are made from. What was decided at another value is decided again.
pub fn generation(session: &mut dyn Session) -> Result<u64, Error> {
    session.first(GENERATION, &[])?.ok_or(Error::Column { column: 0, wanted: "present" })?.size(0)
}

/// Says that something has changed that decisions are made from. Whatever changes it here does so itself.
pub fn bump(session: &mut dyn Session) -> Result<(), Error> {
    session.execute("UPDATE access_generation SET value = value + 1 WHERE id = 1", &[]).map(|_| ())
}

/// Facts, and how long they stay true while the generation does.
#[derive(Clone, Debug)]
pub struct Known {
    /// What is known.
    pub facts: Facts,
    /// Whether the repository exists.
    pub exists: bool,
    /// When the first of the grants among them ends.
    pub until: Option<Timestamp>,
}

/// What is known of a caller and a repository, in two statements whatever there is to be found.
pub fn facts(
    session: &mut dyn Session,
    identity: &Identity,
    repository: &RepositoryName,
    now: Timestamp,
) -> Result<Known, Error> {
    let (user, publisher) = viewer(identity);
    let account = repository.namespace().unwrap_or_default();
    let row = session.first(
        "SELECT g.value, r.id, r.visibility, n.id, n.kind, u.id, u.is_administrator, m.role, p.id, n.name \
         FROM access_generation g LEFT JOIN repository r ON r.name = ?1 \
         LEFT JOIN account n ON n.name = ?2 AND n.freed_at IS NULL AND n.removed_at IS NULL \
         LEFT JOIN account u ON u.name = ?3 AND u.freed_at IS NULL AND u.removed_at IS NULL AND u.kind = 1 \
         LEFT JOIN member m ON m.organisation_id = n.id AND m.user_id = u.id \
         LEFT JOIN publisher p ON p.id = ?4 AND p.repository = ?1 WHERE g.id = 1",
        &[repository.into(), account.into(), user, publisher],
    )?;
    let row = row.ok_or(Error::Column { column: 0, wanted: "present" })?;
    let number = |column| row.optional(column, Row::integer).map(Option::unwrap_or_default);
    let (repository, namespace, user) = (number(1)?, number(3)?, number(5)?);
    let reaching = reaching(session, [repository, user, namespace], now)?;
    let is_publisher = number(8)? != 0;
    let about_caller = AboutCaller { is_administrator: number(6)? != 0, is_active: user != 0 || is_publisher };
    let namespace = match (row.optional(9, Row::parsed)?, number(4)?) {
        (Some(name), 1) => Namespace::User(name),
        (Some(name), 2) => Namespace::Organisation(name),
        _ => Namespace::None,
    };
    let about_repository = AboutRepository {
        exists: repository != 0,
        visibility: row.optional(2, Row::word)?.unwrap_or(Visibility::Private),
        namespace,
        membership: row.optional(7, Row::word)?,
        team_roles: reaching.team_roles,
        grants: reaching.grants,
        publisher: is_publisher,
    };
    let facts = Facts::of(about_caller, about_repository, row.size(0)?);
    Ok(Known { facts, exists: repository != 0, until: reaching.until })
}

/// What was given to a caller for a repository, or for all of its namespace.
struct Reaching {
    team_roles: Vec<(TeamName, Level)>,
    grants: Vec<(Grantee, Level)>,
    until: Option<Timestamp>,
}

fn reaching(session: &mut dyn Session, ids: [i64; 3], now: Timestamp) -> Result<Reaching, Error> {
    // CROSS JOIN keeps the order: from the caller's few teams and organisations to the grant, never from the many
    // grants of a repository.
    let rows = session.query(
        "SELECT 1, 0, o.name, t.name, t.role, NULL FROM team_member tm CROSS JOIN team t CROSS JOIN account o \
         WHERE tm.user_id = ?2 AND t.id = tm.team_id AND t.organisation_id = ?3 AND t.role IS NOT NULL \
         AND t.removed_at IS NULL AND o.id = ?3 AND o.removed_at IS NULL \
         UNION ALL \
         SELECT 2, 1, u.name, NULL, g.level, g.expires_at FROM access_grant g CROSS JOIN account u \
         WHERE g.repository_id = ?1 AND g.grantee_kind = 1 AND g.grantee_id = ?2 AND u.id = ?2 \
         AND (g.expires_at IS NULL OR g.expires_at > ?4) \
         UNION ALL \
         SELECT 2, 0, o.name, t.name, g.level, g.expires_at FROM team_member tm CROSS JOIN access_grant g \
         CROSS JOIN team t CROSS JOIN account o WHERE tm.user_id = ?2 AND g.repository_id = ?1 \
         AND g.grantee_kind = 2 AND g.grantee_id = tm.team_id AND t.id = tm.team_id AND t.removed_at IS NULL \
         AND o.id = t.organisation_id AND o.removed_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?4) \
         UNION ALL \
         SELECT 2, 2, o.name, NULL, g.level, g.expires_at FROM member m CROSS JOIN access_grant g CROSS JOIN account o \
         WHERE m.user_id = ?2 AND g.repository_id = ?1 AND g.grantee_kind = 1 AND g.grantee_id = m.organisation_id \
         AND o.id = m.organisation_id AND o.removed_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?4)",
        &[ids[0].into(), ids[1].into(), ids[2].into(), now.into()],
    )?;
    let mut found = Reaching { team_roles: vec![], grants: vec![], until: None };
    for row in rows {
        let (grantee, level) = (read_grantee(&row, [1, 2, 3])?, row.word(4)?);
        match (row.integer(0)?, grantee) {
            (1, Grantee::Team(team)) => found.team_roles.push((team, level)),
            (_, grantee) => found.grants.push((grantee, level)),
        }
        let until = row.optional(5, Row::time)?;
        found.until = [found.until, until].into_iter().flatten().min();
    }
    Ok(found)
}

/// What is known of a caller and of the organisation that something is about, in one statement.
pub fn account_facts(
    session: &mut dyn Session,
    identity: &Identity,
    about: Option<&AccountName>,
) -> Result<AccountFacts, Error> {
    let row = session.first(
        "SELECT u.id, u.is_administrator, m.role FROM access_generation g \
         LEFT JOIN account u ON u.name = ?1 AND u.freed_at IS NULL AND u.removed_at IS NULL AND u.kind = 1 \
         LEFT JOIN account o ON o.name = ?2 AND o.freed_at IS NULL AND o.removed_at IS NULL AND o.kind = 2 \
         LEFT JOIN member m ON m.organisation_id = o.id AND m.user_id = u.id WHERE g.id = 1",
        &[viewer(identity).0, Value::optional(about)],
    )?;
    let row = row.ok_or(Error::Column { column: 0, wanted: "present" })?;
    Ok(AccountFacts {
        is_administrator: row.optional(1, Row::flag)?.unwrap_or(false),
        is_active: row.optional(0, Row::integer)?.is_some(),
        membership: row.optional(2, Row::word)?,
    })
}

/// Whether somebody may do everything.
pub fn is_administrator(session: &mut dyn Session, identity: &Identity) -> Result<bool, Error> {
    let row = session.first(
        "SELECT is_administrator FROM account WHERE name = ?1 AND freed_at IS NULL AND removed_at IS NULL AND kind = 1",
        &[viewer(identity).0],
    )?;
    row.map_or(Ok(false), |row| row.flag(0))
}

/// Whether a user is somebody: themselves, in a team, or in an organisation.
pub fn belongs_to(session: &mut dyn Session, identity: &Identity, grantee: &Grantee) -> Result<bool, Error> {
    let Identity::User(user) = identity else { return Ok(false) };
    let row = match grantee {
        Grantee::User(name) => return Ok(name == user),
        Grantee::Organisation(organisation) => session.first(
            "SELECT 1 FROM account u CROSS JOIN account o CROSS JOIN member m \
             WHERE u.name = ?1 AND u.freed_at IS NULL AND u.removed_at IS NULL AND u.kind = 1 \
             AND o.name = ?2 AND o.freed_at IS NULL AND o.removed_at IS NULL AND o.kind = 2 \
             AND m.organisation_id = o.id AND m.user_id = u.id",
            &[user.into(), organisation.into()],
        ),
        Grantee::Team(team) => session.first(
            "SELECT 1 FROM account u CROSS JOIN account o CROSS JOIN team t CROSS JOIN team_member m \
             WHERE u.name = ?1 AND u.freed_at IS NULL AND u.removed_at IS NULL AND u.kind = 1 \
             AND o.name = ?2 AND o.freed_at IS NULL AND o.removed_at IS NULL AND o.kind = 2 \
             AND t.organisation_id = o.id AND t.name = ?3 AND t.removed_at IS NULL \
             AND m.team_id = t.id AND m.user_id = u.id",
            &[user.into(), team.organisation().into(), team.team().into()],
        ),
    }?;
    Ok(row.is_some())
}

/// Whether a token was not revoked, nor what it was made with. That it has not expired was seen before.
pub fn is_unrevoked(session: &mut dyn Session, token: TokenId) -> Result<bool, Error> {
    let row = session.first(
        "SELECT 1 FROM access_token t LEFT JOIN access_token p ON p.id = t.parent_id \
         WHERE t.id = ?1 AND t.revoked_at IS NULL AND p.revoked_at IS NULL",
        &[token.into()],
    )?;
    Ok(row.is_some())
}

/// The name of a user and the row of a publisher, as parameters that match nothing where the caller is not one.
pub(super) fn viewer(identity: &Identity) -> (Value, Value) {
    match identity {
        Identity::Anonymous => (Value::Text(String::new()), Value::Integer(0)),
        Identity::User(name) => (name.into(), Value::Integer(0)),
        Identity::Publisher(id) => (Value::Text(String::new()), Value::Integer(id.get())),
    }
}

/// Who a credential belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearer {
    /// The token as it is stored.
    pub token: StoredToken,
    /// Whether the account may do everything.
    pub is_administrator: bool,
    /// When it ends, on its own or with the token it was made with.
    pub expires_at: Option<Timestamp>,
}

/// Finds the accepted token of a hash: of a live account, neither expired nor revoked, nor is what it was made with.
/// Why there is none is nobody's business.
pub fn caller(session: &mut dyn Session, hash: &[u8; 32], now: Timestamp) -> Result<Option<Bearer>, Error> {
    let row = session.first(
        "SELECT t.id, a.name, t.kind, t.name, t.scopes, t.patterns, t.created_at, t.expires_at, t.last_used_at, \
         t.revoked_at, a.is_administrator, p.expires_at FROM access_token t JOIN account a ON a.id = t.account_id \
         LEFT JOIN access_token p ON p.id = t.parent_id WHERE t.hash = ?1 AND t.revoked_at IS NULL \
         AND (t.expires_at IS NULL OR t.expires_at > ?2) AND a.removed_at IS NULL AND p.revoked_at IS NULL \
         AND (p.expires_at IS NULL OR p.expires_at > ?2)",
        &[Bytes::copy_from_slice(hash).into(), now.into()],
    )?;
    let read = |row: Row| {
        let token = tokens::read(&row)?;
        let ends = [token.expires_at, row.optional(11, Row::time)?];
        let expires_at = ends.into_iter().flatten().min();
        Ok(Bearer { token, is_administrator: row.flag(10)?, expires_at })
    };
    row.map(read).transpose()
}

/// What a short token claims about where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The account.
    pub account: &'a AccountName,
    /// The stored token it was made with; a password otherwise.
    pub token: Option<TokenId>,
    /// When it was made.
    pub issued_at: Timestamp,
}

/// What a short token's origin reaches now.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whether the account may do everything.
    pub is_administrator: bool,
    /// The token it was made with, as it is now.
    pub token: Option<StoredToken>,
}

/// Whether what a short token was made with is still accepted: the account is the one it was made for, its token is
/// neither expired nor revoked, and its password has not changed since.
pub fn standing(session: &mut dyn Session, of: Origin<'_>, now: Timestamp) -> Result<Option<Standing>, Error> {
    let row = session.first(
        "SELECT t.id, a.name, t.kind, t.name, t.scopes, t.patterns, t.created_at, t.expires_at, t.last_used_at, \
         t.revoked_at, a.is_administrator, a.created_at, a.password_at FROM account a \
         LEFT JOIN access_token t ON t.id = ?2 AND t.account_id = a.id AND t.revoked_at IS NULL \
         AND (t.expires_at IS NULL OR t.expires_at > ?3) \
         AND NOT EXISTS (SELECT 1 FROM access_token p WHERE p.id = t.parent_id \
         AND (p.revoked_at IS NOT NULL OR p.expires_at <= ?3)) \
         WHERE a.name = ?1 AND a.freed_at IS NULL AND a.removed_at IS NULL AND a.kind = 1",
        &[of.account.into(), Value::optional(of.token), now.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let token = if row.optional(0, Row::integer)?.is_some() { Some(tokens::read(&row)?) } else { None };
    // A short token knows whole seconds only.
    let is_since = |moment: Timestamp| of.issued_at.as_second() >= moment.as_second();
    let is_password_kept = || Ok::<_, Error>(row.optional(12, Row::time)?.is_some_and(is_since));
    let holds = is_since(row.time(11)?) && if of.token.is_some() { token.is_some() } else { is_password_kept()? };
    Ok(holds.then_some(Standing { is_administrator: row.flag(10)?, token }))
}
