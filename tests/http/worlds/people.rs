//! Who may see and do what, worked out again from the words of the documentation: nothing here knows how the registry
//! does it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(crate) const USERS: [&str; 4] = ["ada", "ben", "cyd", "dan"];
pub(crate) const ORGANISATIONS: [&str; 3] = ["acme", "umbra", "guild"];
pub(crate) const TEAMS: [&str; 2] = ["core", "docs"];
/// The one organisation without repositories, so that it can be removed.
pub(crate) const GUILD: usize = 2;
/// The one user who can be removed.
pub(crate) const LEAVER: usize = 3;

/// What a grant or a team allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Read,
    Write,
    Admin,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Private,
    Org,
    Public,
}

impl Visibility {
    pub(crate) const ALL: [Self; 3] = [Self::Private, Self::Org, Self::Public];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Org => "org",
            Self::Public => "public",
        }
    }
}

/// Users, organisations and teams by their place in the lists above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grantee {
    User(usize),
    Team(usize, usize),
    Organisation(usize),
}

impl Grantee {
    /// All that there may ever be.
    pub(crate) fn nth(number: u8) -> Self {
        let number = usize::from(number);
        match number % 13 {
            user @ 0..4 => Self::User(user),
            team @ 4..10 => Self::Team((team - 4) / 2, team % 2),
            organisation => Self::Organisation(organisation - 10),
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Team(..) => "team",
            Self::Organisation(_) => "organisation",
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::User(user) => USERS[user].to_owned(),
            Self::Team(organisation, team) => format!("{}/{}", ORGANISATIONS[organisation], TEAMS[team]),
            Self::Organisation(organisation) => ORGANISATIONS[organisation].to_owned(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    pub(crate) level: Level,
    pub(crate) until: Option<Timestamp>,
}

/// Who may see a repository.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) visibility: Visibility,
    pub(crate) grants: Vec<Grant>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Team {
    pub(crate) role: Option<Level>,
    pub(crate) members: BTreeSet<usize>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Organisation {
    pub(crate) is_removed: bool,
    /// Users, and whether they are owners.
    pub(crate) members: BTreeMap<usize, bool>,
    pub(crate) teams: [Option<Team>; 2],
}

/// Who is who.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub(crate) organisations: [Organisation; 3],
    pub(crate) removed: BTreeSet<usize>,
}

impl People {
    /// Whether a user may do what a level allows; where the level is read, what a repository's visibility shows counts
    /// as well.
    pub(crate) fn allows(&self, user: usize, repository: &str, access: Option<&Access>, level: Level) -> bool {
        if self.removed.contains(&user) {
            return false;
        }
        let namespace = repository.split_once('/').map(|(namespace, _)| namespace);
        if namespace == Some(USERS[user]) {
            return true;
        }
        let organisation = ORGANISATIONS.iter().position(|name| namespace == Some(name));
        let organisation = organisation.map(|index| &self.organisations[index]).filter(|found| !found.is_removed);
        let membership = organisation.and_then(|found| found.members.get(&user));
        let by_team = organisation.is_some_and(|found| {
            found
                .teams
                .iter()
                .flatten()
                .any(|team| team.members.contains(&user) && team.role.is_some_and(|role| role >= level))
        });
        if membership == Some(&true) || by_team {
            return true;
        }
        let Some(access) = access else { return false };
        let now = Timestamp::now();
        let granted = access.grants.iter().any(|grant| {
            grant.level >= level && grant.until.is_none_or(|until| until > now) && self.is_one_of(user, grant.grantee)
        });
        let shown = match access.visibility {
            Visibility::Private => false,
            Visibility::Org => membership.is_some(),
            Visibility::Public => true,
        };
        granted || (shown && level == Level::Read)
    }

    fn is_one_of(&self, user: usize, grantee: Grantee) -> bool {
        match grantee {
            Grantee::User(named) => named == user,
            Grantee::Team(organisation, team) => {
                let organisation = &self.organisations[organisation];
                let team = organisation.teams[team].as_ref();
                !organisation.is_removed && team.is_some_and(|team| team.members.contains(&user))
            }
            Grantee::Organisation(organisation) => {
                let organisation = &self.organisations[organisation];
                !organisation.is_removed && organisation.members.contains_key(&user)
            }
        }
    }

    /// Takes a user out of an organisation, which takes them out of its teams.
    pub(crate) fn leave(&mut self, organisation: usize, user: usize) {
        let organisation = &mut self.organisations[organisation];
        organisation.members.remove(&user);
        for team in organisation.teams.iter_mut().flatten() {
            team.members.remove(&user);
        }
    }

    /// Whether there is such a grantee now.
    pub(crate) fn has(&self, grantee: Grantee) -> bool {
        match grantee {
            Grantee::User(user) => !self.removed.contains(&user),
            Grantee::Team(organisation, team) => {
                let organisation = &self.organisations[organisation];
                !organisation.is_removed && organisation.teams[team].is_some()
            }
            Grantee::Organisation(organisation) => !self.organisations[organisation].is_removed,
        }
    }
}

/// Whether a repository's name is as a token's pattern says: `*` is any part of one component, `**` one or more of them.
pub(crate) fn reaches(pattern: &str, repository: &str) -> bool {
    let (wanted, names): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), repository.split('/').collect());
    components(&wanted, &names)
}

fn components(wanted: &[&str], names: &[&str]) -> bool {
    match (wanted.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), Some((_, names))) => components(rest, names) || components(wanted, names),
        (Some((first, rest)), Some((name, names))) => glob(first, name) && components(rest, names),
        _ => false,
    }
}

/// Whether a text is as a pattern with `*` says.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }),
    }
}
