//! That no lookup grows with how many people there are: every plan goes by an index, and takes as many steps.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::BTreeMap;

use rusqlite::{Connection, StatementStatus};

use super::fixture::{account, caller, name, tag, time};
use super::repositories::{self, Creator};
use super::sqlite::Connected;
use super::tokens::TokenKind;
use super::{
    Error, Row, Session, Value, access, accounts, audit, blobs, downloads, events, grants, manifests, migrations,
    notices, organisations, publishers, ratings, referrers, resolve, retention, standings, tag_rules, tags, teams,
    tokens, versions,
};
use crate::auth::{Grantee, PublisherId, Sight, TokenId};
use crate::oci::Digest;
use crate::package::Version;

/// How many there are of each.
#[derive(Clone, Copy)]
struct Size {
    users: i64,
    organisations: i64,
    grants: i64,
}

const SMALL: Size = Size { users: 1_000, organisations: 100, grants: 10_000 };
/// A debug build would spend most of the suite's time on filling the tables.
const LARGE: Size = if cfg!(debug_assertions) {
    Size { users: 10_000, organisations: 1_000, grants: 100_000 }
} else {
    Size { users: 100_000, organisations: 10_000, grants: 1_000_000 }
};

/// A session that keeps the plan of every statement, and counts the database's steps.
struct Watched {
    connection: Connection,
    plans: BTreeMap<&'static str, Vec<String>>,
    steps: i64,
}

impl Watched {
    /// Each user belongs to one organisation and one team. The first repository is granted to every tenth user, the
    /// other grants are spread over all repositories.
    fn new(size: Size) -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::migrate(&mut connection).unwrap();
        let Size { users, organisations, grants } = size;
        let fill = [
            "INSERT INTO account SELECT i, 'user' || i, 1, 0, 1, NULL, NULL, 0, NULL, NULL FROM n WHERE i <= :users",
            "INSERT INTO account SELECT i + :users, 'org' || i, 2, 0, 1, NULL, NULL, 0, NULL, NULL FROM n \
             WHERE i <= :organisations",
            "INSERT INTO member SELECT :users + 1 + i % :organisations, i, 1 + (i <= :organisations), 0 FROM n \
             WHERE i <= :users",
            "INSERT INTO team SELECT i, :users + 1 + i % :organisations, 'team' || i, NULL, 0, NULL FROM n \
             WHERE i <= 2 * :organisations",
            "INSERT INTO team_member SELECT 1 + i * 7 % (2 * :organisations), i, 0 FROM n WHERE i <= :users",
            "INSERT INTO repository SELECT i, 'org' || (1 + i % :organisations) || '/r' || i, 0, \
             'org' || (1 + i % :organisations), 1 + 2 * (i % 50 = 0), 0 FROM n WHERE i <= :users",
            "INSERT INTO access_grant SELECT 1, 1, i, 1, 0, NULL FROM n WHERE i <= :users AND i % 10 = 0",
            "INSERT INTO access_grant SELECT 2 + i % (:users - 1), 1 + (i % 9 = 0), 1 + i * 31 % :users, 2, 0, NULL \
             FROM n WHERE i <= :grants ON CONFLICT DO NOTHING",
            "INSERT INTO access_token SELECT i, i, 1, CAST(i AS BLOB), 'x', 'read', '', NULL, 0, NULL, NULL, NULL, NULL \
             FROM n WHERE i <= :users",
        ];
        connection.execute_batch("BEGIN").unwrap();
        for statement in fill {
            let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most) ";
            let most = users.max(grants);
            let statement = format!("{numbers}{statement}").replace(":most", &most.to_string());
            let statement = statement.replace(":users", &users.to_string());
            let statement = statement.replace(":organisations", &organisations.to_string());
            let insert = statement.replace(":grants", &grants.to_string());
            // The numbers come before what inserts them.
            let (with, rest) = insert.split_once("INSERT INTO").unwrap();
            let (table, select) = rest.split_once("SELECT").unwrap();
            connection.execute_batch(&format!("INSERT INTO{table}{with}SELECT{select}")).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        Self { connection, plans: BTreeMap::new(), steps: 0 }
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }

    /// The database's steps of something.
    fn cost(&mut self, look: impl FnOnce(&mut dyn Session)) -> i64 {
        self.steps = 0;
        look(self.session());
        self.steps
    }
}

impl Session for Watched {
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        let rows = Connected(&self.connection).query(sql, parameters)?;
        let statement = self.connection.prepare_cached(sql)?;
        self.steps += i64::from(statement.reset_status(StatementStatus::VmStep));
        if !self.plans.contains_key(sql) {
            let mut explained = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let plan = explained.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>()?;
            self.plans.insert(sql, plan);
        }
        Ok(rows)
    }

    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error> {
        self.query(sql, parameters).map(|_| 0)
    }
}

