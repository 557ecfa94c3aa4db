//! What is known of callers: facts, sight and credentials, over rows as people make them.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use jiff::Timestamp;

use super::fixture::{Fixture, account, caller, name, time};
use super::grants::GranteeId;
use super::repositories::{self, RepositoryId};
use super::tokens::{self, NewToken, TokenKind};
use super::{Error, Row, Session, Value, access, accounts, events, grants, organisations, teams, versions, viewer};
use crate::auth::{Admin, Caller, Level, Pull, Push, Role, Scopes, Sight, TokenId, Visibility, decide};
use crate::oci::RepositoryName;

/// Counts statements on their way to a session.
struct Counting<'a> {
    inner: &'a mut dyn Session,
    statements: usize,
}

impl Session for Counting<'_> {
    fn query(&mut self, sql: &'static str, parameters: &[Value]) -> Result<Vec<Row>, Error> {
        self.statements += 1;
        self.inner.query(sql, parameters)
    }

    fn execute(&mut self, sql: &'static str, parameters: &[Value]) -> Result<usize, Error> {
        self.statements += 1;
        self.inner.execute(sql, parameters)
    }
}

/// `acme` with the owner `olga`, the member `max` and the team `devs` (`dora`); `ada` is nobody there, `root`
/// administers. `acme/agent` is private, `acme/org` for members, `acme/public` for all, `ada/own` hers.
struct World {
    index: Fixture,
    private: RepositoryId,
    devs: teams::TeamId,
}

impl World {
    fn new() -> Self {
        let mut index = Fixture::new();
        accounts::create_user(index.session(), &account("root"), true, time(0)).unwrap();
        let acme = index.organisation("acme");
        let [olga, max, dora, _] = ["olga", "max", "dora", "ada"].map(|name| index.user(name));
        for (user, role) in [(olga, Role::Owner), (max, Role::Member), (dora, Role::Member)] {
            organisations::set_member(index.session(), acme, user, role, time(0)).unwrap();
        }
        let devs = teams::create(index.session(), acme, "devs", None, time(0)).unwrap();
        teams::add_member(index.session(), devs, dora, time(0)).unwrap();
        let private = index.repository("acme/agent");
        for (text, visibility) in [("acme/org", Visibility::Org), ("acme/public", Visibility::Public)] {
            index.show_to(text, visibility);
        }
        index.repository("ada/own");
        index.repository("single");
        Self { index, private, devs }
    }

    fn id(&mut self, user: &str) -> GranteeId {
        GranteeId::Account(accounts::find(self.index.session(), &account(user)).unwrap().unwrap().id)
    }

    fn grant(&mut self, grantee: GranteeId, level: Level, until: Option<Timestamp>) {
        grants::set(self.index.session(), self.private, grantee, level, until, time(1)).unwrap();
    }

    fn known(&mut self, who: &Caller, text: &str, now: i64) -> access::Known {
        access::facts(self.index.session(), who.identity(), &name(text), time(now)).unwrap()
    }

    /// What a caller may do to a repository: `pull`, `push`, `admin`.
    fn may(&mut self, who: &str, text: &str, now: i64) -> [bool; 3] {
        let (caller, known) = (caller(who), self.known(&caller(who), text, now));
        let (facts, repository) = (&known.facts, name(text));
        let pull = decide(facts, &caller, Pull, &repository).is_ok();
        let push = decide(facts, &caller, Push, &repository).is_ok();
        [pull, push, decide(facts, &caller, Admin, &repository).is_ok()]
    }

    fn sees(&mut self, who: &str, now: i64) -> Vec<String> {
        let is_administrator = who == "root";
        let sight = Sight::of(&caller(who), is_administrator);
        let found = repositories::list(self.index.session(), &sight, time(now), None, 100).unwrap();
        found.iter().map(ToString::to_string).collect()
    }
}

const NOTHING: [bool; 3] = [false; 3];
const PULL: [bool; 3] = [true, false, false];
const PUSH: [bool; 3] = [true, true, false];
const ALL: [bool; 3] = [true; 3];

