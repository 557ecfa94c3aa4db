//! Repositories by name.

use jiff::Timestamp;

use super::codes::code;
use super::events::{self, Event, EventKind};
use super::sight::{in_sight, viewer, within_reach};
use super::tags::Change;
use super::{Error, Row, Session, Value, access, accounts, organisations};
use crate::auth::{AccountName, Role, Sight, Visibility};
use crate::oci::RepositoryName;

/// Most entries one page of any list holds, whatever the caller asks for.
pub const MAX_PAGE: usize = 1_000;

/// A repository's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryId(pub(super) i64);

impl RepositoryId {
    /// The row of this number, which need not be there.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The row's number; a repository keeps it.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<RepositoryId> for Value {
    fn from(id: RepositoryId) -> Self {
        Self::Integer(id.0)
    }
}

/// Finds a repository.
pub fn find(session: &mut dyn Session, name: &RepositoryName) -> Result<Option<RepositoryId>, Error> {
    let row = session.first("SELECT id FROM repository WHERE name = ?1", &[name.into()])?;
    row.map(|row| row.integer(0).map(RepositoryId)).transpose()
}

/// Who makes a repository, which decides whose it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creator<'a> {
    /// Anybody, in a registry without accounts: nobody's, and private should it get accounts.
    Open,
    /// A user. A namespace that nobody has becomes an administrator's organisation.
    Account {
        /// Who.
        name: &'a AccountName,
        /// Whether they may do everything.
        is_administrator: bool,
    },
    /// The registry itself, or somebody without an account.
    System,
}

/// Finds a repository or creates it, as visible as its namespace says, private where that says nothing.
pub fn create(
    session: &mut dyn Session,
    name: &RepositoryName,
    creator: Creator<'_>,
    now: Timestamp,
) -> Result<RepositoryId, Error> {
    if let Some(id) = find(session, name)? {
        return Ok(id);
    }
    let visibility = default_visibility(session, name, creator, now)?;
    let sql = "INSERT INTO repository (name, namespace, visibility, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING id";
    let namespace = name.namespace().unwrap_or_default();
    let row = session.first(sql, &[name.into(), namespace.into(), code(visibility), now.into()])?;
    // RETURNING yields exactly one row for one that was inserted.
    row.ok_or(Error::Column { column: 0, wanted: "present" })?.integer(0).map(RepositoryId)
}

fn default_visibility(
    session: &mut dyn Session,
    name: &RepositoryName,
    creator: Creator<'_>,
    now: Timestamp,
) -> Result<Visibility, Error> {
    let namespace = name.namespace().and_then(|namespace| namespace.parse::<AccountName>().ok());
    let (Some(namespace), false) = (namespace, creator == Creator::Open) else { return Ok(Visibility::Private) };
    match accounts::find(session, &namespace)? {
        Some(account) if account.is_live() => Ok(account.default_visibility),
        // A removed account's name stays taken.
        Some(_) => Ok(Visibility::Private),
        None => {
            if let Creator::Account { name: administrator, is_administrator: true } = creator
                && let Some(administrator) = accounts::user(session, administrator)?
            {
                let organisation = accounts::create_organisation(session, &namespace, now)?;
                organisations::set_member(session, organisation, administrator.id, Role::Owner, now)?;
            }
            Ok(Visibility::Private)
        }
    }
}

/// Who may see a repository.
pub fn visibility(session: &mut dyn Session, id: RepositoryId) -> Result<Visibility, Error> {
    let row = session.first("SELECT visibility FROM repository WHERE id = ?1", &[id.into()])?;
    row.ok_or(Error::Column { column: 0, wanted: "present" })?.word(0)
}

/// Changes who may see a repository, and says so in the feed. The only way to: search follows these events.
pub fn set_visibility(session: &mut dyn Session, change: &Change<'_>, visibility: Visibility) -> Result<(), Error> {
    let sql = "UPDATE repository SET visibility = ?2 WHERE id = ?1 AND visibility <> ?2";
    if session.execute(sql, &[change.id.into(), code(visibility)])? == 0 {
        return Ok(());
    }
    let event = Event {
        kind: EventKind::VisibilityChanged,
        repository: change.repository.clone(),
        digest: None,
        tag: None,
        detail: Some(visibility.to_string()),
        actor: change.actor.to_owned(),
        at: change.at,
    };
    events::append(session, &event)?;
    access::bump(session)
}

/// How many repositories a namespace has; the time grows with their number.
pub fn count_in(session: &mut dyn Session, namespace: &AccountName) -> Result<u64, Error> {
    // Names sort bytewise, and `0` is what comes after `/`.
    let sql = "SELECT count(*) FROM repository WHERE name > ?1 AND name < ?2";
    let bounds = [Value::Text(format!("{namespace}/")), Value::Text(format!("{namespace}0"))];
    session.first(sql, &bounds)?.map_or(Ok(0), |row| row.size(0))
}