impl Watched {
    fn assert_no_scan(&self) {
        // The newest entry, by the table's own order.
        let scan_of_one_row = "SELECT id FROM audit ORDER BY id DESC LIMIT 1";
        for (sql, plan) in self.plans.iter().filter(|(sql, _)| **sql != scan_of_one_row) {
            let slow = |step: &&String| step.starts_with("SCAN ") || step.contains("AUTOMATIC");
            assert_eq!(plan.iter().find(slow), None, "{sql}\n{plan:#?}");
        }
    }
}

#[test]
fn every_lookup_goes_by_an_index() {
    let mut watched = Watched::new(SMALL);
    let session = watched.session();
    let (ada, acme, now) = (account("user7"), account("org7"), time(1));
    let (user, organisation) = (
        accounts::user(session, &ada).unwrap().unwrap().id,
        accounts::organisation(session, &acme).unwrap().unwrap().id,
    );
    let repository = repositories::find(session, &name("org7/r106")).unwrap().unwrap();
    access::facts(session, caller("user7").identity(), &name("org7/r106"), now).unwrap();
    access::caller(session, &[7; 32], now).unwrap();
    let origin = access::Origin { account: &ada, token: Some(TokenId::new(7)), issued_at: now };
    access::standing(session, origin, now).unwrap();
    accounts::password(session, &ada).unwrap();
    accounts::list(session, accounts::AccountKind::User, Some("user3"), 10).unwrap();
    organisations::role(session, organisation, user).unwrap();
    organisations::has_other_owner(session, organisation, user).unwrap();
    organisations::only_owned_by(session, user).unwrap();
    organisations::members(session, organisation, None, 10).unwrap();
    organisations::count_members(session, organisation).unwrap();
    organisations::of_user(session, user, None, 10).unwrap();
    organisations::remove_member(session, organisation, user).unwrap();
    let team = teams::list(session, organisation, None, 1).unwrap().pop().unwrap();
    teams::find(session, organisation, &team.name).unwrap();
    teams::members(session, team.id, None, 10).unwrap();
    let grantee = grants::grantee(session, &Grantee::User(ada)).unwrap().unwrap();
    grants::list(session, repository, None, 10).unwrap();
    grants::remove(session, repository, grantee).unwrap();
    tokens::find(session, TokenId::new(7)).unwrap();
    tokens::list(session, user, TokenKind::Access, None, 10).unwrap();
    tokens::is_known(session, &[7; 32]).unwrap();
    tokens::revoke_sessions(session, user, now, 10).unwrap();
    publishers::find(session, PublisherId::new(7)).unwrap();
    publishers::list(session, &name("org7/r106"), None, 10).unwrap();
    publishers::candidates(session, "https://ci", "id=1", 10).unwrap();
    publishers::forget_used(session, now, 10).unwrap();
    tag_rules::list(session, repository).unwrap();
    let (actor, action) = (Some("ada".to_owned()), Some("push".to_owned()));
    let both = audit::Filter { actor, action, since: Some(now), before: None };
    for filter in [
        audit::Filter { action: None, ..both.clone() },
        audit::Filter { actor: None, ..both.clone() },
        audit::Filter { actor: None, action: None, ..both.clone() },
        both,
    ] {
        audit::list(session, &filter, 10).unwrap();
    }
    let sight = Sight::of(&caller("user7"), false);
    repositories::list(session, &sight, now, None, 10).unwrap();
    repositories::count_in(session, &acme).unwrap();
    versions::list(session, &sight, now, None, 10).unwrap();
    blobs::owner_in_sight(session, &sight, now, &Digest::sha256(b"x")).unwrap();
    assert!(watched.plans.len() > 30, "the plans are kept");
    watched.assert_no_scan();
}