#[test]
fn facts_say_what_each_relation_gives() {
    let mut world = World::new();
    for (who, expected) in [("root", ALL), ("olga", ALL), ("max", NOTHING), ("dora", NOTHING), ("ada", NOTHING)] {
        assert_eq!(world.may(who, "acme/agent", 1), expected, "{who}");
    }
    for (who, expected) in [("max", PULL), ("dora", PULL), ("ada", NOTHING), ("", NOTHING)] {
        assert_eq!(world.may(who, "acme/org", 1), expected, "{who}");
    }
    for (who, expected) in [("max", PULL), ("ada", PULL), ("", PULL), ("gone", NOTHING)] {
        assert_eq!(world.may(who, "acme/public", 1), expected, "{who}");
    }
    assert_eq!(world.may("ada", "ada/own", 1), ALL);
    assert_eq!(world.may("ada", "ada/new", 1), ALL);
    assert_eq!(world.may("olga", "acme/new", 1), ALL);
    assert_eq!(world.may("olga", "ada/own", 1), NOTHING);
    assert_eq!(world.may("ada", "single", 1), NOTHING);
    assert_eq!(world.may("ada", "nobodys/new", 1), NOTHING);
    assert_eq!(world.may("root", "nobodys/new", 1), ALL);

    teams::set_role(world.index.session(), world.devs, Some(Level::Write)).unwrap();
    assert_eq!(world.may("dora", "acme/agent", 1), PUSH);
    assert_eq!(world.may("dora", "acme/new", 1), PUSH);
    assert_eq!(world.may("dora", "ada/own", 1), NOTHING, "the role is for its organisation only");
    assert_eq!(world.may("max", "acme/agent", 1), NOTHING);
}

#[test]
fn grants_reach_users_teams_and_organisations_until_they_end() {
    let mut world = World::new();
    let (ada, acme, devs) = (world.id("ada"), world.id("acme"), GranteeId::Team(world.devs));
    world.grant(ada, Level::Write, Some(time(10)));
    assert_eq!(world.may("ada", "acme/agent", 9), PUSH);
    assert_eq!(world.may("ada", "acme/agent", 10), NOTHING);
    assert_eq!(world.may("ada", "acme/other", 9), NOTHING);
    assert_eq!(world.known(&caller("ada"), "acme/agent", 9).until, Some(time(10)));
    assert_eq!(world.known(&caller("ada"), "acme/agent", 10).until, None);
    world.grant(devs, Level::Admin, Some(time(20)));
    world.grant(acme, Level::Read, Some(time(30)));
    assert_eq!(world.may("dora", "acme/agent", 11), ALL);
    assert_eq!(world.may("dora", "acme/agent", 20), PULL);
    assert_eq!(world.known(&caller("dora"), "acme/agent", 11).until, Some(time(20)));
    assert_eq!(world.may("max", "acme/agent", 29), PULL);
    assert_eq!(world.may("max", "acme/agent", 30), NOTHING);

    world.grant(devs, Level::Admin, None);
    teams::remove(world.index.session(), world.devs, time(40)).unwrap();
    assert_eq!(world.may("dora", "acme/agent", 41), NOTHING, "the team is gone");
    world.grant(ada, Level::Admin, None);
    assert_eq!(world.may("ada", "acme/agent", 41), ALL);
    let GranteeId::Account(id) = ada else { panic!("an account") };
    accounts::remove(world.index.session(), id, time(42)).unwrap();
    assert_eq!(world.may("ada", "acme/agent", 43), NOTHING);
    accounts::free(world.index.session(), id, time(44)).unwrap();
    world.index.user("ada");
    assert_eq!(world.may("ada", "acme/agent", 45), NOTHING, "a grant is no heritage of the next of that name");
    assert_eq!(world.may("ada", "ada/own", 45), ALL, "but the namespace is");
}

