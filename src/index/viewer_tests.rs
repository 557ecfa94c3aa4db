//! What is read at once of what somebody sees, beside the condition that decides row by row, over random worlds.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use proptest::prelude::*;

use super::fixture::{Fixture, account, caller, name, time};
use super::grants::GranteeId;
use super::publishers::{self, NewPublisher};
use super::repositories::{self, RepositoryId};
use super::{access, accounts, grants, organisations, teams, viewer};
use crate::auth::{Caller, CredentialKind, Identity, Level, Origin, PublisherId, Reach, Role, Sight, Visibility};

const USERS: [&str; 3] = ["ada", "bob", "cy"];
const ORGANISATIONS: [&str; 2] = ["acme", "beta"];
const REPOSITORIES: [&str; 9] =
    ["acme/a", "acme/b", "beta/a", "beta/b", "ada/a", "bob/a", "free/a", "single", "acme/deep/er"];
const VISIBILITIES: [Visibility; 3] = [Visibility::Private, Visibility::Org, Visibility::Public];

/// Something that changes what somebody sees; numbers choose among the names above.
#[derive(Clone, Debug)]
enum Step {
    Visibility(usize, usize),
    Member(usize, usize, bool),
    Leave(usize, usize),
    TeamRole(usize, bool),
    TeamMember(usize, usize),
    TeamGone(usize),
    Grant(usize, usize, Option<i64>),
    Revoke(usize, usize),
    AccountGone(usize),
    AccountBack(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (user, organisation, repository, anybody) = (0..3usize, 0..2usize, 0..REPOSITORIES.len(), 0..7usize);
    prop_oneof![
        3 => (repository.clone(), 0..3usize).prop_map(|(at, which)| Step::Visibility(at, which)),
        3 => (organisation.clone(), user.clone(), any::<bool>()).prop_map(|(o, u, owner)| Step::Member(o, u, owner)),
        1 => (organisation.clone(), user.clone()).prop_map(|(o, u)| Step::Leave(o, u)),
        2 => (organisation.clone(), any::<bool>()).prop_map(|(o, role)| Step::TeamRole(o, role)),
        3 => (organisation.clone(), user).prop_map(|(o, u)| Step::TeamMember(o, u)),
        1 => organisation.prop_map(Step::TeamGone),
        6 => (repository.clone(), anybody.clone(), proptest::option::of(1..20i64))
            .prop_map(|(at, who, until)| Step::Grant(at, who, until)),
        1 => (repository, anybody).prop_map(|(at, who)| Step::Revoke(at, who)),
        1 => (0..5usize).prop_map(Step::AccountGone),
        1 => (0..5usize).prop_map(Step::AccountBack),
    ]
}

struct World {
    index: Fixture,
    repositories: Vec<RepositoryId>,
    teams: Vec<teams::TeamId>,
    publishers: Vec<PublisherId>,
}

impl World {
    fn new() -> Self {
        let mut index = Fixture::new();
        for user in USERS {
            index.user(user);
        }
        let teams = ORGANISATIONS.map(|text| {
            let id = index.organisation(text);
            teams::create(index.session(), id, "devs", None, time(0)).unwrap()
        });
        let repositories = REPOSITORIES.map(|text| index.repository(text));
        let publishers = ["acme/a", "acme/later"].map(|text| {
            let new = NewPublisher {
                repository: &name(text),
                issuer: "https://ci",
                selector: "x",
                rule: bytes::Bytes::from_static(b"{}"),
                created_by: "ada",
            };
            publishers::add(index.session(), &new, time(0)).unwrap()
        });
        Self { index, repositories: repositories.into(), teams: teams.into(), publishers: publishers.into() }
    }

    /// The row of an account that is or was there: users first, then organisations.
    fn account(&mut self, number: usize) -> accounts::Account {
        let text = USERS.iter().chain(&ORGANISATIONS).nth(number).unwrap();
        accounts::find(self.index.session(), &account(text)).unwrap().unwrap()
    }