#[test]
fn every_lookup_of_the_catalogue_goes_by_an_index() {
    let mut watched = Watched::new(SMALL);
    let (session, now) = (watched.session(), time(1));
    let repository = repositories::find(session, &name("org7/r106")).unwrap().unwrap();
    let user = accounts::user(session, &account("user7")).unwrap().unwrap().id;
    events::stretch(session, &events::Filter::default(), 0, 10, |_, _, _| true).unwrap();
    let removable = retention::Removable { before: Some(now), surplus: 1, upto: 100 };
    retention::remove(session, &removable).unwrap();
    retention::count(session, 0, 10).unwrap();
    let (here, range) = (name("org7/r106"), ">=1.0.0-a, <2".parse().unwrap());
    resolve::in_range(session, &here, &range, true).unwrap();
    resolve::at_tag(session, &here, &tag("latest")).unwrap();
    resolve::at_digest(session, &here, &Digest::sha256(b"x")).unwrap();
    resolve::head(session, &here).unwrap();
    resolve::nearest(session, repository, Some(&range)).unwrap();
    referrers::is_signed(session, repository, &Digest::sha256(b"x")).unwrap();
    tags::any(session, repository).unwrap();
    let manifest = manifests::ManifestId::new(1);
    notices::of_version(session, repository, None).unwrap();
    notices::of_manifest(session, manifest).unwrap();
    notices::forget_all(session, manifest).unwrap();
    standings::of_repository(session, repository).unwrap();
    let (day, digest) = (downloads::Day::new(1), Digest::sha256(b"x"));
    downloads::add(session, &[downloads::Pulled { manifest, digest, day, count: 1 }]).unwrap();
    downloads::of_manifest(session, manifest).unwrap();
    downloads::of_repository(session, repository, day, None, 10).unwrap();
    downloads::old(session, day, None, 10).unwrap();
    downloads::forget(session, manifest, day).unwrap();
    ratings::find(session, repository, user).unwrap();
    ratings::list(session, repository, None, 10).unwrap();
    ratings::count_of(session, user).unwrap();
    ratings::remove_of(session, user).unwrap();

    assert!(watched.plans.len() > 5, "the plans are kept");
    watched.assert_no_scan();
}

#[test]
fn a_decision_takes_as_many_steps_among_many_people_as_among_few() {
    let costs = |size: Size| {
        let mut watched = Watched::new(size);
        let mut decide = |who: &str, text: &str| {
            watched.cost(|session| drop(access::facts(session, caller(who).identity(), &name(text), time(1)).unwrap()))
        };
        // The first repository has a grant for every tenth user; one grant more must cost the others nothing.
        let own = [("user10", "org2/r1"), ("user11", "org2/r1"), ("user7", "org2/missing"), ("", "org2/r1")];
        let costs = own.map(|(who, text)| decide(who, text));
        let page = watched.cost(|session| {
            let sight = Sight::of(&caller("user10"), false);
            let page = repositories::list(session, &sight, time(1), None, 100).unwrap();
            assert!(page.len() >= 20);
        });
        assert!(page > 0);
        costs
    };
    let (few, many) = (costs(SMALL), costs(LARGE));
    for (few, many) in few.into_iter().zip(many) {
        assert!(few > 20, "the steps are counted: {few}");
        assert!(many < few * 3 / 2, "{few} steps among few people, {many} among many");
    }
}

#[test]
fn a_first_push_costs_the_same_in_a_large_registry() {
    let costs = |size: Size| {
        let mut watched = Watched::new(size);
        let ada = account("user7");
        let creator = Creator::Account { name: &ada, is_administrator: false };
        watched.cost(|session| {
            repositories::create(session, &name("org7/new"), creator, time(1)).unwrap();
        })
    };
    let (few, many) = (costs(SMALL), costs(LARGE));
    assert!(many < few * 3 / 2, "{few} steps among few people, {many} among many");
}

#[test]
fn a_range_takes_as_many_steps_among_many_versions_as_among_few() {
    let costs = |count: u64| {
        let mut watched = Watched::new(SMALL);
        let here = name("org7/r106");
        let id = repositories::find(watched.session(), &here).unwrap().unwrap();
        let digest = format!("x'01{}'", "00".repeat(32));
        let fill = format!(
            "INSERT INTO manifest VALUES (1, 106, {digest}, 'a/b', NULL, 0, 0, x'', 0); \
             INSERT INTO package VALUES (1, x'', 0, 1, NULL)"
        );
        watched.connection.execute_batch(&fill).unwrap();
        for number in 0..count {
            for (text, rank) in [(format!("1.{number}.0"), number % 2 * 4), (format!("1.{number}.0-rc.1"), 2)] {
                let key = text.parse::<Version>().unwrap().sort_key();
                let sql = "INSERT INTO version (repository_id, version, sort_key, rank, manifest_id, created_at, \
                           updated_at) VALUES (?1, ?2, ?3, ?4, 1, 0, 0)";
                let rank = Value::Integer(rank.try_into().unwrap());
                watched.execute(sql, &[id.into(), text.as_str().into(), key.into(), rank]).unwrap();
            }
        }
        ["^1.2", "*", ">=1.0.0-a, <1.9"].map(|range| {
            watched.cost(|session| {
                let found = resolve::in_range(session, &here, &range.parse().unwrap(), true).unwrap();
                assert!(found.is_some_and(|found| !found.is_yanked), "{range}");
            })
        })
    };
    for (few, many) in costs(20).into_iter().zip(costs(1_000)) {
        assert!(few > 20, "the steps are counted: {few}");
        assert!(many < few * 3 / 2, "{few} steps among few versions, {many} among many");
    }
}