#[test]
fn missing_hidden_and_visible_repositories_take_the_same_statements() {
    let mut world = World::new();
    let [ada, max] = [world.id("ada"), world.id("max")];
    world.grant(max, Level::Read, None);
    world.grant(ada, Level::Read, Some(time(5)));
    let mut counts = std::collections::BTreeMap::new();
    for who in ["", "ada", "max", "olga", "root", "gone"] {
        for text in ["acme/agent", "acme/org", "acme/public", "ada/own", "acme/missing", "nobodys/x", "single", "x"] {
            let mut counting = Counting { inner: world.index.session(), statements: 0 };
            access::facts(&mut counting, caller(who).identity(), &name(text), time(1)).unwrap();
            counts.entry(counting.statements).or_insert_with(Vec::new).push((who, text));
        }
    }
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [2], "{counts:?}");
}

#[test]
fn lists_hold_exactly_what_can_be_pulled() {
    let mut world = World::new();
    let [ada, acme, devs] = [world.id("ada"), world.id("acme"), GranteeId::Team(world.devs)];
    let everything = ["acme/agent", "acme/org", "acme/public", "ada/own", "single"];
    let check = |world: &mut World, now| {
        for who in ["", "ada", "max", "dora", "olga", "root", "gone", "acme"] {
            let mut allowed = vec![];
            for text in everything {
                // Somebody whose account is gone is not listed what everybody may pull: they are not let in at all.
                if world.may(who, text, now)[0] || (text == "acme/public") {
                    allowed.push(text.to_owned());
                }
            }
            assert_eq!(world.sees(who, now), allowed, "{who} at {now}");
        }
    };
    check(&mut world, 1);
    world.grant(ada, Level::Read, Some(time(10)));
    check(&mut world, 9);
    check(&mut world, 10);
    world.grant(devs, Level::Write, None);
    check(&mut world, 11);
    world.grant(acme, Level::Read, None);
    check(&mut world, 12);
    teams::set_role(world.index.session(), world.devs, Some(Level::Read)).unwrap();
    check(&mut world, 13);
    teams::remove(world.index.session(), world.devs, time(14)).unwrap();
    check(&mut world, 15);
    let GranteeId::Account(id) = acme else { panic!("an account") };
    accounts::remove(world.index.session(), id, time(16)).unwrap();
    check(&mut world, 17);
    assert_eq!(world.sees("olga", 17), ["acme/public"], "an organisation that is gone has no owners");
}

#[test]
fn every_change_moves_the_generation_and_reading_does_not() {
    let mut world = World::new();
    let generation = |world: &mut World| access::generation(world.index.session()).unwrap();
    let before = generation(&mut world);
    world.may("ada", "acme/agent", 1);
    world.sees("ada", 1);
    assert_eq!(generation(&mut world), before);
    let ada = world.id("ada");
    world.grant(ada, Level::Read, None);
    assert!(generation(&mut world) > before);
    assert_eq!(world.known(&caller("ada"), "acme/agent", 1).facts.generation(), generation(&mut world));
}

fn token(world: &mut World, hash: u8, kind: TokenKind, parent: Option<TokenId>, until: Option<i64>) -> TokenId {
    let GranteeId::Account(account) = world.id("ada") else { panic!("an account") };
    let (hash, expires_at) = ([hash; 32], until.map(time));
    let (scopes, patterns) = (Scopes::all(), ["ada/*".parse().unwrap()]);
    let token =
        NewToken { account, kind, hash: &hash, name: "x", scopes: &scopes, patterns: &patterns, parent, expires_at };
    tokens::insert(world.index.session(), &token, time(1)).unwrap()
}