    fn grantee(&mut self, number: usize) -> GranteeId {
        match number {
            0..5 => GranteeId::Account(self.account(number).id),
            _ => GranteeId::Team(self.teams[number - 5]),
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Visibility(at, which) => self.index.show_to(REPOSITORIES[at], VISIBILITIES[which]),
            Step::Member(organisation, user, owner) => {
                let (organisation, user) = (self.account(3 + organisation).id, self.account(user).id);
                let role = if owner { Role::Owner } else { Role::Member };
                organisations::set_member(self.index.session(), organisation, user, role, time(0)).unwrap();
            }
            Step::Leave(organisation, user) => {
                let (organisation, user) = (self.account(3 + organisation).id, self.account(user).id);
                organisations::remove_member(self.index.session(), organisation, user).unwrap();
            }
            Step::TeamRole(team, has_one) => {
                teams::set_role(self.index.session(), self.teams[team], has_one.then_some(Level::Read)).unwrap();
            }
            Step::TeamMember(team, user) => {
                let user = self.account(user).id;
                teams::add_member(self.index.session(), self.teams[team], user, time(0)).unwrap();
            }
            Step::TeamGone(team) => teams::remove(self.index.session(), self.teams[team], time(0)).unwrap(),
            Step::Grant(at, who, until) => {
                let (grantee, id) = (self.grantee(who), self.repositories[at]);
                grants::set(self.index.session(), id, grantee, Level::Read, until.map(time), time(0)).unwrap();
            }
            Step::Revoke(at, who) => {
                let (grantee, id) = (self.grantee(who), self.repositories[at]);
                grants::remove(self.index.session(), id, grantee).unwrap();
            }
            Step::AccountGone(number) => {
                let id = self.account(number).id;
                accounts::remove(self.index.session(), id, time(0)).unwrap();
            }
            Step::AccountBack(number) => {
                let gone = self.account(number);
                if accounts::free(self.index.session(), gone.id, time(0)).unwrap() {
                    // Whoever takes the name next, as what the other kind was or not.
                    if number % 2 == 0 {
                        self.index.user(gone.name.as_str());
                    } else {
                        self.index.organisation(gone.name.as_str());
                    }
                }
            }
        }
    }

    /// What both ways say of everything at a moment.
    fn check(&mut self, caller: &Caller, now: i64) {
        let sight = Sight::of(caller, false);
        let listed = repositories::list(self.index.session(), &sight, time(now), None, 100).unwrap();
        let seen = viewer::seen(self.index.session(), caller.identity(), time(now)).unwrap();
        let those = REPOSITORIES.iter().zip(self.repositories.clone()).filter(|(text, id)| {
            let visibility = repositories::visibility(self.index.session(), *id).unwrap();
            seen.sees(*id, name(text).namespace().unwrap_or_default(), visibility)
        });
        let mut names: Vec<_> = those.map(|(text, _)| name(text)).collect();
        names.sort();
        assert_eq!(names, listed, "{} at {now}: {seen:?}", caller.identity());
        if let Some(until) = seen.until.filter(|until| *until > time(now)) {
            let before =
                viewer::seen(self.index.session(), caller.identity(), until - jiff::SignedDuration::from_secs(1));
            assert_eq!(before.unwrap(), seen, "it holds until then");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_at_once_is_what_is_decided_row_by_row(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        let publishers = world.publishers.clone().into_iter().map(|id| {
            Caller::new(Identity::Publisher(id), Reach::unlimited(), CredentialKind::Password, Origin::none())
        });
        let callers: Vec<_> = ["", "ada", "bob", "cy", "gone", "acme"].map(caller).into_iter().chain(publishers).collect();
        for (number, step) in steps.iter().enumerate() {
            world.take(step);
            for caller in &callers {
                world.check(caller, i64::try_from(number).unwrap() % 20);
            }
        }
    }
}

#[test]
fn a_publisher_sees_its_repository_as_soon_as_it_is_there() {
    let mut world = World::new();
    let later = Identity::Publisher(world.publishers[1]);
    let before = viewer::seen(world.index.session(), &later, time(5)).unwrap();
    assert_eq!((before.repositories.len(), before.until), (0, Some(time(5))), "not to be remembered");
    let generation = access::generation(world.index.session()).unwrap();
    let id = world.index.repository("acme/later");
    assert_eq!(access::generation(world.index.session()).unwrap(), generation);
    let after = viewer::seen(world.index.session(), &later, time(6)).unwrap();
    assert_eq!((after.repositories, after.until), (vec![id], None));
}