/// Namespaces of repositories that are nobody's account's, bytewise after one, at most `limit`.
pub fn unowned_namespaces(
    session: &mut dyn Session,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<AccountName>, Error> {
    let mut found = vec![];
    let mut after = after.unwrap_or_default().to_owned();
    while found.len() < limit {
        // One step of the index a namespace, however many repositories it has; `0` comes after `/`.
        let sql = "SELECT r.namespace, (SELECT 1 FROM account a WHERE a.name = r.namespace AND a.freed_at IS NULL) \
                   FROM repository r WHERE r.name >= ?1 AND r.namespace > '' ORDER BY r.name LIMIT 1";
        let from = if after.is_empty() { String::new() } else { format!("{after}0") };
        let Some(row) = session.first(sql, &[Value::Text(from)])? else { break };
        row.text(0)?.clone_into(&mut after);
        // A first component that is too long for an account stays the administrators'.
        if row.optional(1, Row::integer)?.is_none()
            && let Ok(name) = after.parse()
        {
            found.push(name);
        }
    }
    Ok(found)
}

/// What a repository holds, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// When it was first pushed to.
    pub created_at: Timestamp,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its tags.
    pub tags: u64,
    /// Its manifests.
    pub manifests: u64,
}

/// Counts what a repository holds; the time grows with its size.
pub fn count(session: &mut dyn Session, name: &RepositoryName) -> Result<Option<Counted>, Error> {
    let row = session.first(
        "SELECT r.created_at, (SELECT count(*) FROM tag t WHERE t.repository_id = r.id), \
         (SELECT count(*) FROM manifest m WHERE m.repository_id = r.id), r.visibility \
         FROM repository r WHERE r.name = ?1",
        &[name.into()],
    )?;
    let read = |row: Row| {
        let (created_at, visibility) = (row.time(0)?, row.word(3)?);
        Ok(Counted { created_at, visibility, tags: row.size(1)?, manifests: row.size(2)? })
    };
    row.map(read).transpose()
}

/// What a whole index holds, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Repositories.
    pub repositories: u64,
    /// Manifests in them.
    pub manifests: u64,
    /// Tags in them.
    pub tags: u64,
    /// Blobs, each once.
    pub blobs: u64,
    /// Manifests that are agent packages.
    pub packages: u64,
}

/// Counts everything; the time grows with the index.
pub fn totals(session: &mut dyn Session) -> Result<Totals, Error> {
    let sql = "SELECT (SELECT count(*) FROM repository), (SELECT count(*) FROM manifest), (SELECT count(*) FROM tag), \
               (SELECT count(*) FROM blob), (SELECT count(*) FROM package)";
    let row = session.first(sql, &[])?.ok_or(Error::Column { column: 0, wanted: "present" })?;
    Ok(Totals {
        repositories: row.size(0)?,
        manifests: row.size(1)?,
        tags: row.size(2)?,
        blobs: row.size(3)?,
        packages: row.size(4)?,
    })
}