#[test]
fn a_token_is_accepted_while_it_its_parent_and_its_account_are() {
    let mut world = World::new();
    let first = token(&mut world, 1, TokenKind::Access, None, Some(50));
    let refresh = token(&mut world, 2, TokenKind::Refresh, Some(first), Some(90));
    token(&mut world, 3, TokenKind::Access, None, None);
    let bearer =
        |world: &mut World, hash: u8, now| access::caller(world.index.session(), &[hash; 32], time(now)).unwrap();
    let found = bearer(&mut world, 1, 49).unwrap();
    assert_eq!((found.token.id, found.token.account.as_str(), found.is_administrator), (first, "ada", false));
    assert_eq!((found.expires_at, found.token.patterns.len()), (Some(time(50)), 1));
    assert_eq!(bearer(&mut world, 2, 49).unwrap().expires_at, Some(time(50)), "it ends with what it was made with");
    assert_eq!(bearer(&mut world, 1, 50), None);
    assert_eq!(bearer(&mut world, 2, 50), None);
    assert_eq!(bearer(&mut world, 9, 1), None);

    tokens::revoke(world.index.session(), first, time(5)).unwrap();
    assert_eq!((bearer(&mut world, 1, 6), bearer(&mut world, 2, 6)), (None, None));
    assert!(tokens::find(world.index.session(), refresh).unwrap().is_some());
    assert!(bearer(&mut world, 3, 6).is_some());
    let GranteeId::Account(ada) = world.id("ada") else { panic!("an account") };
    accounts::remove(world.index.session(), ada, time(7)).unwrap();
    assert_eq!(bearer(&mut world, 3, 8), None);
}

#[test]
fn a_short_token_stands_as_long_as_what_it_was_made_with() {
    let mut world = World::new();
    let GranteeId::Account(ada) = world.id("ada") else { panic!("an account") };
    let id = token(&mut world, 1, TokenKind::Access, None, Some(50));
    let name = account("ada");
    let stands = |world: &mut World, token, issued: i64, now: i64| {
        let origin = access::Origin { account: &name, token, issued_at: time(issued) };
        access::standing(world.index.session(), origin, time(now)).unwrap().is_some()
    };
    assert!(stands(&mut world, Some(id), 2, 49));
    assert!(!stands(&mut world, Some(id), 2, 50), "expired");
    assert!(!stands(&mut world, Some(TokenId::new(99)), 2, 3));
    assert!(!stands(&mut world, None, 2, 3), "there is no password");
    accounts::set_password(world.index.session(), ada, Some("$x"), time(10)).unwrap();
    assert!(stands(&mut world, None, 10, 11));
    assert!(!stands(&mut world, None, 9, 11), "the password has changed since");
    assert!(stands(&mut world, Some(id), 9, 11), "which does not touch a token");
    tokens::revoke(world.index.session(), id, time(12)).unwrap();
    assert!(!stands(&mut world, Some(id), 9, 13));
    accounts::remove(world.index.session(), ada, time(14)).unwrap();
    accounts::free(world.index.session(), ada, time(14)).unwrap();
    let again = world.index.user("ada");
    accounts::set_password(world.index.session(), again, Some("$y"), time(0)).unwrap();
    assert!(stands(&mut world, None, 20, 21), "the next of that name");
    assert!(!stands(&mut world, Some(id), 20, 21), "whose token it is not");
}

#[test]
fn events_and_versions_are_seen_where_their_repository_is() {
    let mut world = World::new();
    let before = events::last(world.index.session()).unwrap();
    for text in ["acme/agent", "acme/public"] {
        let (kind, at) = (events::EventKind::TagDeleted, time(1));
        let event = events::Event {
            kind,
            repository: name(text),
            digest: None,
            tag: None,
            detail: None,
            actor: "olga".to_owned(),
            at,
        };
        events::append(world.index.session(), &event).unwrap();
    }
    let seen = |world: &mut World, who: &str, limit| {
        let sees = viewer::seen(world.index.session(), caller(who).identity(), time(1)).unwrap();
        let is_seen = |id, name: &RepositoryName, visibility| {
            who == "root" || sees.sees(id, name.namespace().unwrap(), visibility)
        };
        let found = events::stretch(world.index.session(), &events::Filter::default(), before, limit, is_seen).unwrap();
        found.events.into_iter().map(|(_, event)| event.repository.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&mut world, "olga", 10), ["acme/agent", "acme/public"]);
    assert_eq!(seen(&mut world, "root", 1), ["acme/agent"]);
    assert_eq!(seen(&mut world, "ada", 1), ["acme/public"]);
    let nobody = Sight::of(&caller(""), false);
    assert!(versions::list(world.index.session(), &nobody, time(1), None, 9).unwrap().is_empty());
}