/// Names a caller may see, bytewise in order, after `after` (which need not exist), at most `limit` and [`MAX_PAGE`].
pub fn list(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<RepositoryName>, Error> {
    let limit = limit.min(MAX_PAGE + 1);
    // Every name sorts after the empty text, so one statement serves the first page too.
    let after = after.unwrap_or_default().to_owned();
    within_reach(
        |name| sight.sees(name),
        limit,
        after,
        |after| names(session, sight, now, after, limit),
        |name| (name, name.to_string()),
    )
}

fn names(
    session: &mut dyn Session,
    sight: &Sight,
    now: Timestamp,
    after: &str,
    limit: usize,
) -> Result<Vec<RepositoryName>, Error> {
    let rows = if sight.is_administrator() {
        let sql = "SELECT name FROM repository WHERE name > ?1 ORDER BY name LIMIT ?2";
        session.query(sql, &[after.into(), page(limit)])
    } else {
        let sql =
            concat!("SELECT r.name FROM repository r WHERE r.name > ?4 AND ", in_sight!(), " ORDER BY r.name LIMIT ?5");
        let (user, publisher) = viewer(sight);
        session.query(sql, &[user, publisher, now.into(), after.into(), page(limit)])
    }?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// A page's length as a parameter. One more than a page may be asked for, to know whether the list goes on.
pub(super) fn page(limit: usize) -> Value {
    Value::Integer(i64::try_from(limit.min(MAX_PAGE + 1)).unwrap_or(i64::MAX))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::accounts::AccountKind;
    use super::super::fixture::{Fixture, account, caller, name, time};
    use super::*;

    #[test]
    fn creating_twice_is_creating_once() {
        let mut index = Fixture::new();
        assert_eq!(find(index.session(), &name("a/b")).unwrap(), None);
        let id = create(index.session(), &name("a/b"), Creator::Open, time(1)).unwrap();
        assert_eq!(create(index.session(), &name("a/b"), Creator::System, time(2)).unwrap(), id);
        assert_eq!(find(index.session(), &name("a/b")).unwrap(), Some(id));
        assert_eq!(find(index.session(), &name("a")).unwrap(), None);
        let empty = Counted { created_at: time(1), visibility: Visibility::Private, tags: 0, manifests: 0 };
        assert_eq!(count(index.session(), &name("a/b")).unwrap(), Some(empty));
        assert_eq!(count(index.session(), &name("a")).unwrap(), None);
    }

    #[test]
    fn only_an_administrators_push_gives_a_namespace_to_somebody() {
        let mut index = Fixture::new();
        let root = accounts::create_user(index.session(), &account("root"), true, time(1)).unwrap();
        index.user("ada");
        let mut make = |text: &str, creator| {
            let id = create(index.session(), &name(text), creator, time(2)).unwrap();
            let namespace = account(name(text).namespace().unwrap());
            (visibility(index.session(), id).unwrap(), accounts::find(index.session(), &namespace).unwrap())
        };
        let (ada, admin) = (account("ada"), account("root"));
        let by = |name, is_administrator| Creator::Account { name, is_administrator };
        for creator in [Creator::Open, Creator::System, by(&ada, false)] {
            assert_eq!(make("new/agent", creator), (Visibility::Private, None));
        }
        assert_eq!(make("new/agent", by(&admin, true)).1, None, "the repository was there");
        let adopted = make("new/other", by(&admin, true)).1.unwrap();
        assert!(adopted.kind == AccountKind::Organisation && adopted.is_live());
        assert_eq!(organisations::role(index.session(), adopted.id, root).unwrap(), Some(Role::Owner));

        accounts::set_default_visibility(index.session(), adopted.id, Visibility::Public).unwrap();
        let mut seen = |text, creator| {
            let id = create(index.session(), &name(text), creator, time(3)).unwrap();
            visibility(index.session(), id).unwrap()
        };
        assert_eq!(seen("new/public", by(&ada, false)), Visibility::Public);
        assert_eq!(seen("new/open", Creator::Open), Visibility::Private);
        assert_eq!(seen("single", by(&admin, true)), Visibility::Private);
        accounts::remove(index.session(), adopted.id, time(4)).unwrap();
        let id = create(index.session(), &name("new/late"), by(&admin, true), time(5)).unwrap();
        assert_eq!(visibility(index.session(), id).unwrap(), Visibility::Private);
        assert!(accounts::organisation(index.session(), &account("new")).unwrap().is_none(), "the name stays taken");
        index.show_to("new/late", Visibility::Org);
        assert_eq!(visibility(index.session(), id).unwrap(), Visibility::Org);
    }

    #[test]
    fn the_feed_hears_of_every_change_of_who_sees_and_of_nothing_else() {
        let mut index = Fixture::new();
        index.repository("a/b");
        let (mut heard, mut generation) = (vec![], access::generation(index.session()).unwrap());
        for (visibility, is_change) in [
            (Visibility::Private, false),
            (Visibility::Public, true),
            (Visibility::Public, false),
            (Visibility::Org, true),
            (Visibility::Private, true),
        ] {
            index.show_to("a/b", visibility);
            let now = access::generation(index.session()).unwrap();
            assert_eq!(now > generation, is_change, "{visibility}");
            generation = now;
            heard.extend(is_change.then(|| Some(visibility.to_string())));
        }
        let told = events::since(index.session(), 0, 10).unwrap();
        assert!(told.iter().all(|(_, event)| event.kind == EventKind::VisibilityChanged && event.actor == "olga"));
        assert_eq!(told.into_iter().map(|(_, event)| event.detail).collect::<Vec<_>>(), heard);
    }

    #[test]
    fn namespaces_without_an_account_are_found_in_one_step_each() {
        let mut index = Fixture::new();
        for text in ["b", "a/x", "a/y", "a-b/x", "a0/x", "ada/x", "c/d/e"] {
            index.repository(text);
        }
        index.user("ada");
        let found = |index: &mut Fixture, after, limit| {
            let names = unowned_namespaces(index.session(), after, limit).unwrap();
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(&mut index, None, 10), ["a-b", "a", "a0", "c"]);
        assert_eq!(found(&mut index, None, 2), ["a-b", "a"]);
        assert_eq!(found(&mut index, Some("a"), 10), ["a0", "c"]);
        let counts = ["a", "b", "d"].map(|name| count_in(index.session(), &account(name)).unwrap());
        assert_eq!(counts, [2, 0, 0]);
    }

    #[test]
    fn names_come_bytewise_in_pages_and_only_in_sight() {
        let mut index = Fixture::new();
        for text in ["b", "a/b", "a-b", "a"] {
            create(index.session(), &name(text), Creator::Open, time(1)).unwrap();
        }
        let mut page = |after, limit| {
            let names = list(index.session(), &Sight::system(), time(1), after, limit).unwrap();
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(page(None, 3), ["a", "a-b", "a/b"]);
        assert_eq!(page(Some("a/b"), 3), ["b"]);
        assert_eq!(page(Some("a.not-there"), usize::MAX), ["a/b", "b"]);
        assert!(page(None, 0).is_empty());
        let nothing = Sight::of(&caller(""), false);
        assert!(list(index.session(), &nothing, time(1), None, 10).unwrap().is_empty());
    }
}
